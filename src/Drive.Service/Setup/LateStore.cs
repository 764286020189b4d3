using System.Runtime.CompilerServices;
using Drive.Core.Stores;

namespace Drive.Service.Setup;

/// <summary>
/// A store that may not be there yet when the drive is mounted (a disk that is not plugged in): opened, and watched, by the first call that finds it. Until then calls
/// fail as unreachable, which says nothing about any object.
/// </summary>
/// <remarks>Threads: any. Owns the store.</remarks>
/// <param name="description">What it is, before it is there.</param>
/// <param name="open">Opens it.</param>
/// <param name="watch">Told of the store when it was opened; what it returns is disposed with it.</param>
internal sealed class LateStore(StoreDescription description, Func<IObjectStore> open, Func<IObjectStore, IDisposable?> watch) : IObjectStore
{
    private readonly Lock _gate = new();
    private IObjectStore? _store;
    private IDisposable? _watch;
    private bool _disposed;

    /// <inheritdoc/>
    public StoreDescription Description { get; } = description;

    /// <summary>Opens now. A failure leaves it as it was.</summary>
    public IObjectStore Open()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_store is null)
            {
                IObjectStore store = open();
                _watch = watch(store);
                _store = store;
            }

            return _store;
        }
    }

    /// <inheritdoc/>
    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        Open().PutIfAbsentAsync(name, content, cancellationToken);

    /// <inheritdoc/>
    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) => Open().GetAsync(name, bytesMax, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        Open().GetRangeAsync(name, offset, destination, cancellationToken);

    /// <inheritdoc/>
    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) => Open().GetLengthAsync(name, cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) => Open().DeleteAsync(name, cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ObjectInfo found in Open().ListAsync(prefix, cancellationToken))
        {
            yield return found;
        }
    }

    /// <inheritdoc/>
    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => Open().GetSpaceAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        IObjectStore? store;
        lock (_gate)
        {
            _disposed = true;
            (store, _store) = (_store, null);
        }

        _watch?.Dispose();
        if (store is not null)
        {
            await store.DisposeAsync();
        }
    }
}
