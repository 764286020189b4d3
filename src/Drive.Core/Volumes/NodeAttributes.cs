namespace Drive.Core.Volumes;

/// <summary>What stat(2) shows of a node. Times are nanoseconds since 1970-01-01 UTC (years 1678 to 2262).</summary>
public struct NodeAttributes
{
    /// <summary>The node's identity (<c>st_ino</c>).</summary>
    public NodeId Node;

    /// <summary>Type and permission bits, see <see cref="FileMode"/>.</summary>
    public uint Mode;

    /// <summary>Number of links. A directory counts 2 and one for each subdirectory. 0: unlinked but still held.</summary>
    public uint LinkCount;

    /// <summary>Owner.</summary>
    public uint Uid;

    /// <summary>Group.</summary>
    public uint Gid;

    /// <summary>Device number of a device node in Linux's 32-bit encoding, else 0.</summary>
    public uint DeviceNumber;

    /// <summary>Length in bytes; of a symbolic link, of its target; of a directory, 4,096.</summary>
    public long Size;

    /// <summary>Bytes that are allocated: holes do not count.</summary>
    public long AllocatedBytes;

    /// <summary>Last access, kept as with the mount option relatime.</summary>
    public long AccessTime;

    /// <summary>Last change of the content.</summary>
    public long ModifyTime;

    /// <summary>Last change of content or attributes.</summary>
    public long ChangeTime;

    /// <summary>When the node was made.</summary>
    public long BirthTime;
}

/// <summary>Who calls. Permissions are checked by the adapter's kernel, ownership of new nodes comes from here.</summary>
/// <param name="Uid">The caller's file-system user id.</param>
/// <param name="Gid">The caller's file-system group id.</param>
/// <param name="ProcessId">The caller's process, for logs.</param>
public readonly record struct Caller(uint Uid, uint Gid, int ProcessId = 0)
{
    /// <summary>The superuser.</summary>
    public static Caller Root => default;
}

/// <summary>Which fields a <see cref="AttributeChange"/> sets.</summary>
[Flags]
public enum AttributeFields
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Permission bits.</summary>
    Mode = 1,

    /// <summary>Owner.</summary>
    Uid = 2,

    /// <summary>Group.</summary>
    Gid = 4,

    /// <summary>Length: cut, or grown with a hole.</summary>
    Size = 8,

    /// <summary>Access time to the given value.</summary>
    AccessTime = 16,

    /// <summary>Modification time to the given value.</summary>
    ModifyTime = 32,

    /// <summary>Access time to now.</summary>
    AccessTimeNow = 64,

    /// <summary>Modification time to now.</summary>
    ModifyTimeNow = 128,

    /// <summary>Change time to the given value (only a kernel with its own write-back cache asks this).</summary>
    ChangeTime = 256,

    /// <summary>Set-user-ID, set-group-ID and file capabilities are to go, see <see cref="FileMode.WithoutPrivileges"/>.</summary>
    KillPrivileges = 512,
}

/// <summary>A change of attributes, applied as a whole or not at all. Fields not named in <see cref="Fields"/> are ignored.</summary>
public struct AttributeChange
{
    /// <summary>What to set.</summary>
    public AttributeFields Fields;

    /// <summary>New permission bits; type bits are ignored.</summary>
    public uint Mode;

    /// <summary>New owner.</summary>
    public uint Uid;

    /// <summary>New group.</summary>
    public uint Gid;

    /// <summary>New length in bytes.</summary>
    public long Size;

    /// <summary>Nanoseconds since 1970.</summary>
    public long AccessTime;

    /// <summary>Nanoseconds since 1970.</summary>
    public long ModifyTime;

    /// <summary>Nanoseconds since 1970.</summary>
    public long ChangeTime;
}
