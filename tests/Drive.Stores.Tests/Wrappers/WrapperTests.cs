using Drive.Core.Stores;
using Drive.Stores.Memory;
using Drive.Stores.Wrappers;
using Drive.Testing;
using Drive.Testing.Stores;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Stores.Tests.Wrappers;

public sealed class WrapperTests
{
    private static readonly ObjectName Slot = new("log/1/1");
    private readonly SkippingTime _time = new(TimeSpan.FromMinutes(1));
    private readonly FaultyStore _faulty = new(new MemoryStore());

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_put_that_was_made_but_not_confirmed_is_ours()
    {
        _faulty.Next(StoreFault.FailAfter(StoreErrorKind.Unreachable, isTransient: true));
        Assert.True(await Retried().PutIfAbsentAsync(Slot, new byte[] { 1, 2 }, None));
    }

    [Fact]
    public async Task A_slot_that_another_took_during_our_failure_is_not_ours()
    {
        foreach (byte[] theirs in new byte[][] { [9, 9], [1], [1, 2, 3] })
        {
            var faulty = new FaultyStore(new MemoryStore());
            IObjectStore store = faulty.Retried(new RetryOptions(), _time, new SeededRandom(1));
            await faulty.Inner.PutIfAbsentAsync(Slot, theirs, None);
            faulty.Next(StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true));
            Assert.False(await store.PutIfAbsentAsync(Slot, new byte[] { 1, 2 }, None));
            Assert.Equal(theirs, await store.GetAsync(Slot, 100, None));
        }
    }

    [Fact]
    public async Task The_reading_back_is_itself_retried()
    {
        _faulty.Next(
            StoreFault.FailAfter(StoreErrorKind.Unreachable, isTransient: true), null, StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true));
        Assert.True(await Retried().PutIfAbsentAsync(Slot, new byte[] { 1, 2 }, None));
        Assert.Equal(4, _faulty.Calls);
    }

    [Fact]
    public async Task A_failure_that_will_not_pass_is_not_retried()
    {
        _faulty.Next(StoreFault.FailBefore(StoreErrorKind.Denied, isTransient: false));
        await Assert.ThrowsAsync<StoreException>(() => Retried().GetAsync(Slot, 10, None));
        Assert.Equal(1, _faulty.Calls);
        Assert.Empty(_time.Waits);
    }

    [Fact]
    public async Task Waits_grow_with_jitter_up_to_their_maximum_and_attempts_end()
    {
        _faulty.IsUnreachable = true;
        StoreException exception = await Assert.ThrowsAsync<StoreException>(() => Retried().GetLengthAsync(Slot, None));
        Assert.Equal(StoreErrorKind.Unreachable, exception.Kind);
        Assert.Equal(8, _faulty.Calls);
        Assert.Equal(7, _time.Waits.Count);
        double expected = 250;
        foreach (TimeSpan wait in _time.Waits)
        {
            Assert.InRange(wait.TotalMilliseconds, Math.Min(expected, 20_000) / 2, Math.Min(expected, 20_000));
            expected *= 2;
        }
    }

    [Fact]
    public async Task The_deadline_ends_the_tries()
    {
        _faulty.IsUnreachable = true;
        IObjectStore store = _faulty.Retried(new RetryOptions { AttemptsMax = 1000, Deadline = TimeSpan.FromMinutes(3) }, _time, new SeededRandom(1));
        await Assert.ThrowsAsync<StoreException>(() => store.GetAsync(Slot, 10, None));
        Assert.InRange(_time.Elapsed, TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(3));
    }

    [Fact]
    public async Task A_store_that_never_answers_is_unreachable_at_the_deadline()
    {
        var never = new TaskCompletionSource();
        _faulty.Next(new StoreFault { Delay = never.Task });
        IObjectStore store = _faulty.Retried(new RetryOptions { Deadline = TimeSpan.FromMinutes(3) }, _time, new SeededRandom(1));
        Task<byte[]?> get = store.GetAsync(Slot, 10, None);
        for (int minute = 0; minute < 3; minute++)
        {
            Assert.False(get.IsCompleted);
            await Task.Delay(TimeSpan.FromMinutes(1), _time, None);
        }

        Assert.Equal(StoreErrorKind.Unreachable, (await Assert.ThrowsAsync<StoreException>(() => get)).Kind);
    }

    [Fact]
    public async Task A_listing_that_breaks_begins_again_and_gives_each_name_once()
    {
        for (int index = 0; index < 5; index++)
        {
            await _faulty.Inner.PutIfAbsentAsync(new ObjectName($"packs/{index}"), new byte[index], None);
        }

        _faulty.Next(
            StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true), StoreFault.FailAfter(StoreErrorKind.Unreachable, isTransient: true));
        List<string> names = [];
        await foreach (ObjectInfo info in Retried().ListAsync("packs/", None))
        {
            names.Add(info.Name.Value);
        }

        Assert.Equal(["packs/0", "packs/1", "packs/2", "packs/3", "packs/4"], names.Order(StringComparer.Ordinal));
        Assert.Equal(3, _faulty.Calls);
    }

    [Fact]
    public async Task Traffic_counts_calls_failures_and_bytes()
    {
        var traffic = new StoreTraffic();
        IObjectStore store = _faulty.Traced(NullLogger.Instance, traffic);
        await store.PutIfAbsentAsync(Slot, new byte[100], None);
        await store.GetAsync(Slot, 100, None);
        await store.GetRangeAsync(Slot, 90, new byte[50], None);
        _faulty.IsUnreachable = true;
        await Assert.ThrowsAsync<StoreException>(() => store.GetAsync(Slot, 100, None));
        Assert.Equal(new OperationTraffic(1, 0, 100, 0), traffic[StoreOperation.Put]);
        Assert.Equal(new OperationTraffic(2, 1, 0, 100), traffic[StoreOperation.Get]);
        Assert.Equal(new OperationTraffic(1, 0, 0, 10), traffic[StoreOperation.GetRange]);
        Assert.Equal((100, 110, 4, 1), (traffic.BytesUp, traffic.BytesDown, traffic.Calls, traffic.Failures));
    }

    private IObjectStore Retried() => _faulty.Retried(new RetryOptions(), _time, new SeededRandom(1));
}
