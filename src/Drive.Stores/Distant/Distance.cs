using System.Globalization;

namespace Drive.Stores.Distant;

/// <summary>How far away a store is made to seem.</summary>
/// <param name="Latency">From a request to its answer, the bytes not counted.</param>
/// <param name="BytesPerSecond">What the link carries, each way; null is no limit.</param>
public sealed record Distance(TimeSpan Latency, long? BytesPerSecond)
{
    // Beyond it a call would be given up before it is answered.
    private static readonly TimeSpan LatencyMax = TimeSpan.FromSeconds(10);

    // A pack of 8 MiB that shares the link with others must get through before its call is given up.
    private const long BytesPerSecondMin = 1 << 20;

    /// <summary>From a URL's query, "latency=30ms&amp;rate=50MiB". <see cref="ArgumentException"/> with one line when it makes no sense.</summary>
    public static Distance Parse(string query)
    {
        ArgumentNullException.ThrowIfNull(query);
        TimeSpan? latency = null;
        long? rate = null;
        foreach (string part in query.Split('&'))
        {
            int sign = part.IndexOf('=', StringComparison.Ordinal);
            string value = part[(sign + 1)..];
            switch (sign < 0 ? "" : part[..sign])
            {
                case "latency" when latency is null:
                    latency = ParseLatency(value);
                    break;
                case "rate" when rate is null:
                    rate = ParseRate(value);
                    break;
                default:
                    throw new ArgumentException($"'{part}' says nothing about a store in a folder: what follows '?' is latency=TIME and rate=BYTES, each at most once, such as latency=30ms&rate=50MiB.");
            }
        }

        return new Distance(latency ?? TimeSpan.Zero, rate);
    }

    /// <summary>The query again, always written the same way.</summary>
    public override string ToString()
    {
        string latency = string.Create(CultureInfo.InvariantCulture, $"latency={Latency.TotalMilliseconds}ms");
        return BytesPerSecond is { } rate ? string.Create(CultureInfo.InvariantCulture, $"{latency}&rate={rate / 1024m:0.##########}KiB") : latency;
    }

    private static TimeSpan ParseLatency(string text) =>
        Parse(text, ("ms", 1), ("s", 1000)) is { } milliseconds && milliseconds <= (decimal)LatencyMax.TotalMilliseconds
            ? TimeSpan.FromMilliseconds((double)milliseconds)
            : throw new ArgumentException($"'{text}' is no latency: write milliseconds or seconds, from 0ms to {LatencyMax.TotalSeconds:0}s, such as 30ms.");

    private static long ParseRate(string text) =>
        Parse(text, ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)) is { } bytes and >= BytesPerSecondMin and < long.MaxValue
            ? (long)bytes
            : throw new ArgumentException($"'{text}' is no rate: write bytes per second with a unit, 1MiB or more, such as 50MiB.");

    private static decimal? Parse(string text, params ReadOnlySpan<(string Unit, long Factor)> units)
    {
        foreach ((string unit, long factor) in units)
        {
            // 12 digits at most: far beyond all limits, and never an overflow.
            if (text.EndsWith(unit, StringComparison.Ordinal) && text.Length - unit.Length <= 12
                && decimal.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number))
            {
                return number * factor;
            }
        }

        return null;
    }
}
