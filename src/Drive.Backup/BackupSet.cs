namespace Drive.Backup;

/// <summary>What is backed up together: folders of this machine, what to leave out, when, and how long it is kept. One set belongs to one device.</summary>
public sealed record BackupSet
{
    /// <summary>Its name: one path component, unique on the device.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute paths of folders or files on this machine; none lies in another.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>Patterns in the syntax of gitignore(5), relative to each path of the set.</summary>
    public IReadOnlyList<string> Excludes { get; init; } = [];

    /// <summary>Names of presets of patterns, such as <c>caches</c>.</summary>
    public IReadOnlyList<string> Presets { get; init; } = [];

    /// <summary>Files above this length in bytes are left out, or null.</summary>
    public long? FileBytesMax { get; init; }

    /// <summary>Whether folders on other file systems are left out.</summary>
    public bool IsOneFileSystem { get; init; }

    /// <summary>When it runs by itself, as the user wrote it: <c>hourly</c>, <c>daily 02:00</c>, <c>on-change</c>, five cron fields; null: only when told.</summary>
    public string? Schedule { get; init; }

    /// <summary>What is kept of its snapshots, in the form of <c>drive gc --keep</c>; null: as the vault says.</summary>
    public string? Keep { get; init; }

    /// <summary>When it was added; null where that is not known.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>Whether the schedule rests.</summary>
    public bool IsPaused { get; init; }

    /// <summary>After so many days without a backup <c>drive status</c> calls it an error.</summary>
    public int StaleDays { get; init; } = 3;

    /// <summary>A command that is run, and an address that is told (POST, JSON), when a run fails; null: none.</summary>
    public string? OnFailure { get; init; }

    /// <summary>See <see cref="OnFailure"/>.</summary>
    public string? Webhook { get; init; }
}
