using Drive.Backup;

namespace Drive.Service.Backups;

/// <summary>What the scheduler asks of an open vault and of the machine around it.</summary>
internal sealed record BackupWork
{
    /// <summary>Runs a set.</summary>
    public required Func<BackupSet, bool, Action<BackupProgress>, CancellationToken, Task<BackupReport>> RunAsync { get; init; }

    /// <summary>After a run whose files are in the vault: keeps and forgets by the set's own rule.</summary>
    public required Func<BackupSet, BackupReport, CancellationToken, Task> KeepAsync { get; init; }

    /// <summary>Why nothing can be sent now, in words for people, or null. It is waited for.</summary>
    public required Func<string?> FindAway { get; init; }

    /// <summary>Why the machine would rather rest now, in words for people, or null. It is waited for, unless a person asks for the run.</summary>
    public required Func<CancellationToken, Task<string?>> FindRestAsync { get; init; }

    /// <summary>Begins to watch the folders of a set, and calls back for each change.</summary>
    public required Func<BackupSet, Action, IDisposable> Watch { get; init; }
}
