using System.Globalization;
using Drive.Core.Stores;
using Drive.Stores.Calls;
using Drive.Stores.Folder;
using Drive.Stores.Memory;
using Drive.Stores.Wrappers;
using Drive.Testing;
using Drive.Testing.Disk;

namespace Drive.Stores.Tests.Wrappers;

/// <summary>Limits within objects that take far longer than a second: by a clock that jumps over waits, so that what is measured is exact.</summary>
public sealed class LimitOnTheWayTests
{
    private const int Pack = 8 << 20;
    private static readonly ObjectName Name = new("packs/one");
    private readonly SkippingTime _time = new(TimeSpan.FromSeconds(1.5));

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData("200K", 1, 2)]
    [InlineData("200K", 4, 4)]
    [InlineData("2M", 4, 16)]
    [InlineData("5K", 4, 1)]
    public async Task Packs_go_up_at_the_limit_in_any_ten_seconds(string limit, int writers, int packs)
    {
        LineStore line = new(new MemoryStore(), _time);
        IObjectStore store = line.Throttled(new StoreLimits(_time) { Up = Limit(limit) }, IsUrgent);
        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            for (int index = 0; index < packs; index++)
            {
                Assert.True(await store.PutIfAbsentAsync(new ObjectName($"packs/{writer}/{index}"), new byte[limit == "5K" ? 100_000 : Pack], None));
            }
        })));
        LineStore.RequireRate(line.Seen, Limit(limit).At(default)!.Value);
    }

    [Theory]
    [InlineData("200K", 1)]
    [InlineData("200K", 8)]
    [InlineData("2M", 16)]
    public async Task Packs_come_down_at_the_limit_in_any_ten_seconds(string limit, int readers)
    {
        MemoryStore memory = new();
        Assert.True(await memory.PutIfAbsentAsync(Name, new byte[Pack], None));
        LineStore line = new(memory, _time);
        IObjectStore store = line.Throttled(new StoreLimits(_time) { Down = Limit(limit) }, IsUrgent);
        await Task.WhenAll(Enumerable.Range(0, readers).Select(_ => Task.Run(async () =>
        {
            for (int index = 0; index < 16; index++)
            {
                Assert.Equal(Pack / 2, await store.GetRangeAsync(Name, Pack / 4, new byte[Pack / 2], None));
            }
        })));
        LineStore.RequireRate(line.Seen, Limit(limit).At(default)!.Value);
    }

    [Fact]
    public async Task A_folder_is_written_and_read_at_the_limit_in_any_ten_seconds()
    {
        List<(TimeSpan At, long Bytes)> seen = [];
        FaultyDisk disk = new(new MemoryDisk());
        disk.CreateDirectory("/store");
        await using FolderStore folder = FolderStore.Open(disk, "/store", create: true, new SeededRandom(1));
        DiskOperation counted = DiskOperation.Write;
        TimeSpan began = TimeSpan.Zero;
        disk.Fault = call =>
        {
            if (call.Operation == counted && call.Length > 100)
            {
                seen.Add((_time.Elapsed - began, call.Length));
            }

            return null;
        };
        StoreLimits limits = new(_time) { Up = Limit("200K"), Down = Limit("400K") };
        IObjectStore store = folder.Retried(new RetryOptions { Deadline = TimeSpan.FromSeconds(2) }, _time, new SeededRandom(1)).Throttled(limits, IsUrgent);
        byte[] content = new byte[Pack];
        new Random(1).NextBytes(content);
        Assert.True(await store.PutIfAbsentAsync(Name, content, None));
        LineStore.RequireRate(seen, 200 << 10);

        (counted, began) = (DiskOperation.Read, _time.Elapsed);
        seen.Clear();
        Assert.Equal(content, await store.GetAsync(Name, Pack, None));
        byte[] part = new byte[Pack];
        Assert.Equal(Pack, await store.GetRangeAsync(Name, 0, part, None));
        Assert.Equal(content, part);
        Assert.Equal(2.0 * Pack / (400 << 10), (_time.Elapsed - began).TotalSeconds, 1.0);
        LineStore.RequireRate(seen, 400 << 10);
    }

    [Fact]
    public async Task A_folder_without_a_limit_is_read_at_once_also_when_uploads_have_one()
    {
        await using FolderStore folder = FolderStore.Open(new MemoryDisk(), "/store", create: true, new SeededRandom(1));
        Assert.True(await folder.PutIfAbsentAsync(Name, new byte[10], None));
        ValueTask<int?> read = folder.Throttled(new StoreLimits(_time) { Up = Limit("1K") }, IsUrgent).GetRangeAsync(Name, 0, new byte[10], None);
        Assert.True(read.IsCompletedSuccessfully);
        Assert.Equal(10, await read);
    }

    [Fact]
    public async Task A_limit_that_is_changed_holds_for_a_pack_on_its_way_within_a_second()
    {
        ManualTime time = new();
        StoreLimits limits = new(time) { Up = Limit("100K") };
        LineStore line = new(new MemoryStore(), time);
        Task<bool> put = Task.Run(() => line.Throttled(limits, IsUrgent).PutIfAbsentAsync(Name, new byte[Pack], None));
        long before = await SentInAsync(TimeSpan.FromSeconds(10));
        Assert.InRange(before, 800 << 10, 1200 << 10);
        limits.Up = Limit("10K");
        await SentInAsync(TimeSpan.FromSeconds(1));
        Assert.InRange(await SentInAsync(TimeSpan.FromSeconds(10)), 80 << 10, 120 << 10);
        limits.Up = Limit("400K");
        await SentInAsync(TimeSpan.FromSeconds(1));
        Assert.InRange(await SentInAsync(TimeSpan.FromSeconds(10)), 3200 << 10, 4800 << 10);
        limits.Up = RateSchedule.None;
        await SentInAsync(TimeSpan.FromSeconds(1.1));
        Assert.True(await put);

        async Task<long> SentInAsync(TimeSpan span)
        {
            long sent = Sum();
            for (TimeSpan passed = TimeSpan.Zero; passed < span; passed += TimeSpan.FromMilliseconds(5))
            {
                // The sender stands at a wait of the clock, or is done, before the clock goes on.
                while (time.NextDue is null && !put.IsCompleted)
                {
                    await Task.Yield();
                }

                time.Advance(TimeSpan.FromMilliseconds(5));
            }

            return Sum() - sent;
        }

        long Sum() => line.Moved;
    }

    [Fact]
    public async Task No_more_transfers_share_a_small_limit_than_get_on_with_it()
    {
        ManualTime time = new();
        StoreLimits limits = new(time) { Up = Limit("128K") };
        Pace pace = limits.UpPace;
        using Pace.Place first = await pace.EnterAsync(isUrgent: false, None);
        Pace.Place second = await pace.EnterAsync(isUrgent: false, None);
        using CancellationTokenSource off = new();
        Task<Pace.Place> calledOff = pace.EnterAsync(isUrgent: false, off.Token).AsTask();
        Task<Pace.Place> third = pace.EnterAsync(isUrgent: false, None).AsTask();
        Task<Pace.Place> fourth = pace.EnterAsync(isUrgent: false, None).AsTask();
        using Pace.Place urgent = await pace.EnterAsync(isUrgent: true, None);
        Assert.False(calledOff.IsCompleted || third.IsCompleted || fourth.IsCompleted);
        await off.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => calledOff);
        second.Dispose();
        using Pace.Place next = await third;
        Assert.False(fourth.IsCompleted);
        limits.Up = Limit("1M");
        using Pace.Place last = await fourth;
    }

    [Fact]
    public void A_slow_line_is_no_dead_one()
    {
        ManualTime time = new();
        using StoreCall call = StoreCall.Begin(time);
        using CallDeadline deadline = new(TimeSpan.FromSeconds(20), call, time, None);
        for (int index = 0; index < 40; index++)
        {
            call.Note(200 << 10);
            time.Advance(TimeSpan.FromSeconds(15));
        }

        // Ten minutes at 13 KiB/s. What moved faster than the least is left of it, and a byte now and then buys nothing.
        Assert.False(deadline.Token.IsCancellationRequested);
        Assert.Equal(20 + (40 * ((200.0 / 8) - 15)), deadline.Left.TotalSeconds, 0.1);
        for (TimeSpan left = deadline.Left; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(10))
        {
            Assert.False(deadline.IsOver);
            call.Note(1);
            time.Advance(TimeSpan.FromSeconds(10));
        }

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(deadline.IsOver && deadline.Token.IsCancellationRequested);
    }

    private static RateSchedule Limit(string text) => RateSchedule.Parse(text, static amount => long.Parse(amount.TrimEnd('K', 'M'), CultureInfo.InvariantCulture) << (amount.EndsWith('M') ? 20 : 10));

    private static bool IsUrgent(ObjectName name, long bytes) => name.Value.StartsWith("log/", StringComparison.Ordinal);
}
