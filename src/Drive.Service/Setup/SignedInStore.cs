using System.Runtime.CompilerServices;
using Drive.Core.Stores;
using Drive.Stores;

namespace Drive.Service.Setup;

/// <summary>
/// A store that somebody signs in to. It is opened by the first call, with the login that is kept then; when the store refuses who signs in, the login is looked up again, and
/// if it is another one the call is made once more with it. So a drive goes on by itself after <c>drive store login</c>.
/// </summary>
/// <remarks>Threads: any. Owns the stores that it opened; one that was replaced lives until the end, since calls may be under way on it.</remarks>
/// <param name="place">Where it is.</param>
/// <param name="open">Opens it with a login, or with what the environment says.</param>
/// <param name="find">The login that is kept now; null when none is.</param>
/// <param name="time">For the pauses between look-ups.</param>
internal sealed class SignedInStore(StorePlace place, Func<StoreLogin?, IObjectStore> open, Func<CancellationToken, Task<StoreLogin?>> find, TimeProvider time)
    : IObjectStore, IWatchedStore
{
    // A look-up may start a program, and reads that are refused come in crowds.
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _opening = new(1);
    private readonly Lock _gate = new();

    // Both guarded by _gate.
    private readonly List<Watcher> _watchers = [];
    private readonly List<IObjectStore> _all = [];

    // Changed under _opening.
    private volatile Opened? _opened;
    private long _lookedAt;

    /// <inheritdoc/>
    public StoreDescription Description => _opened?.Store.Description ?? place.Description;

    /// <inheritdoc/>
    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        CallAsync(store => store.PutIfAbsentAsync(name, content, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) =>
        CallAsync(store => store.GetAsync(name, bytesMax, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        new(CallAsync(store => store.GetRangeAsync(name, offset, destination, cancellationToken).AsTask(), cancellationToken));

    /// <inheritdoc/>
    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) => CallAsync(store => store.GetLengthAsync(name, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) => CallAsync(
        async store =>
        {
            await store.DeleteAsync(name, cancellationToken);
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Opened opened = _opened ?? await OpenAsync(null, cancellationToken);
        await foreach (ObjectInfo found in opened.Store.ListAsync(prefix, cancellationToken))
        {
            yield return found;
        }
    }

    /// <inheritdoc/>
    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => CallAsync(store => store.GetSpaceAsync(cancellationToken), cancellationToken);

    /// <summary>Watches each store that is opened, where it can be.</summary>
    public IDisposable Watch(string prefix, Action changed)
    {
        Watcher watcher = new(prefix, changed, Remove);
        lock (_gate)
        {
            _watchers.Add(watcher);
            watcher.Follow(_opened?.Store);
        }

        return watcher;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        IObjectStore[] all;
        lock (_gate)
        {
            all = [.. _all];
            _all.Clear();
        }

        foreach (IObjectStore store in all)
        {
            await store.DisposeAsync();
        }

        _opening.Dispose();
    }

    private async Task<T> CallAsync<T>(Func<IObjectStore, Task<T>> call, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Opened opened = _opened ?? await OpenAsync(null, cancellationToken);
        try
        {
            return await call(opened.Store);
        }
        catch (StoreException refused) when (refused.Kind is StoreErrorKind.Denied or StoreErrorKind.SignInRefused)
        {
            Opened next = await OpenAsync(opened, cancellationToken);
            if (next == opened)
            {
                throw;
            }

            // What was refused was not done: a put that is made again cannot find its own object.
            return await call(next.Store);
        }
    }

    /// <summary>The store that is open when this returns: the refused one, if there is no other login.</summary>
    private async Task<Opened> OpenAsync(Opened? refused, CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_opened is { } opened && (opened != refused || time.GetElapsedTime(_lookedAt) < LookAgain))
            {
                return opened;
            }

            StoreLogin? login = await find(cancellationToken);
            _lookedAt = time.GetTimestamp();
            if (refused is not null && refused.Login == login)
            {
                return refused;
            }

            Opened next = new(open(login), login);
            lock (_gate)
            {
                _all.Add(next.Store);
                _opened = next;
                _watchers.ForEach(watcher => watcher.Follow(next.Store));
            }

            return next;
        }
        finally
        {
            _opening.Release();
        }
    }

    private void Remove(Watcher watcher)
    {
        lock (_gate)
        {
            _watchers.Remove(watcher);
        }
    }

    private sealed class Opened(IObjectStore store, StoreLogin? login)
    {
        public IObjectStore Store => store;

        public StoreLogin? Login => login;
    }

    private sealed class Watcher(string prefix, Action changed, Action<Watcher> ended) : IDisposable
    {
        private IDisposable? _watch;

        public void Follow(IObjectStore? store)
        {
            _watch?.Dispose();
            _watch = (store as IWatchedStore)?.Watch(prefix, changed);
        }

        public void Dispose()
        {
            ended(this);
            _watch?.Dispose();
        }
    }
}
