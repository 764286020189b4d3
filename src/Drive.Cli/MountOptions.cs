using Drive.Control;

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
    ];

    /// <summary>ro.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>allow_other.</summary>
    public bool AllowOther { get; init; }

    /// <summary>fsname=X: the source that the mount table shows.</summary>
    public string? FsName { get; init; }

    /// <summary>cache_size=20G.</summary>
    public long? CacheLimitBytes { get; init; }

    /// <summary>passphrase_file=FILE.</summary>
    public string? PassphraseFile { get; init; }

    /// <summary>drive_home=DIR: DRIVE_HOME for mounts that no user's environment surrounds.</summary>
    public string? DriveHome { get; init; }

    /// <summary>Options for mount(2).</summary>
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
                "fsname" when value.Length > 0 => options with { FsName = value },
                "cache_size" => options with { CacheLimitBytes = Size(value) },
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
}
