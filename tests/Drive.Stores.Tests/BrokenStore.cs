using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Drive.Core.Stores;
using Drive.Testing.Stores;

namespace Drive.Stores.Tests;

/// <summary>A store with one fault, over one that keeps the contract.</summary>
/// <param name="inner">The one that keeps it.</param>
/// <param name="fault">What the probe must find.</param>
internal sealed class BrokenStore(IObjectStore inner, ProbeFinding fault) : ForwardingStore(inner)
{
    private readonly IObjectStore _inner = inner;
    private readonly ConcurrentDictionary<ObjectName, bool> _names = [];
    private readonly ConcurrentDictionary<ObjectName, int> _puts = new();
    private readonly SemaphoreSlim _onePut = new(1);

    // One put after another, so that a store has the fault it is named after and not what two replacements at once would add to it.
    public override async Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await _onePut.WaitAsync(cancellationToken);
        try
        {
            return await PutAloneAsync(name, content, cancellationToken);
        }
        finally
        {
            _onePut.Release();
        }
    }

    public override async Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken)
    {
        byte[]? kept = await _inner.GetAsync(name, bytesMax, cancellationToken);
        if (fault == ProbeFinding.StaleReads && kept is null)
        {
            _names[name] = true;
        }

        return fault == ProbeFinding.StaleReads && kept is not null && _names.TryRemove(name, out _) ? null : kept;
    }

    public override ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        _inner.GetRangeAsync(name, fault == ProbeFinding.WrongRange ? 0 : offset, destination, cancellationToken);

    public override async Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken)
    {
        long? length = await _inner.GetLengthAsync(name, cancellationToken);
        return fault == ProbeFinding.WrongLength ? (length + 511) / 512 * 512 + 512 : length;
    }

    public override Task DeleteAsync(ObjectName name, CancellationToken cancellationToken)
    {
        if (fault == ProbeFinding.Forgets)
        {
            _names.TryRemove(name, out _);
        }

        return _inner.DeleteAsync(name, cancellationToken);
    }

    public override async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        bool isFirst = fault == ProbeFinding.ListsWrongly;
        await foreach (ObjectInfo found in _inner.ListAsync(prefix, cancellationToken))
        {
            if (!isFirst)
            {
                yield return found;
            }

            isFirst = false;
        }
    }

    private async Task<bool> PutAloneAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        switch (fault)
        {
            // As servers that do not know If-None-Match: each put replaces.
            case ProbeFinding.IgnoresTheCondition:
                await ReplaceAsync(name, content, cancellationToken);
                return true;
            // Gives each name to the first two who want it.
            case ProbeFinding.LetsSeveralWin:
                return _puts.AddOrUpdate(name, 1, static (_, puts) => puts + 1) <= 2 && await ReplaceAsync(name, content, cancellationToken);
            // Tells the second that the name is taken, and keeps its bytes all the same.
            case ProbeFinding.KeepsALosersBytes:
                bool isMade = await _inner.PutIfAbsentAsync(name, content, cancellationToken);
                return isMade || !await ReplaceAsync(name, content, cancellationToken);
            // Tells everybody that the name is taken, and makes nothing.
            case ProbeFinding.TakenByNobody:
                return false;
            // Says that it made what it did not keep.
            case ProbeFinding.Forgets:
                return _names.TryAdd(name, true);
            // Keeps the first 500,000 bytes.
            case ProbeFinding.CutsBodies:
                return await _inner.PutIfAbsentAsync(name, content[..Math.Min(content.Length, 500_000)], cancellationToken);
            default:
                return await _inner.PutIfAbsentAsync(name, content, cancellationToken);
        }
    }

    private async Task<bool> ReplaceAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await _inner.DeleteAsync(name, cancellationToken);
        return await _inner.PutIfAbsentAsync(name, content, cancellationToken);
    }
}
