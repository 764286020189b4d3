using System.Runtime.CompilerServices;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Calls;

namespace Drive.Stores.Wrappers;

/// <summary>
/// Tries transient failures again, with growing and jittered waits, until a deadline. A put sends the same bytes again; a "taken" that follows
/// a failed try may mean our own bytes, so they are read back and compared. Owns the store it wraps.
/// </summary>
internal sealed class RetriedStore(IObjectStore inner, RetryOptions options, TimeProvider time, IRandomSource random) : IObjectStore
{
    public StoreDescription Description => inner.Description;

    public async Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        int attempts = 0;
        bool isMade = await RetryAsync(
            token =>
            {
                attempts++;
                return inner.PutIfAbsentAsync(name, content, token);
            },
            cancellationToken);
        return isMade || (attempts > 1 && await HoldsAsync(name, content, cancellationToken));
    }

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) =>
        RetryAsync(token => inner.GetAsync(name, bytesMax, token), cancellationToken);

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (inner.Description.IsLocal)
        {
            // A local disk answers at once; only when it failed is the machinery below worth its price.
            ValueTask<int?> attempt = inner.GetRangeAsync(name, offset, destination, cancellationToken);
            if (attempt.IsCompletedSuccessfully)
            {
                return attempt;
            }

            Task<int?>? first = attempt.AsTask();
            return new ValueTask<int?>(RetryAsync(
                token =>
                {
                    Task<int?> next = first ?? inner.GetRangeAsync(name, offset, destination, token).AsTask();
                    first = null;
                    return next;
                },
                cancellationToken));
        }

        return new ValueTask<int?>(RetryAsync(token => inner.GetRangeAsync(name, offset, destination, token).AsTask(), cancellationToken));
    }

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) =>
        RetryAsync(token => inner.GetLengthAsync(name, token), cancellationToken);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) =>
        RetryAsync(
            async token =>
            {
                await inner.DeleteAsync(name, token);
                return true;
            },
            cancellationToken);

    /// <summary>A listing that fails begins again, and gives what it gave before once.</summary>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HashSet<string> given = [];
        IAsyncEnumerator<ObjectInfo>? listing = null;
        try
        {
            while (true)
            {
                bool isMore = await RetryAsync(
                    async token =>
                    {
                        // The listing outlives this try, so it runs under the caller's token.
                        listing ??= inner.ListAsync(prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
                        try
                        {
                            return await listing.MoveNextAsync();
                        }
                        catch (StoreException)
                        {
                            IAsyncEnumerator<ObjectInfo> failed = listing;
                            listing = null;
                            await failed.DisposeAsync();
                            throw;
                        }
                    },
                    cancellationToken);
                if (!isMore)
                {
                    yield break;
                }

                ObjectInfo info = listing!.Current;
                if (given.Add(info.Name.Value))
                {
                    yield return info;
                }
            }
        }
        finally
        {
            if (listing is not null)
            {
                await listing.DisposeAsync();
            }
        }
    }

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => RetryAsync(inner.GetSpaceAsync, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async Task<bool> HoldsAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        try
        {
            byte[]? there = await GetAsync(name, content.Length, cancellationToken)
                ?? throw new StoreException(StoreErrorKind.Malformed, isTransient: true, $"{name} was called taken and then absent.");
            return there.AsSpan().SequenceEqual(content.Span);
        }
        catch (StoreException exception) when (exception.Kind == StoreErrorKind.TooLarge)
        {
            return false;
        }
    }

    private async Task<T> RetryAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using StoreCall.Scope scope = StoreCall.Enter(time);
        using CallsUnderWay.Entry? shown = options.UnderWay?.Add(scope.Call);
        using CallDeadline deadline = new(options.Deadline, scope.Call, time, cancellationToken);
        StoreException? last = null;
        for (int attempts = 1; ; attempts++)
        {
            try
            {
                scope.Call.Attempt = attempts;
                T answer = await call(deadline.Token);
                scope.Call.Failure = null;
                return answer;
            }
            catch (StoreException exception) when (exception.IsTransient && attempts < options.AttemptsMax && !cancellationToken.IsCancellationRequested)
            {
                last = exception;
                scope.Call.Failure = exception.Message;
                TimeSpan delay = options.DelayAfter(attempts, random);
                if (delay >= deadline.Left)
                {
                    throw;
                }

                await Task.Delay(delay, time, cancellationToken);
            }
            catch (OperationCanceledException exception) when (deadline.IsOver && !cancellationToken.IsCancellationRequested)
            {
                throw new StoreException(
                    StoreErrorKind.Unreachable, isTransient: true, $"{inner.Description.Url} did not answer within {options.Deadline}.", last ?? (Exception)exception);
            }
        }
    }
}
