using Drive.Backup;
using Drive.Backup.Schedules;
using Drive.Service.Logs;
using Microsoft.Extensions.Logging;

namespace Drive.Service.Backups;

/// <summary>
/// Runs a vault's backup sets when they are due: one run at a time, those that a person asks for between the others. What is due and cannot be (the store is away, the battery low,
/// the link metered) waits and is looked at again; a run that failed is tried again; nothing but its owner ends the loop. It looks once a minute at the least, so a machine that
/// woke up, or whose clock was set, is noticed by the wall clock's next reading. Owner: the open drive. Threads: all calls may come at once.
/// </summary>
internal sealed class BackupScheduler(BackupSets sets, BackupWork work, FailureNotices notices, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>The longest time between two looks.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _oneRun = new(1);
    private readonly SemaphoreSlim _look = new(0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<string, Watched> _watched = [];
    private readonly Dictionary<string, string> _waits = [];
    private (string Set, BackupProgress Progress)? _running;
    private Task _loop = Task.CompletedTask;

    /// <summary>Begins to look.</summary>
    public void Start() => _loop = Task.Run(LoopAsync);

    /// <summary>A set came, went or changed: look now.</summary>
    public void LookSoon() => _look.Release();

    /// <summary>Runs a set because a person says so, after the run that is under way. Cancelling ends it.</summary>
    public async Task<BackupReport> RunNowAsync(BackupSet set, bool isParanoid, Action<BackupProgress> progress, CancellationToken cancellationToken)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token, cancellationToken);
        await _oneRun.WaitAsync(either.Token);
        try
        {
            return await RunAsync(set, isParanoid, progress, isByHand: true, either.Token);
        }
        finally
        {
            _oneRun.Release();
            LookSoon();
        }
    }

    /// <summary>Where a set's run is that is under way, why one that is due waits, and when the next one comes.</summary>
    public (BackupProgress? Running, string? Waits, DateTimeOffset? Next) Stand(BackupSet set)
    {
        IReadOnlyList<BackupReport> reports = sets.Reports(set.Name);
        lock (_gate)
        {
            return (
                _running is { } running && running.Set == set.Name ? running.Progress : null,
                set.IsPaused ? null : _waits.GetValueOrDefault(set.Name),
                set.IsPaused ? null : NextByClock(set, reports));
        }
    }

    /// <summary>Looks once: runs what is due, one after the other. Returns how long it is until the next one is, at most <see cref="LookInterval"/>; null when there are no sets.</summary>
    internal async Task<TimeSpan?> LookAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<BackupSet> all = sets.All();
        ForgetOthers(all);
        if (all.Count == 0)
        {
            return null;
        }

        // A laptop travels.
        TimeZoneInfo.ClearCachedData();
        TimeSpan next = LookInterval;
        foreach (BackupSet set in all)
        {
            try
            {
                TimeSpan pause = await LookAtAsync(set, cancellationToken);
                next = pause < next ? pause : next;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                // A schedule that somebody wrote by hand, say. The other sets go on.
                logger.BackupFailed(set.Name, exception.Message, exception);
                Wait(set, exception.Message);
            }
        }

        return next > TimeSpan.FromSeconds(1) ? next : TimeSpan.FromSeconds(1);
    }

    /// <summary>Ends the run that is under way, and the loop.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;

        // A run on demand ends by the same token.
        await _oneRun.WaitAsync(CancellationToken.None);
        _oneRun.Release();
        foreach (Watched watched in _watched.Values)
        {
            watched.Watch.Dispose();
        }

        _watched.Clear();
    }

    private async Task LoopAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                TimeSpan? pause = await LookAsync(_stopping.Token);
                using CancellationTokenSource timer = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                await Task.WhenAny(_look.WaitAsync(timer.Token), Task.Delay(pause ?? Timeout.InfiniteTimeSpan, time, timer.Token));
                await timer.CancelAsync();
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // A file of a set that is damaged, say: 'drive backup status' says so to people. It is tried again, and the drive goes on.
                logger.BackupLoopFailed(exception.Message, exception);
                await Task.Delay(LookInterval, time, _stopping.Token).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }
    }

    private async Task<TimeSpan> LookAtAsync(BackupSet set, CancellationToken cancellationToken)
    {
        Watch(set);
        if (Remaining(set) <= TimeSpan.Zero)
        {
            if (work.FindAway() is { } away)
            {
                Wait(set, away);
            }
            else if (await work.FindRestAsync(cancellationToken) is { } rest)
            {
                Wait(set, rest);
            }
            else
            {
                await RunDueAsync(set, cancellationToken);
            }
        }

        IReadOnlyList<BackupReport> reports = sets.Reports(set.Name);
        if (RunPlan.IsStale(set, reports, time.GetUtcNow()))
        {
            await notices.StaleAsync(set, BackupWords.Stale(set, reports, time.GetUtcNow()), cancellationToken);
        }

        // What waits is looked at again with all the others.
        return Remaining(set) is { } remaining && remaining > TimeSpan.Zero ? remaining : LookInterval;
    }

    private void Wait(BackupSet set, string reason)
    {
        lock (_gate)
        {
            _waits[set.Name] = reason;
        }
    }

    private async Task RunDueAsync(BackupSet set, CancellationToken cancellationToken)
    {
        await _oneRun.WaitAsync(cancellationToken);
        try
        {
            // A run on demand may have been faster, and the set may be gone.
            if (sets.Find(set.Name) is { IsPaused: false } still && Remaining(still) <= TimeSpan.Zero)
            {
                await RunAsync(still, isParanoid: false, static _ => { }, isByHand: false, cancellationToken);
            }
        }
        finally
        {
            _oneRun.Release();
        }
    }

    private async Task<BackupReport> RunAsync(BackupSet set, bool isParanoid, Action<BackupProgress> progress, bool isByHand, CancellationToken cancellationToken)
    {
        DateTimeOffset started = time.GetUtcNow();
        lock (_gate)
        {
            _running = (set.Name, default);
            _waits.Remove(set.Name);
            _watched.GetValueOrDefault(set.Name)?.Trigger.Clear();
        }

        BackupReport report;
        try
        {
            report = await work.RunAsync(set, isParanoid, Show, cancellationToken);
            logger.BackupRan(set.Name, report.Outcome.ToString(), report.Files, report.SentBytes);
        }
        catch (Exception exception)
        {
            // The runner tells failures in its report; this is one that kept it from that.
            bool isEnded = exception is OperationCanceledException && cancellationToken.IsCancellationRequested;
            report = new BackupReport { Set = set.Name, Outcome = BackupOutcome.Failed, Started = started, Ended = time.GetUtcNow(), Reason = isEnded ? "It was ended before it was through." : exception.Message };
            sets.AddReport(report);
            logger.BackupFailed(set.Name, report.Reason!, isEnded ? null : exception);
        }
        finally
        {
            lock (_gate)
            {
                _running = null;
            }
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return report;
        }

        try
        {
            await (report.Outcome == BackupOutcome.Failed ? Task.CompletedTask : work.KeepAsync(set, report, cancellationToken));
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The backup is there; its rule of keeping is tried again after the next one.
            logger.BackupFailed(set.Name, exception.Message, exception);
        }

        await notices.AfterRunAsync(set, report, isByHand, cancellationToken);
        return report;

        void Show(BackupProgress where)
        {
            lock (_gate)
            {
                _running = (set.Name, where);
            }

            progress(where);
        }
    }

    /// <summary>How long until a set is due, null for one that is not.</summary>
    private TimeSpan? Remaining(BackupSet set)
    {
        if (set.IsPaused)
        {
            return null;
        }

        IReadOnlyList<BackupReport> reports = sets.Reports(set.Name);
        lock (_gate)
        {
            TimeSpan? byClock = NextByClock(set, reports) - time.GetUtcNow();
            TimeSpan? byChange = _watched.GetValueOrDefault(set.Name)?.Trigger.Remaining(time);

            // What failed is not tried sooner because something changed.
            bool isRetried = byClock is not null && reports is [{ Outcome: BackupOutcome.Failed }, ..];
            return isRetried || byChange is null || byClock < byChange ? byClock : byChange;
        }
    }

    private DateTimeOffset? NextByClock(BackupSet set, IReadOnlyList<BackupReport> reports)
    {
        Schedule? schedule = set.Schedule is { } text ? Schedule.Parse(text) : null;

        // What cannot be watched is looked at.
        bool isBlind = schedule is { IsOnChange: true } && _watched.GetValueOrDefault(set.Name)?.Watch is ChangeWatch { IsBlind: true };
        return RunPlan.Next(isBlind ? Schedule.Parse("hourly") : schedule, set.Created, reports, time.GetUtcNow(), time.LocalTimeZone);
    }

    // Only the loop watches. In a large tree that takes its time, so it is done without the lock.
    private void Watch(BackupSet set)
    {
        if (set.IsPaused || set.Schedule is not { } text || !Schedule.Parse(text).IsOnChange || _watched.ContainsKey(set.Name))
        {
            return;
        }

        // Nobody knows what changed before.
        ChangeTrigger trigger = new();
        trigger.Note(time.GetTimestamp());
        Watched watched = new(set, trigger, work.Watch(set, () =>
        {
            lock (_gate)
            {
                trigger.Note(time.GetTimestamp());
            }
        }));
        lock (_gate)
        {
            _watched[set.Name] = watched;
        }
    }

    private void ForgetOthers(IReadOnlyList<BackupSet> all)
    {
        foreach ((string name, Watched watched) in _watched.ToArray())
        {
            if (all.FirstOrDefault(set => set.Name == name) is { IsPaused: false } set && IsWatchedAlike(set, watched.Set))
            {
                continue;
            }

            lock (_gate)
            {
                _watched.Remove(name);
            }

            watched.Watch.Dispose();
        }
    }

    private static bool IsWatchedAlike(BackupSet set, BackupSet other) =>
        set.Schedule == other.Schedule && set.Paths.SequenceEqual(other.Paths) && set.Excludes.SequenceEqual(other.Excludes) && set.Presets.SequenceEqual(other.Presets);

    private sealed record Watched(BackupSet Set, ChangeTrigger Trigger, IDisposable Watch);
}
