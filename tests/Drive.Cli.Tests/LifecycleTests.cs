using System.Diagnostics;
using System.Text.Json;

namespace Drive.Cli.Tests;

/// <summary>The real command, real daemons, real mounts. Each test is a story with one beginning, because a start costs a second.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class LifecycleTests
{
    [MountFact]
    public void A_drive_is_made_used_left_and_found_again()
    {
        using DriveHome home = new();
        string file = Path.Combine(home.Mount, "note.txt");
        string key = home.Do("up", home.Mount).Output;
        Assert.Matches("^[0-9A-Z]{5}(-[0-9A-Z]{5}){10}\n$", key);
        File.WriteAllText(file, "kept");

        JsonElement status = home.Status();
        Assert.Equal("drive", status.GetProperty("name").GetString());
        Assert.Equal(home.Mount, status.GetProperty("mountpoint").GetString());
        Assert.Equal(Path.Combine(home.Home, "data", "vault"), status.GetProperty("store").GetString());
        Assert.True(status.GetProperty("cache").GetProperty("limit").GetInt64() > 0);
        Assert.Equal(JsonValueKind.Number, status.GetProperty("localOnly").GetProperty("bytes").ValueKind);
        int pid = status.GetProperty("pid").GetInt32();
        UnixFileMode socketMode = File.GetUnixFileMode(Path.Combine(home.Home, "run", "drive.sock"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, socketMode);

        // Up again is content; a second mount is told where the first is.
        Assert.Equal("", home.Do("up").Output);
        string second = Directory.CreateDirectory(Path.Combine(home.Root, "second")).FullName;
        Ran refused = home.Run("mount", "drive", second);
        Assert.Equal((int)ExitCode.InUse, refused.Code);
        Assert.Contains(home.Mount, refused.Error, StringComparison.Ordinal);

        home.Do("wait", "--timeout", "60");
        status = home.Status();
        Assert.Equal(0, status.GetProperty("localOnly").GetProperty("files").GetInt64());
        Assert.StartsWith("cloud", home.Do("status", file).Output, StringComparison.Ordinal);
        Assert.Contains("everything is in the store", home.Do("umount", home.Mount).Error, StringComparison.Ordinal);
        DriveHome.AwaitEnd(pid);
        Assert.Empty(Directory.EnumerateFileSystemEntries(home.Mount));
        Assert.Contains("\"mounted\":false", home.Do("list", "--json").Output, StringComparison.Ordinal);

        // Another machine that has nothing but the store and the key.
        using (DriveHome other = new(home.Root))
        {
            Ran wrong = other.RunWith("12345\n", "recover", Path.Combine(home.Home, "data", "vault"));
            Assert.Equal((int)ExitCode.WrongSecret, wrong.Code);
            Ran recovered = other.RunWith(key, "recover", Path.Combine(home.Home, "data", "vault"), "--name", "mine");
            Assert.True(recovered.Code == 0, recovered.ToString());
            other.Do("mount", "mine", other.Mount);
            Assert.Equal("kept", File.ReadAllText(Path.Combine(other.Mount, "note.txt")));

            // Both at once.
            home.Do("up");
            File.WriteAllText(file, "changed");
            DriveHome.Eventually(() => File.ReadAllText(Path.Combine(other.Mount, "note.txt")) == "changed", "the other device's change shows");
            other.Do("umount");
        }

        Assert.Equal("changed", File.ReadAllText(file));
    }

    [MountFact]
    public void A_store_that_is_far_away_keeps_what_a_near_one_does_and_counts_what_it_is_asked()
    {
        using DriveHome home = new();
        string folder = Path.Combine(home.Root, "far vault");
        string url = $"file://{folder.Replace(" ", "%20", StringComparison.Ordinal)}?latency=5ms&rate=100MiB";
        string key = home.Do("up", home.Mount, "--store", url).Output;
        byte[] bytes = new byte[3 << 20];
        new Random(1).NextBytes(bytes);
        File.WriteAllBytes(Path.Combine(home.Mount, "large"), bytes);
        home.Do("wait", "--timeout", "60");
        JsonElement traffic = home.Status().GetProperty("traffic");
        Assert.InRange(traffic.GetProperty("up").GetInt64(), bytes.Length, 2 * bytes.Length);
        Assert.True(traffic.GetProperty("requests").GetInt64() > 0);
        home.Do("umount");

        // Another machine to which nothing is near: it fetches what it reads, once.
        using DriveHome other = new(home.Root);
        Ran recovered = other.RunWith(key, "recover", url);
        Assert.True(recovered.Code == 0, recovered.ToString());
        other.Do("mount", "drive", other.Mount);
        long before = other.Status().GetProperty("traffic").GetProperty("down").GetInt64();
        Assert.Equal(bytes, File.ReadAllBytes(Path.Combine(other.Mount, "large")));

        // A segment of it may have come before: the first read is rehearsed.
        Assert.InRange(other.Status().GetProperty("traffic").GetProperty("down").GetInt64() - before, bytes.Length - (128 << 10), bytes.Length + (1 << 20));
        other.Do("umount");
        other.Do("mount", "drive", other.Mount);
        before = other.Status().GetProperty("traffic").GetProperty("down").GetInt64();
        Assert.Equal(bytes, File.ReadAllBytes(Path.Combine(other.Mount, "large")));
        Assert.InRange(other.Status().GetProperty("traffic").GetProperty("down").GetInt64() - before, 0, 1 << 16);
        other.Do("umount");

        // Near and far are two stores to the settings.
        Ran wrong = home.Run("up", "--store", folder);
        Assert.Equal((int)ExitCode.InUse, wrong.Code);
        Assert.Contains("latency=5ms", wrong.Error, StringComparison.Ordinal);
    }

    [MountFact]
    public void Every_way_to_end_a_drive_is_orderly_and_it_mounts_again_at_once()
    {
        using DriveHome home = new();
        home.Do("up", home.Mount);
        foreach (string way in (string[])["umount", "term", .. IsInterruptIgnored() ? Array.Empty<string>() : ["int"], "kill"])
        {
            string file = Path.Combine(home.Mount, way);
            using (FileStream stream = File.Create(file))
            {
                stream.Write("synced"u8);
                stream.Flush(flushToDisk: true);
            }

            int pid = home.Pid();
            switch (way)
            {
                case "umount":
                    Start("umount", home.Mount);
                    break;
                default:
                    Start("kill", $"-{way.ToUpperInvariant()}", pid.ToString());
                    DriveHome.AwaitEnd(pid);
                    break;
            }

            home.Do("up");
            Assert.Equal("synced", File.ReadAllText(file));
            Assert.NotEqual(pid, home.Pid());
        }

        // What an earlier daemon left unsent counts for a wait of the next one.
        home.Do("wait", "--timeout", "60");
        Assert.Equal(0, home.Status().GetProperty("localOnly").GetProperty("files").GetInt64());

        // What a shell starts in the background ignores interrupts, and so do all its children: then none of them ends by one.
        static bool IsInterruptIgnored() =>
            (Convert.ToUInt64(File.ReadLines("/proc/self/status").First(static line => line.StartsWith("SigIgn:", StringComparison.Ordinal))[7..].Trim(), 16) & 2) != 0;

        static void Start(string program, params string[] arguments)
        {
            using Process process = Process.Start(program, arguments);
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
        }
    }

    [MountFact]
    public void A_busy_drive_is_unmounted_within_ten_seconds()
    {
        using DriveHome home = new();
        home.Do("up", home.Mount);
        int pid = home.Pid();
        using FileStream open = File.Create(Path.Combine(home.Mount, "open"));
        open.Write("written before"u8);
        open.Flush();
        long started = Stopwatch.GetTimestamp();
        home.Do("umount");
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10));
        DriveHome.AwaitEnd(pid);
        home.Do("up");
        Assert.Equal("written before", File.ReadAllText(Path.Combine(home.Mount, "open")));
    }

    [MountFact]
    public void A_passphrase_opens_and_can_be_changed()
    {
        using DriveHome home = new();
        string one = Path.Combine(home.Root, "one");
        string two = Path.Combine(home.Root, "two");
        File.WriteAllText(one, "correct horse\n");
        File.WriteAllText(two, "battery stäple\n");
        home.Do("init", Path.Combine(home.Root, "store"), "--passphrase-file", one);
        Assert.Equal((int)ExitCode.WrongSecret, home.Run("mount", "drive", home.Mount, "--passphrase-file", two).Code);
        home.Do("mount", "drive", home.Mount, "--passphrase-file", one);
        home.Do("umount");
        home.Do("passwd", "--passphrase-file", one, "--new-passphrase-file", two);
        Assert.Equal((int)ExitCode.WrongSecret, home.Run("mount", "drive", home.Mount, "--passphrase-file", one).Code);
        Ran mounted = home.RunWith(File.ReadAllText(two), "mount", "drive", home.Mount);
        Assert.True(mounted.Code == 0, mounted.ToString());
    }

    [MountFact]
    public void Without_its_store_a_drive_mounts_from_what_the_machine_has_and_sends_when_it_is_back()
    {
        using DriveHome home = new();
        string store = Path.Combine(home.Root, "store");
        home.Do("init", store);
        home.Do("mount", "drive", home.Mount);
        File.WriteAllText(Path.Combine(home.Mount, "before"), "1");
        home.Do("wait", "--timeout", "60");
        home.Do("umount");
        Directory.Move(store, store + ".away");

        Ran mounted = home.Do("mount", "drive", home.Mount);
        Assert.Contains("Working from what is on this machine", mounted.Error, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(home.Mount, "meanwhile"), "2");
        Ran waited = home.Run("wait", "--timeout", "1");
        Assert.Equal((int)ExitCode.No, waited.Code);

        Directory.Move(store + ".away", store);
        home.Do("wait", "--timeout", "80");
    }
}

/// <summary>A test that mounts: skipped, with the reason, where the machine can't. One after the other, because each mounts and waits.</summary>
[CollectionDefinition(nameof(MountFactAttribute), DisableParallelization = true)]
public sealed class MountFactAttribute : FactAttribute
{
    public MountFactAttribute()
    {
        if (!DriveHome.CanMount)
        {
            Skip = "needs /dev/fuse and root";
        }
    }
}
