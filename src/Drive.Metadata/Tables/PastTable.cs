using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>Versions of rows, and rows as of a seq together with what hangs on them: what looking at history asks. Made with the first look.</summary>
internal sealed class PastTable(Database database, RowSeal seal, EntryTable entries, NodeTable nodes)
{
    private const string NodeColumns = "n.node, n.mode, n.links, n.uid, n.gid, n.device, n.size, n.atime, n.mtime, n.ctime, n.btime, n.target";
    private const string ExtentColumns = "node, start, length, block, block_offset";
    private const int ListedNode = 4;
    private const int AfterNode = 12;

    private readonly Statement _children = database.Prepare(
        $"""
        SELECT e.parent, e.node, e.entry_id, e.name, {NodeColumns} FROM (
            SELECT {EntryTable.Columns} FROM entry INDEXED BY entry_listed
                WHERE parent = ?1 AND entry_id > ?2 AND to_seq = {Versions.Open} AND from_seq <= ?4
            UNION ALL
            SELECT {EntryTable.Columns} FROM entry INDEXED BY entry_past
                WHERE parent = ?1 AND entry_id > ?2 AND to_seq < {Versions.Open} AND to_seq > ?4 AND from_seq <= ?4
            ORDER BY entry_id LIMIT ?3) AS e
        LEFT JOIN node n ON n.node = e.node AND n.to_seq > ?4 AND n.from_seq <= ?4
        ORDER BY e.entry_id
        """);

    // Current rows are found at their place. Of those that ended since, all of the file are read: they lie in the order in which they ended.
    private readonly Statement _extents = database.Prepare(
        $"""
        SELECT * FROM (
            SELECT {ExtentColumns} FROM extent
                WHERE node = ?1 AND to_seq = {Versions.Open} AND from_seq <= ?4
                AND start >= coalesce((SELECT max(start) FROM extent WHERE node = ?1 AND to_seq = {Versions.Open} AND start <= ?2), ?2)
                AND start + length > ?2
            UNION ALL
            SELECT {ExtentColumns} FROM extent
                WHERE node = ?1 AND to_seq > ?4 AND to_seq < {Versions.Open} AND from_seq <= ?4 AND start + length > ?2)
        ORDER BY start LIMIT ?3
        """);
    private readonly Statement _allocated = database.Prepare("SELECT total(length) FROM extent WHERE node = ?1 AND to_seq > ?2 AND from_seq <= ?2");
    private readonly Statement _entryVersions = database.Prepare("SELECT node, from_seq, to_seq FROM entry WHERE parent = ?1 AND name_hash = ?2 ORDER BY from_seq");
    private readonly Statement _nodeVersions = database.Prepare($"SELECT {NodeColumns}, n.from_seq, n.to_seq FROM node n WHERE n.node = ?1 ORDER BY n.from_seq");

    public int ListChildren(NodeId parent, long afterEntryId, int countMax, List<ChildRow> into, long seq) =>
        _children.Bind(1, (long)parent.Value).Bind(2, afterEntryId).Bind(3, countMax).Bind(4, seq).ReadInto(into, ReadChild);

    public List<ExtentRow> ReadFirstExtents(NodeId node, long start, int countMax, long seq) =>
        _extents.Bind(1, (long)node.Value).Bind(2, start).Bind(3, countMax).Bind(4, seq).ReadAll(ReadExtent);

    public long CountAllocated(NodeId node, long seq)
    {
        _allocated.Bind(1, (long)node.Value).Bind(2, seq).Step();
        long bytes = _allocated.Long(0);
        _allocated.Reset();
        return bytes;
    }

    public List<EntryVersion> ReadEntryVersions(NodeId parent, ReadOnlySpan<byte> name)
    {
        Span<byte> hash = stackalloc byte[RowSeal.HashSize];
        seal.Hash(SealKind.Entry, parent, name, hash);
        return _entryVersions.Bind(1, (long)parent.Value).Bind(2, hash).ReadAll(static row => new EntryVersion(new NodeId((ulong)row.Long(0)), row.Long(1), row.Long(2)));
    }

    public List<NodeVersion> ReadNodeVersions(NodeId node) =>
        _nodeVersions.Bind(1, (long)node.Value).ReadAll(row => new NodeVersion(nodes.ReadRow(row), row.Long(AfterNode), row.Long(AfterNode + 1)));

    private ChildRow ReadChild(Statement from) => new(entries.ReadRow(from), from.IsNull(ListedNode) ? null : nodes.ReadRow(from, ListedNode));

    private static ExtentRow ReadExtent(Statement from) =>
        new(new NodeId((ulong)from.Long(0)), from.Long(1), from.Int(2), new BlockId(from.Id(3)), from.Int(4));
}
