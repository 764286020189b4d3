using Drive.Cache.Dirty;
using Drive.Core.Platform;
using Drive.Testing.Disk;
using static Drive.Cache.Tests.Dirty.LogFixture;

namespace Drive.Cache.Tests.Dirty;

/// <summary>Zeros written ahead of the records: when, where they end, and that nobody takes them for anything.</summary>
public sealed class DirtyLogZerosTests
{
    private static readonly DirtyLogOptions Large = new() { SegmentBytes = 4 << 20, WriteBytes = 8 << 10 };

    private readonly MemoryDisk _disk = new();

    [Fact]
    public void Small_flushes_that_come_again_do_not_make_the_file_longer_each_time()
    {
        using DirtyLog log = Open(_disk, Large);
        AppendSmall(log, 1);
        long first = FileLength(log);
        HashSet<long> lengths = [];
        for (int seed = 2; seed < 100; seed++)
        {
            AppendSmall(log, seed);
            lengths.Add(FileLength(log));
        }

        Assert.True(first < 2000, "the first flush wrote zeros");
        Assert.Single(lengths);
        Assert.Equal(lengths.Single(), log.BytesOnDisk);
    }

    [Fact]
    public void Bulk_appends_write_no_zeros()
    {
        using DirtyLog log = Open(_disk, Large);
        for (int seed = 1; seed < 12; seed++)
        {
            Append(log, seed, 200_000);
            log.Sync();
        }

        Assert.Equal(log.GetUsage().Sum(usage => usage.BytesOnDisk), log.BytesOnDisk);
        Assert.Equal(log.BytesOnDisk, FileLength(log));
    }

    [Theory]
    [InlineData(CrashKind.Process)]
    [InlineData(CrashKind.PowerLosesAll)]
    public void A_start_takes_zeros_for_the_end_of_the_segment(CrashKind kind)
    {
        using DirtyLog log = Open(_disk, Large);
        DirtyLogRecord[] records = [.. Enumerable.Range(1, 20).Select(seed => AppendSmall(log, seed).Record)];
        using DirtyLog after = Open(_disk.Crash(kind, new Random(1)), Large, seed: 2);
        List<CorruptLogException> torn = [];
        Assert.Equal(records, after.Scan(torn.Add));
        Assert.Equal(records, after.ScanHeaders(null, default, torn.Add));
        Assert.Empty(torn);
        Assert.False(after.Has(records[^1].Position with { Position = records[^1].Position.Position + LogLayout.SealedLength(records[^1].Length) }, 100));
    }

    [Fact]
    public void A_record_behind_a_hole_of_zeros_counts_as_one_behind_a_torn_record()
    {
        DirtyLogRecord[] records;
        MemoryDisk image;
        using (DirtyLog log = Open(_disk, Large))
        {
            records = [.. Enumerable.Range(1, 6).Select(seed => AppendSmall(log, seed).Record)];
            image = _disk.Crash(CrashKind.Process, new Random(1));
        }

        using (IDiskFile file = image.Open(PathOf(records[0]), DiskOpenMode.ReadWrite)!)
        {
            file.Write(records[3].Position.Position, new byte[LogLayout.SealedLength(records[3].Length)]);
        }

        using DirtyLog after = Open(image, Large, seed: 2);
        List<CorruptLogException> torn = [];
        Assert.Equal(records[..3], after.Scan(torn.Add));
        Assert.Equal(records[3].Position, Assert.Single(torn).Position);
        torn.Clear();
        Assert.Equal([.. records[..3], .. records[4..]], after.ScanHeaders(null, default, torn.Add));
        Assert.Equal(records[3].Position, Assert.Single(torn).Position);
    }

    [Fact]
    public void Zeros_too_few_for_a_record_are_the_end_too()
    {
        DirtyLogRecord record;
        MemoryDisk image;
        using (DirtyLog log = Open(_disk, Large))
        {
            record = AppendSmall(log, 1).Record;
            image = _disk.Crash(CrashKind.Process, new Random(1));
        }

        using (IDiskFile file = image.Open(PathOf(record), DiskOpenMode.ReadWrite)!)
        {
            file.SetLength(file.Length + 7);
        }

        using DirtyLog after = Open(image, Large, seed: 2);
        List<CorruptLogException> torn = [];
        Assert.Equal([record], after.Scan(torn.Add));
        Assert.Empty(torn);
    }

    [Fact]
    public void A_segment_that_was_closed_and_a_log_that_was_disposed_keep_no_zeros()
    {
        string path;
        using (DirtyLog log = Open(_disk, Large))
        {
            AppendSmall(log, 1);
            path = PathOf(AppendSmall(log, 2).Record);
            Assert.True(_disk.UsedBytes > ZeroRule.ZerosMin);
            log.StartNewSegment();
            Assert.Equal(log.GetUsage()[0].BytesOnDisk, LengthOf(path));
            Assert.Equal(log.BytesOnDisk, LengthOf(path));
            AppendSmall(log, 3);
            AppendSmall(log, 4);
        }

        using DirtyLog again = Open(_disk, Large, seed: 2);
        Assert.Equal(4, again.Scan().Count());
        Assert.True(_disk.UsedBytes < 4000);
    }

    [Fact]
    public void Zeros_do_not_take_the_last_room_of_a_disk()
    {
        using DirtyLog log = Open(_disk, Large);
        _disk.CapacityBytes = 2 << 20;
        List<Written> written = [.. Enumerable.Range(1, 50).Select(seed => AppendSmall(log, seed))];
        Assert.Equal(log.GetUsage().Sum(usage => usage.BytesOnDisk), _disk.UsedBytes);
        Assert.All(written, item => Assert.Equal(item.Data, Read(log, item.Record)));
    }

    [Fact]
    public void A_disk_that_is_full_when_the_zeros_come_fails_no_flush_and_gets_their_room_back()
    {
        var faulty = new FaultyDisk(_disk);
        using DirtyLog log = Open(faulty, Large);
        faulty.Fault = call => call is { Operation: DiskOperation.Write, Length: > 4000 } ? FaultyDisk.Full() : null;
        List<Written> written = [.. Enumerable.Range(1, 20).Select(seed => AppendSmall(log, seed))];
        Assert.Equal(log.GetUsage().Sum(usage => usage.BytesOnDisk), _disk.UsedBytes);
        using DirtyLog after = Open(_disk.Crash(CrashKind.PowerLosesAll, new Random(1)), Large, seed: 2);
        Assert.Equal(written.Select(item => item.Record), after.Scan());
    }

    [Fact]
    public void A_disk_that_fails_when_the_zeros_come_fails_the_segment_like_any_write()
    {
        var faulty = new FaultyDisk(_disk);
        using DirtyLog log = Open(faulty, Large);
        AppendSmall(log, 1);
        faulty.Fault = call => call is { Operation: DiskOperation.Write, Length: > 4000 } ? FaultyDisk.InputOutputError() : null;
        Written lost = Append(log, 2, 500);
        DirtyLogSyncException failure = Assert.Throws<DirtyLogSyncException>(log.Sync);
        Assert.Equal(lost.Record.Position.Position, failure.DurableUpTo);
        Written again = Append(log, 2, 500);
        log.MarkRewritten(failure.Segment);
        log.Sync();
        Assert.NotEqual(failure.Segment, again.Record.Position.Segment);
        Assert.Equal(lost.Data, Read(log, lost.Record));
    }

    [Fact]
    public void A_segment_that_is_durable_is_not_flushed_again()
    {
        var faulty = new FaultyDisk(_disk);
        using DirtyLog log = Open(faulty, Large);
        AppendSmall(log, 1);
        log.StartNewSegment();
        List<string> flushed = [];
        faulty.Fault = call =>
        {
            if (call.Operation == DiskOperation.Sync)
            {
                flushed.Add(call.Path);
            }

            return null;
        };
        Written second = AppendSmall(log, 2);
        Assert.Equal([PathOf(second.Record)], flushed);
        log.Sync();
        Assert.Single(flushed);
    }

    [Theory]
    [InlineData(1000, 256 << 10, 64 << 20, 266_240)]
    [InlineData(4096, 4096, 64 << 20, 8192)]
    [InlineData(60_000, 256 << 10, 65_536, 65_536)]
    [InlineData(70_000, 256 << 10, 65_536, 70_000)]
    public void Zeros_end_at_a_page_or_with_the_segment(long length, int zeros, long segmentBytes, long end) =>
        Assert.Equal(end, ZeroRule.End(length, zeros, segmentBytes));

    [Fact]
    public void Zeros_double_up_to_a_limit()
    {
        int zeros = 0;
        List<int> all = [.. Enumerable.Range(0, 4).Select(_ => zeros = ZeroRule.NextZeros(zeros))];
        Assert.Equal([256 << 10, 512 << 10, 1 << 20, 1 << 20], all);
    }

    private static Written AppendSmall(DirtyLog log, int seed)
    {
        Written written = Append(log, seed, 500 + seed);
        log.Sync();
        return written;
    }

    private static string PathOf(DirtyLogRecord record) => $"{LogFixture.Directory}/{record.Position.Segment:x16}.log";

    private long FileLength(DirtyLog log) => log.GetUsage().Sum(usage => LengthOf($"{LogFixture.Directory}/{usage.Segment:x16}.log"));

    private long LengthOf(string path)
    {
        using IDiskFile file = _disk.Open(path, DiskOpenMode.Read)!;
        return file.Length;
    }
}
