namespace Drive.Engine.Repair;

/// <summary>How a rebuild may go about it.</summary>
public enum RebuildMode
{
    /// <summary>By itself, at a start: only when store and dirty log prove that nothing is missing.</summary>
    Automatic,

    /// <summary>Asked for: what can be had is taken, and what is missing is told.</summary>
    Asked,

    /// <summary>As <see cref="Asked"/>, from the vault's first commit that there is even where a checkpoint would do: a checkpoint has no older versions.</summary>
    AskedForHistory,
}

/// <summary>A range of a file whose bytes were on this machine only and are not there any more.</summary>
/// <param name="Path">The file, or its node where it has no name.</param>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes.</param>
public sealed record LostRange(string Path, long Offset, long Length);

/// <summary>What a rebuild did.</summary>
public sealed record RebuildReport
{
    /// <summary>The vault's commit that the new database stands at.</summary>
    public required long Seq { get; init; }

    /// <summary>Save points that were taken from the dirty log's journal.</summary>
    public required int SavePoints { get; init; }

    /// <summary>Bytes that were written here and are not in the store yet; they are kept.</summary>
    public required long UnsentBytes { get; init; }

    /// <summary>Whether the log proves that everything that was synced is there.</summary>
    public required bool IsComplete { get; init; }

    /// <summary>Ranges that are lost: their records are gone from the dirty log.</summary>
    public IReadOnlyList<LostRange> Lost { get; init; } = [];

    /// <summary>The folder in the drive's root with content whose names are lost; null when there is none.</summary>
    public string? FoundFolder { get; init; }

    /// <summary>Files in it.</summary>
    public int FoundFiles { get; init; }

    /// <summary>Whether what was pinned here could be read from the old database, and is pinned again.</summary>
    public bool ArePinsKnown { get; init; }

    /// <summary>Where the damaged database was put; null when there was none.</summary>
    public string? Aside { get; init; }
}
