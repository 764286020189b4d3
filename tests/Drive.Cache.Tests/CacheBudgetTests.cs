using Drive.Cache.Blocks;
using Drive.Cache.Tests.Blocks;
using Drive.Testing.Disk;

namespace Drive.Cache.Tests;

public sealed class CacheBudgetTests
{
    private readonly MemoryDisk _disk = new(capacityBytes: 10_000_000);

    [Fact]
    public void Dirty_pushes_out_what_is_cached_and_never_the_other_way_round()
    {
        using BlockCache cache = BlockCacheTests.Open(_disk);
        var budget = new CacheBudget(cache, Floor(0), limitBytes: 500_000);
        for (int pack = 0; pack < 7; pack++)
        {
            cache.Write(BlockCacheTests.Pack(pack), 0, BlockCacheTests.Bytes(pack, 65_536));
        }

        Assert.True(budget.TryReserveDirty(300_000));
        Assert.InRange(cache.UsedBytes, 1, 200_000);
        cache.Write(BlockCacheTests.Pack(9), 0, BlockCacheTests.Bytes(9, 65_536));
        Assert.InRange(budget.UsedBytes, 300_000, 500_000);
        Assert.True(budget.TryReserveDirty(200_000));
        Assert.Equal(0, cache.UsedBytes);
        Assert.False(budget.TryReserveDirty(1));
        Assert.Equal(500_000, budget.DirtyBytes);

        budget.ReleaseDirty(400_000);
        cache.Write(BlockCacheTests.Pack(9), 0, BlockCacheTests.Bytes(9, 65_536));
        Assert.True(cache.TryRead(BlockCacheTests.Pack(9), 0, new byte[1]));
        Assert.Throws<InvalidOperationException>(() => budget.ReleaseDirty(100_001));
    }

    [Fact]
    public void What_is_pinned_is_pushed_out_by_nothing_counts_as_taken_and_goes_when_it_is_let_go()
    {
        using BlockCache cache = BlockCacheTests.Open(_disk);
        var budget = new CacheBudget(cache, Floor(0), limitBytes: 500_000);

        // One that is here already, and one that comes later.
        cache.Write(BlockCacheTests.Pack(0), 0, BlockCacheTests.Bytes(0, 65_536));
        cache.SetPinned(new HashSet<Drive.Core.Rows.PackId> { BlockCacheTests.Pack(0), BlockCacheTests.Pack(1) });
        cache.Write(BlockCacheTests.Pack(1), 0, BlockCacheTests.Bytes(1, 65_536));
        long pinned = cache.PinnedBytes;
        Assert.Equal(cache.UsedBytes, pinned);
        for (int pack = 2; pack < 20; pack++)
        {
            cache.Write(BlockCacheTests.Pack(pack), 0, BlockCacheTests.Bytes(pack, 65_536));
        }

        Assert.Equal(pinned, cache.PinnedBytes);
        Assert.InRange(cache.UsedBytes, pinned + 65_536, 500_000);
        cache.RemoveUnpinned(BlockCacheTests.Pack(0));
        cache.RemoveUnpinned(BlockCacheTests.Pack(19));
        Assert.False(cache.TryRead(BlockCacheTests.Pack(19), 0, new byte[1]));
        Assert.False(budget.TryReserveDirty(500_000 - pinned + 1));
        Assert.True(budget.TryReserveDirty(500_000 - pinned));
        Assert.Equal(pinned, cache.UsedBytes);
        Assert.True(cache.TryRead(BlockCacheTests.Pack(0), 0, new byte[65_536]) && cache.TryRead(BlockCacheTests.Pack(1), 0, new byte[65_536]));
        Assert.False(cache.EvictOne());

        cache.SetPinned(new HashSet<Drive.Core.Rows.PackId>());
        Assert.Equal(0, cache.PinnedBytes);
        Assert.True(budget.TryReserveDirty(pinned));
        Assert.Equal(0, cache.UsedBytes);
    }

    [Fact]
    public void What_was_found_dirty_at_the_start_counts_even_beyond_the_limit()
    {
        using BlockCache cache = BlockCacheTests.Open(_disk);
        var budget = new CacheBudget(cache, Floor(0), limitBytes: 100_000);
        budget.AddDirty(150_000);
        Assert.False(budget.TryReserveDirty(1));
        budget.ReleaseDirty(100_000);
        Assert.True(budget.TryReserveDirty(50_000));
        budget.LimitBytes = 50_000;
        Assert.False(budget.TryReserveDirty(1));
        Assert.Equal(100_000, budget.DirtyBytes);
    }

    [Fact]
    public void A_disk_that_is_nearly_full_refuses_before_it_is_full()
    {
        using BlockCache cache = BlockCacheTests.Open(_disk);
        var budget = new CacheBudget(cache, Floor(4_000_000), limitBytes: 1L << 30);
        cache.Write(BlockCacheTests.Pack(1), 0, BlockCacheTests.Bytes(1, 1_000_000));
        Assert.True(budget.TryReserveDirty(4_500_000));
        Assert.True(cache.TryRead(BlockCacheTests.Pack(1), 0, new byte[1]));
        Assert.True(budget.TryReserveDirty(5_500_000));
        Assert.False(cache.TryRead(BlockCacheTests.Pack(1), 0, new byte[1]));
        Assert.False(budget.TryReserveDirty(6_500_000));
    }

    private FreeSpaceFloor Floor(long bytes) => new(_disk, "/cache", new FreeSpaceOptions { FloorBytes = bytes, FloorShare = 0 });
}
