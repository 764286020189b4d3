namespace Drive.Control;

/// <summary>A set of folders that is backed up, as <c>drive backup list --json</c> prints it.</summary>
public sealed record BackupSetInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute paths on this machine.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>Patterns of what is left out.</summary>
    public IReadOnlyList<string> Excludes { get; init; } = [];

    /// <summary>Names of presets of such patterns.</summary>
    public IReadOnlyList<string> Presets { get; init; } = [];

    /// <summary>Files above so many bytes are left out, or null.</summary>
    public long? MaxSize { get; init; }

    /// <summary>Whether folders on other file systems are left out.</summary>
    public bool OneFileSystem { get; init; }

    /// <summary>When it runs by itself, or null.</summary>
    public string? Schedule { get; init; }

    /// <summary>What is kept of its runs, or null: as the vault says.</summary>
    public string? Keep { get; init; }

    /// <summary>Whether its schedule rests.</summary>
    public bool Paused { get; init; }

    /// <summary>After so many days without a backup it is an error; null in a request: as its schedule suggests.</summary>
    public int? StaleDays { get; init; }

    /// <summary>The command that is run when something is wrong, or null.</summary>
    public string? OnFailure { get; init; }

    /// <summary>The address that is told then, or null.</summary>
    public string? Webhook { get; init; }
}

/// <summary>What one run did, as <c>drive backup run --json</c> prints it.</summary>
public sealed record BackupRunInfo
{
    /// <summary>The set's name.</summary>
    public required string Set { get; init; }

    /// <summary>"done", "incomplete", "suspicious" or "failed".</summary>
    public required string Outcome { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it ended.</summary>
    public required DateTimeOffset Ended { get; init; }

    /// <summary>What was looked at.</summary>
    public FileAmount Looked { get; init; }

    /// <summary>Files that are new, changed and gone since the run before.</summary>
    public long NewFiles { get; init; }

    /// <summary>See <see cref="NewFiles"/>.</summary>
    public long ChangedFiles { get; init; }

    /// <summary>See <see cref="NewFiles"/>.</summary>
    public long GoneFiles { get; init; }

    /// <summary>Bytes that were read.</summary>
    public long ReadBytes { get; init; }

    /// <summary>Bytes that were sent.</summary>
    public long SentBytes { get; init; }

    /// <summary>What could not be read or kept whole and why, at most a thousand.</summary>
    public IReadOnlyList<UnreadablePathInfo> Unreadable { get; init; } = [];

    /// <summary>How much that is.</summary>
    public long UnreadableCount { get; init; }

    /// <summary>The commit that has it, or null.</summary>
    public long? Seq { get; init; }

    /// <summary>When a sample of it was restored and compared, or null.</summary>
    public DateTimeOffset? Proven { get; init; }

    /// <summary>Why it failed or is suspicious, or null.</summary>
    public string? Reason { get; init; }
}

/// <summary>A path that a run left out against its will, and why.</summary>
public sealed record UnreadablePathInfo(string Path, string Reason);

/// <summary>How a set stands, as <c>drive backup status --json</c> and <c>drive status --json</c> print it.</summary>
public sealed record BackupStanding
{
    /// <summary>The set's name.</summary>
    public required string Name { get; init; }

    /// <summary>"running", "suspicious", "stale", "failed", "paused", "waiting", "incomplete", "new" or "ok": the first of these that is so.</summary>
    public required string State { get; init; }

    /// <summary>Whether somebody has to do something.</summary>
    public required bool IsError { get; init; }

    /// <summary>What is wrong or waited for, in one line, or null.</summary>
    public string? Problem { get; init; }

    /// <summary>When the last run ended whose files are in the vault, or null.</summary>
    public DateTimeOffset? LastBackup { get; init; }

    /// <summary>The last run, or null.</summary>
    public BackupRunInfo? LastRun { get; init; }

    /// <summary>When it runs next, or null: when told, or when something changes.</summary>
    public DateTimeOffset? Next { get; init; }

    /// <summary>When something of it was last restored and compared, or null.</summary>
    public DateTimeOffset? LastProven { get; init; }

    /// <summary>Where a run is that is under way, or null.</summary>
    public BackupProgressInfo? Progress { get; init; }
}

/// <summary>Where a run is: what it looked at, bytes read and sent, and the path it is at.</summary>
public sealed record BackupProgressInfo(FileAmount Looked, long ReadBytes, long SentBytes, string Path);

/// <summary>All sets of this machine in a vault.</summary>
public sealed record BackupSetList(IReadOnlyList<BackupSetInfo> Sets);

/// <summary>How they stand.</summary>
public sealed record BackupStandings(IReadOnlyList<BackupStanding> Sets);

/// <summary>The set that is meant; null for all where that makes sense.</summary>
public sealed record BackupNameRequest(string? Name);

/// <summary>A set to run, and whether each file is read.</summary>
public sealed record BackupRunRequest(string Name, bool Paranoid);

/// <summary>A set to verify, or null for all, and how much of it.</summary>
public sealed record BackupVerifyRequest(string? Name, int Percent);

/// <summary>One line of the answer to a run: where it is, what it came to, or why it did not begin.</summary>
public sealed record BackupRunLine(BackupProgressInfo? Progress, BackupRunInfo? Run, ErrorReply? Error);

/// <summary>What a verification read back, as <c>drive backup verify --json</c> prints it.</summary>
public sealed record BackupVerifyInfo
{
    /// <summary>The set, or null for all.</summary>
    public string? Set { get; init; }

    /// <summary>Packs that hold the content.</summary>
    public long Packs { get; init; }

    /// <summary>Those that were read back.</summary>
    public long PacksRead { get; init; }

    /// <summary>Bytes of content that were read back.</summary>
    public long BytesRead { get; init; }

    /// <summary>Since when all of it is proven, or null.</summary>
    public DateTimeOffset? OldestProof { get; init; }

    /// <summary>Files that are damaged in the store, at most a thousand.</summary>
    public IReadOnlyList<UnreadablePathInfo> Damaged { get; init; } = [];

    /// <summary>How many are.</summary>
    public long DamagedCount { get; init; }
}

/// <summary>Backup of folders of this machine: by the daemon that has the vault open, or by a process that opens it for that.</summary>
public interface IBackups
{
    /// <summary>The sets.</summary>
    Task<BackupSetList> ListSetsAsync(CancellationToken cancellationToken);

    /// <summary>How sets stand: one, or all for null.</summary>
    Task<BackupStandings> StandAsync(string? name, CancellationToken cancellationToken);

    /// <summary>Adds a set.</summary>
    Task<BackupStandings> AddSetAsync(BackupSetInfo set, CancellationToken cancellationToken);

    /// <summary>Lets a schedule rest, or go on.</summary>
    Task<BackupStandings> SetPausedAsync(string name, bool isPaused, CancellationToken cancellationToken);

    /// <summary>Forgets a set. What is in the vault stays.</summary>
    Task<BackupSetList> RemoveSetAsync(string name, CancellationToken cancellationToken);

    /// <summary>Runs a set now. Cancelling ends the run.</summary>
    Task<BackupRunInfo> RunSetAsync(BackupRunRequest request, Action<BackupProgressInfo> progress, CancellationToken cancellationToken);

    /// <summary>Reads back from the store what is longest unproven.</summary>
    Task<BackupVerifyInfo> VerifySetAsync(BackupVerifyRequest request, CancellationToken cancellationToken);

    /// <summary>A person says that a suspicious run is as it should be.</summary>
    Task<BackupStandings> AcceptSetAsync(string name, CancellationToken cancellationToken);
}
