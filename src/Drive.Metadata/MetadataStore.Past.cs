using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata.Tables;

namespace Drive.Metadata;

/// <summary>Looking at history: rows as of a seq with what hangs on them, and all versions of a row.</summary>
public sealed partial class MetadataStore
{
    private PastTable? _past;

    /// <summary>Its statements are prepared with the first look, so that a start does not pay for them. Under the lock.</summary>
    private PastTable Past => _past ??= new PastTable(_database, _seal, _entries, _nodes);

    /// <summary><see cref="ReadEntries(NodeId, long, int, List{EntryRow}, long)"/> with the nodes.</summary>
    public int ReadChildren(NodeId parent, long afterEntryId, int countMax, List<ChildRow> into, long asOf) =>
        Read(() => Past.ListChildren(parent, afterEntryId, countMax, into, asOf));

    /// <summary>The first extents that end after <paramref name="start"/>, by offset, as of a seq. Costs a look at each of the file's extents that ended since.</summary>
    public IReadOnlyList<ExtentRow> ReadFirstExtents(NodeId node, long start, int countMax, long asOf) =>
        Read(() => Past.ReadFirstExtents(node, start, countMax, asOf));

    /// <summary>Bytes that a file's extents covered.</summary>
    public long CountAllocated(NodeId node, long asOf) => Read(() => Past.CountAllocated(node, asOf));

    /// <summary>What a name in a directory led to, oldest first: committed and not.</summary>
    public IReadOnlyList<EntryVersion> ReadEntryVersions(NodeId parent, byte[] name) => Read(() => Past.ReadEntryVersions(parent, name));

    /// <summary>How a node was, oldest first: committed and not.</summary>
    public IReadOnlyList<NodeVersion> ReadNodeVersions(NodeId node) => Read(() => Past.ReadNodeVersions(node));
}
