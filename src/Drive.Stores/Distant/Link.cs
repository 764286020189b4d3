namespace Drive.Stores.Distant;

/// <summary>
/// One direction of a link: all transfers share its rate. They take turns piece by piece, so a small answer does not wait for a whole pack before it.
/// </summary>
/// <remarks>Threads: any. What a late timer costs is made up for by the next piece, so the rate is kept exactly while there is something to carry.</remarks>
internal sealed class Link(long? bytesPerSecond, TimeProvider time)
{
    // At 50 MiB/s a little more than what a timer can tell apart.
    private const int PieceBytes = 64 << 10;

    private readonly Lock _gate = new();
    private readonly long _origin = time.GetTimestamp();

    // Guarded by _gate: when the link is free again, counted from _origin.
    private TimeSpan _free;

    /// <summary>The time by this link's clock.</summary>
    public TimeSpan Now => time.GetElapsedTime(_origin);

    /// <summary>Carries bytes that are ready at the given time; returns when the last of them is over, which is about now.</summary>
    public async Task<TimeSpan> CarryAsync(long bytes, TimeSpan ready, CancellationToken cancellationToken)
    {
        if (bytesPerSecond is not { } rate)
        {
            return ready;
        }

        for (long left = bytes; left > 0; left -= PieceBytes)
        {
            lock (_gate)
            {
                ready = (_free > ready ? _free : ready) + TimeSpan.FromSeconds(Math.Min(left, PieceBytes) / (double)rate);
                _free = ready;
            }

            await UntilAsync(ready, cancellationToken);
        }

        return ready;
    }

    /// <summary>Waits until the given time, or not at all when it has passed.</summary>
    public Task UntilAsync(TimeSpan due, CancellationToken cancellationToken)
    {
        TimeSpan wait = due - Now;
        return wait > TimeSpan.Zero ? Task.Delay(wait, time, cancellationToken) : Task.CompletedTask;
    }
}
