using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>
/// Versioned nodes. Every change is made "at" a seq: the provisional one of an epoch, or that of a commit from elsewhere. A row
/// opened at the same seq is changed in place, so nothing is kept that was never seen from outside.
/// </summary>
internal sealed class NodeTable(Database database, RowSeal seal, Counters counters)
{
    public const string Columns = "node, mode, links, uid, gid, device, size, atime, mtime, ctime, btime, target";

    /// <summary>What comes after the columns of a row.</summary>
    private const int FromColumn = 12;

    /// <summary>Sets the link count of every current directory: its name, its own ".", and the ".." of each subdirectory.</summary>
    public const string CountSubdirectories =
        $"""
        UPDATE node SET links = 2 + (
            SELECT count(*) FROM entry e JOIN node child ON child.node = e.node AND child.to_seq = {Versions.Open}
            WHERE e.parent = node.node AND e.to_seq = {Versions.Open} AND child.mode & 61440 = 16384)
        WHERE to_seq = {Versions.Open} AND mode & 61440 = 16384
        """;

    private readonly Statement _find = database.Prepare($"SELECT {Columns} FROM node WHERE node = ?1 AND to_seq = {Versions.Open}");
    private readonly Statement _findAt = database.Prepare(
        $"SELECT {Columns}, from_seq FROM node WHERE node = ?1 AND to_seq > ?2 ORDER BY to_seq LIMIT 1");
    private readonly Statement _peek = database.Prepare($"SELECT from_seq, mode, size FROM node WHERE node = ?1 AND to_seq = {Versions.Open}");
    private readonly Statement _insert = database.Prepare(
        $"INSERT INTO node({Columns}, to_seq, from_seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, {Versions.Open}, ?13)");
    private readonly Statement _update = database.Prepare(
        $"""
        UPDATE node SET mode = ?2, links = ?3, uid = ?4, gid = ?5, device = ?6, size = ?7, atime = ?8, mtime = ?9, ctime = ?10, btime = ?11, target = ?12
        WHERE node = ?1 AND to_seq = {Versions.Open}
        """);
    private readonly Statement _updateAccessTime = database.Prepare($"UPDATE node SET atime = ?2 WHERE node = ?1 AND to_seq = {Versions.Open}");
    private readonly Statement _close = database.Prepare($"UPDATE node SET to_seq = ?2 WHERE node = ?1 AND to_seq = {Versions.Open}");
    private readonly Statement _delete = database.Prepare($"DELETE FROM node WHERE node = ?1 AND to_seq = {Versions.Open}");
    private readonly Statement _orphans = database.Prepare($"SELECT node FROM node INDEXED BY node_orphan WHERE links = 0 AND to_seq = {Versions.Open}");
    private readonly Statement _opened = database.Prepare(
        $"SELECT {Columns} FROM node INDEXED BY node_opened WHERE from_seq = ?1 AND {Versions.FromIsProvisional}");
    private readonly Statement _closed = database.Prepare(
        $"SELECT {Columns} FROM node INDEXED BY node_closed WHERE to_seq = ?1 AND {Versions.ToIsProvisional}");
    private readonly Statement _uncommitted = database.Prepare(
        $"SELECT {Columns} FROM node INDEXED BY node_opened WHERE {Versions.FromIsProvisional} AND to_seq = {Versions.Open}");
    private readonly Statement _ended = database.Prepare(
        $"""
        SELECT DISTINCT node FROM node AS old INDEXED BY node_closed WHERE {Versions.ToIsProvisional}
            AND NOT EXISTS (SELECT 1 FROM node AS now WHERE now.node = old.node AND now.to_seq = {Versions.Open})
        """);
    private readonly Statement _page = database.Prepare(
        $"SELECT {Columns}, from_seq FROM node WHERE node > ?1 AND from_seq <= ?2 AND to_seq > ?2 AND links > 0 ORDER BY node LIMIT ?3");
    private readonly Statement _moveFrom = database.Prepare("UPDATE node SET from_seq = ?3 WHERE node = ?1 AND from_seq = ?2");
    private readonly Statement _moveTo = database.Prepare("UPDATE node SET to_seq = ?3 WHERE node = ?1 AND to_seq = ?2");

    public NodeRow? Find(NodeId node) => _find.Bind(1, (long)node.Value).ReadFirst(ReadRow);

    public NodeRow? FindAt(NodeId node, long seq)
    {
        (NodeRow Row, long From)? found = null;
        try
        {
            if (_findAt.Bind(1, (long)node.Value).Bind(2, seq).Step())
            {
                found = (ReadRow(_findAt), _findAt.Long(FromColumn));
            }
        }
        finally
        {
            _findAt.Reset();
        }

        return found is { } first && first.From <= seq ? first.Row : null;
    }

    public void Put(NodeRow row, long at, bool isNew)
    {
        if (!isNew && Peek(row.Node) is { } current)
        {
            counters.CountFile(current.Mode, current.Size, -1);
            if (current.From == at)
            {
                Write(_update, row).Run();
                counters.CountFile(row.Mode, row.Size, 1);
                return;
            }

            _close.Bind(1, (long)row.Node.Value).Bind(2, at).Run();
        }

        Write(_insert, row).Bind(13, at).Run();
        counters.CountFile(row.Mode, row.Size, 1);
    }

    public void PutAccessTime(NodeId node, long accessTime) => _updateAccessTime.Bind(1, (long)node.Value).Bind(2, accessTime).Run();

    /// <summary>False when there is none.</summary>
    public bool Remove(NodeId node, long at)
    {
        if (Peek(node) is not { } current)
        {
            return false;
        }

        counters.CountFile(current.Mode, current.Size, -1);
        Statement statement = current.From == at ? _delete.Bind(1, (long)node.Value) : _close.Bind(1, (long)node.Value).Bind(2, at);
        statement.Run();
        return true;
    }

    public List<NodeId> ReadOrphans() => _orphans.ReadAll(static row => new NodeId((ulong)row.Long(0)));

    public List<NodeRow> ReadOpened(long at) => _opened.Bind(1, at).ReadAll(ReadRow);

    public List<NodeRow> ReadClosed(long at) => _closed.Bind(1, at).ReadAll(ReadRow);

    /// <summary>Current rows that no commit holds.</summary>
    public List<NodeRow> ReadUncommitted() => _uncommitted.ReadAll(ReadRow);

    /// <summary>Nodes that are gone since the last commit.</summary>
    public List<NodeId> ReadEnded() => _ended.ReadAll(static row => new NodeId((ulong)row.Long(0)));

    /// <summary>Nodes with links as of a seq, by number.</summary>
    public List<Held<NodeRow>> ReadPage(NodeId after, long seq, int countMax) =>
        _page.Bind(1, (long)after.Value).Bind(2, seq).Bind(3, countMax).ReadAll(row => new Held<NodeRow>(ReadRow(row), row.Long(FromColumn)));

    /// <summary>What one node's rows did at one seq they now do at another.</summary>
    public void MoveOne(NodeId node, long from, long to)
    {
        _moveTo.Bind(1, (long)node.Value).Bind(2, from).Bind(3, to).Run();
        _moveFrom.Bind(1, (long)node.Value).Bind(2, from).Bind(3, to).Run();
    }

    private (long From, uint Mode, long Size)? Peek(NodeId node)
    {
        _peek.Bind(1, (long)node.Value);
        (long, uint, long)? found = _peek.Step() ? (_peek.Long(0), (uint)_peek.Long(1), _peek.Long(2)) : null;
        _peek.Reset();
        return found;
    }

    public NodeRow ReadRow(Statement from) => ReadRow(from, 0);

    /// <summary>A node whose columns begin at <paramref name="first"/>, where a statement reads others too.</summary>
    public NodeRow ReadRow(Statement from, int first)
    {
        var node = new NodeId((ulong)from.Long(first));
        return new NodeRow
        {
            Node = node,
            Mode = (uint)from.Long(first + 1),
            LinkCount = (uint)from.Long(first + 2),
            Uid = (uint)from.Long(first + 3),
            Gid = (uint)from.Long(first + 4),
            DeviceNumber = (uint)from.Long(first + 5),
            Size = from.Long(first + 6),
            AccessTime = from.Long(first + 7),
            ModifyTime = from.Long(first + 8),
            ChangeTime = from.Long(first + 9),
            BirthTime = from.Long(first + 10),
            LinkTarget = from.IsNull(first + 11) ? null : seal.Open(SealKind.LinkTarget, node, from.Blob(first + 11)),
        };
    }

    public Statement Write(Statement to, NodeRow row)
    {
        to.Bind(1, (long)row.Node.Value).Bind(2, row.Mode).Bind(3, row.LinkCount).Bind(4, row.Uid).Bind(5, row.Gid).Bind(6, row.DeviceNumber)
            .Bind(7, row.Size).Bind(8, row.AccessTime).Bind(9, row.ModifyTime).Bind(10, row.ChangeTime).Bind(11, row.BirthTime);
        return row.LinkTarget is null ? to.BindNull(12) : to.Bind(12, seal.Seal(SealKind.LinkTarget, row.Node, row.LinkTarget));
    }
}
