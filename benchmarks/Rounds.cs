namespace Drive.Benchmarks;

/// <summary>
/// The measures. In each round every side does the same, one after the other, so that whatever else the machine does falls on all
/// of them; who begins changes from round to round.
/// </summary>
internal sealed class Rounds(IReadOnlyList<Side> sides, DriveSide drive, Load load, Load busy, Results results, Func<string, bool> isWanted)
{
    private const int ShortRuns = 5;

    public void Run(int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            Console.Error.WriteLine($"round {round + 1} of {rounds}, load {File.ReadAllText("/proc/loadavg")[..14]}");
            int first = round;
            Side[] order = [.. sides.Select((_, i) => sides[(first + i) % sides.Count])];
            When("large", order, Large);
            When("small", order, Small);
            When("busy", order, SmallWhileUploading);
            When("mount", order, MountAndUnmount);
            if (isWanted("help"))
            {
                MeasureMany("drive --help", drive, drive.Help);
            }
        }

        foreach (Side side in sides)
        {
            if (side.PeakMemoryMiB() is > 0 and double peak)
            {
                results.Add("peak resident memory", "MiB", side.Name, peak);
            }
        }
    }

    private void When(string name, Side[] order, Action<Side> measure)
    {
        if (isWanted(name))
        {
            foreach (Side side in order)
            {
                measure(side);
            }
        }
    }

    private void Large(Side side)
    {
        string path = Path.Combine(side.Root, "large.bin");
        side.Settle();
        Measure("write large, fsync", side, () => load.WriteLarge(path));
        Measure("read large, right after", side, () => load.ReadLarge(path));
        side.Settle();
        Measure("read large, warm", side, () => load.ReadLarge(path));
        side.MakeCold();
        Measure("read large, cold", side, () => load.ReadLarge(path));
        Posix.Unlink(path);
        side.Settle();
    }

    private void Small(Side side)
    {
        string root = Path.Combine(side.Root, "small");
        side.Settle();
        Measure("create small files", side, () => load.CreateSmall(root));
        Measure("read small files, warm", side, () => load.ReadSmall(root));
        Load.List(root);
        MeasureMany("ls -lR, warm", side, () => Load.List(root));
        side.Settle();
        side.MakeCold();
        Measure("ls -lR, cold", side, () => Load.List(root));
        side.MakeCold();
        Measure("read small files, cold", side, () => load.ReadSmall(root));
        Measure("delete small files", side, () => load.DeleteSmall(root));
        side.Settle();
    }

    /// <summary>The same files again while an upload runs; to the other sides it is just a write that came before.</summary>
    private void SmallWhileUploading(Side side)
    {
        string path = Path.Combine(side.Root, "before.bin");
        string root = Path.Combine(side.Root, "busy");
        side.Settle();
        busy.WriteLarge(path);
        bool isUploading = side != drive || drive.UnsentBytes() > 0;
        Measure("create small files during upload", side, () => load.CreateSmall(root));
        if (!isUploading)
        {
            Console.Error.WriteLine("  the upload had ended before the files were made: that round shows nothing");
        }

        load.DeleteSmall(root);
        Posix.Unlink(path);
        side.Settle();
    }

    private void MountAndUnmount(Side side)
    {
        if (side is NativeSide)
        {
            return;
        }

        for (int i = 0; i < ShortRuns; i++)
        {
            results.Add("unmount", "s", side.Name, Shell.Time(side.Unmount));
            results.Add("mount, until usable", "s", side.Name, Shell.Time(() =>
            {
                side.Mount();
                _ = Directory.GetFileSystemEntries(side.Root).Length;
            }));
        }
    }

    private void Measure(string measure, Side side, Action action) => results.Add(measure, "s", side.Name, Shell.Time(action));

    /// <summary>For what takes milliseconds: the best of a few, since the scheduler's share would be most of it.</summary>
    private void MeasureMany(string measure, Side side, Action action) =>
        results.Add(measure, "s", side.Name, Enumerable.Range(0, ShortRuns).Min(_ => Shell.Time(action)));
}
