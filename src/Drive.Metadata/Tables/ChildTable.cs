using Drive.Core.Volumes;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>Current entries together with the nodes they name: one statement where a look-up would take two, and one for a page of a listing.</summary>
internal sealed class ChildTable(Database database, RowSeal seal, EntryTable entries, NodeTable nodes)
{
    private const string NodeColumns = "n.node, n.mode, n.links, n.uid, n.gid, n.device, n.size, n.atime, n.mtime, n.ctime, n.btime, n.target";
    private const int FoundNode = 2;
    private const int ListedNode = 4;

    private readonly Statement _find = database.Prepare(
        $"""
        SELECT e.node, e.entry_id, {NodeColumns} FROM entry e LEFT JOIN node n ON n.node = e.node AND n.to_seq = {Versions.Open}
        WHERE e.parent = ?1 AND e.name_hash = ?2 AND e.to_seq = {Versions.Open}
        """);
    private readonly Statement _list = database.Prepare(
        $"""
        SELECT e.parent, e.node, e.entry_id, e.name, {NodeColumns} FROM entry e INDEXED BY entry_listed
            LEFT JOIN node n ON n.node = e.node AND n.to_seq = {Versions.Open}
        WHERE e.parent = ?1 AND e.entry_id > ?2 AND e.to_seq = {Versions.Open} ORDER BY e.entry_id LIMIT ?3
        """);

    public ChildRow? Find(NodeId parent, ReadOnlySpan<byte> name)
    {
        Span<byte> hash = stackalloc byte[RowSeal.HashSize];
        seal.Hash(SealKind.Entry, parent, name, hash);
        _find.Bind(1, (long)parent.Value).Bind(2, hash);
        try
        {
            return _find.Step()
                ? new ChildRow(new(parent, name.ToArray(), new NodeId((ulong)_find.Long(0)), _find.Long(1)), ReadNode(_find, FoundNode))
                : null;
        }
        finally
        {
            _find.Reset();
        }
    }

    public int List(NodeId parent, long afterEntryId, int countMax, List<ChildRow> into) =>
        _list.Bind(1, (long)parent.Value).Bind(2, afterEntryId).Bind(3, countMax).ReadInto(into, ReadListed);

    private ChildRow ReadListed(Statement from) => new(entries.ReadRow(from), ReadNode(from, ListedNode));

    private Core.Rows.NodeRow? ReadNode(Statement from, int first) => from.IsNull(first) ? null : nodes.ReadRow(from, first);
}
