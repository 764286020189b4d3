using Drive.Cache.Dirty;
using Drive.Core.Platform;
using Drive.Testing.Disk;
using Xunit.Abstractions;
using static Drive.Cache.Tests.Dirty.LogFixture;

namespace Drive.Cache.Tests.Dirty;

public sealed class DirtyLogCrashTests(ITestOutputHelper output)
{
    [Fact]
    public void After_a_crash_all_that_was_synced_is_exact_and_the_rest_is_exact_or_an_error()
    {
        for (int seed = 0; seed < 150; seed++)
        {
            output.WriteLine($"seed {seed}");
            var random = new Random(seed);
            var disk = new MemoryDisk();

            // Flushes that come often have zeros ahead of them.
            bool isOften = seed % 2 == 1;
            int stepsPerSync = isOften ? 2 : 6;
            using DirtyLog log = Open(disk, isOften ? Small with { SegmentBytes = 1 << 20 } : Small, seed);
            List<Written> written = [];
            int synced = 0;
            int steps = random.Next(5, 40);
            for (int step = 0; step < steps; step++)
            {
                if (random.Next(stepsPerSync) == 0)
                {
                    log.Sync();
                    synced = written.Count;
                }
                else
                {
                    written.Add(Append(log, written.Count, random.Next(8) == 0 ? random.Next(1, 150_000) : random.Next(1, 3000)));
                }
            }

            foreach (CrashKind kind in Enum.GetValues<CrashKind>())
            {
                CheckAfterCrash(disk.Crash(kind, random), written, synced, seed, isWhole: synced == written.Count);
            }
        }
    }

    [Fact]
    public void A_segment_whose_header_never_reached_the_disk_is_no_obstacle()
    {
        var disk = new MemoryDisk();
        disk.CreateDirectory(LogFixture.Directory);
        disk.Open($"{LogFixture.Directory}/0000000100000000.log", DiskOpenMode.CreateNew)!.Dispose();
        using (IDiskFile half = disk.Open($"{LogFixture.Directory}/0000000200000000.log", DiskOpenMode.CreateNew)!)
        {
            half.Write(0, "DRVLOG"u8);
        }

        using DirtyLog log = Open(disk);
        List<CorruptLogException> torn = [];
        Assert.Empty(log.Scan(torn.Add));
        Assert.Equal(2, torn.Count);
        Assert.Throws<CorruptLogException>(() => log.Read(new LogPosition(0x100000000, 40), 1, 0, new byte[1]));
        Assert.True(Append(log, 1, 10).Record.Position.Segment > 0x200000000);
        log.DeleteUnreferenced();
        Assert.Single(disk.List(LogFixture.Directory));
    }

    [Fact]
    public void Every_single_byte_of_a_segment_is_guarded()
    {
        var disk = new MemoryDisk();
        List<Written> written = [];
        using (DirtyLog log = Open(disk))
        {
            written.AddRange([Append(log, 1, 1), Append(log, 2, 100), Append(log, 3, 33)]);
            log.Sync();
        }

        string path = $"{LogFixture.Directory}/{written[0].Record.Position.Segment:x16}.log";
        using IDiskFile file = disk.Open(path, DiskOpenMode.ReadWrite)!;
        byte[] content = new byte[file.Length];
        file.Read(0, content);
        for (int at = 0; at < content.Length; at++)
        {
            file.Write(at, [(byte)(content[at] ^ (1 << (at % 8)))]);
            using (DirtyLog log = Open(disk, seed: 5))
            {
                List<DirtyLogRecord> scanned = [.. log.Scan()];
                Assert.True(scanned.Count < written.Count, $"a changed byte {at} went unseen by the scan");
                Assert.Equal(written.Take(scanned.Count).Select(item => item.Record), scanned);
                foreach (Written item in written)
                {
                    ReadsExactlyOrNotAtAll(log, item);
                }
            }

            file.Write(at, content.AsSpan(at, 1));
        }
    }

    [Fact]
    public void Segment_files_that_swap_names_are_not_believed()
    {
        var disk = new MemoryDisk();
        Written one, two;
        using (DirtyLog log = Open(disk))
        {
            one = Append(log, 1, 100);
            log.StartNewSegment();
            two = Append(log, 2, 100);
            log.Sync();
        }

        string first = $"{LogFixture.Directory}/{one.Record.Position.Segment:x16}.log";
        string second = $"{LogFixture.Directory}/{two.Record.Position.Segment:x16}.log";
        disk.Rename(first, "/state/x");
        disk.Rename(second, first);
        disk.Rename("/state/x", second);
        using DirtyLog again = Open(disk, seed: 2);
        Assert.Throws<CorruptLogException>(() => Read(again, one.Record));
        Assert.Throws<CorruptLogException>(() => Read(again, two.Record));
        Assert.Empty(again.Scan());
    }

    private static void CheckAfterCrash(MemoryDisk disk, List<Written> written, int synced, int seed, bool isWhole)
    {
        using DirtyLog log = Open(disk, seed: seed + 100_000);
        for (int index = 0; index < written.Count; index++)
        {
            bool isRead = ReadsExactlyOrNotAtAll(log, written[index]);
            Assert.True(isRead || index >= synced, $"seed {seed}: record {index} was synced and is lost");
        }

        List<CorruptLogException> torn = [];
        HashSet<DirtyLogRecord> scanned = [.. log.Scan(torn.Add)];
        Assert.False(isWhole && torn.Count > 0, $"seed {seed}: all was synced, and still a record is torn");
        Assert.Subset(written.Select(item => item.Record).ToHashSet(), scanned);
        Assert.Superset(written.Take(synced).Select(item => item.Record).ToHashSet(), scanned);

        // The log goes on, and its new records are not mixed up with the torn ones.
        Written later = Append(log, 5000, 500);
        log.Sync();
        Assert.Equal(later.Data, Read(log, later.Record));
    }

    private static bool ReadsExactlyOrNotAtAll(DirtyLog log, Written item)
    {
        byte[] data = new byte[item.Data.Length];
        try
        {
            log.Read(item.Record.Position, item.Record.Length, 0, data);
            Assert.Equal(item.Data, data);
            return true;
        }
        catch (CorruptLogException exception)
        {
            Assert.Equal(item.Record.Position, exception.Position);
            return false;
        }
    }
}
