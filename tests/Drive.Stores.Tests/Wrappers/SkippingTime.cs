namespace Drive.Stores.Tests.Wrappers;

/// <summary>A clock that jumps over every short wait at once; timers that are longer fire when the jumps have passed them.</summary>
internal sealed class SkippingTime(TimeSpan shortMax) : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<(long Due, TimerCallback Callback, object? State, LongTimer Timer)> _long = [];
    private long _now;

    public List<TimeSpan> Waits { get; } = [];

    public TimeSpan Elapsed => TimeSpan.FromTicks(Volatile.Read(ref _now));

    /// <summary>The wall clock at the beginning.</summary>
    public DateTimeOffset Start { get; init; } = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => Start + Elapsed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new LongTimer();
        if (dueTime < TimeSpan.Zero)
        {
            return timer;
        }

        List<(TimerCallback Callback, object? State)> due = [];
        lock (_gate)
        {
            if (dueTime > shortMax)
            {
                _long.Add((_now + dueTime.Ticks, callback, state, timer));
                return timer;
            }

            Waits.Add(dueTime);
            _now += dueTime.Ticks;
            due.Add((callback, state));
            due.AddRange(_long.Where(item => item.Due <= _now && !item.Timer.IsDisposed).Select(item => (item.Callback, item.State)));
            _long.RemoveAll(item => item.Due <= _now);
        }

        due.ForEach(item => item.Callback(item.State));
        return timer;
    }

    internal sealed class LongTimer : ITimer
    {
        public bool IsDisposed { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose() => IsDisposed = true;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
