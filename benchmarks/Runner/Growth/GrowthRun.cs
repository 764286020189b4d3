using System.Globalization;
using Drive.Benchmarks.Platform;
using Drive.Benchmarks.Sides;
using Drive.Benchmarks.Workloads;

namespace Drive.Benchmarks.Growth;

/// <summary>
/// What each operation costs as a drive grows: files in all, files in one directory, pieces of one sparse file, commits, packs in the block cache. Each part has a drive of its own.
/// Before samples are taken everything is in the store, so nothing is sent meanwhile; names are looked up with the kernel's own memory of them dropped.
/// </summary>
internal sealed class GrowthRun(Options options, string home) : IDisposable
{
    private const int FilesPerFolder = 100;
    private const int Samples = 300;
    private const int SlowSamples = 40;
    private const int Page = 4096;
    private const long SparseBytes = 1L << 40;

    /// <summary>100 GiB of packs of 16 MiB.</summary>
    private const int PacksMax = 6_400;
    private const int PackBytes = 16 << 20;

    /// <summary>Only packs of a store that is far away are cached.</summary>
    private const string FarStore = "latency=1ms&rate=1GiB";
    private const double MiB = Noise.MiB;

    private readonly Noise _noise = new(9);
    private readonly Random _random = new(9);
    private DriveSide? _drive;

    public GrowthResults Results { get; } = new();

    public void Run()
    {
        foreach ((string name, Action<DriveSide> run) in new (string, Action<DriveSide>)[] { ("tree", Tree), ("directory", OneDirectory), ("sparse", Sparse), ("commits", Commits), ("packs", Packs) })
        {
            if (options.Wants(name))
            {
                Console.Error.WriteLine($"{name}, load {File.ReadAllText("/proc/loadavg")[..14]}");
                using DriveSide drive = new(Path.Combine(home, name), options.Program, name == "packs" ? FarStore : "");
                _drive = drive;
                drive.Begin();
                run(drive);
            }
        }
    }

    public void Dispose() => _drive?.Dispose();

    /// <summary>Empty files, 100 a folder.</summary>
    private void Tree(DriveSide drive)
    {
        const string Part = "files in the drive";
        int made = 0;
        foreach (int size in Sizes(1000, options.Files ?? 1_000_000))
        {
            for (; made < size; made++)
            {
                if (made % FilesPerFolder == 0)
                {
                    Directory.CreateDirectory(Folder(drive, made));
                }

                Touch(FileOf(drive, made));
            }

            Rest(drive);
            Results.Sample(drive, Part, "look up and stat", size, Samples, _ => Posix.Stat(FileOf(drive, _random.Next(size))));
            Results.Sample(drive, Part, "look up a name that is not there", size, Samples, _ => Posix.Exists(FileOf(drive, _random.Next(size)) + "x"));
            Results.Sample(drive, Part, "open, list and close a folder", size, Samples, _ => Posix.ReadFirstPage(Folder(drive, _random.Next(size))));
            Names(drive, Part, size, i => Path.Combine(Folder(drive, _random.Next(size)), $"sample-{i}"));
            Rest(drive);
            Mounting(drive, Part, size);
        }

        string Folder(DriveSide side, int file) => Path.Combine(side.Root, (file / FilesPerFolder / 100).ToString("d3", CultureInfo.InvariantCulture), (file / FilesPerFolder % 100).ToString("d2", CultureInfo.InvariantCulture));
        string FileOf(DriveSide side, int file) => Path.Combine(Folder(side, file), $"file-{file:d7}");
    }

    private void OneDirectory(DriveSide drive)
    {
        const string Part = "files in one directory";
        string folder = Path.Combine(drive.Root, "one");
        Directory.CreateDirectory(folder);
        int made = 0;
        foreach (int size in Sizes(1000, Math.Min(options.Files ?? 100_000, 100_000)))
        {
            for (; made < size; made++)
            {
                Touch(Path.Combine(folder, $"file-{made:d7}"));
            }

            Rest(drive);
            Results.Sample(drive, Part, "look up and stat", size, Samples, _ => Posix.Stat(Path.Combine(folder, $"file-{_random.Next(size):d7}")));
            Rest(drive);
            Results.Sample(drive, Part, "open, list one page and close", size, SlowSamples, _ => Posix.ReadFirstPage(folder));
            Rest(drive);
            double seconds = Shell.Time(() => _ = Directory.EnumerateFileSystemEntries(folder).Count());
            Results.Note(Part, "list all of it, per name", "µs", Cost.Once(size, seconds * 1e6 / size));
            string replaced = Path.Combine(folder, $"file-{size / 2:d7}");
            Results.Sample(drive, Part, "replace one in its midst by rename", size, SlowSamples, i =>
            {
                Touch(folder + ".new");
                Posix.Rename(folder + ".new", replaced);
            });
            Names(drive, Part, size, i => Path.Combine(folder, $"sample-{i}"));
            Rest(drive);
            Mounting(drive, Part, size);
            Results.Sample(drive, Part, "create, first since the mount", size, 1, _ => Touch(Path.Combine(folder, "first")));
            Results.Sample(drive, Part, "list a page, first since the mount", size, 1, _ => Posix.ReadFirstPage(folder));
            Posix.Unlink(Path.Combine(folder, "first"));
        }
    }

    private void Sparse(DriveSide drive)
    {
        const string Part = "pieces in a file of 1 TiB";
        string path = Path.Combine(drive.Root, "sparse");
        Touch(path);
        Posix.Truncate(path, SparseBytes);
        List<long> written = [];
        byte[] buffer = new byte[Page];
        foreach (int size in Sizes(100, Math.Min(options.Files ?? 10_000, 10_000)))
        {
            int file = Posix.Open(path, Posix.WriteOnly);
            while (written.Count < size)
            {
                written.Add(_random.NextInt64(SparseBytes / Page) * Page);
                Posix.WriteAt(file, _noise.Next(Page), written[^1]);
            }

            Posix.Close(file);
            Rest(drive);
            file = Posix.Open(path, Posix.ReadOnly);
            Results.Sample(drive, Part, "read a hole", size, Samples, _ => Posix.ReadAt(file, buffer, _random.NextInt64(SparseBytes / Page) * Page));

            // Each once: what was read before would come from the kernel's pages.
            int pieces = Math.Min(Samples, size);
            Results.Sample(drive, Part, "read a piece", size, pieces, i => Posix.ReadAt(file, buffer, written[(int)((long)i * size / pieces)]));
            Posix.Close(file);
            file = Posix.Open(path, Posix.WriteOnly);
            Results.Sample(drive, Part, "write 4 KiB in place", size, SlowSamples, _ => Posix.WriteAt(file, _noise.Next(Page), written[_random.Next(size)]));
            Results.Sample(drive, Part, "write 4 KiB in place and fsync", size, SlowSamples, _ =>
            {
                Posix.WriteAt(file, _noise.Next(Page), written[_random.Next(size)]);
                Posix.Sync(file);
            });
            Posix.Close(file);
            double seconds = Shell.Time(drive.AwaitUpload);
            Results.Note(Part, "80 pieces until safe", "ms", Cost.Once(size, seconds * 1e3));
            Mounting(drive, Part, size);
        }
    }

    private void Commits(DriveSide drive)
    {
        const string Part = "commits";
        string path = Path.Combine(drive.Root, "document");
        Touch(path);
        int file = Posix.Open(path, Posix.WriteOnly);
        long made = 0;
        foreach (int size in Sizes(100, Math.Min(options.Files ?? 10_000, 10_000)))
        {
            int left = (int)(size - made);
            Results.Sample(drive, Part, "write 4 KiB and wait until safe", size, left, _ =>
            {
                Posix.WriteAt(file, _noise.Next(Page), 0);
                drive.AwaitUploadQuickly();
            });
            made = size;
            Results.Sample(drive, Part, "write 4 KiB and fsync", size, SlowSamples, _ =>
            {
                Posix.WriteAt(file, _noise.Next(Page), 0);
                Posix.Sync(file);
            });
            Posix.Close(file);
            Rest(drive);
            Mounting(drive, Part, size);
            file = Posix.Open(path, Posix.WriteOnly);
        }

        Posix.Close(file);
    }

    /// <summary>What the drive wrote fills one pack; the others of the block cache are copies of its map.</summary>
    private void Packs(DriveSide drive)
    {
        const string Part = "packs in the block cache";
        string path = Path.Combine(drive.Root, "film");
        byte[] buffer = new byte[Page];
        int file = Posix.Open(path, Posix.CreateNew);
        for (long at = 0; at < PackBytes; at += (long)MiB)
        {
            Posix.WriteAt(file, _noise.Next((int)MiB), at);
        }

        Posix.Close(file);
        Rest(drive);
        CachedPacks packs = new(drive.CacheDirectory, _random);
        foreach (int size in Sizes(100, Math.Min(options.Files ?? PacksMax, PacksMax)))
        {
            drive.Unmount();
            packs.Fill(size);
            drive.Mount();
            Mounting(drive, Part, size);
            file = Posix.Open(path, Posix.ReadOnly);
            Results.Sample(drive, Part, "read 4 KiB from a cached pack", size, SlowSamples, i => Posix.ReadAt(file, buffer, i * (PackBytes / SlowSamples / Page * Page)));
            Posix.Close(file);
        }
    }

    /// <summary>Making, renaming and deleting names, and a synced write, with nothing left of them behind.</summary>
    private void Names(DriveSide drive, string part, int size, Func<int, string> pathOf)
    {
        string[] paths = [.. Enumerable.Range(0, Samples).Select(pathOf)];
        Results.Sample(drive, part, "create", size, Samples, i => Touch(paths[i]));
        Results.Sample(drive, part, "rename", size, Samples, i => Posix.Rename(paths[i], paths[i] + ".new"));
        int file = Posix.Open(Path.Combine(drive.Root, "synced"), Posix.CreateNew);
        Results.Sample(drive, part, "write 4 KiB and fsync", size, SlowSamples, i =>
        {
            Posix.WriteAt(file, _noise.Next(Page), (long)i * Page);
            Posix.Sync(file);
        });
        Posix.Close(file);
        Results.Sample(drive, part, "delete", size, Samples, i => Posix.Unlink(paths[i] + ".new"));
        Posix.Unlink(Path.Combine(drive.Root, "synced"));
    }

    private void Mounting(DriveSide drive, string part, int size)
    {
        Results.Note(part, "daemon's peak memory before it", "MiB", Cost.Once(size, drive.PeakMemoryMiB()));
        Results.Note(part, "unmount", "ms", Cost.Once(size, drive.TimeUnmount() * 1e3));
        if (Machine.CanDropCaches)
        {
            Machine.DropCaches();
            Results.Note(part, "mount until usable, caches dropped", "ms", CostOfMount(drive, size));
            drive.Unmount();
        }

        Results.Note(part, "mount until usable", "ms", CostOfMount(drive, size));
        Results.Note(part, "daemon's memory after it", "MiB", Cost.Once(size, drive.MemoryMiB()));
    }

    private static Cost CostOfMount(DriveSide drive, int size)
    {
        double seconds = Shell.Time(() =>
        {
            drive.Mount();
            _ = Directory.GetFileSystemEntries(drive.Root).Length;
        });
        return new Cost(size, seconds * 1e3, seconds * 1e3, drive.CpuSeconds() * 1e3);
    }

    /// <summary>Everything is in the store, and the kernel has forgotten names and inodes.</summary>
    private static void Rest(DriveSide drive)
    {
        drive.Settle();
        if (Machine.CanDropCaches)
        {
            Machine.DropNames();
        }
    }

    private static void Touch(string path) => Posix.Close(Posix.Open(path, Posix.CreateNew));

    /// <summary>1,000, 3,000, 10,000 and so on up to the last.</summary>
    private static IEnumerable<int> Sizes(int first, int last)
    {
        for (long decade = first; decade < last; decade *= 10)
        {
            yield return (int)decade;
            if (decade * 3 < last)
            {
                yield return (int)decade * 3;
            }
        }

        yield return last;
    }
}
