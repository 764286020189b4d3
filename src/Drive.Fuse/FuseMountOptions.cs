namespace Drive.Fuse;

/// <summary>How a volume is shown to the system. Permissions are always checked by the kernel (default_permissions).</summary>
public sealed record FuseMountOptions
{
    /// <summary>An existing directory.</summary>
    public required string MountPoint { get; init; }

    /// <summary>What mount(8) and df(1) show as the source.</summary>
    public string FsName { get; init; } = "drive";

    /// <summary>The type is shown as <c>fuse.</c> and this.</summary>
    public string Subtype { get; init; } = "drive";

    public bool ReadOnly { get; init; }

    /// <summary>Users other than the one who mounts may look in. A user other than root needs <c>user_allow_other</c> in /etc/fuse.conf.</summary>
    public bool AllowOther { get; init; }

    /// <summary>The mount point may have files, which are hidden by the mount.</summary>
    public bool AllowNonEmpty { get; init; }

    /// <summary>
    /// Further options as in fstab(5), such as noatime, noexec, and (as root) suid and dev. Without those two, set-user-ID bits and device
    /// nodes in the volume have no effect.
    /// </summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>
    /// KiB that the kernel reads ahead of a program that reads in order; only root can say so, others get the kernel's 128. The largest request has 1024: with more, several are under way at once, and a
    /// program that stops soon has read that much in vain.
    /// </summary>
    public int ReadAheadKiB { get; init; } = 1024;

    /// <summary>The way that requests take from the kernel.</summary>
    public FuseTransport Transport { get; init; }

    /// <summary>
    /// As root: sets the kernel's parameter that lets FUSE use io_uring, for all mounts of the machine, until it restarts. Nothing where the kernel has none.
    /// </summary>
    public bool AllowUring { get; init; }
}

/// <summary>The way that requests take from the kernel to the daemon.</summary>
public enum FuseTransport
{
    /// <summary>io_uring where the kernel offers it, else /dev/fuse.</summary>
    Auto,

    /// <summary>/dev/fuse.</summary>
    Device,

    /// <summary>io_uring, or no mount.</summary>
    Uring,
}
