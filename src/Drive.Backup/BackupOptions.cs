namespace Drive.Backup;

/// <summary>How a set is run this time.</summary>
public sealed record BackupOptions
{
    /// <summary>Reads every file, also those whose attributes say that they are as they were.</summary>
    public bool IsParanoid { get; init; }

    /// <summary>Makes the rules of what is left out below one of the set's paths; null: nothing is.</summary>
    public Func<BackupSet, string, IPathRules>? Rules { get; init; }

    /// <summary>Bytes that are read back from the store and compared after the run; 0: none.</summary>
    public long ProofBytesMax { get; init; } = 16 << 20;
}

/// <summary>Where a run is.</summary>
/// <param name="Files">Files looked at.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="ReadBytes">Bytes read.</param>
/// <param name="SentBytes">Bytes of packs sent.</param>
/// <param name="Path">What it looks at now.</param>
public readonly record struct BackupProgress(long Files, long Bytes, long ReadBytes, long SentBytes, string Path);

/// <summary>What a verification read back.</summary>
public sealed record VerifyReport
{
    /// <summary>The set, or null for all of this device's.</summary>
    public string? Set { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it ended.</summary>
    public required DateTimeOffset Ended { get; init; }

    /// <summary>Packs that hold the content.</summary>
    public long Packs { get; init; }

    /// <summary>Packs of which all that the sets need was read back now.</summary>
    public long PacksRead { get; init; }

    /// <summary>Bytes of content that were read back.</summary>
    public long BytesRead { get; init; }

    /// <summary>Since when all of it is proven: the oldest proof of a pack, or null when one was never read back.</summary>
    public DateTimeOffset? OldestProof { get; init; }

    /// <summary>Files that the store has lost or changed something of, each with the reason; at most a thousand.</summary>
    public IReadOnlyList<UnreadablePath> Damaged { get; init; } = [];

    /// <summary>All damaged files, listed or not.</summary>
    public long DamagedCount { get; init; }
}

/// <summary>This machine, as runs need to know it.</summary>
public sealed record BackupPlace
{
    /// <summary>The device's name, a folder below <c>/Backups</c>.</summary>
    public required string DeviceName { get; init; }

    /// <summary>32 bytes that no other use has; what runs remember is sealed with them.</summary>
    public required ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>Absolute paths that no set holds: the state directories, the store.</summary>
    public IReadOnlyList<string> NeverBackedUp { get; init; } = [];
}
