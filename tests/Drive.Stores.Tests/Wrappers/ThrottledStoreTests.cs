using System.Runtime.CompilerServices;
using Drive.Core.Stores;
using Drive.Stores.Memory;
using Drive.Stores.Wrappers;
using Drive.Testing;
using Drive.Testing.Stores;

namespace Drive.Stores.Tests.Wrappers;

/// <summary>Rates by a clock that jumps over waits: what is measured is exact.</summary>
public sealed class ThrottledStoreTests
{
    private const int Pack = 100_000;
    private readonly SkippingTime _time = new(TimeSpan.FromMinutes(1));
    private readonly List<(TimeSpan At, long Bytes)> _seen = [];

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public async Task Every_window_has_no_more_than_the_limit_and_the_whole_no_less(int writers)
    {
        const long Rate = 50_000;
        IObjectStore store = Throttled(new StoreLimits(_time) { Up = Limit($"{Rate}") });
        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            for (int index = 0; index < 240 / writers; index++)
            {
                await store.PutIfAbsentAsync(new ObjectName($"packs/{writer}/{index}"), new byte[Pack], None);
            }
        })));

        Assert.InRange(_seen.Sum(static seen => seen.Bytes) / _time.Elapsed.TotalSeconds, Rate * 0.95, Rate * 1.05);
        for (int first = 0; first < _seen.Count; first++)
        {
            long bytes = 0;
            for (int last = first; last < _seen.Count; last++)
            {
                bytes += _seen[last].Bytes;

                // One object more than the rate: it goes whole.
                Assert.True(bytes <= ((_seen[last].At - _seen[first].At).TotalSeconds * Rate) + Pack + 1, $"{bytes} bytes from {_seen[first].At} to {_seen[last].At}");
            }
        }
    }

    [Fact]
    public async Task An_idle_hour_buys_nothing()
    {
        IObjectStore store = Throttled(new StoreLimits(_time) { Up = Limit("50000") });
        for (int hour = 0; hour < 20; hour++)
        {
            await PutAsync(store, $"packs/{hour}", Pack);
        }

        TimeSpan busy = _time.Elapsed;
        await Task.Delay(TimeSpan.FromMinutes(1), _time, None);
        for (int index = 0; index < 20; index++)
        {
            await PutAsync(store, $"packs/after/{index}", Pack);
        }

        // The debt of the last one before was paid meanwhile; all but the first wait for the one before. A quarter of a second is kept, for timers that are late.
        Assert.Equal(19 * 2, busy.TotalSeconds, 0.1);
        Assert.Equal((19 * 2) - 0.25, (_time.Elapsed - busy - TimeSpan.FromMinutes(1)).TotalSeconds, 0.1);
    }

    [Fact]
    public async Task What_is_read_has_a_limit_of_its_own_and_counts_as_it_came()
    {
        MemoryStore memory = new();
        await PutAsync(memory, "packs/x", Pack);
        IObjectStore store = memory.Throttled(new StoreLimits(_time) { Down = Limit("50000") }, IsUrgent);
        byte[] buffer = new byte[Pack];
        for (int index = 0; index < 11; index++)
        {
            Assert.Equal(Pack / 2, await store.GetRangeAsync(new ObjectName("packs/x"), Pack / 2, buffer, None));
        }

        Assert.Equal(10, _time.Elapsed.TotalSeconds, 0.1);
        for (int index = 0; index < 6; index++)
        {
            Assert.Equal(Pack, (await store.GetAsync(new ObjectName("packs/x"), Pack, None))!.Length);
        }

        Assert.Equal(10 + 1 + 10, _time.Elapsed.TotalSeconds, 0.1);
    }

    [Fact]
    public async Task The_rate_follows_the_time_of_day()
    {
        SkippingTime time = new(TimeSpan.FromMinutes(1)) { Start = new DateTimeOffset(2026, 1, 2, 17, 59, 0, TimeSpan.Zero) };
        IObjectStore store = new MemoryStore().Throttled(new StoreLimits(time) { Up = Limit("08:00-18:00=10000,100000") }, IsUrgent);
        for (int index = 0; index <= 66; index++)
        {
            await PutAsync(store, $"packs/{index}", Pack);
        }

        // Six in the last minute of the day, then sixty at one a second.
        Assert.InRange(time.Elapsed.TotalSeconds, 120 * 0.98, 120 * 1.02);
    }

    [Fact]
    public async Task A_limit_that_is_lifted_lets_those_go_who_wait()
    {
        await WithoutContextAsync();
        ManualTime time = new();
        StoreLimits limits = new(time) { Up = Limit("1024") };
        IObjectStore store = new MemoryStore().Throttled(limits, IsUrgent);
        await PutAsync(store, "packs/first", Pack);
        Task<bool> waits = PutAsync(store, "packs/second", Pack);
        time.Advance(TimeSpan.FromSeconds(50));
        Assert.False(waits.IsCompleted);
        limits.Up = RateSchedule.None;
        time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.True(waits.IsCompletedSuccessfully, "it waits for the debt all the same");
    }

    [Fact]
    public async Task A_commit_does_not_wait_behind_packs_and_they_pay_for_it()
    {
        await WithoutContextAsync();
        ManualTime time = new();
        IObjectStore store = new MemoryStore().Throttled(new StoreLimits(time) { Up = Limit("50000") }, IsUrgent);
        await PutAsync(store, "packs/first", Pack);
        Task<bool>[] packs = [.. Enumerable.Range(0, 4).Select(index => PutAsync(store, $"packs/{index}", Pack))];
        Assert.All(packs, static pack => Assert.False(pack.IsCompleted));

        // No time passes: it goes at once. The next one waits for the first, since urgent ones have no more than the rate either.
        Assert.True(PutAsync(store, "log/1", 25_000).IsCompletedSuccessfully);
        Task<bool> second = PutAsync(store, "log/2", 25_000);
        Assert.False(second.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.6));
        Assert.True(await second);

        // 100,000 and twice 25,000 bytes at 50,000 a second are three seconds before the next pack.
        time.Advance(TimeSpan.FromSeconds(2.3));
        Assert.All(packs, static pack => Assert.False(pack.IsCompleted));
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.True(await packs[0]);
    }

    [Fact]
    public async Task Who_waits_for_a_turn_can_be_called_off_and_holds_nobody_up()
    {
        await WithoutContextAsync();
        ManualTime time = new();
        IObjectStore store = new MemoryStore().Throttled(new StoreLimits(time) { Up = Limit("50000") }, IsUrgent);
        await PutAsync(store, "packs/first", Pack);
        using CancellationTokenSource off = new();
        Task<bool> first = PutAsync(store, "packs/a", Pack, off.Token);
        Task<bool> queued = PutAsync(store, "packs/b", Pack, off.Token);
        Task<bool> last = PutAsync(store, "packs/c", Pack);
        await off.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);
        await AdvanceUntilDoneAsync(time, last);
        Assert.True(await last);
    }

    [Fact]
    public async Task Waiting_for_the_limit_does_not_use_up_the_time_of_a_call_and_a_second_try_counts()
    {
        // Waits for the limit are skipped, which are a second at most; the deadline is not.
        SkippingTime time = new(TimeSpan.FromSeconds(1.5));
        StoreLimits limits = new(time) { Up = Limit("1024") };
        LineStore line = new(new MemoryStore(), time);
        FaultyStore faulty = new(line);
        RetryOptions retry = new() { Deadline = TimeSpan.FromSeconds(2), FirstDelay = TimeSpan.FromMilliseconds(1) };
        IObjectStore store = faulty.Retried(retry, time, new SeededRandom(1)).Throttled(limits, IsUrgent);

        // Each takes a hundred seconds, where a call has two.
        await PutAsync(store, "packs/1", Pack);
        await PutAsync(store, "packs/2", Pack);
        Assert.Equal(2 * Pack / 1024.0, time.Elapsed.TotalSeconds, 1.0);
        line.FailOnce();
        await PutAsync(store, "packs/3", Pack);
        Assert.Equal(4 * Pack / 1024.0, time.Elapsed.TotalSeconds, 1.0);
    }

    [Fact]
    public async Task Without_a_limit_reads_of_a_local_store_are_done_at_once()
    {
        IObjectStore store = new MemoryStore().Throttled(new StoreLimits(_time) { Up = Limit("1024") }, IsUrgent);
        ValueTask<int?> read = store.GetRangeAsync(new ObjectName("packs/x"), 0, new byte[10], None);
        Assert.True(read.IsCompletedSuccessfully);
        Assert.Null(await read);
    }

    private static Task<bool> PutAsync(IObjectStore store, string name, int bytes, CancellationToken cancellationToken = default) =>
        store.PutIfAbsentAsync(new ObjectName(name), new byte[bytes], cancellationToken);

    // From here on the test has no context: who waits for the clock goes on within its Advance.
    private static ConfiguredTaskAwaitable WithoutContextAsync() => Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);

    // Those behind the first in line go on from the thread pool, when they do.
    private static async Task AdvanceUntilDoneAsync(ManualTime time, Task task)
    {
        while (!task.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }

    private static RateSchedule Limit(string text) => RateSchedule.ParseWritten(text);

    private static bool IsUrgent(ObjectName name, long bytes) => name.Value.StartsWith("log/", StringComparison.Ordinal);

    private IObjectStore Throttled(StoreLimits limits)
    {
        FaultyStore noted = new(new MemoryStore())
        {
            Script = _ =>
            {
                lock (_seen)
                {
                    _seen.Add((_time.Elapsed, Pack));
                }

                return null;
            },
        };
        return noted.Throttled(limits, IsUrgent);
    }
}
