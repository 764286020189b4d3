namespace Drive.Backup;

/// <summary>How a run of a set ended.</summary>
public enum BackupOutcome
{
    /// <summary>All of the set is in the vault.</summary>
    Done,

    /// <summary>All is there but for what <see cref="BackupReport.Unreadable"/> lists.</summary>
    Incomplete,

    /// <summary>It is there and flagged: an implausible share of files changed or vanished. Retention is frozen until a person decides.</summary>
    Suspicious,

    /// <summary>It ended before it was through; the next run goes on from there.</summary>
    Failed,
}

/// <summary>What one run of a set did.</summary>
public sealed record BackupReport
{
    /// <summary>The set's name.</summary>
    public required string Set { get; init; }

    /// <summary>How it ended.</summary>
    public required BackupOutcome Outcome { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it ended.</summary>
    public required DateTimeOffset Ended { get; init; }

    /// <summary>Files looked at.</summary>
    public long Files { get; init; }

    /// <summary>Bytes of the files looked at.</summary>
    public long Bytes { get; init; }

    /// <summary>Files that were not in the last run that got through.</summary>
    public long NewFiles { get; init; }

    /// <summary>Files that changed since then.</summary>
    public long ChangedFiles { get; init; }

    /// <summary>Files that were in it and are gone.</summary>
    public long GoneFiles { get; init; }

    /// <summary>Bytes that were read.</summary>
    public long ReadBytes { get; init; }

    /// <summary>Bytes of packs that were sent: what was new to the vault, compressed and sealed.</summary>
    public long SentBytes { get; init; }

    /// <summary>Paths that could not be read, changed again and again while they were, or are saved without extended attributes that the drive refuses, each with the reason; at most a thousand.</summary>
    public IReadOnlyList<UnreadablePath> Unreadable { get; init; } = [];

    /// <summary>All such paths, listed or not.</summary>
    public long UnreadableCount { get; init; }

    /// <summary>The snapshot's seq, or null when there is none.</summary>
    public long? Seq { get; init; }

    /// <summary>When a sample of what it wrote was restored and compared, or null.</summary>
    public DateTimeOffset? Proven { get; init; }

    /// <summary>When a person decided that a suspicious run is as it should be, or null.</summary>
    public DateTimeOffset? Accepted { get; init; }

    /// <summary>Why it failed, or is suspicious, in words for people.</summary>
    public string? Reason { get; init; }
}

/// <summary>A path that a run left out, or left something out of, against its will.</summary>
/// <param name="Path">On this machine.</param>
/// <param name="Reason">In words for people.</param>
public sealed record UnreadablePath(string Path, string Reason);
