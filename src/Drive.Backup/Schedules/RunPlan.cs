namespace Drive.Backup.Schedules;

/// <summary>When a set runs next, and whether it should have long since: from its schedule, its reports and the clock, and nothing else.</summary>
public static class RunPlan
{
    /// <summary>Clocks are set by less than this now and then. A report from further ahead was written by a clock that was wrong then, or is now.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromHours(1);

    private static readonly TimeSpan BackoffFirst = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan BackoffMost = TimeSpan.FromHours(1);

    /// <summary>
    /// The moment of the next run, which may be over: then it is due. However many times were missed meanwhile, they are one run. One that failed is tried
    /// again with growing pauses. Null when none is to come by itself (or only when something changes).
    /// </summary>
    /// <param name="schedule">Of the set, or null.</param>
    /// <param name="created">When the set was added; null: it should have run already.</param>
    /// <param name="reports">Of the set, newest first.</param>
    /// <param name="now">The clock.</param>
    /// <param name="zone">The machine's.</param>
    public static DateTimeOffset? Next(Schedule? schedule, DateTimeOffset? created, IReadOnlyList<BackupReport> reports, DateTimeOffset now, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(reports);
        if (schedule is null)
        {
            return null;
        }

        // A report that the clock cannot place says nothing; with no other, better one run too many than none for years.
        BackupReport[] known = [.. reports.Where(report => !IsAhead(report.Started, now))];
        int failures = known.TakeWhile(static report => report.Outcome == BackupOutcome.Failed).Count();
        DateTimeOffset? again = failures == 0 ? null
            : IsAhead(known[0].Ended, now) ? now
            : known[0].Ended + Backoff(failures);
        if (schedule.IsOnChange)
        {
            return again;
        }

        DateTimeOffset? last = known.Length > failures ? known[failures].Started : known.Length == 0 && reports.Count > 0 ? null : created;
        DateTimeOffset? at = last is not { } since || IsAhead(since, now) ? now : schedule.NextAfter(since, zone);
        return at is { } due && again is { } retry && retry > due ? retry : at;
    }

    /// <summary>The pause after so many failures, one after the other.</summary>
    public static TimeSpan Backoff(int failures) => failures > 6 ? BackoffMost : BackoffFirst * (1 << Math.Max(0, failures - 1));

    /// <summary>The last run whose files are in the vault; null when there is none that the clock can place.</summary>
    public static BackupReport? LastBackup(IReadOnlyList<BackupReport> reports, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(reports);
        return reports.FirstOrDefault(report => report.Outcome != BackupOutcome.Failed && !IsAhead(report.Ended, now));
    }

    /// <summary>Whether a set has no backup for more days than it may. One that rests, or runs only when told, is none the safer for it.</summary>
    public static bool IsStale(BackupSet set, IReadOnlyList<BackupReport> reports, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(set);
        DateTimeOffset? last = LastBackup(reports, now)?.Ended ?? (set.Created is { } created && !IsAhead(created, now) ? created : null);
        return last is not { } since || now - since > TimeSpan.FromDays(set.StaleDays);
    }

    private static bool IsAhead(DateTimeOffset moment, DateTimeOffset now) => moment > now + ClockTolerance;
}
