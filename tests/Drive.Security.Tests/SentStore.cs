using Drive.Core.Stores;

namespace Drive.Security.Tests;

/// <summary>A store that notes every put as it leaves the client, whatever becomes of it.</summary>
internal sealed class SentStore(IObjectStore inner, List<KeyValuePair<string, byte[]>> sent) : IObjectStore
{
    public StoreDescription Description => inner.Description;

    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        lock (sent)
        {
            sent.Add(new(name.Value, content.ToArray()));
        }

        return inner.PutIfAbsentAsync(name, content, cancellationToken);
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
