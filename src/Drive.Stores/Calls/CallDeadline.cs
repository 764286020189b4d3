namespace Drive.Stores.Calls;

/// <summary>
/// The time that a call, or one of its tries, may take. What the user's limits make of it does not count, and bytes that move buy time: a slow line is no dead one, and one
/// that gives a byte now and then buys nothing.
/// </summary>
internal sealed class CallDeadline : IDisposable
{
    /// <summary>The slowest line that is served. Arbitrary: a pack of 16 MiB takes half an hour at it.</summary>
    public const int BytesPerSecondMin = 8 << 10;

    // Timers count whole milliseconds.
    private static readonly TimeSpan LeastWait = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _over;
    private readonly TimeSpan _limit;
    private readonly StoreCall _call;
    private readonly TimeProvider _time;
    private readonly long _began;
    private readonly long _movedBefore;
    private readonly TimeSpan _waitedBefore;

    // Guarded by _gate.
    private ITimer? _timer;
    private bool _isDisposed;
    private bool _isOver;

    public CallDeadline(TimeSpan limit, StoreCall call, TimeProvider time, CancellationToken cancellationToken)
    {
        _over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _limit = limit;
        _call = call;
        _time = time;
        _began = time.GetTimestamp();
        _movedBefore = call.Moved;
        _waitedBefore = call.Waited;
        Arm(limit);
    }

    /// <summary>Cancelled when the time is over, and with the caller's token.</summary>
    public CancellationToken Token => _over.Token;

    /// <summary>Whether the time is over.</summary>
    public bool IsOver
    {
        get
        {
            lock (_gate)
            {
                return _isOver;
            }
        }
    }

    /// <summary>What is left of it now.</summary>
    public TimeSpan Left =>
        _limit + (_call.Waited - _waitedBefore) + TimeSpan.FromSeconds((_call.Moved - _movedBefore) / (double)BytesPerSecondMin) - _time.GetElapsedTime(_began);

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _timer?.Dispose();
        }

        _over.Dispose();
    }

    private void Arm(TimeSpan wait)
    {
        ITimer timer = _time.CreateTimer(static deadline => ((CallDeadline)deadline!).Look(), this, wait > LeastWait ? wait : LeastWait, Timeout.InfiniteTimeSpan);
        lock (_gate)
        {
            if (!_isDisposed && !_isOver)
            {
                _timer?.Dispose();
                _timer = timer;
                return;
            }
        }

        timer.Dispose();
    }

    private void Look()
    {
        if (Left is { } left && left > TimeSpan.Zero)
        {
            Arm(left);
            return;
        }

        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _isOver = true;
        }

        try
        {
            _over.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call ended at the same moment.
        }
    }
}
