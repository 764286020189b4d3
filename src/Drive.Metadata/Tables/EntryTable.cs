using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>Versioned entries; names are found by their hash under the parent and stored sealed. See <see cref="NodeTable"/> for "at".</summary>
internal sealed class EntryTable(Database database, RowSeal seal, Counters counters)
{
    public const string Columns = "parent, node, entry_id, name";

    private readonly byte[] _box = new byte[RowSeal.SealedSize(FileName.BytesMax)];
    private readonly Statement _find = database.Prepare(
        $"SELECT node, entry_id FROM entry WHERE parent = ?1 AND name_hash = ?2 AND to_seq = {Versions.Open}");
    private readonly Statement _findAt = database.Prepare(
        "SELECT node, entry_id, from_seq FROM entry WHERE parent = ?1 AND name_hash = ?2 AND to_seq > ?3 ORDER BY to_seq LIMIT 1");
    private readonly Statement _peek = database.Prepare(
        $"SELECT from_seq FROM entry WHERE parent = ?1 AND name_hash = ?2 AND to_seq = {Versions.Open}");
    private readonly Statement _insert = database.Prepare(
        $"INSERT INTO entry(parent, name_hash, to_seq, from_seq, node, entry_id, name) VALUES (?1, ?2, {Versions.Open}, ?3, ?4, ?5, ?6)");
    private readonly Statement _update = database.Prepare(
        $"UPDATE entry SET node = ?3, entry_id = ?4 WHERE parent = ?1 AND name_hash = ?2 AND to_seq = {Versions.Open}");
    private readonly Statement _close = database.Prepare(
        $"UPDATE entry SET to_seq = ?3 WHERE parent = ?1 AND name_hash = ?2 AND to_seq = {Versions.Open}");
    private readonly Statement _delete = database.Prepare(
        $"DELETE FROM entry WHERE parent = ?1 AND name_hash = ?2 AND to_seq = {Versions.Open}");
    private readonly Statement _list = database.Prepare(
        $"SELECT {Columns} FROM entry INDEXED BY entry_listed WHERE parent = ?1 AND entry_id > ?2 AND to_seq = {Versions.Open} ORDER BY entry_id LIMIT ?3");
    private readonly Statement _listAt = database.Prepare(
        $"""
        SELECT {Columns} FROM entry INDEXED BY entry_listed
            WHERE parent = ?1 AND entry_id > ?2 AND to_seq = {Versions.Open} AND from_seq <= ?4
        UNION ALL
        SELECT {Columns} FROM entry INDEXED BY entry_past
            WHERE parent = ?1 AND entry_id > ?2 AND to_seq < {Versions.Open} AND to_seq > ?4 AND from_seq <= ?4
        ORDER BY entry_id LIMIT ?3
        """);
    private readonly Statement _opened = database.Prepare(
        $"SELECT {Columns} FROM entry INDEXED BY entry_opened WHERE from_seq = ?1 AND {Versions.FromIsProvisional}");
    private readonly Statement _closed = database.Prepare(
        $"SELECT {Columns} FROM entry INDEXED BY entry_closed WHERE to_seq = ?1 AND {Versions.ToIsProvisional}");
    private readonly Statement _uncommitted = database.Prepare(
        $"SELECT {Columns} FROM entry INDEXED BY entry_opened WHERE {Versions.FromIsProvisional} AND to_seq = {Versions.Open} ORDER BY entry_id");
    private readonly Statement _ended = database.Prepare(
        $"""
        SELECT {Columns} FROM entry AS old INDEXED BY entry_closed WHERE {Versions.ToIsProvisional} AND NOT EXISTS
            (SELECT 1 FROM entry AS now WHERE now.parent = old.parent AND now.name_hash = old.name_hash AND now.to_seq = {Versions.Open})
        """);
    private readonly Statement _page = database.Prepare(
        $"""
        SELECT {Columns}, name_hash, from_seq FROM entry
        WHERE (parent, name_hash) > (?1, ?2) AND from_seq <= ?3 AND to_seq > ?3 ORDER BY parent, name_hash LIMIT ?4
        """);
    private readonly Statement _pastNodes = database.Prepare(
        $"SELECT DISTINCT node FROM entry INDEXED BY entry_past WHERE parent = ?1 AND to_seq < {Versions.Open}");
    private readonly Statement _nameAt = database.Prepare($"SELECT {Columns} FROM entry WHERE node = ?1 AND from_seq <= ?2 AND to_seq > ?2 LIMIT 1");
    private readonly Statement _moveFrom = database.Prepare("UPDATE entry SET from_seq = ?4 WHERE parent = ?1 AND name_hash = ?2 AND from_seq = ?3");
    private readonly Statement _moveTo = database.Prepare("UPDATE entry SET to_seq = ?4 WHERE parent = ?1 AND name_hash = ?2 AND to_seq = ?3");

    /// <summary>Nodes that a name in the directory led to before.</summary>
    public List<NodeId> ReadPastNodes(NodeId parent) => _pastNodes.Bind(1, (long)parent.Value).ReadAll(static row => new NodeId((ulong)row.Long(0)));

    public EntryRow? Find(NodeId parent, ReadOnlySpan<byte> name)
    {
        Span<byte> hash = stackalloc byte[RowSeal.HashSize];
        seal.Hash(SealKind.Entry, parent, name, hash);
        _find.Bind(1, (long)parent.Value).Bind(2, hash);
        EntryRow? row = _find.Step() ? new EntryRow(parent, name.ToArray(), new NodeId((ulong)_find.Long(0)), _find.Long(1)) : null;
        _find.Reset();
        return row;
    }

    public EntryRow? FindAt(NodeId parent, ReadOnlySpan<byte> name, long seq)
    {
        Span<byte> hash = stackalloc byte[RowSeal.HashSize];
        seal.Hash(SealKind.Entry, parent, name, hash);
        _findAt.Bind(1, (long)parent.Value).Bind(2, hash).Bind(3, seq);
        EntryRow? row = _findAt.Step() && _findAt.Long(2) <= seq
            ? new EntryRow(parent, name.ToArray(), new NodeId((ulong)_findAt.Long(0)), _findAt.Long(1))
            : null;
        _findAt.Reset();
        return row;
    }

    /// <summary>One of the names of a node as of a seq; null when it has none. There is no index for it: reads up to the whole table.</summary>
    public EntryRow? FindNameAt(NodeId node, long seq) => _nameAt.Bind(1, (long)node.Value).Bind(2, seq).ReadFirst(ReadRow);

    public int List(NodeId parent, long afterEntryId, int countMax, List<EntryRow> into) =>
        _list.Bind(1, (long)parent.Value).Bind(2, afterEntryId).Bind(3, countMax).ReadInto(into, ReadRow);

    public int ListAt(NodeId parent, long afterEntryId, int countMax, List<EntryRow> into, long seq) =>
        _listAt.Bind(1, (long)parent.Value).Bind(2, afterEntryId).Bind(3, countMax).Bind(4, seq).ReadInto(into, ReadRow);

    public void Put(EntryRow row, long at)
    {
        Span<byte> hash = stackalloc byte[RowSeal.HashSize];
        int boxLength = seal.SealWithHash(SealKind.Entry, row.Parent, row.Name, hash, _box);
        counters.SawEntryId(row.EntryId);
        if (FromSeq(row.Parent, hash) is { } from)
        {
            if (from == at)
            {
                _update.Bind(1, (long)row.Parent.Value).Bind(2, hash).Bind(3, (long)row.Node.Value).Bind(4, row.EntryId).Run();
                return;
            }

            _close.Bind(1, (long)row.Parent.Value).Bind(2, hash).Bind(3, at).Run();
        }

        _insert.Bind(1, (long)row.Parent.Value).Bind(2, hash).Bind(3, at).Bind(4, (long)row.Node.Value).Bind(5, row.EntryId)
            .Bind(6, _box.AsSpan(0, boxLength)).Run();
    }

    /// <summary>False when there is none.</summary>
    public bool Remove(NodeId parent, ReadOnlySpan<byte> name, long at)
    {
        Span<byte> hash = stackalloc byte[RowSeal.HashSize];
        seal.Hash(SealKind.Entry, parent, name, hash);
        if (FromSeq(parent, hash) is not { } from)
        {
            return false;
        }

        Statement statement = (from == at ? _delete : _close).Bind(1, (long)parent.Value).Bind(2, hash);
        if (from != at)
        {
            statement.Bind(3, at);
        }

        statement.Run();
        return true;
    }

    public List<EntryRow> ReadOpened(long at) => _opened.Bind(1, at).ReadAll(ReadRow);

    public List<EntryRow> ReadClosed(long at) => _closed.Bind(1, at).ReadAll(ReadRow);

    /// <summary>Current rows that no commit holds, in the order of listings.</summary>
    public List<EntryRow> ReadUncommitted() => _uncommitted.ReadAll(ReadRow);

    /// <summary>Names that are gone since the last commit; one may stand there twice.</summary>
    public List<EntryRow> ReadEnded() => _ended.ReadAll(ReadRow);

    /// <summary>Entries as of a seq, in the order of (parent, hash). The cursor is moved to the last one.</summary>
    public List<Held<EntryRow>> ReadPage(ref (NodeId Parent, byte[] Hash) after, long seq, int countMax)
    {
        List<Held<EntryRow>> rows = [];
        _page.Bind(1, (long)after.Parent.Value).Bind(2, after.Hash).Bind(3, seq).Bind(4, countMax);
        try
        {
            while (_page.Step())
            {
                rows.Add(new(ReadRow(_page), _page.Long(5)));
                if (rows.Count == countMax)
                {
                    after = (rows[^1].Row.Parent, _page.Blob(4).ToArray());
                }
            }

            return rows;
        }
        finally
        {
            _page.Reset();
        }
    }

    /// <summary>What one name's rows did at one seq they now do at another.</summary>
    public void MoveOne(NodeId parent, ReadOnlySpan<byte> name, long from, long to)
    {
        Span<byte> hash = stackalloc byte[RowSeal.HashSize];
        seal.Hash(SealKind.Entry, parent, name, hash);
        _moveTo.Bind(1, (long)parent.Value).Bind(2, hash).Bind(3, from).Bind(4, to).Run();
        _moveFrom.Bind(1, (long)parent.Value).Bind(2, hash).Bind(3, from).Bind(4, to).Run();
    }

    private long? FromSeq(NodeId parent, ReadOnlySpan<byte> hash)
    {
        _peek.Bind(1, (long)parent.Value).Bind(2, hash);
        long? from = _peek.Step() ? _peek.Long(0) : null;
        _peek.Reset();
        return from;
    }

    public EntryRow ReadRow(Statement from)
    {
        var parent = new NodeId((ulong)from.Long(0));
        return new EntryRow(parent, seal.Open(SealKind.Entry, parent, from.Blob(3)), new NodeId((ulong)from.Long(1)), from.Long(2));
    }
}
