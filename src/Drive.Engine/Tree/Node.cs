using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Reading;

namespace Drive.Engine.Tree;

/// <summary>
/// A node in memory: the truth about it while it is here. Guarded by the volume's gate. It may be dropped from memory once the database
/// has its last change (<see cref="LastChange"/>) and nobody holds it.
/// </summary>
internal sealed class Node
{
    private const int DirectoryBytes = 4096;
    private const int StatBlockBytes = 512;

    public required NodeId Id { get; init; }

    public uint Mode { get; set; }

    public uint LinkCount { get; set; }

    public uint Uid { get; set; }

    public uint Gid { get; set; }

    public uint DeviceNumber { get; init; }

    public long Size { get; set; }

    public long AccessTime { get; set; }

    public long ModifyTime { get; set; }

    public long ChangeTime { get; set; }

    public long BirthTime { get; init; }

    public byte[]? LinkTarget { get; init; }

    /// <summary>The directory that names this one (directories only); to walk up.</summary>
    public NodeId Parent { get; set; }

    /// <summary>Open handles.</summary>
    public int OpenCount { get; set; }

    /// <summary>Whether the adapter said that it let go (matters once there is no link).</summary>
    public bool IsForgotten { get; set; }

    /// <summary>Whether it was made without a name and may still get one.</summary>
    public bool IsLinkable { get; set; }

    /// <summary>Whether the database never had it.</summary>
    public bool IsNew { get; set; }

    /// <summary>Whether it waits in the list of changed nodes for the next local commit.</summary>
    public bool IsChanged { get; set; }

    /// <summary>Whether only the access time waits.</summary>
    public bool IsAccessTimeChanged { get; set; }

    /// <summary>Number of the volume's change that last touched it or its entries.</summary>
    public long LastChange { get; set; }

    /// <summary>For eviction: the volume's use counter when it was last found.</summary>
    public long LastUse { get; set; }

    /// <summary>Names, when it is a directory and some were asked.</summary>
    public DirectoryEntries? Entries { get; set; }

    /// <summary>Uncommitted content; null when there is none.</summary>
    public Overlay? Overlay { get; set; }

    /// <summary>Extended attributes by name, when they were asked.</summary>
    public Dictionary<byte[], byte[]>? Xattrs { get; set; }

    /// <summary>Whether they could not be read before the database forgot them (an unlinked file only).</summary>
    public bool AreXattrsLost { get; set; }

    /// <summary>Whether committed extents, or ones being committed, may exist: then a cut needs a hole over them.</summary>
    public bool MayHaveExtents { get; set; }

    /// <summary>Extents kept for an unlinked file that is still open, when its removal was committed.</summary>
    public IReadOnlyList<ExtentRow>? PinnedExtents { get; set; }

    /// <summary>How it is being read, when the store is far away; null before the first read.</summary>
    public ReadStreams? Streams { get; set; }

    /// <summary>Committed extents that reads asked for; null when none are known.</summary>
    public ExtentWindows? Windows { get; set; }

    /// <summary>Bytes that data covers, or -1 when they must be counted.</summary>
    public long AllocatedKnown { get; set; } = -1;

    /// <summary>Whether the file may have holes below its size, so that its allocation must be counted.</summary>
    public bool MaySparse { get; set; }

    public bool IsDirectory => FileMode.IsDirectory(Mode);

    public bool IsRegular => FileMode.IsRegular(Mode);

    public static Node FromRow(NodeRow row) => new()
    {
        Id = row.Node,
        Mode = row.Mode,
        LinkCount = row.LinkCount,
        Uid = row.Uid,
        Gid = row.Gid,
        DeviceNumber = row.DeviceNumber,
        Size = row.Size,
        AccessTime = row.AccessTime,
        ModifyTime = row.ModifyTime,
        ChangeTime = row.ChangeTime,
        BirthTime = row.BirthTime,
        LinkTarget = row.LinkTarget,
        MayHaveExtents = FileMode.IsRegular(row.Mode),
        MaySparse = FileMode.IsRegular(row.Mode),
    };

    public NodeRow ToRow() => new()
    {
        Node = Id,
        Mode = Mode,
        LinkCount = LinkCount,
        Uid = Uid,
        Gid = Gid,
        DeviceNumber = DeviceNumber,
        Size = IsRegular ? Size : 0,
        AccessTime = AccessTime,
        ModifyTime = ModifyTime,
        ChangeTime = ChangeTime,
        BirthTime = BirthTime,
        LinkTarget = LinkTarget,
    };

    /// <summary>A size in whole units of what stat(2) counts allocation in.</summary>
    public static long RoundUp(long bytes) =>
        (long)Math.Min(long.MaxValue, ((ulong)bytes + StatBlockBytes - 1) / StatBlockBytes * StatBlockBytes);

    public NodeAttributes ToAttributes()
    {
        long size = IsDirectory ? DirectoryBytes : LinkTarget is not null ? LinkTarget.Length : Size;
        return new NodeAttributes
        {
            Node = Id,
            Mode = Mode,
            LinkCount = LinkCount,
            Uid = Uid,
            Gid = Gid,
            DeviceNumber = DeviceNumber,
            Size = size,
            AllocatedBytes = IsRegular || IsDirectory ? RoundUp(size) : 0,
            AccessTime = AccessTime,
            ModifyTime = ModifyTime,
            ChangeTime = ChangeTime,
            BirthTime = BirthTime,
        };
    }
}
