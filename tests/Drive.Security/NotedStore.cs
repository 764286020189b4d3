using Drive.Core.Stores;

namespace Drive.Security;

/// <summary>A store that notes what is put, in order.</summary>
internal sealed class NotedStore(IObjectStore inner, List<KeyValuePair<string, byte[]>> puts) : IObjectStore
{
    public StoreDescription Description => inner.Description;

    public async Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        bool isMade = await inner.PutIfAbsentAsync(name, content, cancellationToken);
        if (isMade)
        {
            puts.Add(new(name.Value, content.ToArray()));
        }

        return isMade;
    }

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) => inner.GetAsync(name, bytesMax, cancellationToken);

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.GetRangeAsync(name, offset, destination, cancellationToken);

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) => inner.GetLengthAsync(name, cancellationToken);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => inner.GetSpaceAsync(cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
