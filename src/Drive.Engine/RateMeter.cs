namespace Drive.Engine;

/// <summary>Bytes a second over the last ten seconds or so.</summary>
internal sealed class RateMeter(TimeProvider time)
{
    private const int Slots = 10;

    private readonly Lock _gate = new();
    private readonly long[] _bytes = new long[Slots];
    private long _second;

    public double BytesPerSecond
    {
        get
        {
            lock (_gate)
            {
                Advance();
                return _bytes.Sum() / (double)Slots;
            }
        }
    }

    public void Add(long bytes)
    {
        lock (_gate)
        {
            Advance();
            _bytes[_second % Slots] += bytes;
        }
    }

    private void Advance()
    {
        long now = time.GetTimestamp() / time.TimestampFrequency;
        for (long second = Math.Max(_second + 1, now - Slots + 1); second <= now; second++)
        {
            _bytes[second % Slots] = 0;
        }

        _second = Math.Max(_second, now);
    }
}
