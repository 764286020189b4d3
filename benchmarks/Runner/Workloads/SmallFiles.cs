using System.Globalization;
using Drive.Benchmarks.Platform;
using Drive.Benchmarks.Report;
using Drive.Benchmarks.Sides;

namespace Drive.Benchmarks.Workloads;

/// <summary>Many files of 4 KiB, 100 a folder, one thread, no fsync: made, listed, read, renamed and deleted.</summary>
internal sealed class SmallFiles(int files, Recorder recorder)
{
    public const int Bytes = 4096;
    private const int FilesPerFolder = 100;

    private static readonly Measure Made = new("create files of 4 KiB, 100 a folder", "file/s", Target.RatioAtLeast(0.35));
    private static readonly Measure ListedWarm = new("ls -lR of them, warm", "file/s", Target.RatioAtLeast(0.9));
    private static readonly Measure ListedCold = new("ls -lR of them, kernel caches dropped", "file/s", Target.RatioAtLeast(0.6));
    private static readonly Measure ReadWarm = new("read them all", "file/s", Target.RatioAtLeast(0.7));
    private static readonly Measure ReadCold = new("read them all, kernel caches dropped", "file/s");
    private static readonly Measure Renamed = new("rename each", "file/s", Target.RatioAtLeast(0.25));
    private static readonly Measure Deleted = new("delete each", "file/s", Target.RatioAtLeast(1.0));

    private readonly Noise _noise = new(2);

    public void Run(Side side)
    {
        string root = Path.Combine(side.Root, "small");
        side.Settle();
        recorder.Time(Made, side, files, () => Create(root));
        recorder.Time(ReadWarm, side, files, () => Read(root));
        List(root);
        recorder.TimeShort(ListedWarm, side, files, () => List(root));
        side.Settle();
        if (Machine.CanDropCaches)
        {
            Machine.DropCaches();
            recorder.Time(ListedCold, side, files, () => List(root));
            Machine.DropCaches();
            recorder.Time(ReadCold, side, files, () => Read(root));
        }

        recorder.Time(Renamed, side, files, () => Rename(root));
        recorder.Time(Deleted, side, files, () => Delete(root));
        side.Settle();
    }

    public void Create(string root)
    {
        Posix.MakeDirectory(root);
        foreach ((string folder, IEnumerable<string> paths) in Folders(root))
        {
            Posix.MakeDirectory(folder);
            foreach (string path in paths)
            {
                int file = Posix.Open(path, Posix.CreateNew);
                Posix.Write(file, _noise.Next(Bytes));
                Posix.Close(file);
            }
        }
    }

    public void Read(string root)
    {
        byte[] buffer = new byte[2 * Bytes];
        long total = 0;
        foreach ((_, IEnumerable<string> paths) in Folders(root))
        {
            foreach (string path in paths)
            {
                int file = Posix.Open(path, Posix.ReadOnly);
                total += Posix.Read(file, buffer);
                Posix.Close(file);
            }
        }

        if (total != (long)files * Bytes)
        {
            throw new IOException($"{root}: {total} bytes were read, {(long)files * Bytes} written");
        }
    }

    public static void List(string root) => Shell.Line("ls -lR \"$1\" > /dev/null", root);

    public void Rename(string root)
    {
        foreach ((_, IEnumerable<string> paths) in Folders(root))
        {
            foreach (string path in paths)
            {
                Posix.Rename(path, path + ".new");
            }
        }
    }

    /// <summary>Deletes what <see cref="Rename"/> left.</summary>
    public void Delete(string root)
    {
        foreach ((string folder, IEnumerable<string> paths) in Folders(root))
        {
            foreach (string path in paths)
            {
                Posix.Unlink(path + ".new");
            }

            Posix.RemoveDirectory(folder);
        }

        Posix.RemoveDirectory(root);
    }

    private IEnumerable<(string Folder, IEnumerable<string> Paths)> Folders(string root)
    {
        for (int first = 0; first < files; first += FilesPerFolder)
        {
            string folder = Path.Combine(root, (first / FilesPerFolder).ToString("d4", CultureInfo.InvariantCulture));
            yield return (folder, Enumerable.Range(first, Math.Min(FilesPerFolder, files - first)).Select(i => $"{folder}/file-{i:d6}.bin"));
        }
    }
}
