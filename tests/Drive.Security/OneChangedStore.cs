using Drive.Core.Stores;

namespace Drive.Security;

/// <summary>The objects of a vault with one of them under the test's hand, without any copying on the way. Puts are kept aside.</summary>
internal sealed class OneChangedStore(IReadOnlyDictionary<string, byte[]> objects, string victim) : IObjectStore
{
    private readonly HashSet<string> _hidden = [];
    private readonly Dictionary<string, byte[]> _made = [];

    /// <summary>The victim's bytes as they are shown: the caller changes them between calls.</summary>
    public byte[] Changed { get; } = [.. objects[victim]];

    public StoreDescription Description { get; } = new("memory:", IsLocal: true);

    public void Hide(string name) => _hidden.Add(name);

    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        _made[name.Value] = content.ToArray();
        return Task.FromResult(Find(name.Value) is null);
    }

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) =>
        Task.FromResult(Find(name.Value) ?? _made.GetValueOrDefault(name.Value));

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        byte[]? content = Find(name.Value);
        int count = (int)Math.Clamp((content?.Length ?? 0) - offset, 0, destination.Length);
        content?.AsSpan((int)offset, count).CopyTo(destination.Span);
        return ValueTask.FromResult<int?>(content is null ? null : count);
    }

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) => Task.FromResult((long?)Find(name.Value)?.Length);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) => Task.CompletedTask;

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (string name in objects.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            yield return new ObjectInfo(new ObjectName(name), objects[name].Length);
        }
    }

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => Task.FromResult<StoreSpace?>(null);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private byte[]? Find(string name) => _hidden.Contains(name) ? null : name == victim ? Changed : objects.GetValueOrDefault(name);
}
