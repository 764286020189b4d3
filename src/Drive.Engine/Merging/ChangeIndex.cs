using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Tree;

namespace Drive.Engine.Merging;

/// <summary>One side's change by node and by name: what stood there before and what stands there now.</summary>
internal sealed class ChangeIndex
{
    private readonly HashSet<NodeId> _content;
    private readonly ILookup<NodeId, XattrRow> _xattrsClosed;
    private readonly ILookup<NodeId, XattrRow> _xattrsOpened;
    private ILookup<NodeId, NameKey>? _removed;
    private ILookup<NodeId, NameKey>? _added;

    /// <param name="rows">Its rows, closed ones whole.</param>
    /// <param name="content">Files whose bytes it changes, besides those that change in length.</param>
    public ChangeIndex(RowChanges rows, IEnumerable<NodeId> content)
    {
        foreach (NodeRow row in rows.Closed.Nodes)
        {
            Nodes[row.Node] = (row, null);
        }

        foreach (NodeRow row in rows.Opened.Nodes)
        {
            Nodes[row.Node] = (Nodes.GetValueOrDefault(row.Node).Old, row);
        }

        foreach (EntryRow row in rows.Closed.Entries)
        {
            Names[new NameKey(row.Parent, row.Name)] = (row.Node, NodeId.None);
        }

        foreach (EntryRow row in rows.Opened.Entries)
        {
            NameKey key = new(row.Parent, row.Name);
            Names[key] = (Names.GetValueOrDefault(key).Old, row.Node);
            EntryIds[key] = row.EntryId;
        }

        _xattrsClosed = rows.Closed.Xattrs.ToLookup(static row => row.Node);
        _xattrsOpened = rows.Opened.Xattrs.ToLookup(static row => row.Node);
        _content = [.. content];
        _content.UnionWith(Nodes.Values.Where(static change => change.Old is not null && change.New is not null && change.Old.Size != change.New.Size).Select(static change => change.Old!.Node));
    }

    public Dictionary<NodeId, (NodeRow? Old, NodeRow? New)> Nodes { get; } = [];

    /// <summary>By directory and name: what it named and names; <see cref="NodeId.None"/> for nothing.</summary>
    public Dictionary<NameKey, (NodeId Old, NodeId New)> Names { get; } = new(NameKey.Comparer);

    /// <summary>Ids of the names that it gives.</summary>
    public Dictionary<NameKey, long> EntryIds { get; } = new(NameKey.Comparer);

    public IEnumerable<NodeId> XattrNodes => _xattrsClosed.Select(static group => group.Key).Union(_xattrsOpened.Select(static group => group.Key));

    /// <summary>Whether it changes the bytes of a file that was there before.</summary>
    public bool ChangesContent(NodeId node) => _content.Contains(node);

    /// <summary>Whether a person would say that it changed the node itself: content, attributes, extended attributes; not times, names or links.</summary>
    public bool Edits(NodeId node) =>
        ChangesContent(node) || _xattrsClosed.Contains(node) || _xattrsOpened.Contains(node)
        || (Nodes.GetValueOrDefault(node) is ({ } old, { } now) && (old.Mode != now.Mode || old.Uid != now.Uid || old.Gid != now.Gid));

    /// <summary>Names of a node that are gone.</summary>
    public IEnumerable<NameKey> RemovedNames(NodeId node) =>
        (_removed ??= Names.Where(static name => name.Value.Old != NodeId.None && name.Value.Old != name.Value.New).ToLookup(static name => name.Value.Old, static name => name.Key))[node];

    /// <summary>Names of a node that are new.</summary>
    public IEnumerable<NameKey> AddedNames(NodeId node) =>
        (_added ??= Names.Where(static name => name.Value.New != NodeId.None && name.Value.Old != name.Value.New).ToLookup(static name => name.Value.New, static name => name.Key))[node];

    /// <summary>A node's extended attributes after the change, of those before it.</summary>
    public Dictionary<byte[], XattrRow> XattrsAfter(NodeId node, IEnumerable<XattrRow> before)
    {
        Dictionary<byte[], XattrRow> rows = new(NameComparer.Instance);
        foreach (XattrRow row in before)
        {
            rows[row.Name] = row;
        }

        foreach (XattrRow row in _xattrsClosed[node])
        {
            rows.Remove(row.Name);
        }

        foreach (XattrRow row in _xattrsOpened[node])
        {
            rows[row.Name] = row;
        }

        return rows;
    }

    /// <summary>Names of a node's extended attributes that it sets (with the row) or removes (null).</summary>
    public IEnumerable<(byte[] Name, XattrRow? Row)> XattrChanges(NodeId node)
    {
        HashSet<byte[]> opened = new(NameComparer.Instance);
        foreach (XattrRow row in _xattrsOpened[node])
        {
            opened.Add(row.Name);
            yield return (row.Name, row);
        }

        foreach (XattrRow row in _xattrsClosed[node])
        {
            if (!opened.Contains(row.Name))
            {
                yield return (row.Name, null);
            }
        }
    }
}
