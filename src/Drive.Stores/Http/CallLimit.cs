using Drive.Core.Stores;
using Drive.Stores.Calls;

namespace Drive.Stores.Http;

/// <summary>One call to a server, which has a time limit and fails as a <see cref="StoreException"/>.</summary>
internal static class CallLimit
{
    /// <summary>
    /// Does the work. <paramref name="translate"/> says what a failure means for a store, or null for one that is no store's; it is also given the cancellation
    /// when the time is over, which it must know.
    /// </summary>
    public static async Task<T> WithinAsync<T>(
        TimeSpan time, TimeProvider clock, Func<CancellationToken, Task<T>> work, Func<Exception, StoreException?> translate, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using StoreCall.Scope scope = StoreCall.Enter(clock);
        using CallDeadline limit = new(time, scope.Call, clock, cancellationToken);
        try
        {
            return await work(limit.Token);
        }
        catch (Exception error) when (error is not OperationCanceledException && translate(error) is { } known)
        {
            throw known;
        }
        catch (OperationCanceledException error) when (limit.IsOver && !cancellationToken.IsCancellationRequested)
        {
            throw translate(error)!;
        }
    }
}
