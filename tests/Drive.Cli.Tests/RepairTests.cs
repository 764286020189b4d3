using System.Diagnostics;
using System.Text.Json;
using Drive.Testing;

namespace Drive.Cli.Tests;

/// <summary>The built program on damaged local state: by itself at the next mount, and by 'drive repair'.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class RepairTests
{
    [MountFact]
    public void A_database_that_was_damaged_while_the_daemon_was_dead_is_rebuilt_by_the_mount()
    {
        using DriveHome home = new();
        string database = WriteAndKill(home);
        File.WriteAllBytes(database, new byte[10_000]);

        // With its WAL, which holds every page of so young a database, SQLite would mend it by itself.
        File.Delete(database + "-wal");
        home.Do("up");
        Check(home);
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(database)!, "metadata.db.damaged-*"), static file => !file.EndsWith("-wal", StringComparison.Ordinal));
        home.Do("wait", "--timeout", "60");
        home.Do("umount");
    }

    [MountFact]
    public void Repair_is_refused_while_the_daemon_runs_and_keeps_everything_that_was_synced()
    {
        using DriveHome home = new();
        home.Do("up", home.Mount);
        (int code, string _, string said) = home.Run("repair");
        Assert.Equal((int)ExitCode.InUse, code);
        Assert.Contains("drive umount", said, StringComparison.Ordinal);
        home.Do("umount");
        string database = WriteAndKill(home);
        byte[] bytes = File.ReadAllBytes(database);
        bytes.AsSpan(0, 4096).Fill(0xA5);
        File.WriteAllBytes(database, bytes);
        using JsonDocument report = JsonDocument.Parse(home.Do("repair", "--json").Output);
        Assert.True(report.RootElement.GetProperty("complete").GetBoolean(), report.RootElement.ToString());
        Assert.Empty(report.RootElement.GetProperty("lost").EnumerateArray());
        Assert.Equal(bytes, File.ReadAllBytes(report.RootElement.GetProperty("oldDatabase").GetString()!));
        home.Do("up");
        Check(home);
        home.Do("umount");
    }

    /// <summary>Leaves a killed daemon behind whose last file is synced, and sent or not; the path of its database.</summary>
    private static string WriteAndKill(DriveHome home)
    {
        home.Do("up", home.Mount);
        Directory.CreateDirectory(Path.Combine(home.Mount, "folder"));
        string path = Path.Combine(home.Mount, "folder", "file");
        using (FileStream file = new(path, FileMode.Create))
        {
            file.Write(Content);
            file.Flush(flushToDisk: true);
        }

        int pid = home.Pid();
        string database = Directory.GetFiles(home.Root, "metadata.db", SearchOption.AllDirectories).Single();
        using (Process daemon = Process.GetProcessById(pid))
        {
            daemon.Kill();
        }

        DriveHome.AwaitEnd(pid);
        return database;
    }

    private static byte[] Content => [.. Enumerable.Range(0, 200_000).Select(static i => (byte)(i * 7))];

    private static void Check(DriveHome home) => Assert.Equal(Content, File.ReadAllBytes(Path.Combine(home.Mount, "folder", "file")));
}
