namespace Drive.Engine.Checks;

/// <summary>What a folder, or the whole below a path, costs in the store.</summary>
public sealed record FolderUse
{
    /// <summary>Its name; empty for all that was asked for.</summary>
    public required string Name { get; init; }

    /// <summary>Files of now, each once.</summary>
    public required long Files { get; init; }

    /// <summary>Their sizes.</summary>
    public required long Bytes { get; init; }

    /// <summary>Sealed bytes of the blocks that they need, each block once. Blocks that another folder needs too count in both.</summary>
    public required long StoredBytes { get; init; }

    /// <summary>Bytes that are not stored because the same content is there already.</summary>
    public required long SavedByDedup { get; init; }

    /// <summary>Bytes that compression saves in the stored blocks, after what the seals add.</summary>
    public required long SavedByCompression { get; init; }

    /// <summary>Sealed bytes of blocks that only older versions need: of these files, and of what was in the folder before.</summary>
    public required long HistoryBytes { get; init; }
}

/// <summary>What is stored for a path, as far as it is in the store.</summary>
/// <param name="Total">All of it.</param>
/// <param name="Folders">The folders directly in it, by name.</param>
public sealed record DiskUse(FolderUse Total, IReadOnlyList<FolderUse> Folders);
