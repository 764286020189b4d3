using System.Security.Cryptography;
using Drive.Cache.Blocks;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Testing.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Cache.Tests.Blocks;

public sealed class BlockCacheTests
{
    private const string Root = "/cache";
    private readonly MemoryDisk _disk = new(capacityBytes: 1L << 40);

    [Fact]
    public void A_range_is_a_hit_only_when_all_of_it_was_written()
    {
        using BlockCache cache = Open(_disk);
        Assert.False(cache.TryRead(Pack(1), 0, new byte[1]));
        cache.Write(Pack(1), 100_000, Bytes(1, 70_000));
        cache.Write(Pack(1), 170_000, Bytes(2, 10));
        byte[] got = new byte[70_010];
        Assert.True(cache.TryRead(Pack(1), 100_000, got));
        Assert.Equal([.. Bytes(1, 70_000), .. Bytes(2, 10)], got);
        Assert.True(cache.TryRead(Pack(1), 150_000, new byte[20_010]));
        Assert.False(cache.TryRead(Pack(1), 99_999, new byte[2]));
        Assert.False(cache.TryRead(Pack(1), 170_009, new byte[2]));
        Assert.False(cache.TryRead(Pack(2), 100_000, new byte[1]));
    }

    [Fact]
    public void What_is_missing_of_a_range_is_what_was_never_written_or_is_wrong()
    {
        using BlockCache cache = Open(_disk);
        Assert.Equal([(10L, 30L)], cache.FindMissing(Pack(1), 10, 20));
        cache.Write(Pack(1), 12, Bytes(1, 4));
        cache.Write(Pack(1), 20, Bytes(1, 100));
        Assert.Equal([(10L, 12L), (16L, 20L)], cache.FindMissing(Pack(1), 10, 20));
        Assert.Empty(cache.FindMissing(Pack(1), 20, 100));
        cache.Invalidate(Pack(1), 30, 1);
        Assert.Equal([(30L, 31L)], cache.FindMissing(Pack(1), 20, 100));
        cache.Remove(Pack(1));
        Assert.Equal([(20L, 120L)], cache.FindMissing(Pack(1), 20, 100));
    }

    [Fact]
    public void It_is_all_there_after_a_restart_or_the_death_of_the_process()
    {
        using BlockCache cache = Open(_disk);
        for (int pack = 0; pack < 10; pack++)
        {
            cache.Write(Pack(pack), pack * 1000, Bytes(pack, 5000));
        }

        cache.Invalidate(Pack(3), 4000, 10);
        long used = cache.UsedBytes;
        using BlockCache after = Open(_disk.Crash(CrashKind.Process, new Random(1)));
        // A hole in a range lets a shared allocation unit count twice: an upper bound all the same.
        Assert.InRange(after.UsedBytes, used, used + 4096);
        for (int pack = 0; pack < 10; pack++)
        {
            byte[] got = new byte[5000];
            Assert.Equal(pack != 3, after.TryRead(Pack(pack), pack * 1000, got));
            if (pack != 3)
            {
                Assert.Equal(Bytes(pack, 5000), got);
            }
        }
    }

    [Fact]
    public void Whatever_a_power_cut_leaves_the_cache_opens_and_goes_on()
    {
        using BlockCache cache = Open(_disk);
        for (int pack = 0; pack < 10; pack++)
        {
            cache.Write(Pack(pack), pack * 1000, Bytes(pack, 5000));
        }

        for (int seed = 0; seed < 30; seed++)
        {
            MemoryDisk image = _disk.Crash(seed == 0 ? CrashKind.PowerLosesAll : CrashKind.PowerLosesSome, new Random(seed));
            using BlockCache after = Open(image);
            for (int pack = 0; pack < 10; pack++)
            {
                // Right or wrong bytes, the tags decide; wrong ones are written again.
                _ = after.TryRead(Pack(pack), pack * 1000, new byte[5000]);
                after.Invalidate(Pack(pack), pack * 1000, 5000);
                Assert.False(after.TryRead(Pack(pack), pack * 1000, new byte[5000]));
                after.Write(Pack(pack), pack * 1000, Bytes(pack, 5000));
                byte[] got = new byte[5000];
                Assert.True(after.TryRead(Pack(pack), pack * 1000, got));
                Assert.Equal(Bytes(pack, 5000), got);
            }
        }
    }

    [Fact]
    public void The_limit_is_kept_and_the_pack_unused_longest_goes_first()
    {
        using BlockCache cache = Open(_disk, limit: 400_000);
        for (int pack = 0; pack < 20; pack++)
        {
            cache.Write(Pack(pack), 0, Bytes(pack, 65_536));
            Assert.InRange(cache.UsedBytes, 1, 400_000);
            Assert.True(cache.TryRead(Pack(0), 0, new byte[10]), "the pack in use was evicted");
        }

        Assert.True(cache.TryRead(Pack(19), 0, new byte[10]));
        Assert.True(cache.TryRead(Pack(18), 0, new byte[10]));
        Assert.False(cache.TryRead(Pack(1), 0, new byte[10]));
        Assert.InRange(_disk.UsedBytes, 1, 400_000);
    }

    [Fact]
    public void The_order_of_use_outlives_a_restart()
    {
        using (BlockCache cache = Open(_disk))
        {
            for (int pack = 0; pack < 5; pack++)
            {
                cache.Write(Pack(pack), 0, Bytes(pack, 4096));
            }

            cache.TryRead(Pack(0), 0, new byte[1]);
        }

        using BlockCache again = Open(_disk);
        again.EvictOne();
        again.EvictOne();
        Assert.Equal([true, false, false, true, true], Enumerable.Range(0, 5).Select(pack => again.TryRead(Pack(pack), 0, new byte[1])));
    }

    [Fact]
    public void After_a_clean_end_one_file_tells_of_all_packs_and_no_map_is_read()
    {
        long used = FillAndEnd();
        using (IDiskFile map = _disk.Open(PathOf(1) + ".map", DiskOpenMode.ReadWrite)!)
        {
            map.Write(0, new byte[16]);
        }

        using BlockCache again = Open(_disk);
        Assert.Equal(used, again.UsedBytes);
        Assert.Null(_disk.Open(IndexPath, DiskOpenMode.Read));
        byte[] got = new byte[3000];
        Assert.True(again.TryRead(Pack(1), 500, got));
        Assert.Equal(Bytes(1, 3000), got);
        Assert.False(again.TryRead(Pack(1), 499, got));
    }

    [Fact]
    public void A_damaged_index_is_not_believed()
    {
        long used = FillAndEnd();
        byte[] good = ReadIndex();
        for (int at = -1; at < good.Length; at++)
        {
            byte[] bad = at < 0 ? good[..^1] : [.. good];
            if (at >= 0)
            {
                bad[at] ^= 0x10;
            }

            using (IDiskFile file = _disk.Open(IndexPath, DiskOpenMode.OpenOrCreate)!)
            {
                file.SetLength(0);
                file.Write(0, bad);
            }

            using BlockCache again = Open(_disk);
            Assert.Equal(used, again.UsedBytes);
            Assert.True(again.TryRead(Pack(2), 500, new byte[3000]), $"byte {at}");
        }
    }

    [Fact]
    public void A_pack_whose_files_are_gone_is_not_in_the_cache_whatever_the_index_says()
    {
        FillAndEnd();
        _disk.Delete(PathOf(1));
        _disk.Delete(PathOf(1) + ".map");
        using BlockCache again = Open(_disk);
        Assert.False(again.TryRead(Pack(1), 500, new byte[1]));
        Assert.True(again.TryRead(Pack(2), 500, new byte[3000]));
    }

    [Fact]
    public void What_is_larger_than_the_limit_is_not_cached()
    {
        using BlockCache cache = Open(_disk, limit: 50_000);
        cache.Write(Pack(1), 0, Bytes(1, 65_536));
        Assert.False(cache.TryRead(Pack(1), 0, new byte[1]));
        Assert.Equal((0, 0), (cache.UsedBytes, _disk.UsedBytes));
    }

    [Fact]
    public void Clearing_and_removing_leave_nothing()
    {
        using BlockCache cache = Open(_disk);
        cache.Write(Pack(1), 0, Bytes(1, 100));
        cache.Write(Pack(2), 0, Bytes(1, 100));
        cache.Remove(Pack(1));
        Assert.False(cache.TryRead(Pack(1), 0, new byte[1]));
        Assert.True(cache.TryRead(Pack(2), 0, new byte[1]));
        cache.Clear();
        Assert.Equal((0, 0), (cache.UsedBytes, _disk.UsedBytes));
        cache.Write(Pack(1), 0, Bytes(1, 100));
        Assert.True(cache.TryRead(Pack(1), 0, new byte[100]));
    }

    [Fact]
    public void Half_of_a_pack_is_removed_at_the_start()
    {
        using (BlockCache cache = Open(_disk))
        {
            cache.Write(Pack(1), 0, Bytes(1, 100));
            cache.Write(Pack(2), 0, Bytes(1, 100));
        }

        _disk.Delete(PathOf(1) + ".map");
        _disk.Delete(PathOf(2));
        using BlockCache again = Open(_disk);
        Assert.Equal(0, again.UsedBytes);
        Assert.Null(_disk.Open(PathOf(1), DiskOpenMode.Read));
        Assert.Null(_disk.Open(PathOf(2) + ".map", DiskOpenMode.Read));
    }

    [Fact]
    public void No_failure_of_the_disk_is_more_than_a_miss()
    {
        for (int number = 0; number < 12; number++)
        {
            foreach (Func<Exception> made in new Func<Exception>[] { FaultyDisk.Full, FaultyDisk.InputOutputError })
            {
                var disk = new FaultyDisk(new MemoryDisk(1L << 40));
                using BlockCache cache = Open(disk);
                int count = 0;
                disk.Fault = call => count++ == number ? made() : null;
                for (int pack = 0; pack < 3; pack++)
                {
                    cache.Write(Pack(pack), 0, Bytes(pack, 5000));
                    byte[] got = new byte[5000];
                    if (cache.TryRead(Pack(pack), 0, got))
                    {
                        Assert.Equal(Bytes(pack, 5000), got);
                    }
                }

                cache.Clear();
            }
        }
    }

    [Fact]
    public void Near_the_floor_of_free_space_old_packs_make_room()
    {
        _disk.CapacityBytes = 1_000_000;
        using BlockCache cache = Open(_disk, floorBytes: 600_000);
        for (int pack = 0; pack < 20; pack++)
        {
            cache.Write(Pack(pack), 0, Bytes(pack, 65_536));
            Assert.True(cache.TryRead(Pack(pack), 0, new byte[1]));
            Assert.InRange(_disk.GetSpace("/").FreeBytes, 590_000, 1_000_000);
        }
    }

    [Fact]
    public async Task Reads_writes_and_evictions_may_all_run_at_once()
    {
        using BlockCache cache = Open(_disk, limit: 300_000);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            var random = new Random(worker);
            for (int step = 0; step < 500; step++)
            {
                int pack = random.Next(12);
                int part = random.Next(8);
                byte[] got = new byte[10_000];
                if (cache.TryRead(Pack(pack), part * 10_000, got))
                {
                    Assert.Equal(Bytes((pack * 8) + part, 10_000), got);
                }
                else
                {
                    cache.Write(Pack(pack), part * 10_000, Bytes((pack * 8) + part, 10_000));
                }

                if (random.Next(50) == 0)
                {
                    cache.Invalidate(Pack(pack), part * 10_000, 10_000);
                }
            }
        })));
        Assert.InRange(cache.UsedBytes, 1, 300_000);
        long used = cache.UsedBytes;
        cache.Dispose();
        using BlockCache again = Open(_disk, limit: 300_000);
        Assert.InRange(again.UsedBytes, 1, used);
        again.Clear();
        Assert.Equal(0, again.UsedBytes);
    }

    internal static BlockCache Open(IDisk disk, long limit = 1L << 30, long floorBytes = 0)
    {
        disk.CreateDirectory(Root);
        var floor = new FreeSpaceFloor(disk, Root, new FreeSpaceOptions { FloorBytes = floorBytes, FloorShare = 0 });
        return BlockCache.Open(disk, Root, new BlockCacheOptions { LimitBytes = limit, OpenFilesMax = 4 }, floor, NullLogger.Instance);
    }

    internal static PackId Pack(int number) => new(new Bytes32(SHA256.HashData([(byte)number])));

    internal static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static string IndexPath => Root + "/index";

    private long FillAndEnd()
    {
        using BlockCache cache = Open(_disk);
        cache.Write(Pack(1), 500, Bytes(1, 3000));
        cache.Write(Pack(2), 500, Bytes(2, 3000));
        cache.Write(Pack(2), 70_000, Bytes(2, 3000));
        return cache.UsedBytes;
    }

    private byte[] ReadIndex()
    {
        using IDiskFile file = _disk.Open(IndexPath, DiskOpenMode.Read)!;
        byte[] index = new byte[file.Length];
        file.Read(0, index);
        return index;
    }

    private static string PathOf(int number)
    {
        string name = Pack(number).Value.ToString();
        return $"{Root}/packs/{name[..2]}/{name}";
    }
}
