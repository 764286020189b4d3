using System.Runtime.CompilerServices;
using Drive.Core.Stores;

namespace Drive.Testing.Stores;

/// <summary>The calls of a store.</summary>
public enum StoreCallKind
{
    Put,
    Get,
    GetRange,
    GetLength,
    Delete,
    List,
    GetSpace,
}

/// <summary>One call: what, on which name (of a listing the prefix), and how many came before it.</summary>
public readonly record struct StoreCall(StoreCallKind Kind, string Name, int Index);

/// <summary>What is to happen to a call: it fails before it reached the store, or after the store did it, and it may have to wait first.</summary>
public sealed record StoreFault
{
    public Exception? Before { get; init; }

    public Exception? After { get; init; }

    /// <summary>The call goes on when this is done.</summary>
    public Task? Delay { get; init; }

    /// <summary>Nor does a cancellation end that wait, as with a network folder whose server is gone.</summary>
    public bool IsDeaf { get; init; }

    public static StoreFault FailBefore(StoreErrorKind kind, bool isTransient) => new() { Before = Error(kind, isTransient) };

    public static StoreFault FailAfter(StoreErrorKind kind, bool isTransient) => new() { After = Error(kind, isTransient) };

    public static StoreException Error(StoreErrorKind kind, bool isTransient) => new(kind, isTransient, $"{kind} (made up)");
}

/// <summary>A store around another that fails as the test says. Disposes the other.</summary>
public sealed class FaultyStore(IObjectStore inner) : IObjectStore
{
    private int _calls;
    private volatile bool _isUnreachable;

    /// <summary>What is to happen to a call; null: nothing.</summary>
    public Func<StoreCall, StoreFault?> Script { get; set; } = _ => null;

    /// <summary>While set, every call fails as if the network were cut.</summary>
    public bool IsUnreachable
    {
        get => _isUnreachable;
        set => _isUnreachable = value;
    }

    /// <summary>Calls until now, those that failed too.</summary>
    public int Calls => Volatile.Read(ref _calls);

    public IObjectStore Inner => inner;

    /// <summary>The inner store's, or what a test makes it look like.</summary>
    public StoreDescription Description { get; set; } = inner.Description;

    /// <summary>The next calls meet these faults in turn (null: none), later ones meet none.</summary>
    public void Next(params StoreFault?[] faults)
    {
        var queue = new Queue<StoreFault?>(faults);
        Script = _ =>
        {
            lock (queue)
            {
                return queue.TryDequeue(out StoreFault? fault) ? fault : null;
            }
        };
    }

    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        DoAsync(StoreCallKind.Put, name.Value, () => inner.PutIfAbsentAsync(name, content, cancellationToken), cancellationToken);

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) =>
        DoAsync(StoreCallKind.Get, name.Value, () => inner.GetAsync(name, bytesMax, cancellationToken), cancellationToken);

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        new(DoAsync(StoreCallKind.GetRange, name.Value, () => inner.GetRangeAsync(name, offset, destination, cancellationToken).AsTask(), cancellationToken));

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) =>
        DoAsync(StoreCallKind.GetLength, name.Value, () => inner.GetLengthAsync(name, cancellationToken), cancellationToken);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) =>
        DoAsync(
            StoreCallKind.Delete,
            name.Value,
            async () =>
            {
                await inner.DeleteAsync(name, cancellationToken);
                return true;
            },
            cancellationToken);

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        StoreFault? fault = await BeginAsync(StoreCallKind.List, prefix, cancellationToken);
        await foreach (ObjectInfo info in inner.ListAsync(prefix, cancellationToken))
        {
            yield return info;
        }

        if (fault?.After is { } exception)
        {
            throw exception;
        }
    }

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) =>
        DoAsync(StoreCallKind.GetSpace, "", () => inner.GetSpaceAsync(cancellationToken), cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async Task<T> DoAsync<T>(StoreCallKind kind, string name, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        StoreFault? fault = await BeginAsync(kind, name, cancellationToken);
        T result = await call();
        return fault?.After is { } exception ? throw exception : result;
    }

    private async Task<StoreFault?> BeginAsync(StoreCallKind kind, string name, CancellationToken cancellationToken)
    {
        var call = new StoreCall(kind, name, Interlocked.Increment(ref _calls) - 1);
        if (_isUnreachable)
        {
            throw StoreFault.Error(StoreErrorKind.Unreachable, isTransient: true);
        }

        StoreFault? fault = Script(call);
        if (fault?.Delay is { } delay)
        {
            await (fault.IsDeaf ? delay : delay.WaitAsync(cancellationToken));
        }

        return fault?.Before is { } exception ? throw exception : fault;
    }
}
