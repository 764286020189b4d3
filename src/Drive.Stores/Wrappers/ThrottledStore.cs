using Drive.Core.Stores;

namespace Drive.Stores.Wrappers;

/// <summary>
/// Keeps the average rate of content each way under the user's limits, shared by all transfers of the store. An object travels as fast as the line goes; the wait is before
/// the next one. Goes outside the retries, so that waiting for one's turn does not count against their deadline. Owns the store it wraps.
/// </summary>
/// <param name="inner">The store.</param>
/// <param name="limits">May change at any time.</param>
/// <param name="isUrgent">Whether an object of that many bytes goes before others.</param>
internal sealed class ThrottledStore(IObjectStore inner, StoreLimits limits, Func<ObjectName, long, bool> isUrgent) : IObjectStore
{
    public StoreDescription Description => inner.Description;

    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => limits.UpPace.RunAsync(
        content.Length, isUrgent(name, content.Length), () => inner.PutIfAbsentAsync(name, content, cancellationToken), cancellationToken);

    public async Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken)
    {
        // How much it is shows only afterwards: the next one waits for it.
        bool isFirst = isUrgent(name, 0);
        byte[]? content = await limits.DownPace.RunAsync(0, isFirst, () => inner.GetAsync(name, bytesMax, cancellationToken), cancellationToken);
        limits.DownPace.Charge(content?.Length ?? 0, isFirst);
        return content;
    }

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return limits.DownPace.IsOff
            ? inner.GetRangeAsync(name, offset, destination, cancellationToken)
            : new ValueTask<int?>(ReadAsync());

        async Task<int?> ReadAsync()
        {
            bool isFirst = isUrgent(name, destination.Length);
            int? read = await limits.DownPace.RunAsync(
                destination.Length, isFirst, () => inner.GetRangeAsync(name, offset, destination, cancellationToken).AsTask(), cancellationToken);
            limits.DownPace.Charge((read ?? 0) - destination.Length, isFirst);
            return read;
        }
    }

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) => inner.GetLengthAsync(name, cancellationToken);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => inner.GetSpaceAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
