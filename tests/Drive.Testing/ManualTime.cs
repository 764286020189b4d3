namespace Drive.Testing;

/// <summary>
/// A clock that moves only when a test says so; timers that fall due fire inside <see cref="Advance"/>, in order. Timers and timestamps go by the time that
/// passes; <see cref="Jump"/> sets the wall clock alone, as a user or a time server does.
/// </summary>
public sealed class ManualTime : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<Timer> _timers = [];
    private DateTimeOffset _now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private TimeSpan _wallOffset;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>When the next timer falls due, by the time that passes; null when there is none.</summary>
    public DateTimeOffset? NextDue
    {
        get
        {
            lock (_lock)
            {
                return _timers.Count == 0 ? null : _timers.Min(timer => timer.DueAt);
            }
        }
    }

    /// <summary>The time that passed, as a moment; the wall clock as well as long as nobody set it.</summary>
    public DateTimeOffset Elapsed
    {
        get
        {
            lock (_lock)
            {
                return _now;
            }
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _now + _wallOffset;
        }
    }

    public override long GetTimestamp() => Elapsed.UtcTicks;

    /// <summary>Sets the wall clock on or back. No time passes.</summary>
    public void Jump(TimeSpan by)
    {
        lock (_lock)
        {
            _wallOffset += by;
        }
    }

    /// <summary>Sets the wall clock to a moment. No time passes.</summary>
    public void JumpTo(DateTimeOffset moment)
    {
        lock (_lock)
        {
            _wallOffset = moment - _now;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by) => AdvanceTo(Elapsed + by);

    /// <summary>Moves on to a moment of <see cref="Elapsed"/>; never back.</summary>
    public void AdvanceTo(DateTimeOffset end)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(end, Elapsed);
        while (TakeDue(end) is { } due)
        {
            due.Fire();
        }

        lock (_lock)
        {
            _now = end;
        }
    }

    /// <summary>Moves the clock to the next due timer and rearms it.</summary>
    private Timer? TakeDue(DateTimeOffset end)
    {
        lock (_lock)
        {
            Timer? next = _timers.Where(timer => timer.DueAt <= end).MinBy(timer => timer.DueAt);
            if (next is null)
            {
                return null;
            }

            _now = next.DueAt > _now ? next.DueAt : _now;
            if (next.Period > TimeSpan.Zero)
            {
                next.DueAt += next.Period;
            }
            else
            {
                _timers.Remove(next);
            }

            return next;
        }
    }

    private sealed class Timer(ManualTime time, Action fire) : ITimer
    {
        public DateTimeOffset DueAt { get; set; }

        public TimeSpan Period { get; private set; }

        public Action Fire { get; } = fire;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                time._timers.Remove(this);
                Period = period;
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    DueAt = time._now + dueTime;
                    time._timers.Add(this);
                }

                return true;
            }
        }

        public void Dispose()
        {
            lock (time._lock)
            {
                time._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
