using Drive.Control;
using Drive.Core.Stores;

namespace Drive.Cli;

/// <summary>
/// The comma-separated options of mount(8) and fstab(5). What other programs read (x-*, _netdev, noauto, user, nofail ...) is accepted and left
/// alone; an option that nobody knows is refused, because silence would promise what is not done.
/// </summary>
internal sealed record MountOptions
{
    private static readonly HashSet<string> ForOthers =
    [
        "defaults", "rw", "auto", "noauto", "user", "nouser", "users", "owner", "group", "_netdev", "nofail", "default_permissions", "auto_unmount",
    ];

    private static readonly HashSet<string> ForTheKernel =
    [
        "nodev", "dev", "nosuid", "suid", "noexec", "exec", "noatime", "atime", "nodiratime", "diratime", "relatime", "norelatime", "strictatime", "lazytime", "sync", "async", "dirsync",
        "transport=auto", "transport=device", "transport=uring", "allow_uring",
    ];

    /// <summary>ro.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>allow_other.</summary>
    public bool AllowOther { get; init; }

    /// <summary>at=TIME: the drive as it was.</summary>
    public string? At { get; init; }

    /// <summary>show_snapshots.</summary>
    public bool ShowSnapshots { get; init; }

    /// <summary>fsname=X: the source that the mount table shows.</summary>
    public string? FsName { get; init; }

    /// <summary>cache_size=20G.</summary>
    public long? CacheLimitBytes { get; init; }

    /// <summary>limit_up=08:00-18:00=1M;2M.</summary>
    public RateSchedule? LimitUp { get; init; }

    /// <summary>limit_down=2M.</summary>
    public RateSchedule? LimitDown { get; init; }

    /// <summary>poll=5s.</summary>
    public TimeSpan? Poll { get; init; }

    /// <summary>passphrase_file=FILE.</summary>
    public string? PassphraseFile { get; init; }

    /// <summary>drive_home=DIR: DRIVE_HOME for mounts that no user's environment surrounds.</summary>
    public string? DriveHome { get; init; }

    /// <summary>Options for mount(2) and for the way that requests take from the kernel.</summary>
    public IReadOnlyList<string> Kernel { get; init; } = [];

    /// <summary>Reads one or more option lists; later ones win.</summary>
    public static MountOptions Parse(IEnumerable<string> lists)
    {
        MountOptions options = new();
        List<string> kernel = [];
        foreach (string option in lists.SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            int equals = option.IndexOf('=');
            string name = equals < 0 ? option : option[..equals];
            string value = equals < 0 ? "" : option[(equals + 1)..];
            options = name switch
            {
                "ro" => options with { ReadOnly = true },
                "rw" => options with { ReadOnly = false },
                "allow_other" => options with { AllowOther = true },
                "at" when value.Length > 0 => options with { At = value },
                "show_snapshots" => options with { ShowSnapshots = true },
                "fsname" when value.Length > 0 => options with { FsName = value },
                "cache_size" => options with { CacheLimitBytes = Size(value) },
                "limit_up" => options with { LimitUp = Limit(value) },
                "limit_down" => options with { LimitDown = Limit(value) },
                "poll" => options with { Poll = Interval(value) },
                "passphrase_file" when value.Length > 0 => options with { PassphraseFile = value },
                "drive_home" when value.Length > 0 => options with { DriveHome = value },
                _ when ForTheKernel.Contains(option) => Keep(option),
                _ when ForOthers.Contains(name) || name.StartsWith("x-", StringComparison.Ordinal) || name is "comment" => options,
                _ => throw new DriveException(DriveError.Usage, $"The mount option '{option}' is not known: see 'drive mount --help'."),
            };
        }

        return options with { Kernel = kernel };

        MountOptions Keep(string option)
        {
            kernel.Add(option);
            return options;
        }
    }

    /// <summary>Bytes, or a refusal.</summary>
    public static long Size(string text) => Quantity.ParseBytes(text)
        ?? throw new DriveException(DriveError.Usage, $"'{text}' is no size: write 500M, 20G or 1T.");

    /// <summary>A limit, or a refusal; null for nothing said.</summary>
    public static RateSchedule? Limit(string? text)
    {
        try
        {
            return text is null ? null : RateSchedule.Parse(text, Quantity.ParseBytes);
        }
        catch (FormatException exception)
        {
            throw new DriveException(DriveError.Usage, exception.Message, exception);
        }
    }

    /// <summary>A time from half a second to a day, or a refusal.</summary>
    public static TimeSpan Interval(string text) => Quantity.ParseTime(text) is { TotalSeconds: >= 0.5 and <= 86_400 } interval
        ? interval
        : throw new DriveException(DriveError.Usage, $"'{text}' is no interval from 0.5s to 24h: write 5s or 2m.");
}
