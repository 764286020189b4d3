using Drive.Benchmarks.Backups;
using Drive.Benchmarks.Platform;
using Drive.Benchmarks.Report;
using Drive.Benchmarks.Workloads;

namespace Drive.Benchmarks;

/// <summary>
/// Backups of one tree to stores on this disk: the first, one with nothing changed, one after a hundredth of the small files changed, and the whole brought back and held against the tree. In each round every
/// side has a new store, and each step is done by all sides before the next begins; who begins changes from round to round.
/// </summary>
internal sealed class BackupRun(Options options, string home)
{
    private const int FilesUsually = 20_000;
    private const long BytesUsually = 300L << 20;
    private const int Seed = 20261123;

    private static readonly Step First = new("first backup", "MiB/s", Target.AtLeast(60));
    private static readonly Step Unchanged = new("nothing changed", "s", Target.AtMost(0.3));
    private static readonly Step Changed = new("1 % of the files changed", "s", null);
    private static readonly Step Restored = new("restore of the whole", "MiB/s", Target.AtLeast(80));
    private static readonly Measure FirstStore = new("store after the first backup", "MiB");
    private static readonly Measure LastStore = new("store after all three", "MiB");

    private readonly BackupTree _tree = new(
        Path.Combine(home, "tree"), options.Files ?? FilesUsually, options.Bytes ?? Math.Max(BytesUsually, (options.Files ?? FilesUsually) * 1024L), Seed);

    private readonly List<(string Name, Func<string, BackupSide> Make)> _sides = [];
    private int _changes;

    public Results Results { get; } = new();

    public IReadOnlyList<string> Sides => [.. _sides.Select(static side => side.Name)];

    public void Run()
    {
        Choose();
        Console.Error.WriteLine($"The tree is made, seed {Seed}.");
        _tree.Make();
        Results.Notes.Add($"A tree of {_tree.Files} files with {_tree.Bytes / Noise.MiB} MiB from seed {Seed}: text, a quarter of the bytes in binaries that do not compress, a quarter in four large files. The kernel has it in memory.");
        Results.Notes.Add("'drive' runs on the mounted drive, as it is used: its processor time and memory are the daemon's and the command's together; 'unmounted' is the command that opens the vault for itself.");
        Results.Notes.Add("Restore: 'drive restore PATH --at latest --to DIR' on a drive that was mounted anew, 'restic restore', 'borg extract'; each time held against the tree: names, bytes, modes, times, links.");
        Results.Notes.Add("restic: compression auto. borg: repokey-blake2, zstd,1, the nearest to what the drive does. It tells the kernel to forget what it read, so the tree is read once before each step of each side.");
        for (int round = 0; round < options.Rounds; round++)
        {
            Console.Error.WriteLine($"round {round + 1} of {options.Rounds}, load {File.ReadAllText("/proc/loadavg")[..14]}");
            Results.Round = round;
            Round(Path.Combine(home, $"{round}"), round);
        }
    }

    private void Choose()
    {
        bool Wants(string name) => options.Peers?.Contains(name) ?? true;
        _sides.Add((Benchmarks.Sides.DriveSide.DriveName, at => new DriveBackupSide(at, options.Program, isMounted: true)));
        if (Wants(DriveBackupSide.UnmountedName))
        {
            _sides.Add((DriveBackupSide.UnmountedName, at => new DriveBackupSide(at, options.Program, isMounted: false)));
        }

        foreach ((string name, string package, Func<string, BackupSide> make) in new (string, string, Func<string, BackupSide>)[]
        {
            (ResticSide.Program, "restic", static at => new ResticSide(at)),
            (BorgSide.Program, "borgbackup", static at => new BorgSide(at)),
        })
        {
            if (!Wants(name))
            {
                continue;
            }

            if (Shell.Has(name))
            {
                _sides.Add((name, make));
            }
            else
            {
                Results.Notes.Add($"{name} is not installed and left out: apt install {package}.");
            }
        }
    }

    private void Round(string place, int round)
    {
        List<BackupSide> sides = [.. _sides.Select((_, i) => _sides[(i + round) % _sides.Count]).Select(side => side.Make(Path.Combine(place, side.Name)))];
        try
        {
            sides.RemoveAll(side => !Try(First.Amount, side, () => side.Begin(_tree.Root)));
            Each(First, sides, side => side.BackUp(_tree.Root));
            sides.ForEach(side => Results.Add(FirstStore, side.Name, Mebi(side.StoreBytes())));
            if (options.Wants("unchanged"))
            {
                Each(Unchanged, sides, side => side.BackUp(_tree.Root));
            }

            if (options.Wants("changed"))
            {
                _tree.Change(_changes++);
                Each(Changed, sides, side => side.BackUp(_tree.Root));
                sides.ForEach(side => Results.Add(LastStore, side.Name, Mebi(side.StoreBytes())));
            }

            if (options.Wants("restore"))
            {
                Each(Restored, [.. sides.Where(static side => side.Restores)], side => Restore(side, Path.Combine(place, $"restored by {side.Name}")));
            }
        }
        finally
        {
            // What is left of it goes with the whole run: ext4 without a journal looks at each inode that was freed within the last minutes before it makes a file, which made later sides up to five times as slow.
            sides.ForEach(static side => side.Dispose());
        }
    }

    private ChildUsage Restore(BackupSide side, string to)
    {
        side.BeforeRestore();
        Directory.CreateDirectory(to);
        Posix.SyncAll();
        (ChildUsage usage, string restored) = side.Restore(_tree.Root, to);
        string? difference = _tree.FindDifference(restored);
        return difference is null ? usage : throw new IOException($"What came back is not what was backed up: {difference}");
    }

    private void Each(Step step, List<BackupSide> sides, Func<BackupSide, ChildUsage> act)
    {
        foreach (BackupSide side in sides)
        {
            // What another one left to be written is not this one's, nor is it his fault what the kernel does not have in memory any more.
            Posix.SyncAll();
            _tree.Warm();
            Try(step.Amount, side, () =>
            {
                ChildUsage usage = act(side);
                Results.Add(step.Amount, side.Name, step.Amount.IsRate ? Mebi(_tree.Bytes) / usage.Seconds : usage.Seconds);
                if (step.Amount.IsRate)
                {
                    Results.Add(step.Seconds, side.Name, usage.Seconds);
                }

                Results.Add(step.Cpu, side.Name, usage.CpuSeconds);
                Results.Add(step.Peak, side.Name, usage.PeakMiB);
            });
        }
    }

    private bool Try(Measure measure, BackupSide side, Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception failure) when (failure is IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            Results.Fail(measure, side.Name, failure.Message.ReplaceLineEndings(" "));
            return false;
        }
    }

    private static double Mebi(long bytes) => bytes / (double)Noise.MiB;

    /// <summary>What is measured of a step.</summary>
    private sealed class Step(string name, string unit, Target? target)
    {
        public Measure Amount { get; } = new(name, unit, target);

        public Measure Seconds { get; } = new($"{name}, on the clock", "s");

        public Measure Cpu { get; } = new($"{name}, processor time", "cpu s");

        public Measure Peak { get; } = new($"{name}, peak memory", "MiB");
    }
}
