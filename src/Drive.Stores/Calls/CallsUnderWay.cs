namespace Drive.Stores.Calls;

/// <summary>The calls of a drive's stores that are under way, so that its status can say what it is waiting for. Threads: any.</summary>
public sealed class CallsUnderWay(TimeProvider time)
{
    // Somebody who looks would not call less than this a wait. Arbitrary.
    private static readonly TimeSpan WorthSaying = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();

    // Guarded by _gate.
    private readonly HashSet<StoreCall> _calls = [];

    /// <summary>What a person would want to know, in one line: a try that failed and is made again, or a store that has been silent for a while; null when all goes well.</summary>
    /// <param name="store">The store, for people.</param>
    public string? Trouble(string store)
    {
        StoreCall[] calls;
        lock (_gate)
        {
            calls = [.. _calls];
        }

        if (Array.Find(calls, static call => call.Failure is not null) is { Failure: { } failure })
        {
            return $"{failure} It is tried again.";
        }

        TimeSpan quiet = calls.Select(static call => call.QuietSince).OfType<long>().Select(since => time.GetElapsedTime(since)).DefaultIfEmpty().Max();
        return quiet >= WorthSaying ? $"{store} has been silent for {quiet.TotalSeconds:0} s. If it stays so, another connection is made; look at the network if that does not help." : null;
    }

    internal Entry Add(StoreCall call)
    {
        lock (_gate)
        {
            return new Entry(this, _calls.Add(call) ? call : null);
        }
    }

    private void Remove(StoreCall call)
    {
        lock (_gate)
        {
            _calls.Remove(call);
        }
    }

    internal readonly struct Entry(CallsUnderWay? owner, StoreCall? call) : IDisposable
    {
        public void Dispose()
        {
            if (call is not null)
            {
                owner?.Remove(call);
            }
        }
    }
}
