namespace Drive.Metadata;

/// <summary>Sizes of the local database; the defaults fit a desktop.</summary>
public sealed record MetadataOptions
{
    /// <summary>SQLite's page cache.</summary>
    public int CacheKiB { get; init; } = 16 * 1024;

    /// <summary>The WAL is copied into the database when it holds this many pages of 4 KiB (16 MiB: a few large batches).</summary>
    public int CheckpointPages { get; init; } = 4096;

    /// <summary>A database up to this size is checked page by page at every open (8 MiB take about 0.1 s); a larger one breaks where it is read.</summary>
    public long QuickCheckBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>The SQLite VFS, registered by its owner, that keeps the database's files; null: SQLite's own, on the local disk.</summary>
    public string? Vfs { get; init; }
}
