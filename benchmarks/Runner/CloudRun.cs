using Drive.Benchmarks.Platform;
using Drive.Benchmarks.Report;
using Drive.Benchmarks.Sides;
using Drive.Benchmarks.Workloads;

namespace Drive.Benchmarks;

/// <summary>
/// A store far away. One machine writes and waits until it is safe; then another that joined with the recovery key, and has nothing of the content,
/// reads. Before each cold read its mount is taken away, its block cache deleted and the kernel's caches dropped. Each round has a vault of its own.
/// </summary>
internal sealed class CloudRun(Options options, string home) : IDisposable
{
    private const int DocumentBytes = 2 << 20;
    private const int RandomReads = 50;
    private const int RandomBytes = 64 << 10;
    private const double Milliseconds = 1000;

    private static readonly Measure Acknowledged = new("create files of 4 KiB, acknowledged", "file/s", Target.AtLeast(3000));
    private static readonly Measure Safe = new("create them until safe in the store", "file/s", Target.AtLeast(1000));
    private static readonly Measure RequestsPerFile = new("requests per small file uploaded", "requests", Target.AtMost(0.01));
    private static readonly Measure WriteSafe = new("sequential write until safe", "MiB/s", Target.AtLeast(45));
    private static readonly Measure Join = new("mount on a machine that has nothing", "s");
    private static readonly Measure Listed = new("ls -lR of the small files, cold", "file/s", Target.RatioAtLeast(0.9));
    private static readonly Measure ListedRequests = new("requests for the listing", "requests", Target.AtMost(0));
    private static readonly Measure ReadSmall = new("read the small files, cold", "file/s", Target.AtLeast(1000));
    private static readonly Measure ReadSmallRequests = new("requests per small file read", "requests");
    private static readonly Measure Document = new("open and read a 2 MiB document, cold", "ms", Target.AtMost(100));
    private static readonly Measure FirstByte = new("first byte of the large file, cold", "ms", Target.AtMost(45));
    private static readonly Measure RandomTime = new("50 random reads of 64 KiB in it, cold", "s", Target.AtMost(2));
    private static readonly Measure RandomFetched = new("bytes fetched for them", "MiB", Target.AtMost(6));
    private static readonly Measure Sequential = new("sequential read, cold", "MiB/s", Target.AtLeast(47));
    private static readonly Measure EditSent = new("bytes uploaded for a 10-byte edit in it", "MiB", Target.AtMost(1));
    private static readonly Measure EditSafe = new("the edit until safe", "s");
    private static readonly Measure Renamed = new("rename each small file", "file/s", Target.RatioAtLeast(0.9));
    private static readonly Measure RenamedCommits = new("commits for the renames", "commits", Target.AtMost(1));
    private static readonly Measure Deleted = new("delete each", "file/s", Target.RatioAtLeast(0.9));
    private static readonly Measure DeletedCommits = new("commits for the deletions", "commits", Target.AtMost(1));

    private readonly int _files = options.Files ?? 1000;
    private readonly long _bytes = options.Bytes ?? 256L << 20;
    private readonly NativeSide _native = new(Path.Combine(home, "native"));
    private readonly Recorder _recorder = new(new Results(), new Results());
    private Side? _writer;
    private Side? _reader;

    public Results Results => _recorder.Results;

    public IReadOnlyList<Side> Sides => [_native, .. _reader is null ? Array.Empty<Side>() : [_reader]];

    public void Run()
    {
        Results.Notes.Add($"The store is a folder that answers {options.Latency} late, over a link of {options.Rate} a second each way. Targets are for 30ms, 50MiB, 1000 files and 256MiB.");
        Results.Notes.Add("Cold: on a second machine that joined with the recovery key, mounted anew, its block cache deleted" + (Machine.CanDropCaches ? ", the kernel's caches dropped." : "; not run by root, so the kernel's caches were not dropped."));
        Results.Notes.Add("Peers are left out: none of them has a store that can be made distant without changing this machine's network.");
        _native.Begin();
        for (int round = 0; round < options.Rounds; round++)
        {
            Console.Error.WriteLine($"round {round + 1} of {options.Rounds}, load {File.ReadAllText("/proc/loadavg")[..14]}");
            Results.Round = round;
            Round(Path.Combine(home, $"{round}"), new SmallFiles(_files, _recorder), new Noise(100 + round));
        }
    }

    public void Dispose()
    {
        _writer?.Dispose();
        _reader?.Dispose();
        _native.Dispose();
    }

    private void Round(string place, SmallFiles small, Noise noise)
    {
        string query = $"latency={options.Latency}&rate={options.Rate}";
        using DriveSide writer = new(Path.Combine(place, "writer"), options.Program, query);
        _writer = writer;
        writer.Begin();
        Write(writer, small, noise);
        writer.Unmount();

        using DriveSide reader = new(Path.Combine(place, "reader"), options.Program, query, first: writer);
        _reader = reader;
        reader.Enrol();
        _recorder.Time(Join, reader, 1, reader.Mount);
        Read(reader, small);
        Change(reader, small);
        reader.Unmount();
    }

    private void Write(DriveSide drive, SmallFiles small, Noise noise)
    {
        string root = Path.Combine(_native.Root, "small");
        _recorder.Time(Acknowledged, _native, _files, () => small.Create(root));
        Traffic before = drive.Traffic;
        double made = Shell.Time(() => small.Create(Path.Combine(drive.Root, "small")));
        double waited = Shell.Time(drive.AwaitUpload);
        Results.Add(Acknowledged, drive.Name, _files / made);
        Results.Add(Safe, drive.Name, _files / (made + waited));
        Results.Add(RequestsPerFile, drive.Name, drive.Traffic.Since(before).Requests / (double)_files);
        _recorder.Time(WriteSafe, drive, _bytes / (double)Noise.MiB, () =>
        {
            WriteFile(Path.Combine(drive.Root, "large.bin"), _bytes, noise);
            drive.AwaitUpload();
        });
        WriteFile(Path.Combine(drive.Root, "document"), DocumentBytes, noise);
        drive.AwaitUpload();
    }

    private void Read(DriveSide drive, SmallFiles small)
    {
        string root = Path.Combine(drive.Root, "small");
        string large = Path.Combine(drive.Root, "large.bin");
        Posix.SyncAll();
        if (Machine.CanDropCaches)
        {
            Machine.DropCaches();
        }

        _recorder.Time(Listed, _native, _files, () => SmallFiles.List(Path.Combine(_native.Root, "small")));
        Traffic used = Cold(drive, () => _recorder.Time(Listed, drive, _files, () => SmallFiles.List(root)));
        Results.Add(ListedRequests, drive.Name, used.Requests);
        used = Cold(drive, () => _recorder.Time(ReadSmall, drive, _files, () => small.Read(root)));
        Results.Add(ReadSmallRequests, drive.Name, used.Requests / (double)_files);
        Cold(drive, () => Results.Add(Document, drive.Name, Milliseconds * Shell.Time(() => ReadFile(Path.Combine(drive.Root, "document"), DocumentBytes))));
        Cold(drive, () => Results.Add(FirstByte, drive.Name, Milliseconds * Shell.Time(() => ReadFile(large, 1))));
        used = Cold(drive, () => _recorder.Time(RandomTime, drive, 1, () => ReadRandomly(large)));
        Results.Add(RandomFetched, drive.Name, used.Down / (double)Noise.MiB);
        Cold(drive, () => _recorder.Time(Sequential, drive, _bytes / (double)Noise.MiB, () => ReadFile(large, _bytes)));
    }

    private void Change(DriveSide drive, SmallFiles small)
    {
        Traffic used = Cold(drive, () => _recorder.Time(EditSafe, drive, 1, () =>
        {
            int file = Posix.Open(Path.Combine(drive.Root, "large.bin"), Posix.WriteOnly);
            Posix.WriteAt(file, "ten bytes!"u8, _bytes / 2);
            Posix.Sync(file);
            Posix.Close(file);
            drive.AwaitUpload();
        }));
        Results.Add(EditSent, drive.Name, used.Up / (double)Noise.MiB);
        ChangeSmall(Renamed, RenamedCommits, drive, small.Rename);
        ChangeSmall(Deleted, DeletedCommits, drive, small.Delete);
    }

    private void ChangeSmall(Measure measure, Measure commits, DriveSide drive, Action<string> change)
    {
        _recorder.Time(measure, _native, _files, () => change(Path.Combine(_native.Root, "small")));
        long before = drive.Seq();
        _recorder.Time(measure, drive, _files, () => change(Path.Combine(drive.Root, "small")));
        drive.AwaitUpload();
        Results.Add(commits, drive.Name, drive.Seq() - before);
    }

    /// <summary>Does something cold; returns what it asked of the store.</summary>
    private static Traffic Cold(DriveSide drive, Action action)
    {
        drive.MakeCold();
        Traffic before = drive.Traffic;
        action();
        return drive.Traffic.Since(before);
    }

    private static void WriteFile(string path, long bytes, Noise noise)
    {
        int file = Posix.Open(path, Posix.CreateNew);
        for (long left = bytes; left > 0; left -= Noise.MiB)
        {
            Posix.Write(file, noise.Next((int)Math.Min(left, Noise.MiB)));
        }

        Posix.Sync(file);
        Posix.Close(file);
    }

    private static void ReadFile(string path, long bytes)
    {
        byte[] buffer = new byte[Math.Min(bytes, Noise.MiB)];
        int file = Posix.Open(path, Posix.ReadOnly);
        for (long left = bytes; left > 0;)
        {
            int count = Posix.Read(file, buffer);
            left -= count > 0 ? count : throw new IOException($"{path} ends {left} bytes early");
        }

        Posix.Close(file);
    }

    private void ReadRandomly(string path)
    {
        Random random = new(7);
        byte[] buffer = new byte[RandomBytes];
        int file = Posix.Open(path, Posix.ReadOnly);
        for (int i = 0; i < RandomReads; i++)
        {
            if (Posix.ReadAt(file, buffer, random.NextInt64(_bytes / RandomBytes) * RandomBytes) != RandomBytes)
            {
                throw new IOException($"{path}: a read in its midst was short");
            }
        }

        Posix.Close(file);
    }
}
