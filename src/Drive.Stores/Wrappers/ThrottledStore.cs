using Drive.Core.Stores;
using Drive.Stores.Calls;

namespace Drive.Stores.Wrappers;

/// <summary>
/// Keeps what goes each way under the user's limits, shared by all transfers of the store. Bytes are held back where they move, on the connection or in the file
/// (<see cref="StoreCall"/>); a store that does not do so is counted when the call is over, and the next call waits. Goes outside the retries, so that waiting to begin does
/// not count against their deadline; waits on the way do not either. Owns the store it wraps.
/// </summary>
/// <param name="inner">The store.</param>
/// <param name="limits">May change at any time.</param>
/// <param name="isUrgent">Whether an object of that many bytes goes before others.</param>
internal sealed class ThrottledStore(IObjectStore inner, StoreLimits limits, Func<ObjectName, long, bool> isUrgent) : IObjectStore
{
    public StoreDescription Description => inner.Description;

    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => RunAsync(
        isUp: true, isUrgent(name, content.Length), () => inner.PutIfAbsentAsync(name, content, cancellationToken), _ => content.Length, cancellationToken);

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) => RunAsync(
        isUp: false, isUrgent(name, 0), () => inner.GetAsync(name, bytesMax, cancellationToken), static content => content?.Length ?? 0, cancellationToken);

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);

        // A local disk is read at once; a limit that is set meanwhile finds nothing on its way.
        return limits.DownPace.IsOff && inner.Description.IsLocal
            ? inner.GetRangeAsync(name, offset, destination, cancellationToken)
            : new ValueTask<int?>(RunAsync(
                isUp: false, isUrgent(name, destination.Length), () => inner.GetRangeAsync(name, offset, destination, cancellationToken).AsTask(), static read => read ?? 0, cancellationToken));
    }

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) => inner.GetLengthAsync(name, cancellationToken);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => inner.GetSpaceAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async Task<T> RunAsync<T>(bool isUp, bool isFirst, Func<Task<T>> call, Func<T, long> bytesOf, CancellationToken cancellationToken)
    {
        Pace pace = isUp ? limits.UpPace : limits.DownPace;
        using Pace.Place place = await pace.EnterAsync(isFirst, cancellationToken);
        await pace.TakeAsync(0, isFirst, cancellationToken);
        using StoreCall own = StoreCall.Begin(limits.Time, limits, isUp, isFirst);
        T result = await call();
        if (!own.IsPaced)
        {
            pace.Charge(bytesOf(result), isFirst);
        }

        return result;
    }
}
