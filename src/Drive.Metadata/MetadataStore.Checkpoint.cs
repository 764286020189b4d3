using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Metadata.Tables;

namespace Drive.Metadata;

/// <summary>The whole tree, for checkpoints.</summary>
public sealed partial class MetadataStore
{
    /// <summary>
    /// All rows as of <see cref="LastSeq"/>, in parts of one kind of about so many rows. What is not committed, and nodes without links, are not in it. It
    /// stays the state of that seq, whatever changes while it is read.
    /// </summary>
    public IEnumerable<RowSet> ReadAllCurrent(int rowsPerPart) => ReadAll(LastSeq, rowsPerPart);

    /// <summary>All rows as of a real seq, see <see cref="ReadAllCurrent"/>.</summary>
    public IEnumerable<RowSet> ReadAll(long asOf, int rowsPerPart) => ReadHeld(asOf, rowsPerPart).Select(static part => part.ToRows());

    /// <summary>The same with the commit since which each row holds. What ended it meanwhile is not told.</summary>
    public IEnumerable<HeldRows> ReadHeld(long asOf, int rowsPerPart)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsPerPart, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(asOf, Epochs.ProvisionalBase);
        return ReadAllParts(asOf, rowsPerPart);
    }

    /// <summary>All blocks that are known, by id.</summary>
    public IEnumerable<IReadOnlyList<BlockRow>> ReadAllBlocks(int rowsPerPart)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsPerPart, 1);
        return ReadAllBlockParts(rowsPerPart);
    }

    /// <summary>
    /// All rows that ended up to a real seq and that history keeps, as the vault knows them, in parts; each looks at about so many rows of the database. It stays so whatever changes while it is
    /// read, but for what is forgotten.
    /// </summary>
    public IEnumerable<HeldRows> ReadEnded(long asOf, KeptHistory kept, int rowsPerPart)
    {
        ArgumentNullException.ThrowIfNull(kept);
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsPerPart, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(asOf, Epochs.ProvisionalBase);
        EndedScan scan = new(asOf, kept, rowsPerPart);
        do
        {
            HeldRows part = new();
            Read(() => EndedRows.Read(scan, part));
            if (!part.IsEmpty)
            {
                yield return part;
            }
        }
        while (!scan.IsDone);
    }

    private IEnumerable<HeldRows> ReadAllParts(long asOf, int rowsPerPart)
    {
        for (NodeId after = NodeId.None; Read(() => _nodes.ReadPage(after, asOf, rowsPerPart)) is { Count: > 0 } rows; after = rows[^1].Row.Node)
        {
            var part = new HeldRows();
            part.Nodes.AddRange(rows);
            yield return part;
        }

        (NodeId Parent, byte[] Hash) last = (NodeId.None, []);
        while (Read(() => _entries.ReadPage(ref last, asOf, rowsPerPart)) is { Count: > 0 } rows)
        {
            var part = new HeldRows();
            part.Entries.AddRange(rows);
            yield return part;
            if (rows.Count < rowsPerPart)
            {
                break;
            }
        }

        for (NodeId after = NodeId.None; Read(() => _extents.ReadPage(after, asOf, rowsPerPart)) is { Count: > 0 } rows; after = rows[^1].Row.Node)
        {
            var part = new HeldRows();
            part.Extents.AddRange(rows);
            yield return part;
        }

        for (NodeId after = NodeId.None; Read(() => _xattrs.ReadPage(after, asOf, rowsPerPart)) is { Count: > 0 } rows; after = rows[^1].Row.Node)
        {
            var part = new HeldRows();
            part.Xattrs.AddRange(rows);
            yield return part;
        }
    }

    private IEnumerable<IReadOnlyList<BlockRow>> ReadAllBlockParts(int rowsPerPart)
    {
        byte[] after = [];
        while (Read(() => _blocks.ReadPage(after, rowsPerPart)) is { Count: > 0 } rows)
        {
            yield return rows;
            after = rows[^1].Block.Value.AsSpan().ToArray();
        }
    }
}
