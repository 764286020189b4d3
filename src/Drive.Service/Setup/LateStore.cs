using System.Runtime.CompilerServices;
using Drive.Core.Stores;

namespace Drive.Service.Setup;

/// <summary>
/// A store that may not be there yet when the drive is mounted (a disk that is not plugged in): opened, and locked for this device, by the first
/// call that finds it. Until then calls fail as unreachable, which says nothing about any object.
/// </summary>
/// <remarks>Threads: any. Owns the store and its lock.</remarks>
internal sealed class LateStore(StoreDescription description, Func<IObjectStore> open, Func<IObjectStore, IDisposable?> takeLock) : IObjectStore
{
    private readonly Lock _gate = new();
    private IObjectStore? _store;
    private IDisposable? _held;
    private bool _disposed;

    /// <inheritdoc/>
    public StoreDescription Description { get; } = description;

    /// <summary>Opens and locks now. A failure leaves it as it was.</summary>
    public IObjectStore Open()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_store is null)
            {
                IObjectStore store = open();
                _held = takeLock(store);
                _store = store;
            }

            return _store;
        }
    }

    /// <inheritdoc/>
    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        Reach().PutIfAbsentAsync(name, content, cancellationToken);

    /// <inheritdoc/>
    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) => Reach().GetAsync(name, bytesMax, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        Reach().GetRangeAsync(name, offset, destination, cancellationToken);

    /// <inheritdoc/>
    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) => Reach().GetLengthAsync(name, cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) => Reach().DeleteAsync(name, cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ObjectInfo found in Reach().ListAsync(prefix, cancellationToken))
        {
            yield return found;
        }
    }

    /// <inheritdoc/>
    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => Reach().GetSpaceAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        IObjectStore? store;
        lock (_gate)
        {
            _disposed = true;
            (store, _store) = (_store, null);
        }

        if (store is not null)
        {
            await store.DisposeAsync();
        }

        _held?.Dispose();
    }

    // Another device in it is a reason to wait, like a store that is away: when it leaves, this one goes on.
    private IObjectStore Reach()
    {
        try
        {
            return Open();
        }
        catch (Control.DriveException exception)
        {
            throw new StoreException(StoreErrorKind.Denied, isTransient: true, exception.Message, exception);
        }
    }
}
