using System.Runtime.CompilerServices;
using Drive.Core.Stores;

namespace Drive.Stores;

/// <summary>
/// A vault's store in two: packs and checkpoints, whose names are random, in one that need not keep names that are taken; all else (the log, floors, slots, the vault
/// object) in another that does. Errors say which of them failed.
/// </summary>
/// <remarks>Threads: any. Owns both. An object that lies in the wrong one is not seen.</remarks>
/// <param name="packs">For packs and checkpoints. Space is told of this one.</param>
/// <param name="log">For all else. What is new is told by this one.</param>
public sealed class SplitStore(IObjectStore packs, IObjectStore log) : IObjectStore, IWatchedStore
{
    private static readonly string[] PackPrefixes = ["packs/", "checkpoints/"];

    /// <summary>The store of packs and checkpoints.</summary>
    public IObjectStore Packs => packs;

    /// <summary>The store of the log and all else.</summary>
    public IObjectStore Log => log;

    /// <summary>Both places. Local only when both are: the log is looked at more often than packs are read.</summary>
    public StoreDescription Description => new($"{packs.Description.Url} (log: {log.Description.Url})", packs.Description.IsLocal && log.Description.IsLocal);

    /// <inheritdoc/>
    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        NamedAsync(name, store => store.PutIfAbsentAsync(name, content, cancellationToken));

    /// <inheritdoc/>
    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) =>
        NamedAsync(name, store => store.GetAsync(name, bytesMax, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        IObjectStore store = For(name);
        try
        {
            ValueTask<int?> attempt = store.GetRangeAsync(name, offset, destination, cancellationToken);
            return attempt.IsCompletedSuccessfully ? attempt : new(NamedAsync(store, attempt.AsTask));
        }
        catch (StoreException error)
        {
            throw Named(store, error);
        }
    }

    /// <inheritdoc/>
    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) => NamedAsync(name, store => store.GetLengthAsync(name, cancellationToken));

    /// <inheritdoc/>
    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) => NamedAsync(
        name,
        async store =>
        {
            await store.DeleteAsync(name, cancellationToken);
            return true;
        });

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        bool isPacksOnly = Array.Exists(PackPrefixes, one => prefix.StartsWith(one, StringComparison.Ordinal));
        bool isPerhapsPacks = isPacksOnly || Array.Exists(PackPrefixes, one => one.StartsWith(prefix, StringComparison.Ordinal));
        foreach (IObjectStore store in new[] { isPerhapsPacks ? packs : null, isPacksOnly ? null : log }.OfType<IObjectStore>())
        {
            await using IAsyncEnumerator<ObjectInfo> found = store.ListAsync(prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (await NamedAsync(store, async () => await found.MoveNextAsync()))
            {
                if (For(found.Current.Name) == store)
                {
                    yield return found.Current;
                }
            }
        }
    }

    /// <inheritdoc/>
    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => NamedAsync(packs, () => packs.GetSpaceAsync(cancellationToken));

    /// <summary>As the log's store does; where that does not tell, nothing is ever called.</summary>
    public IDisposable Watch(string prefix, Action changed) => (log as IWatchedStore)?.Watch(prefix, changed) ?? new Nothing();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await packs.DisposeAsync();
        await log.DisposeAsync();
    }

    private IObjectStore For(ObjectName name) => Array.Exists(PackPrefixes, prefix => name.Value.StartsWith(prefix, StringComparison.Ordinal)) ? packs : log;

    private Task<T> NamedAsync<T>(ObjectName name, Func<IObjectStore, Task<T>> call)
    {
        IObjectStore store = For(name);
        return NamedAsync(store, () => call(store));
    }

    private async Task<T> NamedAsync<T>(IObjectStore store, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (StoreException error)
        {
            throw Named(store, error);
        }
    }

    private StoreException Named(IObjectStore store, StoreException error) =>
        new(error.Kind, error.IsTransient, $"{(store == packs ? "The store of the packs" : "The store of the log")}: {error.Message}", error);

    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
