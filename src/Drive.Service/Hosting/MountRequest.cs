using Drive.Core.Stores;

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

    /// <summary>Show the drive as it was, read-only: a time, a snapshot's name, or "@" and the number of a commit; null for now.</summary>
    public string? At { get; init; }

    /// <summary>Let listings of the root show <c>.snapshots</c>.</summary>
    public bool ShowSnapshots { get; init; }

    /// <summary>Let other users see it, as far as file permissions do.</summary>
    public bool AllowOther { get; init; }

    /// <summary>Limit of the local bytes for this time, or null for the setting.</summary>
    public long? CacheLimitBytes { get; init; }

    /// <summary>Limit of what goes to the store, or null for the setting.</summary>
    public RateSchedule? LimitUp { get; init; }

    /// <summary>Limit of what comes from it, or null for the setting.</summary>
    public RateSchedule? LimitDown { get; init; }

    /// <summary>How often the store is asked for what other devices did, or null for the setting.</summary>
    public TimeSpan? Poll { get; init; }

    /// <summary>The source that the kernel shows; null for the vault's name.</summary>
    public string? FsName { get; init; }

    /// <summary>Further options of mount(8) for the kernel, such as nodev.</summary>
    public IReadOnlyList<string> KernelOptions { get; init; } = [];
}
