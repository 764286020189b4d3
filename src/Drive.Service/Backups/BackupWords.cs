using System.Globalization;
using Drive.Backup;
using Drive.Backup.Schedules;
using Drive.Control;

namespace Drive.Service.Backups;

/// <summary>Sets and reports in the words of the control messages.</summary>
internal static class BackupWords
{
    /// <summary>What is wrong with a run, in one line.</summary>
    public static string Reason(BackupReport report) => report switch
    {
        { Reason: { Length: > 0 } reason } => reason.ReplaceLineEndings(" ").Replace("'drive backup accept'", $"'drive backup accept {report.Set}'", StringComparison.Ordinal),
        { Outcome: BackupOutcome.Incomplete } => $"{report.UnreadableCount} {(report.UnreadableCount == 1 ? "path" : "paths")} could not be read or kept whole{(report.Unreadable is [var first, ..] ? $", among them '{first.Path}': {first.Reason}" : ".")}",
        { Outcome: BackupOutcome.Suspicious } => $"An implausible share of its files changed or vanished: look at them, then 'drive backup accept {report.Set}'.",
        _ => "It did not get through.",
    };

    /// <summary>That a set has no backup for too long.</summary>
    public static string Stale(BackupSet set, IReadOnlyList<BackupReport> reports, DateTimeOffset now)
    {
        string last = RunPlan.LastBackup(reports, now) is { } backup
            ? $"No backup for {Days(now - backup.Ended)}: the last one is of {backup.Ended.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}"
            : set.Created is { } created && created < now ? $"No backup yet, {Days(now - created)} after it was added" : "No backup yet";
        string why = set.IsPaused ? $"; it is paused: 'drive backup resume {set.Name}'"
            : reports is [{ Outcome: BackupOutcome.Failed } failed, ..] ? "; the last run failed: " + Reason(failed)
            : set.Schedule is null ? $"; it runs only when told: 'drive backup run {set.Name}'"
            : ".";
        return last + why;
    }

    /// <summary>How a set stands.</summary>
    public static BackupStanding Stand(BackupSet set, IReadOnlyList<BackupReport> reports, BackupProgress? running, string? waits, DateTimeOffset? next, DateTimeOffset now)
    {
        BackupReport? last = reports.Count > 0 ? reports[0] : null;
        (string State, string? Problem) = running is not null ? ("running", null)
            : reports.FirstOrDefault(IsOpen) is { } open ? ("suspicious", Reason(open))
            : RunPlan.IsStale(set, reports, now) ? ("stale", Stale(set, reports, now))
            : last?.Outcome == BackupOutcome.Failed ? ("failed", Reason(last))
            : set.IsPaused ? ("paused", null)
            : waits is not null ? ("waiting", waits)
            : last is null ? ("new", null)
            : last.Outcome == BackupOutcome.Incomplete ? ("incomplete", Reason(last))
            : ("ok", (string?)null);
        return new BackupStanding
        {
            Name = set.Name,
            State = State,
            IsError = State is "suspicious" or "stale" or "failed",
            Problem = Problem,
            LastBackup = RunPlan.LastBackup(reports, now)?.Ended,
            LastRun = last is null ? null : Tell(last),
            Next = next,
            LastProven = reports.Max(static report => report.Proven),
            Progress = running is { } where ? Tell(where) : null,
        };
    }

    /// <summary>Whether a run is suspicious and nobody has said that it is as it should be. Later runs do not change that.</summary>
    public static bool IsOpen(BackupReport report) => report is { Outcome: BackupOutcome.Suspicious, Accepted: null };

    /// <summary>A set.</summary>
    public static BackupSetInfo Tell(BackupSet set) => new()
    {
        Name = set.Name,
        Paths = set.Paths,
        Excludes = set.Excludes,
        Presets = set.Presets,
        MaxSize = set.FileBytesMax,
        OneFileSystem = set.IsOneFileSystem,
        Schedule = set.Schedule,
        Keep = set.Keep,
        Paused = set.IsPaused,
        StaleDays = set.StaleDays,
        OnFailure = set.OnFailure,
        Webhook = set.Webhook,
    };

    /// <summary>A run.</summary>
    public static BackupRunInfo Tell(BackupReport report) => new()
    {
        Set = report.Set,
        Outcome = report.Outcome.ToString().ToLowerInvariant(),
        Started = report.Started,
        Ended = report.Ended,
        Looked = new FileAmount(report.Files, report.Bytes),
        NewFiles = report.NewFiles,
        ChangedFiles = report.ChangedFiles,
        GoneFiles = report.GoneFiles,
        ReadBytes = report.ReadBytes,
        SentBytes = report.SentBytes,
        Unreadable = Tell(report.Unreadable),
        UnreadableCount = report.UnreadableCount,
        Seq = report.Seq,
        Proven = report.Proven,
        Reason = report.Outcome == BackupOutcome.Done ? null : Reason(report),
    };

    /// <summary>A verification.</summary>
    public static BackupVerifyInfo Tell(VerifyReport report) => new()
    {
        Set = report.Set,
        Packs = report.Packs,
        PacksRead = report.PacksRead,
        BytesRead = report.BytesRead,
        OldestProof = report.OldestProof,
        Damaged = Tell(report.Damaged),
        DamagedCount = report.DamagedCount,
    };

    /// <summary>Where a run is.</summary>
    public static BackupProgressInfo Tell(BackupProgress where) => new(new FileAmount(where.Files, where.Bytes), where.ReadBytes, where.SentBytes, where.Path ?? "");

    private static UnreadablePathInfo[] Tell(IReadOnlyList<UnreadablePath> paths) => [.. paths.Select(static path => new UnreadablePathInfo(path.Path, path.Reason))];

    private static string Days(TimeSpan age) => age.TotalHours < 48 ? $"{(int)age.TotalHours} hours" : $"{(int)age.TotalDays} days";
}
