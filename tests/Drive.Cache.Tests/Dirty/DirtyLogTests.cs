using Drive.Cache.Dirty;
using Drive.Core.Platform;
using Drive.Core.Volumes;
using Drive.Testing.Disk;
using static Drive.Cache.Tests.Dirty.LogFixture;

namespace Drive.Cache.Tests.Dirty;

public sealed class DirtyLogTests
{
    private readonly MemoryDisk _disk = new();

    public static TheoryData<int> Lengths => [1, 100, 65535, 65536, 65537, 131072, 200_000, 1 << 20];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void What_was_appended_is_read_back_before_and_after_sync_and_after_a_restart(int length)
    {
        Written written;
        using (DirtyLog log = Open(_disk))
        {
            written = Append(log, seed: 3, length);
            Assert.Equal(written.Data, Read(log, written.Record));
            log.Sync();
            Assert.Equal(written.Data, Read(log, written.Record));
        }

        using DirtyLog again = Open(_disk, seed: 2);
        Assert.Equal(written.Data, Read(again, written.Record));
        Assert.Equal([written.Record], again.Scan());
    }

    [Fact]
    public void Any_range_of_a_record_can_be_read()
    {
        using DirtyLog log = Open(_disk);
        Written written = Append(log, seed: 5, 200_000);
        foreach (bool isSynced in new[] { false, true })
        {
            foreach ((int start, int count) in new[] { (0, 1), (65_535, 2), (65_536, 65_536), (1, 199_999), (199_999, 1), (200_000, 0), (70_000, 100_000) })
            {
                byte[] part = new byte[count];
                log.Read(written.Record.Position, written.Record.Length, start, part);
                Assert.Equal(written.Data[start..(start + count)], part);
            }

            if (!isSynced)
            {
                log.Sync();
            }
        }
    }

    [Fact]
    public void A_record_of_nothing_or_of_more_than_a_mebibyte_is_refused()
    {
        using DirtyLog log = Open(_disk);
        Assert.Throws<ArgumentOutOfRangeException>(() => log.Append(NodeId.Root, 0, 1, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => log.Append(NodeId.Root, 0, 1, new byte[(1 << 20) + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => log.Append(NodeId.Root, -1, 1, new byte[1]));
    }

    [Fact]
    public void A_wrong_record_length_or_position_is_an_error_and_hands_out_nothing()
    {
        using DirtyLog log = Open(_disk);
        Written written = Append(log, seed: 1, 1000);
        Append(log, seed: 2, 1000);
        log.Sync();
        byte[] data = new byte[999];
        LogPosition at = written.Record.Position;
        Assert.Throws<CorruptLogException>(() => log.Read(at, 999, 0, data));
        Assert.Throws<CorruptLogException>(() => log.Read(at with { Position = at.Position + 1 }, 1000, 0, data));
        Assert.Throws<CorruptLogException>(() => log.Read(at with { Position = -5 }, 1000, 0, data));
        Assert.Throws<CorruptLogException>(() => log.Read(at with { Position = long.MaxValue - 100 }, 1000, 0, data));
        Assert.All(data, value => Assert.Equal(0, value));
        Assert.True(Assert.Throws<CorruptLogException>(() => log.Read(new LogPosition(99, 40), 1000, 0, data)).IsSegmentMissing);
    }

    [Fact]
    public void Segments_roll_over_and_a_scan_gives_all_records_in_order()
    {
        List<DirtyLogRecord> records = [];
        using (DirtyLog log = Open(_disk))
        {
            for (int seed = 1; seed <= 60; seed++)
            {
                records.Add(Append(log, seed, 5000).Record);
            }

            Assert.True(log.GetUsage().Count >= 4);
            Assert.Equal(records, log.Scan());
            log.Sync();
        }

        using DirtyLog again = Open(_disk, seed: 9);
        Assert.Equal(records, again.Scan());
    }

    [Fact]
    public void After_a_restart_a_new_segment_is_begun()
    {
        LogPosition first;
        using (DirtyLog log = Open(_disk))
        {
            first = Append(log, 1, 10).Record.Position;
            log.Sync();
        }

        using DirtyLog again = Open(_disk, seed: 2);
        LogPosition second = Append(again, 2, 10).Record.Position;
        Assert.True(second.Segment > first.Segment);
    }

    [Fact]
    public void A_segment_number_is_not_used_again_after_all_were_deleted()
    {
        LogPosition first;
        using (DirtyLog log = Open(_disk, seed: 1))
        {
            first = Append(log, 1, 10).Record.Position;
            log.Sync();
        }

        using DirtyLog again = Open(_disk, seed: 2);
        again.DeleteUnreferenced();
        Assert.NotEqual(first.Segment, Append(again, 2, 10).Record.Position.Segment);
    }

    [Fact]
    public void A_closed_segment_goes_with_its_last_live_byte_and_not_before()
    {
        using DirtyLog log = Open(_disk);
        log.DeleteUnreferenced();
        Written one = Append(log, 1, 1000);
        Written two = Append(log, 2, 1000);
        log.StartNewSegment();
        Written three = Append(log, 3, 1000);
        log.Sync();
        Assert.Equal(3000, log.LiveBytes);

        log.Release(one.Record.Position, 1000);
        log.Release(two.Record.Position, 400);
        Assert.Equal(2, _disk.List(LogFixture.Directory).Count);
        Assert.Equal(two.Data, Read(log, two.Record));
        log.Release(two.Record.Position, 600);
        Assert.Single(_disk.List(LogFixture.Directory));
        Assert.True(Assert.Throws<CorruptLogException>(() => Read(log, two.Record)).IsSegmentMissing);

        // The one that is appended to stays until it is closed.
        log.Release(three.Record.Position, 1000);
        Assert.Single(_disk.List(LogFixture.Directory));
        log.StartNewSegment();
        Assert.Empty(_disk.List(LogFixture.Directory));
        Assert.Equal((0, 0), (log.LiveBytes, log.BytesOnDisk));
    }

    [Fact]
    public void Releasing_more_than_is_live_is_refused()
    {
        using DirtyLog log = Open(_disk);
        Written one = Append(log, 1, 1000);
        Assert.Throws<InvalidOperationException>(() => log.Release(one.Record.Position, 1001));
        Assert.Equal(1000, log.LiveBytes);
    }

    [Fact]
    public void At_the_start_nothing_is_deleted_before_the_caller_has_counted_what_it_wants()
    {
        Written one, two, three;
        using (DirtyLog log = Open(_disk))
        {
            one = Append(log, 1, 1000);
            log.StartNewSegment();
            two = Append(log, 2, 1000);
            log.StartNewSegment();
            three = Append(log, 3, 1000);
            log.Sync();
        }

        using DirtyLog again = Open(_disk, seed: 2);
        again.Retain(two.Record.Position, 10);
        again.Release(two.Record.Position, 10);
        again.Retain(two.Record.Position, 7);
        again.Retain(three.Record.Position, 5);
        Assert.Equal(3, _disk.List(LogFixture.Directory).Count);
        again.DeleteUnreferenced();
        Assert.Equal(2, _disk.List(LogFixture.Directory).Count);
        Assert.Equal(12, again.LiveBytes);
        Assert.Equal(two.Data, Read(again, two.Record));
        Assert.Throws<CorruptLogException>(() => Read(again, one.Record));
        again.Release(three.Record.Position, 5);
        Assert.Single(_disk.List(LogFixture.Directory));
    }

    [Fact]
    public void Many_small_appends_reach_the_disk_in_few_writes()
    {
        int writes = 0, syncs = 0;
        var disk = new FaultyDisk(_disk);
        using DirtyLog log = Open(disk, new DirtyLogOptions());
        disk.Fault = call =>
        {
            writes += call.Operation == DiskOperation.Write ? 1 : 0;
            syncs += call.Operation is DiskOperation.Sync or DiskOperation.SyncDirectory ? 1 : 0;
            return null;
        };
        for (int seed = 0; seed < 1000; seed++)
        {
            Append(log, seed, 300);
        }

        log.Sync();
        Assert.Equal((1, 2), (writes, syncs));
        log.Sync();
        Assert.Equal((1, 2), (writes, syncs));
    }

    [Fact]
    public void What_is_on_disk_shows_nothing_of_the_bytes()
    {
        byte[] canary = "the quick brown fox jumps over the lazy dog"u8.ToArray();
        using DirtyLog log = Open(_disk);
        LogPosition position = log.Append(new NodeId(1), 0, 1, canary);
        log.Sync();
        using IDiskFile file = _disk.Open($"{LogFixture.Directory}/{position.Segment:x16}.log", DiskOpenMode.Read)!;
        byte[] content = new byte[file.Length];
        file.Read(0, content);
        Assert.Equal(-1, content.AsSpan().IndexOf(canary.AsSpan(0, 8)));
    }

    [Fact]
    public void Equal_bytes_are_sealed_differently()
    {
        using DirtyLog log = Open(_disk);
        byte[] same = new byte[1000];
        LogPosition first = log.Append(new NodeId(1), 0, 1, same);
        log.Append(new NodeId(1), 0, 1, same);
        log.Sync();
        using IDiskFile file = _disk.Open($"{LogFixture.Directory}/{first.Segment:x16}.log", DiskOpenMode.Read)!;
        byte[] content = new byte[file.Length];
        file.Read(0, content);
        int start = (int)LogLayout.PiecePosition(first.Position, 0);
        Assert.NotEqual(content[start..(start + 32)], content[(start + LogLayout.SealedLength(same.Length))..][..32]);
    }

    [Fact]
    public void Another_key_reads_nothing()
    {
        Written written;
        using (DirtyLog log = Open(_disk))
        {
            written = Append(log, 1, 100);
            log.Sync();
        }

        using DirtyLog other = DirtyLog.Open(_disk, LogFixture.Directory, new byte[32], Small, new Testing.SeededRandom(3));
        Assert.Throws<CorruptLogException>(() => Read(other, written.Record));
        Assert.Empty(other.Scan());
    }

    [Fact]
    public void Records_of_a_log_that_was_empty_come_after_a_place_in_a_segment_that_is_gone()
    {
        LogPosition remembered = new(((9L << 32) | 0xFFFF), 5000);
        using DirtyLog log = Open(_disk);
        log.ContinueAfter(remembered.Segment);
        Written written = Append(log, seed: 1, 100);
        log.Sync();
        Assert.Equal([written.Record], log.ScanHeaders(null, remembered));
    }
}
