namespace Drive.Fuse.Mounting;

/// <summary>Options as in fstab(5) in the shapes that mount(2) and fusermount3 want. Pure.</summary>
internal sealed class MountFlags
{
    private const uint ReadOnly = 1;
    private const uint NoSetUserId = 2;
    private const uint NoDevices = 4;
    private const uint NoExecute = 8;
    private const uint Synchronous = 16;
    private const uint DirectorySync = 128;
    private const uint NoAccessTime = 1024;
    private const uint NoDirectoryAccessTime = 2048;
    private const uint RelativeAccessTime = 1 << 21;
    private const uint StrictAccessTime = 1 << 24;

    private static readonly Dictionary<string, (uint Set, uint Clear)> Known = new(StringComparer.Ordinal)
    {
        ["ro"] = (ReadOnly, 0),
        ["rw"] = (0, ReadOnly),
        ["nosuid"] = (NoSetUserId, 0),
        ["suid"] = (0, NoSetUserId),
        ["nodev"] = (NoDevices, 0),
        ["dev"] = (0, NoDevices),
        ["noexec"] = (NoExecute, 0),
        ["exec"] = (0, NoExecute),
        ["sync"] = (Synchronous, 0),
        ["async"] = (0, Synchronous),
        ["dirsync"] = (DirectorySync, 0),
        ["noatime"] = (NoAccessTime, 0),
        ["atime"] = (0, NoAccessTime),
        ["nodiratime"] = (NoDirectoryAccessTime, 0),
        ["diratime"] = (0, NoDirectoryAccessTime),
        ["relatime"] = (RelativeAccessTime, 0),
        ["norelatime"] = (0, RelativeAccessTime),
        ["strictatime"] = (StrictAccessTime, 0),
        ["nostrictatime"] = (0, StrictAccessTime),
    };

    /// <summary>Meant for mount(8) and its like: nothing to do here.</summary>
    private static readonly HashSet<string> Ignored = new(StringComparer.Ordinal)
    {
        "defaults", "auto", "noauto", "user", "nouser", "users", "_netdev", "nofail", "default_permissions",
    };

    private static readonly Dictionary<string, FuseTransport> Transports = new(StringComparer.Ordinal)
    {
        ["transport=auto"] = FuseTransport.Auto,
        ["transport=device"] = FuseTransport.Device,
        ["transport=uring"] = FuseTransport.Uring,
    };

    private readonly List<string> _passed = [];

    /// <summary>Without suid and dev asked for, a volume's set-user-ID bits and device nodes have no effect: other devices wrote them.</summary>
    public uint Flags { get; private set; } = NoSetUserId | NoDevices;

    public bool AllowOther { get; private set; }

    public bool AllowNonEmpty { get; private set; }

    /// <summary>transport=auto, transport=device or transport=uring.</summary>
    public FuseTransport Transport { get; private set; }

    /// <summary>allow_uring.</summary>
    public bool AllowUring { get; private set; }

    public static MountFlags From(FuseMountOptions options)
    {
        MountFlags flags = new()
        {
            AllowOther = options.AllowOther,
            AllowNonEmpty = options.AllowNonEmpty,
            Transport = options.Transport,
            AllowUring = options.AllowUring,
        };
        foreach (string option in options.Options.SelectMany(static text => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))
        {
            flags.Add(option);
        }

        if (options.ReadOnly)
        {
            flags.Flags |= ReadOnly;
        }

        return flags;
    }

    /// <summary>The text that mount(2) hands to the FUSE driver.</summary>
    public string ToKernelData(int descriptor, uint uid, uint gid)
    {
        const string DirectoryMode = "40000";
        string data = $"fd={descriptor},rootmode={DirectoryMode},user_id={uid},group_id={gid},default_permissions";
        return AllowOther ? data + ",allow_other" : data;
    }

    /// <summary>The option that fusermount3 takes.</summary>
    public string ToFusermountOptions(string fsName, string subtype)
    {
        List<string> options = [$"fsname={Escape(fsName)}", $"subtype={Escape(subtype)}", "default_permissions"];
        options.AddRange(_passed);
        if (AllowOther)
        {
            options.Add("allow_other");
        }

        if ((Flags & ReadOnly) != 0)
        {
            options.Add("ro");
        }

        return string.Join(',', options);
    }

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal);

    private void Add(string option)
    {
        if (Known.TryGetValue(option, out (uint Set, uint Clear) change))
        {
            Flags = (Flags | change.Set) & ~change.Clear;
            _passed.Add(option);
        }
        else if (option == "allow_other")
        {
            AllowOther = true;
        }
        else if (option == "nonempty")
        {
            AllowNonEmpty = true;
        }
        else if (Transports.TryGetValue(option, out FuseTransport transport))
        {
            Transport = transport;
        }
        else if (option == "allow_uring")
        {
            AllowUring = true;
        }
        else if (!Ignored.Contains(option) && !option.StartsWith("x-", StringComparison.Ordinal))
        {
            throw new FuseException($"The mount option '{option}' is not known: leave it out, or see the manual for those that are.");
        }
    }
}
