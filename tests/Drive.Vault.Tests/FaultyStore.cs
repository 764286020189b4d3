using Drive.Core.Stores;

namespace Drive.Vault.Tests;

/// <summary>A store that can lose replies, refuse, and give other bytes than it was given.</summary>
internal sealed class FaultyStore(IObjectStore inner) : IObjectStore
{
    /// <summary>Called before each put; true: do it, and lose the reply.</summary>
    public Func<ObjectName, bool>? LoseReply { get; set; }

    /// <summary>Called before each put; true: fail without doing it.</summary>
    public Func<ObjectName, bool>? RefusePut { get; set; }

    /// <summary>What a get gives in place of the stored bytes.</summary>
    public Func<ObjectName, byte[]?, byte[]?>? Replace { get; set; }

    /// <summary>What a get waits for first.</summary>
    public Func<ObjectName, Task>? Delay { get; set; }

    public List<string> Puts { get; } = [];

    public List<byte[]> PutBytes { get; } = [];

    public StoreDescription Description => inner.Description;

    public async Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (RefusePut?.Invoke(name) == true)
        {
            throw new StoreException(StoreErrorKind.Unreachable, true, "refused");
        }

        bool lost = LoseReply?.Invoke(name) == true;
        bool result = await inner.PutIfAbsentAsync(name, content, cancellationToken);
        Puts.Add(name.Value);
        PutBytes.Add(content.ToArray());
        return lost ? throw new StoreException(StoreErrorKind.Unreachable, true, "the reply was lost") : result;
    }

    public async Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken)
    {
        await (Delay?.Invoke(name) ?? Task.CompletedTask);
        byte[]? bytes = await inner.GetAsync(name, bytesMax, cancellationToken);
        return Replace is null ? bytes : Replace(name, bytes);
    }

    public async Task<byte[]> BytesAsync(ObjectName name) => (await inner.GetAsync(name, int.MaxValue, CancellationToken.None))!;

    public async Task OverwriteAsync(ObjectName name, byte[] bytes)
    {
        await inner.DeleteAsync(name, CancellationToken.None);
        Assert.True(await inner.PutIfAbsentAsync(name, bytes, CancellationToken.None));
    }

    public async Task<List<string>> NamesAsync(string prefix)
    {
        List<string> names = [];
        await foreach (ObjectInfo info in inner.ListAsync(prefix, CancellationToken.None))
        {
            names.Add(info.Name.Value);
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.GetRangeAsync(name, offset, destination, cancellationToken);

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) => inner.GetLengthAsync(name, cancellationToken);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => inner.GetSpaceAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
