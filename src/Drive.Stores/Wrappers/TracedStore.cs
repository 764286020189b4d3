using System.Runtime.CompilerServices;
using Drive.Core.Stores;
using Microsoft.Extensions.Logging;

namespace Drive.Stores.Wrappers;

/// <summary>Logs and counts every call. Wrapped inside the retries it counts tries, outside it counts calls. Owns the store it wraps.</summary>
internal sealed class TracedStore(IObjectStore inner, ILogger logger, StoreTraffic traffic) : IObjectStore
{
    public StoreDescription Description => inner.Description;

    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        // What was sent was sent, whatever came of it.
        traffic.CountUp(StoreOperation.Put, content.Length);
        return TraceAsync(StoreOperation.Put, name.Value, inner.PutIfAbsentAsync(name, content, cancellationToken), _ => content.Length);
    }

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) =>
        TraceAsync(StoreOperation.Get, name.Value, inner.GetAsync(name, bytesMax, cancellationToken), content => CountDown(StoreOperation.Get, content?.Length));

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ValueTask<int?> range = inner.GetRangeAsync(name, offset, destination, cancellationToken);
        if (range.IsCompletedSuccessfully)
        {
            int? count = range.Result;
            traffic.CountCall(StoreOperation.GetRange);
            StoreLog.Done(logger, StoreOperation.GetRange, name.Value, Description.Url, CountDown(StoreOperation.GetRange, count));
            return ValueTask.FromResult(count);
        }

        return new ValueTask<int?>(TraceAsync(StoreOperation.GetRange, name.Value, range.AsTask(), count => CountDown(StoreOperation.GetRange, count)));
    }

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) =>
        TraceAsync(StoreOperation.GetLength, name.Value, inner.GetLengthAsync(name, cancellationToken), _ => 0);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) =>
        TraceAsync(StoreOperation.Delete, name.Value, WithResultAsync(inner.DeleteAsync(name, cancellationToken)), _ => 0);

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        traffic.CountCall(StoreOperation.List);
        long found = 0;
        await using IAsyncEnumerator<ObjectInfo> listing = inner.ListAsync(prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await listing.MoveNextAsync())
                {
                    break;
                }
            }
            catch (StoreException exception)
            {
                Fail(StoreOperation.List, prefix, exception);
                throw;
            }

            found++;
            yield return listing.Current;
        }

        StoreLog.Done(logger, StoreOperation.List, prefix, Description.Url, found);
    }

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) =>
        TraceAsync(StoreOperation.GetSpace, "", inner.GetSpaceAsync(cancellationToken), _ => 0);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private static async Task<bool> WithResultAsync(Task task)
    {
        await task;
        return true;
    }

    private long CountDown(StoreOperation operation, int? bytes)
    {
        traffic.CountDown(operation, bytes ?? 0);
        return bytes ?? 0;
    }

    private async Task<T> TraceAsync<T>(StoreOperation operation, string name, Task<T> call, Func<T, long> count)
    {
        traffic.CountCall(operation);
        try
        {
            T result = await call;
            StoreLog.Done(logger, operation, name, Description.Url, count(result));
            return result;
        }
        catch (StoreException exception)
        {
            Fail(operation, name, exception);
            throw;
        }
    }

    private void Fail(StoreOperation operation, string name, StoreException exception)
    {
        traffic.CountFailure(operation);
        StoreLog.Failed(logger, operation, name, Description.Url, exception.Kind, exception.IsTransient, exception.Message);
    }
}
