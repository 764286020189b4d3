using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace Drive.Cli.Tests;

/// <summary>Disks that are full, away or read-only, each a real one in memory that can be filled.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class TroubleTests
{
    [MountFact]
    public void A_store_that_is_full_costs_nothing_and_is_filled_further_when_there_is_room()
    {
        using DriveHome home = new();
        using MemoryDisk disk = new(Path.Combine(home.Root, "disk"), mebibytes: 48);
        string filler = disk.Fill(mebibytes: 40);
        home.Do("init", Path.Combine(disk.Path, "store"));
        home.Do("mount", "drive", home.Mount);
        string file = Path.Combine(home.Mount, "large");
        string sum = WriteRandom(file, mebibytes: 12);

        DriveHome.Eventually(() => home.Status().GetProperty("lastError").ValueKind != JsonValueKind.Null, "the store says that it is full", seconds: 60);
        Ran waited = home.Run("wait", "--timeout", "4");
        Assert.Equal((int)ExitCode.No, waited.Code);
        Assert.Contains("No room", waited.Error, StringComparison.Ordinal);
        Assert.Contains("No room", home.Status().GetProperty("lastError").GetString(), StringComparison.Ordinal);
        Assert.Equal(sum, Sum(file));
        Leave(home);
        home.Do("mount", "drive", home.Mount);
        Assert.Equal(sum, Sum(file));

        File.Delete(filler);
        home.Do("wait", "--timeout", "80");
        Assert.Equal(JsonValueKind.Null, home.Status().GetProperty("lastError").ValueKind);
        Leave(home);
    }

    [MountFact]
    public void A_store_that_goes_away_or_read_only_is_waited_for()
    {
        using DriveHome home = new();
        string disk = Directory.CreateDirectory(Path.Combine(home.Root, "disk")).FullName;
        string store = Path.Combine(disk, "store");
        home.Do("init", store);
        home.Do("mount", "drive", home.Mount);
        string before = Path.Combine(home.Mount, "before");
        string sum = WriteRandom(before, mebibytes: 3);
        home.Do("wait", "--timeout", "60");

        // What was sent just now is still open, and an open file can be read wherever its folder went.
        home.Do("umount", home.Mount);
        home.Do("mount", "drive", home.Mount);
        Directory.Move(store, store + ".away");
        Shell.Do("sh", "-c", "echo 3 > /proc/sys/vm/drop_caches");
        long started = Stopwatch.GetTimestamp();
        Assert.Throws<IOException>(() => Sum(before));
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20), "an uncached read fails at its deadline");
        Assert.Equal(["before"], Directory.EnumerateFileSystemEntries(home.Mount).Select(Path.GetFileName));
        File.WriteAllText(Path.Combine(home.Mount, "meanwhile"), "2");
        Assert.Equal((int)ExitCode.No, home.Run("wait", "--timeout", "2").Code);
        Assert.Equal("unreachable", home.Status().GetProperty("storeState").GetString());
        Directory.Move(store + ".away", store);
        home.Do("wait", "--timeout", "80");
        Assert.Equal(sum, Sum(before));

        Shell.Do("mount", "--bind", disk, disk);
        try
        {
            Shell.Do("mount", "-o", "remount,bind,ro", disk);
            File.WriteAllText(Path.Combine(home.Mount, "read-only"), "3");
            Assert.Equal((int)ExitCode.No, home.Run("wait", "--timeout", "3").Code);
            Assert.NotEqual(JsonValueKind.Null, home.Status().GetProperty("lastError").ValueKind);
            Assert.Equal(sum, Sum(before));
            Leave(home);

            // A start finds it read-only, too.
            home.Do("mount", "drive", home.Mount);
            Assert.Equal("3", File.ReadAllText(Path.Combine(home.Mount, "read-only")));
        }
        finally
        {
            Shell.Run("umount", "-l", disk);
        }

        home.Do("wait", "--timeout", "80");
        Assert.Equal(JsonValueKind.Null, home.Status().GetProperty("lastError").ValueKind);
        Leave(home);
    }

    [MountFact]
    public void A_full_local_disk_refuses_early_and_keeps_what_was_synced()
    {
        using DriveHome home = new();
        Directory.CreateDirectory(home.Home);
        using MemoryDisk disk = new(home.Home, mebibytes: 700);
        string store = Path.Combine(home.Root, "store");
        home.Do("init", store);
        home.Do("mount", "drive", home.Mount);
        Directory.Move(store, store + ".away");
        List<(string Path, string Sum)> synced = [];
        IOException? full = null;
        for (int i = 0; i < 64 && full is null; i++)
        {
            string path = Path.Combine(home.Mount, $"file{i}");
            try
            {
                synced.Add((path, WriteRandom(path, mebibytes: 16)));
            }
            catch (IOException exception)
            {
                full = exception;
            }
        }

        const int NoSpaceLeft = 28;
        Assert.Equal(NoSpaceLeft, full?.HResult);
        Assert.NotEmpty(synced);
        Assert.All(synced, file => Assert.Equal(file.Sum, Sum(file.Path)));
        Leave(home);
        home.Do("mount", "drive", home.Mount);
        Assert.All(synced, file => Assert.Equal(file.Sum, Sum(file.Path)));

        // Room comes by sending; what was sent is given back a moment later.
        Directory.Move(store + ".away", store);
        home.Do("wait", "--timeout", "80");
        bool hasRoom = false;
        for (int i = 0; i < 50 && !hasRoom; i++)
        {
            home.Status();
            hasRoom = TryWrite(Path.Combine(home.Mount, "again"));
        }

        Assert.True(hasRoom, "there is no room after sending");
        home.Do("wait", "--timeout", "80");
        Leave(home);
    }

    private static void Leave(DriveHome home)
    {
        int pid = home.Pid();
        long started = Stopwatch.GetTimestamp();
        home.Do("umount");
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(12), "an unmount ends within ten seconds");
        DriveHome.AwaitEnd(pid);
    }

    private static bool TryWrite(string path)
    {
        try
        {
            WriteRandom(path, mebibytes: 16);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string WriteRandom(string path, int mebibytes)
    {
        byte[] content = RandomNumberGenerator.GetBytes(mebibytes << 20);
        using FileStream stream = File.Create(path);
        stream.Write(content);
        stream.Flush(flushToDisk: true);
        return Convert.ToHexString(SHA256.HashData(content));
    }

    private static string Sum(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexString(SHA256.HashData(stream));
    }

    /// <summary>A file system of a given size.</summary>
    private sealed class MemoryDisk : IDisposable
    {
        public MemoryDisk(string path, int mebibytes)
        {
            Path = Directory.CreateDirectory(path).FullName;
            Shell.Do("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m,mode=700", "tmpfs", Path);
        }

        public string Path { get; }

        public string Fill(int mebibytes)
        {
            string filler = System.IO.Path.Combine(Path, "filler");
            File.WriteAllBytes(filler, new byte[mebibytes << 20]);
            return filler;
        }

        public void Dispose() => Shell.Run("umount", "-l", Path);
    }
}
