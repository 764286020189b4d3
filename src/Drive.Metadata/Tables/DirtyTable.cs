using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>Dirty ranges. Local and without versions.</summary>
internal sealed class DirtyTable(Database database)
{
    public const string Columns = "node, start, length, kind, segment, position, record_length, inner_offset, block";

    private readonly Statement _read = database.Prepare($"SELECT {Columns} FROM dirty WHERE node = ?1 ORDER BY start");
    private readonly Statement _page = database.Prepare($"SELECT {Columns} FROM dirty WHERE (node, start) > (?1, ?2) ORDER BY node, start LIMIT ?3");
    private readonly Statement _nextNode = database.Prepare("SELECT node FROM dirty WHERE node > ?1 ORDER BY node LIMIT 1");
    private readonly Statement _put = database.Prepare($"INSERT OR REPLACE INTO dirty({Columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    private readonly Statement _remove = database.Prepare("DELETE FROM dirty WHERE node = ?1 AND start = ?2");

    public List<DirtyRow> Read(NodeId node) => _read.Bind(1, (long)node.Value).ReadAll(ReadRow);

    public List<DirtyRow> ReadPage(NodeId afterNode, long afterOffset, int countMax) =>
        _page.Bind(1, (long)afterNode.Value).Bind(2, afterOffset).Bind(3, countMax).ReadAll(ReadRow);

    /// <summary>The nodes that have dirty ranges, by number: one probe each, however many ranges there are.</summary>
    public List<NodeId> ReadNodes()
    {
        List<NodeId> nodes = [];
        long last = 0;
        while (_nextNode.Bind(1, last).Step())
        {
            last = _nextNode.Long(0);
            nodes.Add(new NodeId((ulong)last));
            _nextNode.Reset();
        }

        _nextNode.Reset();
        return nodes;
    }

    public void Put(DirtyRow row)
    {
        _put.Bind(1, (long)row.Node.Value).Bind(2, row.Offset).Bind(3, row.Length).Bind(4, (long)row.Kind).Bind(5, row.Segment)
            .Bind(6, row.Position).Bind(7, row.RecordLength).Bind(8, row.InnerOffset);
        (row.Kind == DirtyKind.Block ? _put.Bind(9, row.Block.Value.AsSpan()) : _put.BindNull(9)).Run();
    }

    public void Remove(NodeId node, long offset) => _remove.Bind(1, (long)node.Value).Bind(2, offset).Run();

    public static DirtyRow ReadRow(Statement from) => new(
        new NodeId((ulong)from.Long(0)), from.Long(1), from.Long(2), (DirtyKind)from.Int(3), from.Long(4), from.Long(5), from.Int(6), from.Int(7),
        from.IsNull(8) ? default : new BlockId(from.Id(8)));
}
