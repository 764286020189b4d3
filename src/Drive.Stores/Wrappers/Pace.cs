using Drive.Core.Stores;

namespace Drive.Stores.Wrappers;

/// <summary>
/// A rate, kept on average: a bucket of tokens that is never fuller than empty, so that an idle hour buys nothing. Whoever moves bytes takes them as a debt, and the next
/// one waits until the debt is paid. Over any span of time no more bytes begin than the rate allows, and one object.
/// </summary>
/// <remarks>
/// <para>Two lines: what is urgent waits only for what is urgent, and the others pay for it. So a commit does not wait behind packs, and the sum keeps the rate.
/// Each line is first come, first served.</para>
/// <para>Threads: any. A rate that changes, by the user or by the time of day, holds within a second for those who wait.</para>
/// </remarks>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "A SemaphoreSlim without a wait handle holds nothing to give back.")]
internal sealed class Pace(TimeProvider time)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _line = new(1, 1);
    private readonly SemaphoreSlim _urgentLine = new(1, 1);
    private volatile RateSchedule _schedule = RateSchedule.None;

    // Guarded by _gate: bytes that are not paid yet, all of them and those of urgent calls, as of _at.
    private double _debt;
    private double _urgentDebt;
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
            }
        }
    }

    /// <summary>The rate now; null for none.</summary>
    public long? RateNow => _schedule.IsNone ? null : _schedule.At(TimeOnly.FromTimeSpan(time.GetLocalNow().TimeOfDay));

    /// <summary>Whether nothing is to be kept: nobody need ask.</summary>
    public bool IsOff => _schedule.IsNone;

    /// <summary>Waits for the caller's turn, then begins the call and takes its bytes as debt.</summary>
    public async Task<T> RunAsync<T>(long bytes, bool isUrgent, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        if (IsOff)
        {
            return await call();
        }

        Task<T> begun;
        SemaphoreSlim line = isUrgent ? _urgentLine : _line;
        await line.WaitAsync(cancellationToken);
        try
        {
            for (TimeSpan wait = Wait(isUrgent); wait > TimeSpan.Zero; wait = Wait(isUrgent))
            {
                await Task.Delay(wait < LookAgain ? wait : LookAgain, time, cancellationToken);
            }

            Charge(bytes, isUrgent);
            begun = call();
        }
        finally
        {
            line.Release();
        }

        return await begun;
    }

    /// <summary>Counts bytes that went without a turn; fewer than none gives back what was counted too much.</summary>
    public void Charge(long bytes, bool isUrgent)
    {
        lock (_gate)
        {
            Pay();
            _debt = Math.Max(0, _debt + bytes);
            _urgentDebt = Math.Max(0, _urgentDebt + (isUrgent ? bytes : 0));
        }
    }

    private TimeSpan Wait(bool isUrgent)
    {
        lock (_gate)
        {
            long? rate = Pay();
            double debt = isUrgent ? _urgentDebt : _debt;

            // Timers count whole milliseconds: a shorter wait would be none, again and again.
            return rate is null || debt < 1 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Ceiling(1000 * Math.Min(debt / rate.Value, LookAgain.TotalSeconds)));
        }
    }

    private long? Pay()
    {
        long now = time.GetTimestamp();
        long? rate = RateNow;
        double paid = rate is { } bytesPerSecond ? time.GetElapsedTime(_at, now).TotalSeconds * bytesPerSecond : double.PositiveInfinity;
        _at = now;
        _debt = Math.Max(0, _debt - paid);
        _urgentDebt = Math.Max(0, _urgentDebt - paid);
        return rate;
    }
}
