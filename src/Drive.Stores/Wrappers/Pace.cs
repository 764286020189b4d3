using Drive.Core.Stores;

namespace Drive.Stores.Wrappers;

/// <summary>
/// A rate that is kept while bytes move: whoever moves them takes a piece, a small part of a second's worth, and the next piece waits until that one is paid. Over any span of
/// time no more goes than the rate allows and <see cref="CreditTime"/> of it, which makes up for timers that are late; an idle hour buys no more.
/// </summary>
/// <remarks>
/// <para>Two lanes: what is urgent waits only for what is urgent, and the others pay for it. So a commit does not wait behind packs, and the sum keeps the rate.
/// Each lane is first come, first served, piece by piece, and lets in no more transfers at a time than have <see cref="ShareMin"/> each: a few that get on are better than
/// many that a server loses patience with, or that all have to be sent again.</para>
/// <para>Threads: any. A rate that changes, by the user or by the time of day, holds with the next piece, within a second for those who wait.</para>
/// </remarks>
internal sealed class Pace(TimeProvider time)
{
    /// <summary>The largest piece, also where there is no limit: one that is set meanwhile holds from the next piece on. Arbitrary.</summary>
    public const int PieceMax = 256 << 10;

    // A packet or less makes no sense.
    private const int PieceMin = 512;
    private const int PiecesPerSecond = 32;

    /// <summary>Bytes per second for each transfer of a lane, if there are to be several. Arbitrary.</summary>
    private const int ShareMin = 64 << 10;

    /// <summary>A 40th of ten seconds, and longer than a timer is late on a machine that is busy.</summary>
    private static readonly TimeSpan CreditTime = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Lane _lane = new();
    private readonly Lane _urgentLane = new();
    private volatile RateSchedule _schedule = RateSchedule.None;

    // Guarded by _gate: until when debts are paid.
    private long _at = time.GetTimestamp();

    public RateSchedule Schedule
    {
        get => _schedule;
        set
        {
            lock (_gate)
            {
                // What went until now was paid for at the old rate.
                Pay();
                _schedule = value;
                LetIn(_lane);
                LetIn(_urgentLane);
            }
        }
    }

    /// <summary>The rate now; null for none.</summary>
    public long? RateNow => _schedule.IsNone ? null : _schedule.At(TimeOnly.FromTimeSpan(time.GetLocalNow().TimeOfDay));

    /// <summary>Whether nothing is to be kept: nobody need ask.</summary>
    public bool IsOff => _schedule.IsNone;

    /// <summary>How many bytes to move at a time.</summary>
    public int PieceNow => RateNow is { } rate ? (int)Math.Clamp(rate / PiecesPerSecond, PieceMin, PieceMax) : PieceMax;

    /// <summary>Waits until another transfer may begin. It has its place until that is disposed.</summary>
    public async ValueTask<Place> EnterAsync(bool isUrgent, CancellationToken cancellationToken)
    {
        Lane lane = isUrgent ? _urgentLane : _lane;
        TaskCompletionSource turn;
        lock (_gate)
        {
            if (lane.Waiting.Count == 0 && lane.Active < PlacesNow)
            {
                lane.Active++;
                return new Place(this, lane);
            }

            turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lane.Waiting.Enqueue(turn);
        }

        await using (cancellationToken.UnsafeRegister(static (waits, token) => ((TaskCompletionSource)waits!).TrySetCanceled(token), turn))
        {
            await turn.Task;
        }

        return new Place(this, lane);
    }

    /// <summary>Waits until what went before is paid, and takes bytes as the next debt.</summary>
    public async ValueTask TakeAsync(long bytes, bool isUrgent, CancellationToken cancellationToken)
    {
        if (IsOff)
        {
            return;
        }

        Lane lane = isUrgent ? _urgentLane : _lane;
        await lane.Line.WaitAsync(cancellationToken);
        try
        {
            for (TimeSpan wait = Wait(lane); wait > TimeSpan.Zero; wait = Wait(lane))
            {
                await Task.Delay(wait < LookAgain ? wait : LookAgain, time, cancellationToken);
            }

            Charge(bytes, isUrgent);
        }
        finally
        {
            lane.Line.Release();
        }
    }

    /// <summary>Counts bytes that went without waiting.</summary>
    public void Charge(long bytes, bool isUrgent)
    {
        lock (_gate)
        {
            Pay();
            _lane.Debt += bytes;
            _urgentLane.Debt += isUrgent ? bytes : 0;

            // The time of day may have changed the rate.
            LetIn(_lane);
            LetIn(_urgentLane);
        }
    }

    // Under _gate.
    private long PlacesNow => RateNow is { } rate ? Math.Max(1, rate / ShareMin) : long.MaxValue;

    private TimeSpan Wait(Lane lane)
    {
        lock (_gate)
        {
            long? rate = Pay();

            // Timers count whole milliseconds: a shorter wait would be none, again and again.
            return rate is null || lane.Debt < 1 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Ceiling(1000 * Math.Min(lane.Debt / rate.Value, LookAgain.TotalSeconds)));
        }
    }

    private long? Pay()
    {
        long now = time.GetTimestamp();
        long? rate = RateNow;
        double seconds = time.GetElapsedTime(_at, now).TotalSeconds;
        _at = now;
        foreach (Lane lane in (ReadOnlySpan<Lane>)[_lane, _urgentLane])
        {
            lane.Debt = rate is { } bytesPerSecond ? Math.Max(-CreditTime.TotalSeconds * bytesPerSecond, lane.Debt - (seconds * bytesPerSecond)) : 0;
        }

        return rate;
    }

    // Under _gate.
    private void LetIn(Lane lane)
    {
        while (lane.Waiting.Count > 0 && lane.Active < PlacesNow)
        {
            // One that was called off meanwhile takes no place.
            lane.Active += lane.Waiting.Dequeue().TrySetResult() ? 1 : 0;
        }
    }

    private void Leave(Lane lane)
    {
        lock (_gate)
        {
            lane.Active--;
            LetIn(lane);
        }
    }

    /// <summary>A place among the transfers under way.</summary>
    public readonly struct Place : IDisposable
    {
        private readonly Pace _pace;
        private readonly Lane _lane;

        internal Place(Pace pace, Lane lane)
        {
            _pace = pace;
            _lane = lane;
        }

        public void Dispose() => _pace.Leave(_lane);
    }

    internal sealed class Lane
    {
        /// <summary>Whoever is next for a piece.</summary>
        public SemaphoreSlim Line { get; } = new(1, 1);

        // The rest is guarded by the pace: bytes that are not paid yet, less than none for a credit; transfers under way, and those that wait to begin.
        public double Debt { get; set; }

        public int Active { get; set; }

        public Queue<TaskCompletionSource> Waiting { get; } = [];
    }
}
