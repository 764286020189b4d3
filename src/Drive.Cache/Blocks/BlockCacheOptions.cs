namespace Drive.Cache.Blocks;

/// <summary>How much is cached.</summary>
public sealed record BlockCacheOptions
{
    /// <summary>The limit in bytes; <see cref="CacheBudget"/> moves it.</summary>
    public long LimitBytes { get; init; } = 10L << 30;

    /// <summary>Files kept open: two for each pack in use.</summary>
    public int OpenFilesMax { get; init; } = 128;
}
