namespace Drive.Stores.Wrappers;

/// <summary>The operations that are counted.</summary>
public enum StoreOperation
{
    Put,
    Get,
    GetRange,
    GetLength,
    Delete,
    List,
    GetSpace,
}

/// <summary>Calls of one operation, and the bytes of content that they moved.</summary>
public readonly record struct OperationTraffic(long Calls, long Failures, long BytesUp, long BytesDown);

/// <summary>What went to and from a store since the start. Threads: all calls may run at once.</summary>
public sealed class StoreTraffic
{
    private readonly Counter[] _counters = [.. Enum.GetValues<StoreOperation>().Select(_ => new Counter())];

    public long BytesUp => _counters.Sum(counter => Volatile.Read(ref counter.BytesUp));

    public long BytesDown => _counters.Sum(counter => Volatile.Read(ref counter.BytesDown));

    public long Calls => _counters.Sum(counter => Volatile.Read(ref counter.Calls));

    public long Failures => _counters.Sum(counter => Volatile.Read(ref counter.Failures));

    public OperationTraffic this[StoreOperation operation]
    {
        get
        {
            Counter counter = _counters[(int)operation];
            return new OperationTraffic(
                Volatile.Read(ref counter.Calls), Volatile.Read(ref counter.Failures), Volatile.Read(ref counter.BytesUp), Volatile.Read(ref counter.BytesDown));
        }
    }

    internal void CountCall(StoreOperation operation) => Interlocked.Increment(ref _counters[(int)operation].Calls);

    internal void CountFailure(StoreOperation operation) => Interlocked.Increment(ref _counters[(int)operation].Failures);

    internal void CountUp(StoreOperation operation, long bytes) => Interlocked.Add(ref _counters[(int)operation].BytesUp, bytes);

    internal void CountDown(StoreOperation operation, long bytes) => Interlocked.Add(ref _counters[(int)operation].BytesDown, bytes);

    private sealed class Counter
    {
        public long Calls;
        public long Failures;
        public long BytesUp;
        public long BytesDown;
    }
}
