using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Drive.Vault.Packs;
using Xunit.Abstractions;

namespace Drive.Cli.Tests;

/// <summary>
/// A real daemon is killed in the midst of backups, at random points. The run after it comes to what the folder is, and to no more in the store than a run that was left in peace, but for one pack: that which was
/// on its way.
/// </summary>
[Collection(nameof(MountFactAttribute))]
public sealed class BackupKillTests(ITestOutputHelper output)
{
    private const int KilledRounds = 3;

    // Nine packs and more than one batch of a run (64 MiB), so that there is something before, in and after each commit.
    private const int LargeFiles = 44;
    private const int LargeBytes = 3 << 19;
    private const int SmallFiles = 500;
    private const int SmallBytesMax = 16 << 10;

    [MountFact]
    public void What_a_killed_backup_has_sent_is_not_sent_again_and_the_next_run_is_exact()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("DRIVE_KILL_SEED"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int given) ? given : Environment.TickCount;
        output.WriteLine($"Seed {seed} (DRIVE_KILL_SEED)");
        Random random = new(seed);
        using DriveHome home = new();
        string store = Path.Combine(home.Root, "store");
        string docs = Directory.CreateDirectory(Path.Combine(home.Root, "docs")).FullName;
        home.Do("init", store);
        home.Do("mount", "drive", home.Mount);
        home.Do("backup", "add", "docs", docs);

        // What a run that nobody disturbs puts into packs for one round's content.
        Fill(docs, 0, random);
        Run(home);
        long undisturbed = PackBytes(store);
        int killed = 0;
        for (int round = 1; round <= KilledRounds; round++)
        {
            Fill(docs, round, random);
            long before = PackBytes(store);
            int kills = 0;
            for (int times = round == KilledRounds ? 2 : 1; times > 0; times--)
            {
                kills += KillInTheMidst(home, store, before, random) ? 1 : 0;
                home.Do("mount", "drive", home.Mount);
            }

            JsonElement report = Run(home);
            long put = PackBytes(store) - before;
            output.WriteLine($"Round {round}: {put} bytes of packs, {kills} kills; undisturbed {undisturbed}; the last run sent {report.GetProperty("sentBytes").GetInt64()}");
            Assert.InRange(put, 0, undisturbed + (undisturbed / 100) + (kills * (long)PackWriter.TargetBytes));
            string snapshot = Directory.GetDirectories($"{home.Mount}/.snapshots/@{report.GetProperty("seq").GetInt64()}/Backups").Single() + "/docs" + docs;
            string part = round == KilledRounds ? "" : $"/round{round}";
            Assert.Equal(BackupTests.Tree(docs + part), BackupTests.Tree(snapshot + part));
            killed += kills;
        }

        Assert.True(killed > 0, "no run was killed: all were through before");
        Assert.Contains("all as it was", home.Do("backup", "verify", "docs").Output, StringComparison.Ordinal);
    }

    /// <summary>Runs the set, and kills the daemon when some packs are there. False when the run was through before.</summary>
    private bool KillInTheMidst(DriveHome home, string store, long before, Random random)
    {
        int pid = home.Pid();

        // Not before the first pack: a command that finds no daemon any more does the work itself.
        long enough = before + Math.Max(1, random.Next(0, 10) * (long)PackWriter.TargetBytes);
        TimeSpan later = TimeSpan.FromMilliseconds(random.Next(120));
        Task<Ran> run = Task.Run(() => home.Run("backup", "run", "docs"));
        SpinWait.SpinUntil(() => run.IsCompleted || PackBytes(store) >= enough, TimeSpan.FromSeconds(60));
        run.Wait(later);
        using (Process daemon = Process.GetProcessById(pid))
        {
            daemon.Kill();
        }

        DriveHome.AwaitEnd(pid);
        Ran ran = run.Result;
        output.WriteLine($"Killed {later.TotalMilliseconds} ms after {enough - before} bytes: {PackBytes(store) - before} bytes were there, the command ended with {ran.Code}");
        return ran.Code != 0;
    }

    private static JsonElement Run(DriveHome home) => JsonDocument.Parse(home.Do("backup", "run", "docs", "--json").Output).RootElement;

    private static long PackBytes(string store) =>
        new DirectoryInfo(Path.Combine(store, "packs")) is { Exists: true } packs ? packs.EnumerateFiles("*", SearchOption.AllDirectories).Sum(static file => file.Length) : 0;

    /// <summary>Content that does not compress and that nobody has, so that bytes in the store tell what was sent; and all that a folder may hold besides.</summary>
    private static void Fill(string docs, int round, Random random)
    {
        string top = Directory.CreateDirectory(Path.Combine(docs, $"round{round}", "deep")).FullName;
        for (int i = 0; i < LargeFiles + SmallFiles; i++)
        {
            byte[] bytes = new byte[i < LargeFiles ? LargeBytes : 1 + random.Next(SmallBytesMax)];
            random.NextBytes(bytes);
            string path = Path.Combine(Directory.CreateDirectory(Path.Combine(top, $"{i / 50}")).FullName, $"{i}");
            File.WriteAllBytes(path, bytes);
            File.SetUnixFileMode(path, (UnixFileMode)(0x100 | random.Next(0x100)));
            File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddTicks(random.NextInt64(TimeSpan.FromDays(20_000).Ticks)));
        }

        Shell.Do("sh", "-c", $"cd '{top}' && ln 3/170 hard && ln -s ../nowhere soft && truncate -s 5M holes && printf end >> holes && mkfifo pipe && mkdir -m 3750 empty && touch -d '2001-02-03 04:05:06.789' empty 1 .");
    }
}
