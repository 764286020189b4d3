using Drive.Core.Stores;

namespace Drive.Engine.Tests;

/// <summary>A store that outlives the volume that was given it: closing it does nothing.</summary>
internal sealed class KeptStore(IObjectStore store) : IObjectStore
{
    public StoreDescription Description => store.Description;

    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        store.PutIfAbsentAsync(name, content, cancellationToken);

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) => store.GetAsync(name, bytesMax, cancellationToken);

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        store.GetRangeAsync(name, offset, destination, cancellationToken);

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) => store.GetLengthAsync(name, cancellationToken);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) => store.DeleteAsync(name, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => store.ListAsync(prefix, cancellationToken);

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => store.GetSpaceAsync(cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
