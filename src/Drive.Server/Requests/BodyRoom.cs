using System.Threading.RateLimiting;

namespace Drive.Server.Requests;

/// <summary>Memory for bodies under way: bounded for all, and for each user to half, so that slow uploads of one do not keep the others out. Who finds none waits.</summary>
internal sealed class BodyRoom(int objectBytesMax) : IDisposable
{
    private const int Unit = 1024;

    // Arbitrary: thirty packs.
    private readonly int _permitsMax = Math.Max(256 << 10, Permits(objectBytesMax) * 2);
    private PartitionedRateLimiter<string>? _limiter;

    /// <summary>Room for a body; given back when disposed. Not acquired: too many wait already.</summary>
    public ValueTask<RateLimitLease> TakeAsync(string user, long length, CancellationToken cancellationToken) =>
        LazyInitializer.EnsureInitialized(ref _limiter, Make).AcquireAsync(user, Permits(length), cancellationToken);

    public void Dispose() => _limiter?.Dispose();

    private static int Permits(long length) => (int)Math.Max(1, (length + Unit - 1) / Unit);

    private PartitionedRateLimiter<string> Make() => PartitionedRateLimiter.CreateChained(
        PartitionedRateLimiter.Create<string, string>(user => RateLimitPartition.GetConcurrencyLimiter(user, _ => Options(_permitsMax / 2))),
        PartitionedRateLimiter.Create<string, string>(_ => RateLimitPartition.GetConcurrencyLimiter("", _ => Options(_permitsMax))));

    private static ConcurrencyLimiterOptions Options(int permits) => new() { PermitLimit = permits, QueueLimit = permits * 16L > int.MaxValue ? int.MaxValue : permits * 16 };
}
