using Drive.Core.Volumes;

namespace Drive.Core.Rows;

/// <summary>A node as it stands in the metadata and in commits. Times are nanoseconds since 1970 UTC.</summary>
public sealed record NodeRow
{
    /// <summary>Which node.</summary>
    public required NodeId Node { get; init; }

    /// <summary>Type and permission bits.</summary>
    public required uint Mode { get; init; }

    /// <summary>
    /// Links. For a directory a local count (2 + subdirectories) that commits leave out, since it follows from the entries.
    /// </summary>
    public required uint LinkCount { get; init; }

    /// <summary>Owner.</summary>
    public uint Uid { get; init; }

    /// <summary>Group.</summary>
    public uint Gid { get; init; }

    /// <summary>Device number of a device node.</summary>
    public uint DeviceNumber { get; init; }

    /// <summary>Length of a regular file in bytes; 0 for others.</summary>
    public long Size { get; init; }

    /// <summary>Last access. Local: a row that differs only here is not committed.</summary>
    public long AccessTime { get; init; }

    /// <summary>Last change of content.</summary>
    public long ModifyTime { get; init; }

    /// <summary>Last change of content or attributes.</summary>
    public long ChangeTime { get; init; }

    /// <summary>When it was made.</summary>
    public long BirthTime { get; init; }

    /// <summary>Target of a symbolic link, else null.</summary>
    public byte[]? LinkTarget { get; init; }
}

/// <summary>A name in a directory.</summary>
/// <param name="Parent">The directory.</param>
/// <param name="Name">1 to 255 bytes.</param>
/// <param name="Node">What it names.</param>
/// <param name="EntryId">
/// Local: counts up with each entry made on this device's database, gives the order and cookie of listings. Not part of commits.
/// </param>
public sealed record EntryRow(NodeId Parent, byte[] Name, NodeId Node, long EntryId);

/// <summary>
/// A range of a file that a block holds. Extents of one file never overlap; what no extent covers, up to the size, is a hole.
/// Extents change only when a commit lands; what is not yet committed lies over them as <see cref="DirtyRow"/>s.
/// </summary>
/// <param name="Node">The file.</param>
/// <param name="Offset">Start in the file, bytes.</param>
/// <param name="Length">Bytes, at least 1.</param>
/// <param name="Block">The block.</param>
/// <param name="BlockOffset">Start in the block's plaintext, bytes.</param>
public sealed record ExtentRow(NodeId Node, long Offset, int Length, BlockId Block, int BlockOffset)
{
    /// <summary>First byte after it.</summary>
    public long End => Offset + Length;
}

/// <summary>An extended attribute.</summary>
/// <param name="Node">The node.</param>
/// <param name="Name">Whole name, "user.x".</param>
/// <param name="Value">0 to 65,536 bytes.</param>
public sealed record XattrRow(NodeId Node, byte[] Name, byte[] Value);

/// <summary>Where a block lies.</summary>
/// <param name="Block">Its identity.</param>
/// <param name="Pack">The pack that holds it.</param>
/// <param name="PackOffset">First byte of its first sealed segment in the pack object.</param>
/// <param name="FirstSegment">Number of its first segment in the pack: part of each segment's nonce.</param>
/// <param name="PlainLength">1 to 1,048,576 bytes.</param>
/// <param name="Segments">
/// Stored length of each segment's ciphertext with tag, in order; the lowest bit says compressed: <c>length * 2 + (compressed ? 1 : 0)</c>.
/// Every segment but the last holds 65,536 plain bytes.
/// </param>
public sealed record BlockRow(BlockId Block, PackId Pack, long PackOffset, int FirstSegment, int PlainLength, int[] Segments);

/// <summary>What a dirty row's range is.</summary>
public enum DirtyKind
{
    /// <summary>Bytes in the dirty log.</summary>
    Data = 0,

    /// <summary>Zeros: cut, punched, or grown.</summary>
    Hole = 1,

    /// <summary>Bytes of a block of the vault, shared by copy_file_range.</summary>
    Block = 2,
}

/// <summary>
/// A range of a file that differs from its extents and is not yet committed. Rows of one file never overlap. Local, never in commits.
/// </summary>
/// <param name="Node">The file.</param>
/// <param name="Offset">Start in the file.</param>
/// <param name="Length">Bytes; a hole may reach to the largest offset.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Segment">Dirty-log segment (Data).</param>
/// <param name="Position">Start of the record in the segment (Data).</param>
/// <param name="RecordLength">Plain bytes in the whole record (Data).</param>
/// <param name="InnerOffset">Where the range starts in the record's, or the block's, plain bytes.</param>
/// <param name="Block">The block (Block).</param>
public sealed record DirtyRow(
    NodeId Node, long Offset, long Length, DirtyKind Kind, long Segment, long Position, int RecordLength, int InnerOffset, BlockId Block);

/// <summary>Rows of all kinds that a commit, a checkpoint or an epoch is about.</summary>
public sealed class RowSet
{
    /// <summary>Nodes.</summary>
    public List<NodeRow> Nodes { get; } = [];

    /// <summary>Entries.</summary>
    public List<EntryRow> Entries { get; } = [];

    /// <summary>Extents.</summary>
    public List<ExtentRow> Extents { get; } = [];

    /// <summary>Extended attributes.</summary>
    public List<XattrRow> Xattrs { get; } = [];

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => Nodes.Count + Entries.Count + Extents.Count + Xattrs.Count == 0;
}

/// <summary>
/// A change of the tree: rows that end and rows that begin. A row that is replaced stands in both. Closed rows are whole,
/// so that the state hash can be taken back from them; a commit stores only their keys.
/// </summary>
public sealed class RowChanges
{
    /// <summary>Rows that hold no longer.</summary>
    public RowSet Closed { get; } = new();

    /// <summary>Rows that hold from now on.</summary>
    public RowSet Opened { get; } = new();

    /// <summary>Blocks that opened extents name and the vault did not have, and blocks that moved.</summary>
    public List<BlockRow> Blocks { get; } = [];

    /// <summary>Whether nothing changes.</summary>
    public bool IsEmpty => Closed.IsEmpty && Opened.IsEmpty && Blocks.Count == 0;
}
