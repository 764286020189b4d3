using Drive.Core.Stores;

namespace Drive.Testing.Stores;

/// <summary>Hands every call on to another store, except closing it: what a double changes it overrides.</summary>
public abstract class ForwardingStore(IObjectStore inner) : IObjectStore
{
    public virtual StoreDescription Description => inner.Description;

    public virtual Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        inner.PutIfAbsentAsync(name, content, cancellationToken);

    public virtual Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) => inner.GetAsync(name, bytesMax, cancellationToken);

    public virtual ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.GetRangeAsync(name, offset, destination, cancellationToken);

    public virtual Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) => inner.GetLengthAsync(name, cancellationToken);

    public virtual Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public virtual IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => inner.GetSpaceAsync(cancellationToken);

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
