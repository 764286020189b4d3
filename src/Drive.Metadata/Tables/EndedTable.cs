using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata.Tables;

/// <summary>
/// Rows that ended, for checkpoints: read in the order of the primary keys and put as they were. Made when it is first needed.
/// </summary>
/// <remarks>
/// A node without links is one that somebody has open here: for the vault it is gone with its attributes, though their rows hold on. They are given as ended where their node lost its last link. Extents end with the commit.
/// </remarks>
internal sealed class EndedTable(Database database, RowSeal seal, NodeTable nodes, EntryTable entries, XattrTable xattrs)
{
    private const int NodeFrom = 12;
    private const int Links = 2;

    private readonly Statement _nodes = database.Prepare(
        $"SELECT {NodeTable.Columns}, from_seq, to_seq FROM node WHERE (node, to_seq) > (?1, ?2) ORDER BY node, to_seq LIMIT ?3");
    private readonly Statement _entries = database.Prepare(
        $"""
        SELECT {EntryTable.Columns}, from_seq, to_seq, name_hash FROM entry
        WHERE (parent, name_hash, to_seq) > (?1, ?2, ?3) ORDER BY parent, name_hash, to_seq LIMIT ?4
        """);
    private readonly Statement _extents = database.Prepare(
        """
        SELECT node, start, length, block, block_offset, from_seq, to_seq FROM extent
        WHERE (node, to_seq, start) > (?1, ?2, ?3) ORDER BY node, to_seq, start LIMIT ?4
        """);
    private readonly Statement _xattrs = database.Prepare(
        """
        SELECT node, content, from_seq, to_seq, name_hash FROM xattr
        WHERE (node, to_seq, name_hash) > (?1, ?2, ?3) ORDER BY node, to_seq, name_hash LIMIT ?4
        """);
    private readonly Statement _putNode = database.Prepare(
        $"INSERT INTO node({NodeTable.Columns}, from_seq, to_seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)");
    private readonly Statement _putEntry = database.Prepare(
        "INSERT INTO entry(parent, name_hash, to_seq, from_seq, node, entry_id, name) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    private readonly Statement _putExtent = database.Prepare(
        "INSERT INTO extent(node, to_seq, start, from_seq, length, block, block_offset) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    private readonly Statement _putXattr = database.Prepare("INSERT INTO xattr(node, to_seq, name_hash, from_seq, content) VALUES (?1, ?2, ?3, ?4, ?5)");

    /// <summary>Looks at the next rows of the database, and adds those that ended and are kept.</summary>
    public bool Read(EndedScan scan, HeldRows into)
    {
        bool isTableDone = scan.Table switch
        {
            0 => ReadNodes(scan, into),
            1 => ReadEntries(scan, into),
            2 => ReadExtents(scan, into),
            _ => ReadXattrs(scan, into),
        };
        if (isTableDone)
        {
            scan.NextTable();
        }

        return scan.IsDone;
    }

    public void Put(HeldRows ended, Func<long> takeEntryId)
    {
        foreach (Held<NodeRow> held in ended.Nodes)
        {
            nodes.Write(_putNode, held.Row).Bind(13, held.From).Bind(14, held.To).Run();
        }

        Span<byte> hash = stackalloc byte[RowSeal.HashSize];
        byte[] box = new byte[RowSeal.SealedSize(FileName.BytesMax)];
        foreach (Held<EntryRow> held in ended.Entries)
        {
            int length = seal.SealWithHash(SealKind.Entry, held.Row.Parent, held.Row.Name, hash, box);
            _putEntry.Bind(1, (long)held.Row.Parent.Value).Bind(2, hash).Bind(3, held.To).Bind(4, held.From).Bind(5, (long)held.Row.Node.Value)
                .Bind(6, takeEntryId()).Bind(7, box.AsSpan(0, length)).Run();
        }

        foreach (Held<ExtentRow> held in ended.Extents)
        {
            _putExtent.Bind(1, (long)held.Row.Node.Value).Bind(2, held.To).Bind(3, held.Row.Offset).Bind(4, held.From).Bind(5, held.Row.Length)
                .Bind(6, held.Row.Block.Value.AsSpan()).Bind(7, held.Row.BlockOffset).Run();
        }

        foreach (Held<XattrRow> held in ended.Xattrs)
        {
            seal.Hash(SealKind.XattrName, held.Row.Node, held.Row.Name, hash);
            _putXattr.Bind(1, (long)held.Row.Node.Value).Bind(2, held.To).Bind(3, hash).Bind(4, held.From)
                .Bind(5, seal.Seal(SealKind.Xattr, held.Row.Node, XattrTable.Encode(held.Row))).Run();
        }
    }

    private bool ReadNodes(EndedScan scan, HeldRows into)
    {
        _nodes.Bind(1, scan.Id).Bind(2, scan.To).Bind(3, scan.RowsMax);
        return Each(_nodes, scan, row =>
        {
            (long from, long to) = (row.Long(NodeFrom), row.Long(NodeFrom + 1));
            (scan.Id, scan.To) = (row.Long(0), to);
            if (row.Long(Links) == 0)
            {
                scan.NoteUnlinked(row.Long(0), from, to);
            }
            else if (scan.IsWanted(from, to))
            {
                into.Nodes.Add(new(nodes.ReadRow(row), from, to));
            }
        });
    }

    private bool ReadEntries(EndedScan scan, HeldRows into)
    {
        _entries.Bind(1, scan.Id).Bind(2, scan.Hash).Bind(3, scan.To).Bind(4, scan.RowsMax);
        return Each(_entries, scan, row =>
        {
            (long from, long to) = (row.Long(4), row.Long(5));
            (scan.Id, scan.Hash, scan.To) = (row.Long(0), row.Blob(6).ToArray(), to);
            if (scan.IsWanted(from, to))
            {
                into.Entries.Add(new(entries.ReadRow(row), from, to));
            }
        });
    }

    private bool ReadExtents(EndedScan scan, HeldRows into)
    {
        _extents.Bind(1, scan.Id).Bind(2, scan.To).Bind(3, scan.Start).Bind(4, scan.RowsMax);
        return Each(_extents, scan, row =>
        {
            (long from, long to) = (row.Long(5), row.Long(6));
            (scan.Id, scan.To, scan.Start) = (row.Long(0), to, row.Long(1));
            if (scan.IsWanted(from, to))
            {
                into.Extents.Add(new(ExtentTable.Read(row), from, to));
            }
        });
    }

    private bool ReadXattrs(EndedScan scan, HeldRows into)
    {
        _xattrs.Bind(1, scan.Id).Bind(2, scan.To).Bind(3, scan.Hash).Bind(4, scan.RowsMax);
        return Each(_xattrs, scan, row =>
        {
            (long from, long to) = (row.Long(2), row.Long(3));
            (scan.Id, scan.To, scan.Hash) = (row.Long(0), to, row.Blob(4).ToArray());
            foreach ((long start, long end) in scan.LinkedParts(row.Long(0), from, to))
            {
                if (scan.IsWanted(start, end))
                {
                    into.Xattrs.Add(new(xattrs.ReadRow(row), start, end));
                }
            }
        });
    }

    /// <summary>Whether there are no more.</summary>
    private static bool Each(Statement rows, EndedScan scan, Action<Statement> look)
    {
        int count = 0;
        try
        {
            for (; rows.Step(); count++)
            {
                look(rows);
            }
        }
        finally
        {
            rows.Reset();
        }

        return count < scan.RowsMax;
    }
}
