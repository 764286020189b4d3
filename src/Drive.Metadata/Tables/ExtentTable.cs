using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>
/// Versioned extents. They change only with commits, so their seqs are always real. Current extents of a node do not overlap, which
/// is why the one that reaches into a range from before it is found by one step back.
/// </summary>
internal sealed class ExtentTable(Database database)
{
    private const string Columns = "node, start, length, block, block_offset";

    private readonly Statement _read = database.Prepare(
        $"""
        SELECT {Columns} FROM extent
        WHERE node = ?1 AND to_seq = {Versions.Open} AND start < ?3
            AND start >= coalesce((SELECT max(start) FROM extent WHERE node = ?1 AND to_seq = {Versions.Open} AND start <= ?2), ?2)
        ORDER BY start LIMIT ?4
        """);
    private readonly Statement _readAt = database.Prepare(
        $"SELECT {Columns} FROM extent WHERE node = ?1 AND to_seq > ?4 AND from_seq <= ?4 AND start < ?3 AND start + length > ?2 ORDER BY start");
    private readonly Statement _ended = database.Prepare($"SELECT {Columns} FROM extent WHERE node = ?1 AND to_seq < {Versions.Open}");
    private readonly Statement _insert = database.Prepare(
        $"INSERT INTO extent(node, to_seq, start, from_seq, length, block, block_offset) VALUES (?1, {Versions.Open}, ?2, ?3, ?4, ?5, ?6)");
    private readonly Statement _close = database.Prepare($"UPDATE extent SET to_seq = ?3 WHERE node = ?1 AND to_seq = {Versions.Open} AND start = ?2");
    private readonly Statement _find = database.Prepare($"SELECT {Columns} FROM extent WHERE node = ?1 AND to_seq = {Versions.Open} AND start = ?2");
    private readonly Statement _page = database.Prepare(
        $"""
        SELECT {Columns}, from_seq FROM extent WHERE node > ?1 AND from_seq <= ?2 AND to_seq > ?2
            AND EXISTS (SELECT 1 FROM node n WHERE n.node = extent.node AND n.from_seq <= ?2 AND n.to_seq > ?2 AND n.links > 0)
        ORDER BY node
        """);

    private readonly Statement _spans = database.Prepare(
        "SELECT node, to_seq, start, from_seq, block FROM extent WHERE (node, to_seq, start) > (?1, ?2, ?3) ORDER BY node, to_seq, start LIMIT ?4");

    /// <summary>Extents that hold no longer, in no order.</summary>
    public List<ExtentRow> ReadEnded(NodeId node) => _ended.Bind(1, (long)node.Value).ReadAll(Read);

    /// <summary>The first extents that overlap [start, end), in order.</summary>
    public List<ExtentRow> Read(NodeId node, long start, long end, int countMax)
    {
        List<ExtentRow> rows = _read.Bind(1, (long)node.Value).Bind(2, start).Bind(3, end).Bind(4, countMax + 1L).ReadAll(Read);
        if (rows.Count > 0 && rows[0].End <= start)
        {
            rows.RemoveAt(0);
        }
        else if (rows.Count > countMax)
        {
            rows.RemoveAt(countMax);
        }

        return rows;
    }

    public List<ExtentRow> ReadAt(NodeId node, long start, long end, long seq) =>
        _readAt.Bind(1, (long)node.Value).Bind(2, start).Bind(3, end).Bind(4, seq).ReadAll(Read);

    /// <summary>The current extent that starts there.</summary>
    public ExtentRow? Find(NodeId node, long offset) => _find.Bind(1, (long)node.Value).Bind(2, offset).ReadFirst(Read);

    /// <summary>Closes and opens at a real seq.</summary>
    public void Apply(List<ExtentRow> closed, List<ExtentRow> opened, long seq)
    {
        foreach (ExtentRow row in closed)
        {
            if (_close.Bind(1, (long)row.Node.Value).Bind(2, row.Offset).Bind(3, seq).Run() != 1)
            {
                throw new InvalidOperationException($"A commit closes an extent that is not there: {row.Node} at {row.Offset}.");
            }
        }

        foreach (ExtentRow row in opened)
        {
            Put(row, seq);
        }
    }

    /// <summary>Puts a row that holds from a real seq on.</summary>
    public void Put(ExtentRow row, long seq) => _insert.Bind(1, (long)row.Node.Value).Bind(2, row.Offset).Bind(3, seq).Bind(4, row.Length)
        .Bind(5, row.Block.Value.AsSpan()).Bind(6, row.BlockOffset).Run();

    /// <summary>Extents as of a seq of whole nodes after <paramref name="after"/>, until there are enough; ordered by node and offset.</summary>
    public List<Held<ExtentRow>> ReadPage(NodeId after, long seq, int countMax)
    {
        List<Held<ExtentRow>> rows = _page.Bind(1, (long)after.Value).Bind(2, seq)
            .ReadWholeNodes(countMax, static row => new Held<ExtentRow>(Read(row), row.Long(5)), static held => held.Row.Node);
        rows.Sort(static (a, b) => (a.Row.Node.Value, a.Row.Offset).CompareTo((b.Row.Node.Value, b.Row.Offset)));
        return rows;
    }

    /// <summary>The next rows of all versions, by primary key.</summary>
    public List<BlockSpan> ReadSpans(ref (long Node, long To, long Start) after, int countMax)
    {
        List<BlockSpan> spans = [];
        _spans.Bind(1, after.Node).Bind(2, after.To).Bind(3, after.Start).Bind(4, countMax);
        try
        {
            while (_spans.Step())
            {
                after = (_spans.Long(0), _spans.Long(1), _spans.Long(2));
                spans.Add(new BlockSpan(new BlockId(_spans.Id(4)), _spans.Long(3), after.To));
            }

            return spans;
        }
        finally
        {
            _spans.Reset();
        }
    }

    public static ExtentRow Read(Statement from) =>
        new(new NodeId((ulong)from.Long(0)), from.Long(1), from.Int(2), new BlockId(from.Id(3)), from.Int(4));
}
