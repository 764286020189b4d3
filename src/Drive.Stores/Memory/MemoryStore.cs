using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Drive.Core.Stores;

namespace Drive.Stores.Memory;

/// <summary>Objects in memory: for trials and tests. Exactly what the contract promises, and gone with the process.</summary>
public sealed class MemoryStore : IObjectStore
{
    private readonly ConcurrentDictionary<string, byte[]> _objects = new(StringComparer.Ordinal);

    public StoreDescription Description { get; } = new("memory:", IsLocal: true);

    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<bool>(cancellationToken);
        }

        return Task.FromResult(!_objects.ContainsKey(name.Value) && _objects.TryAdd(name.Value, content.ToArray()));
    }

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<byte[]?>(cancellationToken);
        }

        if (!_objects.TryGetValue(name.Value, out byte[]? content))
        {
            return Task.FromResult<byte[]?>(null);
        }

        return content.Length > bytesMax
            ? Task.FromException<byte[]?>(StoreErrors.TooLarge(name, content.Length, bytesMax))
            : Task.FromResult<byte[]?>([.. content]);
    }

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int?>(cancellationToken);
        }

        if (!_objects.TryGetValue(name.Value, out byte[]? content))
        {
            return ValueTask.FromResult<int?>(null);
        }

        int count = (int)Math.Clamp(content.Length - offset, 0, destination.Length);
        if (count > 0)
        {
            content.AsSpan((int)offset, count).CopyTo(destination.Span);
        }

        return ValueTask.FromResult<int?>(count);
    }

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<long?>(cancellationToken);
        }

        return Task.FromResult<long?>(_objects.TryGetValue(name.Value, out byte[]? content) ? content.Length : null);
    }

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        _objects.TryRemove(name.Value, out _);
        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach ((string name, byte[] content) in _objects)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                yield return new ObjectInfo(new ObjectName(name), content.Length);
            }
        }
    }

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => Task.FromResult<StoreSpace?>(null);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
