using System.Runtime.InteropServices;
using Drive.Benchmarks.Platform;
using Drive.Benchmarks.Report;
using Drive.Benchmarks.Sides;

namespace Drive.Benchmarks.Workloads;

/// <summary>One large file: written, read in order in three ways, and at random.</summary>
internal sealed unsafe class LargeFile(long bytes, int randomReads, int randomWrites, Recorder recorder)
{
    private const int Page = 4096;

    private static readonly Measure Write = new("sequential write, 1 MiB calls, fsync at the end", "MiB/s", Target.RatioAtLeast(0.5));
    private static readonly Measure Cold = new("sequential read, page cache dropped", "MiB/s", Target.RatioAtLeast(0.9));
    private static readonly Measure Warm = new("sequential read again, page cache warm", "MiB/s", Target.RatioAtLeast(0.9));
    private static readonly Measure Mapped = new("mmap read, page cache dropped", "MiB/s", Target.RatioAtLeast(0.6));
    private static readonly Measure RandomRead = new("random 4 KiB read, page cache dropped", "op/s", Target.RatioAtLeast(0.7));
    private static readonly Measure RandomDirect = new("random 4 KiB read, O_DIRECT", "op/s", Target.RatioAtLeast(0.7));
    private static readonly Measure RandomWrite = new("random 4 KiB write, fsync at the end", "op/s", Target.RatioAtLeast(0.7));

    private readonly Noise _noise = new(1);
    private int _seed;

    private double Size => bytes / (double)Noise.MiB;

    public void Run(Side side)
    {
        string path = Path.Combine(side.Root, "large.bin");
        _seed++;
        side.Settle();
        recorder.Time(Write, side, Size, () => WriteAll(path));
        side.Settle();
        if (Machine.CanDropCaches)
        {
            Machine.DropCaches();
            recorder.Time(Cold, side, Size, () => ReadAll(path));
        }
        else
        {
            ReadAll(path);
        }

        recorder.Time(Warm, side, Size, () => ReadAll(path));
        if (Machine.CanDropCaches)
        {
            Machine.DropCaches();
            recorder.Time(Mapped, side, Size, () => ReadMapped(path));
            Machine.DropCaches();
            recorder.Time(RandomRead, side, randomReads, () => ReadRandomly(path, 0));
        }

        recorder.Time(RandomDirect, side, randomReads, () => ReadRandomly(path, Posix.Direct));
        side.Settle();
        recorder.Time(RandomWrite, side, randomWrites, () => WriteRandomly(path));
        side.Settle();
        Posix.Unlink(path);
        side.Settle();
    }

    private void WriteAll(string path)
    {
        int file = Posix.Open(path, Posix.CreateNew);
        for (long at = 0; at < bytes; at += Noise.MiB)
        {
            Posix.Write(file, _noise.Next(Noise.MiB));
        }

        Posix.Sync(file);
        Posix.Close(file);
    }

    private void ReadAll(string path)
    {
        byte[] buffer = new byte[Noise.MiB];
        int file = Posix.Open(path, Posix.ReadOnly);
        long total = 0;
        for (int count; (count = Posix.Read(file, buffer)) > 0; total += count)
        {
        }

        Posix.Close(file);
        Expect(total, path);
    }

    private void ReadMapped(string path)
    {
        int file = Posix.Open(path, Posix.ReadOnly);
        Expect(Posix.ReadMapped(file, bytes), path);
        Posix.Close(file);
    }

    private void ReadRandomly(string path, int flags)
    {
        void* memory = NativeMemory.AlignedAlloc(Page, Page);
        try
        {
            Random random = new(_seed);
            int file = Posix.Open(path, Posix.ReadOnly | flags);
            for (int i = 0; i < randomReads; i++)
            {
                if (Posix.ReadAt(file, new Span<byte>(memory, Page), Offset(random)) != Page)
                {
                    throw new IOException($"{path}: a read in its midst was short");
                }
            }

            Posix.Close(file);
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    private void WriteRandomly(string path)
    {
        Random random = new(_seed + 1000);
        int file = Posix.Open(path, Posix.WriteOnly);
        for (int i = 0; i < randomWrites; i++)
        {
            Posix.WriteAt(file, _noise.Next(Page), Offset(random));
        }

        Posix.Sync(file);
        Posix.Close(file);
    }

    private long Offset(Random random) => random.NextInt64(bytes / Page) * Page;

    private void Expect(long found, string path)
    {
        if (found != bytes)
        {
            throw new IOException($"{path}: {found} bytes were read, {bytes} written");
        }
    }
}
