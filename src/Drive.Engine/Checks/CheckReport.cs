namespace Drive.Engine.Checks;

/// <summary>What a check is to do.</summary>
/// <param name="ReadShare">Which share of the packs is read whole and opened, from 0 to 1, drawn at random.</param>
/// <param name="Repairs">Whether content that the store lost and this machine has is sent again.</param>
/// <param name="SearchesPacks">Whether, with that, what is still lost is looked for in all packs of the store, by their own lists.</param>
public sealed record CheckRequest(double ReadShare, bool Repairs, bool SearchesPacks = false);

/// <summary>A pack that the store does not give back as it was put.</summary>
/// <param name="Name">Its object.</param>
/// <param name="Problem">What is wrong, in a few words.</param>
/// <param name="Blocks">Blocks that lie in it, those of older versions too.</param>
/// <param name="Lost">Blocks of these that can't be had from it.</param>
/// <param name="Restored">Of the lost ones, those that were sent again.</param>
public sealed record BadPack(string Name, string Problem, long Blocks, long Lost, long Restored);

/// <summary>A commit, or an object of a checkpoint, that the store does not give back. This device needs it no more; one that joins, or was away, does.</summary>
/// <param name="Name">The object.</param>
/// <param name="Problem">What is wrong, in a few words.</param>
public sealed record BadLogObject(string Name, string Problem);

/// <summary>A file of the present that lacks content.</summary>
/// <param name="Path">Below the root.</param>
/// <param name="LostBytes">Bytes that can't be had.</param>
public sealed record BadFile(string Path, long LostBytes);

/// <summary>What a check found.</summary>
public sealed record CheckReport
{
    /// <summary>The commit that was looked at.</summary>
    public required long Seq { get; init; }

    /// <summary>Whether this device's rows give the hash of the tree that stands in the log.</summary>
    public required bool IsTreeSound { get; init; }

    /// <summary>Blocks that the present names, and of which no place is known.</summary>
    public required long UnknownBlocks { get; init; }

    /// <summary>Blocks that are known.</summary>
    public required long Blocks { get; init; }

    /// <summary>Packs that they lie in.</summary>
    public required long Packs { get; init; }

    /// <summary>Packs that were read whole and opened.</summary>
    public required long PacksRead { get; init; }

    /// <summary>Bytes of these.</summary>
    public required long BytesRead { get; init; }

    /// <summary>Packs with something wrong, by name.</summary>
    public required IReadOnlyList<BadPack> BadPacks { get; init; }

    /// <summary>What is wrong with the log and the checkpoints, by name.</summary>
    public required IReadOnlyList<BadLogObject> BadLog { get; init; }

    /// <summary>Files that lack content now, by path: at most so many as people read.</summary>
    public required IReadOnlyList<BadFile> BadFiles { get; init; }

    /// <summary>How many there are.</summary>
    public required long BadFileCount { get; init; }

    /// <summary>Whether the present is whole: as far as lengths tell, and where packs were read as far as their seals do.</summary>
    public bool IsSound => IsTreeSound && UnknownBlocks == 0 && BadFileCount == 0;
}
