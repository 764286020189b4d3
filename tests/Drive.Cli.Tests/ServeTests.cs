using System.Collections.Concurrent;
using System.Diagnostics;
using Drive.Core.Stores;
using Drive.Testing;
using Xunit.Abstractions;

namespace Drive.Cli.Tests;

/// <summary>The command as a store server, and drives that keep their vault there.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class ServeTests(ITestOutputHelper output) : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("drive-serve-").FullName;

    private static CancellationToken None => CancellationToken.None;

    private string Data => Path.Combine(_root, "server");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [MountFact]
    public void A_drive_on_a_server_is_filled_sent_and_recovered_on_another_machine()
    {
        using ServerProcess server = new(Data);
        Environment.SetEnvironmentVariable("DRIVE_SERVER_TOKEN", server.Token);
        using DriveHome home = new();
        string key = home.Do("init", server.Url("photos"), "--name", "drive").Output;
        home.Do("mount", "drive", home.Mount);
        FarFiles files = new(300);
        files.Write(home.Mount);
        home.Do("wait");
        Assert.Equal("reachable", home.Status().GetProperty("storeState").GetString());
        home.Do("umount");
        Ran scrub = server.Do("--scrub");
        Assert.Contains(" 0 damaged.", scrub.Output, StringComparison.Ordinal);

        using DriveHome other = new(home.Root);
        files.FindOn(other, key, server.Url("photos"));

        // The server goes and comes back: what was written meanwhile is sent then.
        server.Kill();
        File.WriteAllText(Path.Combine(other.Mount, "meanwhile"), "written while the server was away");
        server.Start();
        other.Do("wait", "--timeout", "90");
        other.Do("umount");
        home.Do("mount", "drive", home.Mount);
        Assert.Equal("written while the server was away", File.ReadAllText(Path.Combine(home.Mount, "meanwhile")));
        home.Do("umount");

        Assert.Equal(0, server.Terminate());

        // The token is in no setting, log or record.
        foreach (string path in Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(home.Root, "*", SearchOption.AllDirectories)))
        {
            Assert.False(File.ReadAllText(path).Contains(server.Token[11..], StringComparison.Ordinal), path);
        }
    }

    [Fact]
    public async Task What_was_answered_outlives_every_kill_and_nothing_half_is_seen()
    {
        int seed = Environment.TickCount;
        output.WriteLine($"Seed {seed}");
        Random random = new(seed);
        using ServerProcess server = new(Data, "1GB");
        await using IObjectStore store = server.Open("vault");
        ConcurrentDictionary<int, bool> answered = new();
        int next = 0;
        for (int round = 0; round < 6; round++)
        {
            int target = answered.Count + 20 + random.Next(60);
            Task[] writers = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
            {
                try
                {
                    while (true)
                    {
                        int index = Interlocked.Increment(ref next);
                        Assert.True(await store.PutIfAbsentAsync(NameOf(index), ContentOf(index), None));
                        answered[index] = true;
                    }
                }
                catch (StoreException)
                {
                    // Killed.
                }
            }))];
            Assert.True(SpinWait.SpinUntil(() => answered.Count >= target, TimeSpan.FromSeconds(60)), "the writers go on");
            server.Kill();
            await Task.WhenAll(writers);
            Assert.Equal(0, server.Run("--scrub").Code);
            long started = Stopwatch.GetTimestamp();
            server.Start();
            output.WriteLine($"Round {round}: {answered.Count} answered of {next}; back after {Stopwatch.GetElapsedTime(started).TotalSeconds:0.00} s");
            long used = 0;
            HashSet<int> found = [];
            await foreach (ObjectInfo info in store.ListAsync("packs/", None))
            {
                int index = int.Parse(info.Name.Value.Split('/')[^1]);
                found.Add(index);
                used += Math.Max(4096, (info.Length + 4095) / 4096 * 4096);
                Assert.Equal(ContentOf(index), await store.GetAsync(info.Name, 1 << 20, None));
            }

            Assert.Empty(answered.Keys.Except(found));
            StoreSpace space = (await store.GetSpaceAsync(None))!.Value;
            Assert.Equal(new StoreSpace(1 << 30, (1 << 30) - used), space);
        }

        Assert.Equal(0, server.Run("--scrub").Code);
        Assert.Equal(0, server.Terminate());

        static ObjectName NameOf(int index) => new($"packs/{index % 5}/{index}");

        static byte[] ContentOf(int index) => Bytes(index, index * 7919 % 300_000);
    }

    [Fact]
    public async Task A_scrub_says_what_is_damaged_and_ends_with_one_and_tokens_are_listed_and_revoked()
    {
        using ServerProcess server = new(Data);
        await using IObjectStore store = server.Open("vault");
        await store.PutIfAbsentAsync(new ObjectName("packs/x"), new byte[1000], None);
        string id = server.Token[3..11];
        Assert.Contains(id, server.Do("token", "list").Output, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Token[11..], server.Do("token", "list").Output, StringComparison.Ordinal);
        server.Do("token", "revoke", id);
        StoreException denied = await Assert.ThrowsAsync<StoreException>(() => store.GetLengthAsync(new ObjectName("packs/x"), None));
        Assert.Equal(StoreErrorKind.Denied, denied.Kind);

        using (FileStream file = File.OpenWrite(Path.Combine(Data, "vaults/ana/vault/packs/x")))
        {
            file.Position = 500;
            file.WriteByte(0x10);
        }

        Ran scrub = server.Run("--scrub");
        Assert.Equal((int)ExitCode.No, scrub.Code);
        Assert.Contains("ana/vault: packs/x has other bytes than were put", scrub.Output, StringComparison.Ordinal);
        Assert.Equal((int)ExitCode.InUse, server.Run("user", "add", "ana").Code);
        Assert.Equal((int)ExitCode.NotFound, server.Run("token", "revoke", "00000000").Code);
        Assert.Equal((int)ExitCode.Usage, server.Run("--listen", "http://0.0.0.0:0").Code);
        Assert.Equal((int)ExitCode.Usage, server.Run("user", "add", "Not Plain").Code);
        Assert.Equal((int)ExitCode.InUse, server.Run("--listen", "https://127.0.0.1:0").Code);
        Ran nothing = Ran.Of(Ran.Drive, ["serve", "--data", Path.Combine(_root, "none")], TimeSpan.FromSeconds(30));
        Assert.Equal((int)ExitCode.NotFound, nothing.Code);
    }

    [Fact]
    public void Other_commands_load_nothing_of_the_server()
    {
        // It waits for a passphrase, so there is time to look at it. A native program is one file; this is of the one that is compiled when it runs.
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "drive"), ["init", Path.Combine(_root, "store"), "--passphrase"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            Environment = { ["DRIVE_HOME"] = Path.Combine(_root, "home") },
        };
        using Process process = Process.Start(start)!;
        string maps = "";
        bool hasBegun = SpinWait.SpinUntil(() => Maps().Contains("Drive.Service.dll", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
        Assert.True(hasBegun);
        process.StandardInput.Close();
        string said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Contains("nothing came from standard input", said, StringComparison.Ordinal);
        Assert.DoesNotContain("Drive.Server.dll", maps, StringComparison.Ordinal);
        Assert.DoesNotContain("Kestrel", maps, StringComparison.Ordinal);

        string Maps() => maps = File.ReadAllText($"/proc/{process.Id}/maps");
    }

    private static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
