using System.Diagnostics;
using System.Globalization;
using System.Text;
using Drive.Testing;
using Xunit.Abstractions;

namespace Drive.Cli.Tests;

/// <summary>
/// A real daemon under a real mount is killed in the midst of writes, again and again: what an fsync said yes to is there, what it did not is a prefix, and what
/// 'drive wait' confirmed outlives the loss of the machine.
/// </summary>
[Collection(nameof(MountFactAttribute))]
public sealed class KillTests(ITestOutputHelper output)
{
    private const int RoundsUsually = 20;
    private static readonly TimeSpan UpTimeMax = TimeSpan.FromSeconds(10);

    private static int Rounds =>
        int.TryParse(Environment.GetEnvironmentVariable("DRIVE_KILL_ROUNDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int rounds) ? rounds : RoundsUsually;

    [MountFact]
    public void What_was_synced_outlives_every_kill_and_what_a_wait_confirmed_outlives_the_machine()
    {
        int seed = Environment.TickCount;
        output.WriteLine($"Seed {seed}");
        Random random = new(seed);
        using DriveHome home = new();
        string key = home.Do("up", home.Mount).Output;
        List<Writer> writers = [];
        for (int round = 1; round <= Rounds; round++)
        {
            Writer writer = new(home.Mount, round, random.Next());
            writers.Add(writer);
            writer.Start();
            writer.AwaitRecords(20 + random.Next(200));
            int pid = home.Pid();
            using (Process daemon = Process.GetProcessById(pid))
            {
                daemon.Kill();
            }

            writer.AwaitEnd();
            DriveHome.AwaitEnd(pid);
            long started = Stopwatch.GetTimestamp();
            home.Do("up");
            TimeSpan took = Stopwatch.GetElapsedTime(started);
            Assert.NotEqual(pid, home.Pid());
            output.WriteLine($"Round {round}: {writer}; back after {took.TotalSeconds:0.00} s");
            Assert.True(took < UpTimeMax, $"mounted again after {took}");
            writers.ForEach(each => each.Check(home.Mount));
            if (round % 2 == 0)
            {
                home.Do("wait", "--timeout", "60");
            }
        }

        home.Do("wait", "--timeout", "60");
        Dictionary<string, byte[]> confirmed = ReadAll(home.Mount);
        home.Do("umount");
        string store = Path.Combine(home.Root, "store");
        Directory.Move(Path.Combine(home.Home, "data", "vault"), store);
        Directory.Delete(home.Home, recursive: true);

        Ran recovered = home.RunWith(key, "recover", store, "--name", "drive");
        Assert.True(recovered.Code == 0, recovered.ToString());
        home.Do("mount", "drive", home.Mount);
        Dictionary<string, byte[]> found = ReadAll(home.Mount);
        Assert.Equal(confirmed.Keys.Order(StringComparer.Ordinal), found.Keys.Order(StringComparer.Ordinal));
        Assert.All(confirmed, file => Assert.True(file.Value.AsSpan().SequenceEqual(found[file.Key]), file.Key));
        writers.ForEach(writer => writer.Check(home.Mount));
    }

    private static Dictionary<string, byte[]> ReadAll(string mount) =>
        Directory.EnumerateFiles(mount, "*", SearchOption.AllDirectories).ToDictionary(path => Path.GetRelativePath(mount, path), File.ReadAllBytes);

    /// <summary>
    /// Appends records that tell which they are to one file, syncs some of them, and now and then makes a file under a temporary name, syncs it, and renames it.
    /// It goes on until the mount is gone.
    /// </summary>
    private sealed class Writer(string mount, int round, int seed)
    {
        private readonly Random _random = new(seed);
        private readonly MemoryStream _stream = new();
        private readonly List<string> _renamed = [];
        private readonly TaskCompletionSource _ended = new();
        private int _records;
        private long _synced;
        private int _renamedSynced;
        private string? _error;

        public override string ToString() => $"{_records} records, {_synced} of {_stream.Length} bytes and {_renamedSynced} of {_renamed.Count} renames synced, ended by '{_error}'";

        public void Start() => new Thread(Run) { IsBackground = true }.Start();

        public void AwaitRecords(int count)
        {
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _records) >= count || _ended.Task.IsCompleted, TimeSpan.FromSeconds(60)), "the writer goes on");
            Assert.False(_ended.Task.IsCompleted, $"the writer stopped: {_error}");
        }

        public void AwaitEnd() => Assert.True(_ended.Task.Wait(TimeSpan.FromSeconds(30)), "a writer on a dead mount gets an error");

        /// <summary>Holds the mount against what is known.</summary>
        public void Check(string where)
        {
            byte[] found = File.ReadAllBytes(Path.Combine(where, $"log-{round}"));
            byte[] written = _stream.ToArray();
            Assert.True(found.Length >= _synced, $"round {round}: {found.Length} bytes are there, {_synced} were synced");
            Assert.True(found.Length <= written.Length, $"round {round}: {found.Length} bytes are there, {written.Length} were written");
            int same = found.AsSpan().CommonPrefixLength(written);
            Assert.True(same == found.Length, $"round {round}: from byte {same} on the file is not what was written ({_synced} synced, {found.Length} there)");
            for (int index = 0; index < _renamed.Count; index++)
            {
                string path = Path.Combine(where, _renamed[index]);
                bool isThere = File.Exists(path);
                Assert.True(isThere || index >= _renamedSynced, $"{path}: its rename was synced");
                Assert.True(!isThere || File.ReadAllText(path) == Content(_renamed[index]), $"{path}: it was synced under its first name");
            }
        }

        private static string Content(string name) => string.Concat(Enumerable.Repeat($"This is {name}.\n", 1 + (name.Length * 37 % 500)));

        private void Run()
        {
            try
            {
                Directory.CreateDirectory(Path.Combine(mount, $"d-{round}"));
                using FileStream log = new(Path.Combine(mount, $"log-{round}"), FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                while (true)
                {
                    Append(log);
                    if (_records % 7 == 0)
                    {
                        MakeAndRename();
                    }

                    if (_random.Next(3) == 0)
                    {
                        // An fsync of any file covers all that was done before it on the volume.
                        long length = _stream.Length;
                        int renamed = _renamed.Count;
                        Sync(log);
                        _synced = length;
                        _renamedSynced = renamed;
                    }

                    Volatile.Write(ref _records, _records + 1);
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                _error = error.Message;
            }
            finally
            {
                _ended.SetResult();
            }
        }

        /// <summary>The call itself: a runtime's flush is free to take some of its errors for success.</summary>
        private static void Sync(FileStream file)
        {
            int result = Posix.Sync((int)file.SafeFileHandle.DangerousGetHandle());
            if (result < 0)
            {
                throw new IOException($"fsync: errno {-result}");
            }
        }

        private void Append(FileStream log)
        {
            byte[] record = Encoding.ASCII.GetBytes($"[{round}:{_records}]{new string((char)('a' + (_records % 26)), _random.Next(_random.Next(8) == 0 ? 100_000 : 2000))}\n");

            // Known before it is written: a write that failed may have got through in part.
            _stream.Write(record);
            log.Write(record);
        }

        private void MakeAndRename()
        {
            string name = Path.Combine($"d-{round}", $"file-{_records}");
            string temporary = Path.Combine(mount, name + ".tmp");
            using (FileStream file = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                file.Write(Encoding.ASCII.GetBytes(Content(name)));
                Sync(file);
            }

            _renamed.Add(name);
            File.Move(temporary, Path.Combine(mount, name));
        }
    }
}
