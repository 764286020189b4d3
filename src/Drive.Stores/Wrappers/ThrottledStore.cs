using Drive.Core.Stores;

namespace Drive.Stores.Wrappers;

/// <summary>Limits that the user sets; null is no limit.</summary>
public sealed record ThrottleOptions
{
    public long? UpBytesPerSecond { get; init; }

    public long? DownBytesPerSecond { get; init; }

    /// <summary>Calls under way at once, listings not counted.</summary>
    public int? ParallelMax { get; init; }
}

/// <summary>Keeps the average rate of bytes and the number of calls under limits. Owns the store it wraps.</summary>
internal sealed class ThrottledStore(IObjectStore inner, ThrottleOptions options, TimeProvider time) : IObjectStore
{
    private readonly Pace _up = new(options.UpBytesPerSecond, time);
    private readonly Pace _down = new(options.DownBytesPerSecond, time);
    private readonly SemaphoreSlim? _slots = options.ParallelMax is { } max ? new SemaphoreSlim(max, max) : null;

    public StoreDescription Description => inner.Description;

    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        RunAsync(
            async () =>
            {
                await _up.WaitAsync(content.Length, cancellationToken);
                return await inner.PutIfAbsentAsync(name, content, cancellationToken);
            },
            cancellationToken);

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) =>
        RunAsync(
            async () =>
            {
                // How much it is shows only afterwards: the next one waits for it.
                await _down.WaitAsync(0, cancellationToken);
                byte[]? content = await inner.GetAsync(name, bytesMax, cancellationToken);
                _down.Charge(content?.Length ?? 0);
                return content;
            },
            cancellationToken);

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (_slots is null && options.DownBytesPerSecond is null)
        {
            return inner.GetRangeAsync(name, offset, destination, cancellationToken);
        }

        return new ValueTask<int?>(RunAsync(
            async () =>
            {
                await _down.WaitAsync(destination.Length, cancellationToken);
                return await inner.GetRangeAsync(name, offset, destination, cancellationToken);
            },
            cancellationToken));
    }

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) =>
        RunAsync(() => inner.GetLengthAsync(name, cancellationToken), cancellationToken);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) =>
        RunAsync(
            async () =>
            {
                await inner.DeleteAsync(name, cancellationToken);
                return true;
            },
            cancellationToken);

    // Holds no slot: who reads a listing makes other calls meanwhile, and would wait for itself.
    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) =>
        RunAsync(() => inner.GetSpaceAsync(cancellationToken), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        _slots?.Dispose();
    }

    private async Task<T> RunAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        if (_slots is null)
        {
            return await call();
        }

        await _slots.WaitAsync(cancellationToken);
        try
        {
            return await call();
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>A rate, kept on average: each call waits until what went before has had its time.</summary>
    private sealed class Pace(long? bytesPerSecond, TimeProvider time)
    {
        private readonly Lock _gate = new();
        private readonly long _origin = time.GetTimestamp();

        // Guarded by _gate: when the next byte may go, counted from _origin.
        private TimeSpan _next;

        public Task WaitAsync(long bytes, CancellationToken cancellationToken)
        {
            TimeSpan wait = Charge(bytes);
            return wait > TimeSpan.Zero ? Task.Delay(wait, time, cancellationToken) : Task.CompletedTask;
        }

        /// <summary>Counts the bytes; returns how long whoever moves them has to wait first.</summary>
        public TimeSpan Charge(long bytes)
        {
            if (bytesPerSecond is not { } rate)
            {
                return TimeSpan.Zero;
            }

            lock (_gate)
            {
                TimeSpan now = time.GetElapsedTime(_origin);
                TimeSpan start = _next > now ? _next : now;
                _next = start + TimeSpan.FromSeconds(bytes / (double)rate);
                return start - now;
            }
        }
    }
}
