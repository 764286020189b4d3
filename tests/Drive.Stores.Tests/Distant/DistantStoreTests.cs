using Drive.Core.Stores;
using Drive.Stores.Distant;
using Drive.Stores.Memory;
using Drive.Stores.Tests.Wrappers;
using Drive.Testing;
using Drive.Testing.Stores;

namespace Drive.Stores.Tests.Distant;

public sealed class DistantStoreContractTests : ObjectStoreContract
{
    protected override ValueTask<IObjectStore> OpenAsync() => ValueTask.FromResult<IObjectStore>(
        new DistantStore(new MemoryStore(), new Distance(TimeSpan.FromMilliseconds(30), 50 << 20), "far:", new SkippingTime(TimeSpan.FromDays(1))));
}

public sealed class DistantStoreTests
{
    private const int MiB = 1 << 20;
    private static readonly ObjectName One = new("packs/ab/one");
    private static readonly ObjectName Two = new("packs/ab/two");
    private readonly ManualTime _time = new();
    private readonly FaultyStore _faulty = new(new MemoryStore());

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Every_call_is_answered_after_the_latency_and_not_before()
    {
        DistantStore store = Open(new Distance(TimeSpan.FromMilliseconds(30), null));
        foreach (Func<Task> call in new Func<Task>[]
        {
            () => store.PutIfAbsentAsync(One, new byte[MiB], None),
            () => store.GetAsync(One, MiB, None),
            () => store.GetRangeAsync(One, 5, new byte[100], None).AsTask(),
            () => store.GetLengthAsync(One, None),
            () => store.GetSpaceAsync(None),
            () => store.DeleteAsync(One, None),
            () => store.GetAsync(One, MiB, None),
        })
        {
            Assert.Equal(TimeSpan.FromMilliseconds(30), await DurationAsync(call()));
        }
    }

    [Fact]
    public async Task A_transfer_takes_its_bytes_by_the_rate_on_top_of_the_latency()
    {
        DistantStore store = Open(new Distance(TimeSpan.FromMilliseconds(30), MiB));
        Assert.Equal(TimeSpan.FromMilliseconds(1030), await DurationAsync(store.PutIfAbsentAsync(One, new byte[MiB], None)));
        Assert.Equal(TimeSpan.FromMilliseconds(1030), await DurationAsync(store.GetAsync(One, MiB, None)));
        Assert.Equal(TimeSpan.FromMilliseconds(280), await DurationAsync(store.GetRangeAsync(One, 0, new byte[MiB / 4], None).AsTask()));
        Assert.Equal(TimeSpan.FromMilliseconds(30), await DurationAsync(store.GetRangeAsync(One, MiB, new byte[MiB], None).AsTask()));
    }

    [Fact]
    public async Task Transfers_the_same_way_share_the_link_and_the_other_way_is_free()
    {
        DistantStore store = Open(new Distance(TimeSpan.FromMilliseconds(30), MiB));
        await DurationAsync(store.PutIfAbsentAsync(One, new byte[MiB], None));
        Task<TimeSpan> first = TimedAsync(store.GetAsync(One, MiB, None));
        Task<TimeSpan> second = TimedAsync(store.GetAsync(One, MiB, None));
        Task<TimeSpan> up = TimedAsync(store.PutIfAbsentAsync(Two, new byte[MiB], None));
        Task<TimeSpan> small = TimedAsync(store.GetRangeAsync(One, 0, new byte[4096], None).AsTask());
        await DurationAsync(Task.WhenAll(first, second, up, small));
        Assert.Equal(TimeSpan.FromMilliseconds(1030), await up);

        // In turns: both end at twice the time, and the small one waits for a piece of each at most.
        Assert.InRange(await first, TimeSpan.FromMilliseconds(1900), TimeSpan.FromMilliseconds(2034));
        Assert.InRange(await second, TimeSpan.FromMilliseconds(2030), TimeSpan.FromMilliseconds(2034));
        Assert.InRange(await small, TimeSpan.FromMilliseconds(33), TimeSpan.FromMilliseconds(200));
    }

    [Fact]
    public async Task Parallel_requests_wait_for_the_latency_together()
    {
        DistantStore store = Open(new Distance(TimeSpan.FromMilliseconds(30), null));
        await DurationAsync(store.PutIfAbsentAsync(One, new byte[MiB], None));
        Task[] calls = [.. Enumerable.Range(0, 100).Select(i => store.GetRangeAsync(One, i, new byte[100], None).AsTask())];
        Assert.Equal(TimeSpan.FromMilliseconds(30), await DurationAsync(Task.WhenAll(calls)));
    }

    [Fact]
    public async Task A_late_timer_costs_no_rate()
    {
        DistantStore store = Open(new Distance(TimeSpan.Zero, MiB));
        Task<bool> put = store.PutIfAbsentAsync(One, new byte[MiB], None);

        // The clock leaps past five pieces; those that follow are due by the rate, not by when they were begun.
        _time.Advance(TimeSpan.FromMilliseconds(350));
        Assert.Equal(TimeSpan.FromMilliseconds(650), await DurationAsync(put));
    }

    [Fact]
    public async Task A_failure_comes_as_late_as_an_answer()
    {
        DistantStore store = Open(new Distance(TimeSpan.FromMilliseconds(30), null));
        _faulty.IsUnreachable = true;
        Task<byte[]?> get = store.GetAsync(One, 10, None);
        Assert.Equal(TimeSpan.FromMilliseconds(30), await DurationAsync(get.ContinueWith(static _ => { }, TaskScheduler.Default)));
        Assert.Equal(StoreErrorKind.Unreachable, (await Assert.ThrowsAsync<StoreException>(() => get)).Kind);
    }

    [Fact]
    public async Task A_put_that_is_cancelled_on_its_way_has_not_happened()
    {
        DistantStore store = Open(new Distance(TimeSpan.FromMilliseconds(30), MiB));
        using CancellationTokenSource cancel = new();
        Task<bool> put = store.PutIfAbsentAsync(One, new byte[MiB], cancel.Token);
        _time.Advance(TimeSpan.FromMilliseconds(500));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => put);
        Assert.Null(await _faulty.Inner.GetLengthAsync(One, None));
    }

    [Fact]
    public async Task A_listing_waits_once_for_a_thousand_names()
    {
        for (int i = 0; i < 2001; i++)
        {
            await _faulty.Inner.PutIfAbsentAsync(new ObjectName($"packs/{i}"), new byte[1], None);
        }

        DistantStore store = Open(new Distance(TimeSpan.FromMilliseconds(30), null));
        Task<int> count = CountAsync(store);
        Assert.Equal(TimeSpan.FromMilliseconds(90), await DurationAsync(count));
        Assert.Equal(2001, await count);
    }

    private static async Task<int> CountAsync(DistantStore store)
    {
        int count = 0;
        await foreach (ObjectInfo _ in store.ListAsync("packs/", None))
        {
            count++;
        }

        return count;
    }

    private DistantStore Open(Distance distance)
    {
        // What a timer sets going must have run before the clock moves on; xunit's context would hand it to another thread.
        SynchronizationContext.SetSynchronizationContext(null);
        return new DistantStore(_faulty, distance, "far:", _time);
    }

    private async Task<TimeSpan> TimedAsync(Task call)
    {
        DateTimeOffset start = _time.Elapsed;
        await call;
        return _time.Elapsed - start;
    }

    /// <summary>How far the clock must be moved for the task to end, moving it to one timer after the other.</summary>
    private async Task<TimeSpan> DurationAsync(Task task)
    {
        DateTimeOffset start = _time.Elapsed;
        while (!task.IsCompleted)
        {
            if (_time.NextDue is { } due)
            {
                _time.AdvanceTo(due);
            }
            else
            {
                await Task.Yield();
            }
        }

        await task;
        return _time.Elapsed - start;
    }
}
