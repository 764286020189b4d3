using System.Runtime.InteropServices;

using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Metadata;

/// <summary>
/// Changes of current rows that become durable together, see <see cref="MetadataStore.Apply"/>. Reusable after <see cref="Clear"/>.
/// Not for several threads. Of two changes of one key the later one counts.
/// </summary>
public sealed class MetadataBatch
{
    private readonly Dictionary<NodeId, NodeChange> _nodes = [];

    /// <summary>The epoch that node, entry and xattr changes belong to.</summary>
    public long Epoch { get; set; }

    /// <summary>Changes in it.</summary>
    public int Count => _nodes.Count + AccessTimes.Count + Entries.Count + Xattrs.Count + Dirty.Count + Blocks.Count + Settings.Count;

    /// <summary>The dirty rows that it puts: one that a later change of the same range replaces or removes is not among them.</summary>
    public IReadOnlyCollection<DirtyRow> DirtyRows
    {
        get
        {
            Dictionary<(NodeId, long), DirtyRow> last = [];
            foreach (DirtyChange change in Dirty)
            {
                if (change.Row is { } row)
                {
                    last[(change.Node, change.Offset)] = row;
                }
                else
                {
                    last.Remove((change.Node, change.Offset));
                }
            }

            return last.Values;
        }
    }

    internal Dictionary<NodeId, NodeChange> Nodes => _nodes;

    internal Dictionary<NodeId, long> AccessTimes { get; } = [];

    internal List<EntryChange> Entries { get; } = [];

    internal List<XattrChange> Xattrs { get; } = [];

    internal List<DirtyChange> Dirty { get; } = [];

    internal List<BlockRow> Blocks { get; } = [];

    internal List<KeyValuePair<string, byte[]?>> Settings { get; } = [];

    /// <summary>Sets a node. <paramref name="isNew"/> promises that the database holds no current row of it, which saves a look-up.</summary>
    public void PutNode(NodeRow row, bool isNew)
    {
        ArgumentNullException.ThrowIfNull(row);
        AccessTimes.Remove(row.Node);
        ref NodeChange change = ref CollectionsMarshal.GetValueRefOrAddDefault(_nodes, row.Node, out bool exists);
        change = new NodeChange(row, exists ? change.IsNew : isNew, change.LosesXattrs);
    }

    /// <summary>Sets only the access time, in place: no new version, nothing to commit. Ignored for a node that is not there.</summary>
    public void PutNodeAccessTime(NodeId node, long accessTime)
    {
        ref NodeChange change = ref CollectionsMarshal.GetValueRefOrNullRef(_nodes, node);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref change))
        {
            AccessTimes[node] = accessTime;
        }
        else if (change.Row is not null)
        {
            change = change with { Row = change.Row with { AccessTime = accessTime } };
        }
    }

    /// <summary>Removes a node and the xattrs that it still has. Extents stay until a commit closes them.</summary>
    public void RemoveNode(NodeId node)
    {
        AccessTimes.Remove(node);
        _nodes[node] = new NodeChange(null, IsNew: false, LosesXattrs: true);
    }

    public void PutEntry(EntryRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        Entries.Add(new EntryChange(row.Parent, row.Name, row));
    }

    public void RemoveEntry(NodeId parent, byte[] name) => Entries.Add(new EntryChange(parent, name, null));

    public void PutXattr(XattrRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        Xattrs.Add(new XattrChange(row.Node, row.Name, row));
    }

    public void RemoveXattr(NodeId node, byte[] name) => Xattrs.Add(new XattrChange(node, name, null));

    public void PutDirty(DirtyRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        Dirty.Add(new DirtyChange(row.Node, row.Offset, row));
    }

    public void RemoveDirty(NodeId node, long offset) => Dirty.Add(new DirtyChange(node, offset, null));

    public void PutBlock(BlockRow row) => Blocks.Add(row);

    /// <summary>Sets a setting; null removes it.</summary>
    public void PutSetting(string key, byte[]? value) => Settings.Add(new(key, value));

    public void Clear()
    {
        _nodes.Clear();
        AccessTimes.Clear();
        Entries.Clear();
        Xattrs.Clear();
        Dirty.Clear();
        Blocks.Clear();
        Settings.Clear();
    }

    /// <summary>A node's new row; null: it goes.</summary>
    internal readonly record struct NodeChange(NodeRow? Row, bool IsNew, bool LosesXattrs);

    internal readonly record struct EntryChange(NodeId Parent, byte[] Name, EntryRow? Row);

    internal readonly record struct XattrChange(NodeId Node, byte[] Name, XattrRow? Row);

    internal readonly record struct DirtyChange(NodeId Node, long Offset, DirtyRow? Row);
}
