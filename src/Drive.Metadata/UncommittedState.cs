using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Metadata;

/// <summary>
/// What a sequence of batches comes to when they are put over a committed state, one after another: for each key its last change. A batch whose changes are
/// in the committed state already does no harm, as long as all later ones follow: so a journal may keep more than it needs. Not for several threads.
/// </summary>
/// <remarks>Dirty rows of a file displace what they overlap: a range that landed meanwhile left the database without a batch that says so.</remarks>
public sealed class UncommittedState
{
    private readonly Dictionary<NodeId, NodeRow?> _nodes = [];
    private readonly Dictionary<(NodeId Parent, string Name), (byte[] Name, EntryRow? Row)> _entries = [];
    private readonly Dictionary<(NodeId Node, string Name), (byte[] Name, XattrRow? Row)> _xattrs = [];
    private readonly Dictionary<NodeId, DirtyRanges> _dirty = [];

    /// <summary>Nodes that a batch put or removed.</summary>
    public bool Knows(NodeId node) => _nodes.ContainsKey(node);

    /// <summary>Dirty rows as they stand.</summary>
    public IEnumerable<DirtyRow> Dirty => _dirty.Values.SelectMany(static ranges => ranges.Rows);

    /// <summary>Forgets everything: a batch that stands for all before it follows.</summary>
    public void Clear()
    {
        _nodes.Clear();
        _entries.Clear();
        _xattrs.Clear();
        _dirty.Clear();
    }

    /// <summary>Puts one more batch over it.</summary>
    public void Add(MetadataBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        foreach ((NodeId node, MetadataBatch.NodeChange change) in batch.Nodes)
        {
            _nodes[node] = change.Row;
            if (change.LosesXattrs)
            {
                foreach ((NodeId, string Name) key in _xattrs.Keys.Where(key => key.Node == node).ToList())
                {
                    _xattrs[key] = (_xattrs[key].Name, null);
                }
            }

            if (change.Row is null)
            {
                _dirty.Remove(node);
            }
        }

        foreach (MetadataBatch.EntryChange change in batch.Entries)
        {
            _entries[(change.Parent, Convert.ToHexString(change.Name))] = (change.Name, change.Row);
        }

        foreach (MetadataBatch.XattrChange change in batch.Xattrs)
        {
            _xattrs[(change.Node, Convert.ToHexString(change.Name))] = (change.Name, change.Row);
        }

        foreach (MetadataBatch.DirtyChange change in batch.Dirty)
        {
            if (!_dirty.TryGetValue(change.Node, out DirtyRanges? ranges))
            {
                _dirty.Add(change.Node, ranges = new DirtyRanges());
            }

            if (change.Row is null)
            {
                ranges.Remove(change.Offset);
            }
            else
            {
                ranges.Put(change.Row);
            }
        }
    }

    /// <summary>
    /// The whole as one batch over what the database holds now; dirty rows only as far as <paramref name="isWanted"/> says. Entries get new ids, in their old order.
    /// </summary>
    public MetadataBatch ToBatch(MetadataStore committed, long epoch, Func<DirtyRow, bool> isWanted)
    {
        ArgumentNullException.ThrowIfNull(committed);
        ArgumentNullException.ThrowIfNull(isWanted);
        MetadataBatch batch = new() { Epoch = epoch };
        foreach ((NodeId node, NodeRow? row) in _nodes)
        {
            if (row is null)
            {
                batch.RemoveNode(node);
            }
            else
            {
                batch.PutNode(row, isNew: false);
            }
        }

        long nextId = committed.NextEntryId;
        foreach (((NodeId parent, _), (byte[] name, EntryRow? row)) in _entries.OrderBy(static pair => pair.Value.Row?.EntryId ?? 0))
        {
            if (row is null)
            {
                batch.RemoveEntry(parent, name);
            }
            else if (committed.FindEntry(parent, name)?.Node != row.Node)
            {
                batch.PutEntry(row with { EntryId = nextId++ });
            }
        }

        foreach (((NodeId node, _), (byte[] name, XattrRow? row)) in _xattrs)
        {
            if (row is not null)
            {
                batch.PutXattr(row);
            }
            else if (!_nodes.TryGetValue(node, out NodeRow? known) || known is not null)
            {
                batch.RemoveXattr(node, name);
            }
        }

        foreach (DirtyRow row in Dirty.Where(isWanted))
        {
            batch.PutDirty(row);
        }

        return batch;
    }
}

/// <summary>Disjoint dirty rows of one file, by offset. A new one cuts what it overlaps.</summary>
internal sealed class DirtyRanges
{
    private readonly SortedDictionary<long, DirtyRow> _rows = [];

    public IEnumerable<DirtyRow> Rows => _rows.Values;

    public void Remove(long offset) => _rows.Remove(offset);

    public void Put(DirtyRow row)
    {
        long end = End(row);
        foreach (DirtyRow old in _rows.Values.Where(old => old.Offset < end && End(old) > row.Offset).ToList())
        {
            _rows.Remove(old.Offset);
            if (old.Offset < row.Offset)
            {
                _rows.Add(old.Offset, old with { Length = row.Offset - old.Offset });
            }

            if (End(old) > end)
            {
                long cut = end - old.Offset;
                int inner = old.Kind == DirtyKind.Hole ? 0 : (int)(old.InnerOffset + cut);
                _rows.Add(end, old with { Offset = end, Length = old.Length - cut, InnerOffset = inner });
            }
        }

        _rows.Add(row.Offset, row);
    }

    /// <summary>A hole may reach to the largest offset.</summary>
    private static long End(DirtyRow row) => row.Length > long.MaxValue - row.Offset ? long.MaxValue : row.Offset + row.Length;
}
