using Drive.Stores.Wrappers;

namespace Drive.Stores.Calls;

/// <summary>
/// One call to a store, from its first wrapper down to whatever moves its bytes (a connection, a file). It flows with the call's own execution, so that a connection that
/// serves many calls knows for which one it moves bytes just now: how fast they may go, and how long silence is borne.
/// </summary>
/// <remarks>
/// Threads: any. Whoever begins one ends it; after that nobody finds it any more, also not in work that was begun meanwhile and goes on.
/// </remarks>
internal sealed class StoreCall : IDisposable
{
    private static readonly AsyncLocal<StoreCall?> s_current = new();

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly StoreLimits? _limits;
    private readonly (bool Up, bool Down) _isUrgent;
    private volatile bool _isOver;
    private volatile bool _isPaced;
    private long _moved;
    private long _movedAt;

    // Guarded by _gate: waits for the user's limits that are under way, since when there are any, and how long there were some before.
    private int _waits;
    private long _waitsSince;
    private TimeSpan _waited;

    private StoreCall(TimeProvider time, StoreLimits? limits, (bool Up, bool Down) isUrgent)
    {
        _time = time;
        _limits = limits;
        _isUrgent = isUrgent;
    }

    /// <summary>The call that is under way here; null for none.</summary>
    public static StoreCall? Current => s_current.Value is { _isOver: false } call ? call : null;

    /// <summary>Whether it has ended.</summary>
    public bool IsOver => _isOver;

    /// <summary>Whether something below keeps the limits for this call. Where nothing does, the bytes are counted when it is over.</summary>
    public bool IsPaced => _isPaced;

    /// <summary>The tries so far, this one with them.</summary>
    public int Attempt { get; set; } = 1;

    /// <summary>Why the try before this one failed; null when there was none.</summary>
    public string? Failure { get; set; }

    /// <summary>Bytes that moved, both ways.</summary>
    public long Moved => Volatile.Read(ref _moved);

    /// <summary>How long it has been held back by the user's limits.</summary>
    public TimeSpan Waited
    {
        get
        {
            lock (_gate)
            {
                return _waited + (_waits > 0 ? _time.GetElapsedTime(_waitsSince) : TimeSpan.Zero);
            }
        }
    }

    /// <summary>Since when nothing has moved; null while it is the limits that hold it back.</summary>
    public long? QuietSince
    {
        get
        {
            lock (_gate)
            {
                return _waits > 0 ? null : Volatile.Read(ref _movedAt);
            }
        }
    }

    /// <summary>Begins a call in this flow. Small answers and requests of a transfer the other way go before other transfers.</summary>
    public static StoreCall Begin(TimeProvider time, StoreLimits? limits = null, bool isUp = true, bool isUrgent = true) =>
        s_current.Value = new StoreCall(time, limits, isUp ? (isUrgent, true) : (true, isUrgent));

    /// <summary>The call that is under way here, or else one of its own, which ends with the scope.</summary>
    public static Scope Enter(TimeProvider time) => Current is { } call ? new Scope(call, isOwn: false) : new Scope(Begin(time), isOwn: true);

    /// <summary>How many bytes to send at a time.</summary>
    public int PieceUp => _limits is null ? Pace.PieceMax : _limits.UpPace.PieceNow;

    /// <summary>How many bytes to take at a time.</summary>
    public int PieceDown => _limits is null ? Pace.PieceMax : _limits.DownPace.PieceNow;

    /// <summary>Bytes per second that may go now; null for no limit.</summary>
    public long? RateUp => _limits?.UpPace.RateNow;

    /// <summary>Bytes per second that may come now; null for no limit.</summary>
    public long? RateDown => _limits?.DownPace.RateNow;

    /// <summary>Waits until so many bytes may go up; before they do.</summary>
    public ValueTask TakeUpAsync(int bytes, CancellationToken cancellationToken) => TakeAsync(_limits?.UpPace, _isUrgent.Up, bytes, cancellationToken);

    /// <summary>Waits until so many bytes may have come; when they did, before more is taken.</summary>
    public ValueTask TakeDownAsync(int bytes, CancellationToken cancellationToken) => TakeAsync(_limits?.DownPace, _isUrgent.Down, bytes, cancellationToken);

    /// <summary>Says that bytes moved.</summary>
    public void Note(int bytes)
    {
        Interlocked.Add(ref _moved, bytes);
        Volatile.Write(ref _movedAt, _time.GetTimestamp());
    }

    public void Dispose() => _isOver = true;

    private ValueTask TakeAsync(Pace? pace, bool isUrgent, int bytes, CancellationToken cancellationToken)
    {
        _isPaced = true;
        return pace is null or { IsOff: true } ? ValueTask.CompletedTask : WaitAsync(pace, isUrgent, bytes, cancellationToken);
    }

    private async ValueTask WaitAsync(Pace pace, bool isUrgent, int bytes, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_waits++ == 0)
            {
                _waitsSince = _time.GetTimestamp();
            }
        }

        try
        {
            await pace.TakeAsync(bytes, isUrgent, cancellationToken);
        }
        finally
        {
            lock (_gate)
            {
                if (--_waits == 0)
                {
                    long now = _time.GetTimestamp();
                    _waited += _time.GetElapsedTime(_waitsSince, now);
                    Volatile.Write(ref _movedAt, now);
                }
            }
        }
    }

    /// <summary>A call while something is done for it.</summary>
    public readonly struct Scope(StoreCall call, bool isOwn) : IDisposable
    {
        /// <summary>The call.</summary>
        public StoreCall Call => call;

        public void Dispose()
        {
            if (isOwn)
            {
                call.Dispose();
            }
        }
    }
}
