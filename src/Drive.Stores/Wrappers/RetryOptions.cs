using Drive.Core.Platform;
using Drive.Stores.Calls;

namespace Drive.Stores.Wrappers;

/// <summary>How long and how often a call is tried again.</summary>
public sealed record RetryOptions
{
    /// <summary>Tries in all.</summary>
    public int AttemptsMax { get; init; } = 8;

    /// <summary>Before the second try; it doubles from there. Each wait is shortened by up to half, at random, so that devices do not march in step.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest wait between two tries.</summary>
    public TimeSpan DelayMax { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// For the whole call, besides what the user's limits make of it and the bytes that move. After it, <see cref="Core.Stores.StoreErrorKind.Unreachable"/> or the last error.
    /// </summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Where calls are kept as long as they are under way, for the status.</summary>
    public CallsUnderWay? UnderWay { get; init; }

    /// <summary>The wait after the given number of tries; <paramref name="share"/> is from 0 to 1.</summary>
    internal TimeSpan DelayAfter(int attempts, double share)
    {
        double full = Math.Min(DelayMax.TotalMilliseconds, FirstDelay.TotalMilliseconds * Math.Pow(2, Math.Min(attempts - 1, 30)));
        return TimeSpan.FromMilliseconds(full * (1 - (share / 2)));
    }

    /// <summary>The wait after the given number of tries, shortened at random.</summary>
    internal TimeSpan DelayAfter(int attempts, IRandomSource random)
    {
        Span<byte> bytes = stackalloc byte[2];
        random.Fill(bytes);
        return DelayAfter(attempts, BitConverter.ToUInt16(bytes) / (double)ushort.MaxValue);
    }
}
