namespace Drive.Control;

/// <summary>What a check is to do.</summary>
/// <param name="ReadShare">Which share of the packs is read and opened, from 0 to 1.</param>
/// <param name="Repair">Whether content that the store lost and this machine has is sent again.</param>
/// <param name="SearchPacks">Whether, with that, what is still lost is looked for in all packs of the store, by their own lists.</param>
public sealed record CheckOrder(double ReadShare, bool Repair, bool SearchPacks = false);

/// <summary>A pack that the store does not give back as it was put: its object, what is wrong, blocks in it, those that are lost, and those of them that were sent again.</summary>
public sealed record BadPackInfo(string Name, string Problem, long Blocks, long Lost, long Restored);

/// <summary>A commit or checkpoint that the store does not give back.</summary>
/// <param name="Name">The object.</param>
/// <param name="Problem">What is wrong.</param>
public sealed record BadLogInfo(string Name, string Problem);

/// <summary>A file that lacks content, and how much.</summary>
public sealed record BadFileInfo(string Path, long LostBytes);

/// <summary>What a check found, as <c>drive check --json</c> prints it.</summary>
public sealed record CheckResult
{
    /// <summary>Whether the present is whole, as far as was looked.</summary>
    public required bool Sound { get; init; }

    /// <summary>The commit that was looked at.</summary>
    public required long Seq { get; init; }

    /// <summary>Whether the tree here has the hash that stands in the log.</summary>
    public required bool TreeSound { get; init; }

    /// <summary>Blocks that the present names, and of which no place is known.</summary>
    public required long UnknownBlocks { get; init; }

    /// <summary>Blocks, those of older versions too.</summary>
    public required long Blocks { get; init; }

    /// <summary>Packs that they lie in, all of which were asked for.</summary>
    public required long Packs { get; init; }

    /// <summary>Packs that were read and opened.</summary>
    public required long PacksRead { get; init; }

    /// <summary>Bytes of these.</summary>
    public required long BytesRead { get; init; }

    /// <summary>Packs with something wrong.</summary>
    public required IReadOnlyList<BadPackInfo> BadPacks { get; init; }

    /// <summary>Commits and checkpoints that the store does not give back: what is on this machine is whole, and others may not be able to join.</summary>
    public required IReadOnlyList<BadLogInfo> BadLog { get; init; }

    /// <summary>Files that lack content, at most 1,000 of them.</summary>
    public required IReadOnlyList<BadFileInfo> BadFiles { get; init; }

    /// <summary>How many lack content.</summary>
    public required long BadFileCount { get; init; }
}

/// <summary>What a folder costs in the store; the fields of <c>drive du --json</c>, all in bytes but the first two.</summary>
public sealed record FolderCost(string Name, long Files, long Size, long Stored, long History, long SavedByDedup, long SavedByCompression);

/// <summary>What is stored for a path, and for each folder directly in it.</summary>
public sealed record DiskCost(FolderCost Total, IReadOnlyList<FolderCost> Folders);

/// <summary>What can be looked at of one vault: by the daemon that has it open, or by a process that opens it for that.</summary>
public interface IHealth
{
    /// <summary>Looks whether the store has what the vault's tree needs.</summary>
    Task<CheckResult> CheckAsync(CheckOrder order, CancellationToken cancellationToken);

    /// <summary>What a path costs in the store.</summary>
    Task<DiskCost> MeasureAsync(PathRequest request, CancellationToken cancellationToken);
}
