namespace Drive.Service.Hosting;

/// <summary>What a daemon is asked to mount.</summary>
public sealed record MountRequest
{
    /// <summary>The vault's name on this machine.</summary>
    public required string Name { get; init; }

    /// <summary>The directory.</summary>
    public required string Mountpoint { get; init; }

    /// <summary>Refuse all changes.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Let other users see it, as far as file permissions do.</summary>
    public bool AllowOther { get; init; }

    /// <summary>Limit of the local bytes for this time, or null for the setting.</summary>
    public long? CacheLimitBytes { get; init; }

    /// <summary>The source that the kernel shows; null for the vault's name.</summary>
    public string? FsName { get; init; }

    /// <summary>Further options of mount(8) for the kernel, such as nodev.</summary>
    public IReadOnlyList<string> KernelOptions { get; init; } = [];
}
