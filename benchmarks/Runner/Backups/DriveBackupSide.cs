using System.Text.Json;
using Drive.Benchmarks.Platform;
using Drive.Benchmarks.Sides;

namespace Drive.Benchmarks.Backups;

/// <summary>
/// Drive as published. On a mounted drive, as it is used, the daemon does the work: what it used meanwhile counts with the command's own. Without a mount the command opens the vault for the moment.
/// </summary>
internal sealed class DriveBackupSide(string home, string program, bool isMounted) : BackupSide(isMounted ? DriveSide.DriveName : UnmountedName, home)
{
    public const string UnmountedName = "unmounted";

    private const string Set = "tree";

    private readonly Dictionary<string, string> _environment = new() { ["DRIVE_HOME"] = Path.Combine(home, "home") };
    private int? _daemon;

    public override bool Restores => isMounted;

    private string Mountpoint => Path.Combine(Home, "mount");

    public override void Begin(string tree)
    {
        Directory.CreateDirectory(Mountpoint);
        Call("init", Store, "--name", DriveSide.DriveName);
        Mount();
        Call("backup", "add", Set, tree);
    }

    public override ChildUsage BackUp(string tree) => Count("backup", "run", Set);

    public override void BeforeRestore()
    {
        // So that the daemon has nothing of it in memory.
        Unmount();
        Mount();
    }

    public override (ChildUsage Usage, string Tree) Restore(string tree, string to)
    {
        string device = Directory.GetDirectories(Path.Combine(Mountpoint, "Backups")).Single();
        return (Count("restore", $"{device}/{Set}{tree}", "--at", "latest", "--to", to), Path.Combine(to, Path.GetFileName(tree)));
    }

    public override void Dispose()
    {
        Unmount();
        base.Dispose();
    }

    private void Mount()
    {
        if (isMounted)
        {
            Call("mount", DriveSide.DriveName, Mountpoint);
            _daemon = JsonDocument.Parse(Call("status", "--json")).RootElement.GetProperty("pid").GetInt32();
        }
    }

    private void Unmount()
    {
        if (_daemon is not null)
        {
            _daemon = null;
            Call("umount", Mountpoint);
        }
    }

    private string Call(params string[] arguments) => Shell.Run(program, arguments, _environment);

    /// <summary>Runs the command; peaks of command and daemon are added, though they may not have come at the same moment.</summary>
    private ChildUsage Count(params string[] arguments)
    {
        if (_daemon is not { } daemon)
        {
            return Child.Run(program, arguments, _environment, Home);
        }

        Machine.ForgetPeakMemory(daemon);
        double before = Machine.CpuSeconds(daemon);
        ChildUsage command = Child.Run(program, arguments, _environment, Home);
        return command with { CpuSeconds = command.CpuSeconds + Machine.CpuSeconds(daemon) - before, PeakMiB = command.PeakMiB + Machine.PeakMemoryMiB(daemon) };
    }
}
