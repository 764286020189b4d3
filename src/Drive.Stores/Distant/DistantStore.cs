using System.Runtime.CompilerServices;
using Drive.Core.Stores;

namespace Drive.Stores.Distant;

/// <summary>
/// Makes a near store answer as one far away does: every call after the latency, bytes over a link of limited rate, failures as late as answers.
/// What the near store takes itself counts as part of the latency. It is not local to the engine, so the block cache and range reads are in use.
/// </summary>
/// <remarks>Threads: all calls may run at once. Owns the store it wraps; its lock stays in reach, since it is still a folder that two could open.</remarks>
internal sealed class DistantStore : IObjectStore, IExclusiveStore
{
    // Names in one answer of a listing, as S3 has them.
    private const int NamesPerPage = 1000;

    private readonly IObjectStore _inner;
    private readonly TimeSpan _latency;
    private readonly Link _up;
    private readonly Link _down;

    public DistantStore(IObjectStore inner, Distance distance, string url, TimeProvider time)
    {
        _inner = inner;
        _latency = distance.Latency;
        _up = new Link(distance.BytesPerSecond, time);
        _down = new Link(distance.BytesPerSecond, time);
        Description = new StoreDescription(url, IsLocal: false);
    }

    public StoreDescription Description { get; }

    /// <summary>Cancelled while the bytes are on their way it has not happened; later it has.</summary>
    public async Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TimeSpan sent = await _up.CarryAsync(content.Length, _up.Now, cancellationToken);
        return await AnswerAsync(_up, sent, () => _inner.PutIfAbsentAsync(name, content, cancellationToken), cancellationToken);
    }

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) =>
        FetchAsync(() => _inner.GetAsync(name, bytesMax, cancellationToken), static content => content?.Length ?? 0, cancellationToken);

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return new ValueTask<int?>(FetchAsync(
            () => _inner.GetRangeAsync(name, offset, destination, cancellationToken).AsTask(), static count => count ?? 0, cancellationToken));
    }

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) =>
        AskAsync(() => _inner.GetLengthAsync(name, cancellationToken), cancellationToken);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) =>
        AskAsync(
            async () =>
            {
                await _inner.DeleteAsync(name, cancellationToken);
                return true;
            },
            cancellationToken);

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using IAsyncEnumerator<ObjectInfo> listing = _inner.ListAsync(prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
        for (bool isMore = true; isMore;)
        {
            List<ObjectInfo> page = await AskAsync(() => PageAsync(listing), cancellationToken);
            foreach (ObjectInfo found in page)
            {
                yield return found;
            }

            isMore = page.Count == NamesPerPage;
        }
    }

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => AskAsync(() => _inner.GetSpaceAsync(cancellationToken), cancellationToken);

    /// <summary>The near store's lock, without delay. Where that has none, nobody is kept out.</summary>
    public IDisposable? TryLock(string holderText, out string? holder)
    {
        if (_inner is IExclusiveStore exclusive)
        {
            return exclusive.TryLock(holderText, out holder);
        }

        holder = null;
        return NoLock.Instance;
    }

    public ValueTask DisposeAsync() => _inner.DisposeAsync();

    private static async Task<List<ObjectInfo>> PageAsync(IAsyncEnumerator<ObjectInfo> listing)
    {
        List<ObjectInfo> page = [];
        while (page.Count < NamesPerPage && await listing.MoveNextAsync())
        {
            page.Add(listing.Current);
        }

        return page;
    }

    private Task<T> AskAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return AnswerAsync(_down, _down.Now, call, cancellationToken);
    }

    private async Task<T> FetchAsync<T>(Func<Task<T>> call, Func<T, int> bytesOf, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TimeSpan asked = _down.Now;
        T content = await AnswerAsync(_down, asked, call, cancellationToken);
        await _down.CarryAsync(bytesOf(content), asked + _latency, cancellationToken);
        return content;
    }

    private async Task<T> AnswerAsync<T>(Link clock, TimeSpan asked, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        T answer;
        try
        {
            answer = await call();
        }
        catch (StoreException)
        {
            await clock.UntilAsync(asked + _latency, cancellationToken);
            throw;
        }

        await clock.UntilAsync(asked + _latency, cancellationToken);
        return answer;
    }

    private sealed class NoLock : IDisposable
    {
        public static NoLock Instance { get; } = new();

        public void Dispose()
        {
        }
    }
}
