using System.Buffers.Binary;

using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>Versioned extended attributes; name and value are sealed as one, names are found by their hash under the node.</summary>
internal sealed class XattrTable(Database database, RowSeal seal)
{
    private readonly Statement _read = database.Prepare($"SELECT node, content FROM xattr WHERE node = ?1 AND to_seq = {Versions.Open}");
    private readonly Statement _readAt = database.Prepare("SELECT node, content FROM xattr WHERE node = ?1 AND to_seq > ?2 AND from_seq <= ?2");
    private readonly Statement _peek = database.Prepare(
        $"SELECT from_seq FROM xattr WHERE node = ?1 AND to_seq = {Versions.Open} AND name_hash = ?2");
    private readonly Statement _insert = database.Prepare(
        $"INSERT INTO xattr(node, to_seq, name_hash, from_seq, content) VALUES (?1, {Versions.Open}, ?2, ?3, ?4)");
    private readonly Statement _update = database.Prepare($"UPDATE xattr SET content = ?3 WHERE node = ?1 AND to_seq = {Versions.Open} AND name_hash = ?2");
    private readonly Statement _close = database.Prepare($"UPDATE xattr SET to_seq = ?3 WHERE node = ?1 AND to_seq = {Versions.Open} AND name_hash = ?2");
    private readonly Statement _delete = database.Prepare($"DELETE FROM xattr WHERE node = ?1 AND to_seq = {Versions.Open} AND name_hash = ?2");
    private readonly Statement _deleteAll = database.Prepare($"DELETE FROM xattr WHERE node = ?1 AND to_seq = {Versions.Open} AND from_seq = ?2");
    private readonly Statement _closeAll = database.Prepare($"UPDATE xattr SET to_seq = ?2 WHERE node = ?1 AND to_seq = {Versions.Open}");
    private readonly Statement _opened = database.Prepare(
        $"SELECT node, content FROM xattr INDEXED BY xattr_opened WHERE from_seq = ?1 AND {Versions.FromIsProvisional}");
    private readonly Statement _closed = database.Prepare(
        $"SELECT node, content FROM xattr INDEXED BY xattr_closed WHERE to_seq = ?1 AND {Versions.ToIsProvisional}");
    private readonly Statement _uncommitted = database.Prepare(
        $"SELECT node, content FROM xattr INDEXED BY xattr_opened WHERE {Versions.FromIsProvisional} AND to_seq = {Versions.Open}");
    private readonly Statement _ended = database.Prepare(
        $"""
        SELECT node, content FROM xattr AS old INDEXED BY xattr_closed WHERE {Versions.ToIsProvisional} AND NOT EXISTS
            (SELECT 1 FROM xattr AS now WHERE now.node = old.node AND now.name_hash = old.name_hash AND now.to_seq = {Versions.Open})
        """);
    private readonly Statement _moveFrom = database.Prepare("UPDATE xattr SET from_seq = ?3 WHERE node = ?1 AND from_seq = ?2");
    private readonly Statement _moveTo = database.Prepare("UPDATE xattr SET to_seq = ?3 WHERE node = ?1 AND to_seq = ?2");
    private readonly Statement _page = database.Prepare(
        """
        SELECT node, content, max(from_seq, coalesce((SELECT max(u.to_seq) FROM node u WHERE u.node = x.node AND u.links = 0 AND u.to_seq <= ?2), 0))
        FROM xattr AS x WHERE node > ?1 AND from_seq <= ?2 AND to_seq > ?2
            AND EXISTS (SELECT 1 FROM node n WHERE n.node = x.node AND n.from_seq <= ?2 AND n.to_seq > ?2 AND n.links > 0)
        ORDER BY node
        """);

    public List<XattrRow> Read(NodeId node) => _read.Bind(1, (long)node.Value).ReadAll(ReadRow);

    public List<XattrRow> ReadAt(NodeId node, long seq) => _readAt.Bind(1, (long)node.Value).Bind(2, seq).ReadAll(ReadRow);

    public XattrRow? FindAt(NodeId node, byte[] name, long seq) => ReadAt(node, seq).Find(row => row.Name.AsSpan().SequenceEqual(name));

    public void Put(XattrRow row, long at)
    {
        Span<byte> hash = stackalloc byte[RowSeal.HashSize];
        seal.Hash(SealKind.XattrName, row.Node, row.Name, hash);
        byte[] content = seal.Seal(SealKind.Xattr, row.Node, Encode(row));
        if (FromSeq(row.Node, hash) is { } from)
        {
            if (from == at)
            {
                _update.Bind(1, (long)row.Node.Value).Bind(2, hash).Bind(3, content).Run();
                return;
            }

            _close.Bind(1, (long)row.Node.Value).Bind(2, hash).Bind(3, at).Run();
        }

        _insert.Bind(1, (long)row.Node.Value).Bind(2, hash).Bind(3, at).Bind(4, content).Run();
    }

    /// <summary>False when there is none.</summary>
    public bool Remove(NodeId node, ReadOnlySpan<byte> name, long at)
    {
        Span<byte> hash = stackalloc byte[RowSeal.HashSize];
        seal.Hash(SealKind.XattrName, node, name, hash);
        if (FromSeq(node, hash) is not { } from)
        {
            return false;
        }

        Statement statement = (from == at ? _delete : _close).Bind(1, (long)node.Value).Bind(2, hash);
        if (from != at)
        {
            statement.Bind(3, at);
        }

        statement.Run();
        return true;
    }

    public void RemoveAll(NodeId node, long at)
    {
        _deleteAll.Bind(1, (long)node.Value).Bind(2, at).Run();
        _closeAll.Bind(1, (long)node.Value).Bind(2, at).Run();
    }

    public List<XattrRow> ReadOpened(long at) => _opened.Bind(1, at).ReadAll(ReadRow);

    /// <summary>Current rows that no commit holds.</summary>
    public List<XattrRow> ReadUncommitted() => _uncommitted.ReadAll(ReadRow);

    /// <summary>Attributes that are gone since the last commit; one may stand there twice.</summary>
    public List<XattrRow> ReadEnded() => _ended.ReadAll(ReadRow);

    public List<XattrRow> ReadClosed(long at) => _closed.Bind(1, at).ReadAll(ReadRow);

    /// <summary>Xattrs as of a seq of whole nodes after <paramref name="after"/>, until there are enough; ordered by node. While a node had no link, the vault knew of none.</summary>
    public List<Held<XattrRow>> ReadPage(NodeId after, long seq, int countMax) => _page.Bind(1, (long)after.Value).Bind(2, seq)
        .ReadWholeNodes(countMax, row => new Held<XattrRow>(ReadRow(row), row.Long(2)), static held => held.Row.Node);

    /// <summary>What one node's rows did at one seq they now do at another.</summary>
    public void MoveOne(NodeId node, long from, long to)
    {
        _moveTo.Bind(1, (long)node.Value).Bind(2, from).Bind(3, to).Run();
        _moveFrom.Bind(1, (long)node.Value).Bind(2, from).Bind(3, to).Run();
    }

    public static byte[] Encode(XattrRow row)
    {
        var plain = new byte[2 + row.Name.Length + row.Value.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(plain, checked((ushort)row.Name.Length));
        row.Name.CopyTo(plain, 2);
        row.Value.CopyTo(plain, 2 + row.Name.Length);
        return plain;
    }

    private long? FromSeq(NodeId node, ReadOnlySpan<byte> hash)
    {
        _peek.Bind(1, (long)node.Value).Bind(2, hash);
        long? from = _peek.Step() ? _peek.Long(0) : null;
        _peek.Reset();
        return from;
    }

    public XattrRow ReadRow(Statement from)
    {
        var node = new NodeId((ulong)from.Long(0));
        byte[] plain = seal.Open(SealKind.Xattr, node, from.Blob(1));
        int nameEnd = 2 + BinaryPrimitives.ReadUInt16LittleEndian(plain);
        return new XattrRow(node, plain[2..nameEnd], plain[nameEnd..]);
    }
}
