using Drive.Core.Rows;
using Drive.Core.Volumes;

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
    public IEnumerable<RowSet> ReadAll(long asOf, int rowsPerPart)
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

    private IEnumerable<RowSet> ReadAllParts(long asOf, int rowsPerPart)
    {
        for (NodeId after = NodeId.None; Read(() => _nodes.ReadPage(after, asOf, rowsPerPart)) is { Count: > 0 } rows; after = rows[^1].Node)
        {
            var part = new RowSet();
            part.Nodes.AddRange(rows);
            yield return part;
        }

        (NodeId Parent, byte[] Hash) last = (NodeId.None, []);
        while (Read(() => _entries.ReadPage(ref last, asOf, rowsPerPart)) is { Count: > 0 } rows)
        {
            var part = new RowSet();
            part.Entries.AddRange(rows);
            yield return part;
            if (rows.Count < rowsPerPart)
            {
                break;
            }
        }

        for (NodeId after = NodeId.None; Read(() => _extents.ReadPage(after, asOf, rowsPerPart)) is { Count: > 0 } rows; after = rows[^1].Node)
        {
            var part = new RowSet();
            part.Extents.AddRange(rows);
            yield return part;
        }

        for (NodeId after = NodeId.None; Read(() => _xattrs.ReadPage(after, asOf, rowsPerPart)) is { Count: > 0 } rows; after = rows[^1].Node)
        {
            var part = new RowSet();
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
