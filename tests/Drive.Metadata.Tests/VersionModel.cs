using System.Text;

using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Metadata.Tests;

/// <summary>A whole tree at one moment, naively: what the store must answer, told by states and not by intervals.</summary>
internal sealed class TreeState
{
    public Dictionary<NodeId, NodeRow> Nodes { get; private init; } = [];

    public Dictionary<(NodeId Parent, string Name), EntryRow> Entries { get; private init; } = [];

    public Dictionary<(NodeId Node, string Name), XattrRow> Xattrs { get; private init; } = [];

    public Dictionary<(NodeId Node, long Offset), ExtentRow> Extents { get; private init; } = [];

    public TreeState Clone() => new() { Nodes = new(Nodes), Entries = new(Entries), Xattrs = new(Xattrs), Extents = new(Extents) };

    public void RemoveNode(NodeId node)
    {
        Nodes.Remove(node);
        foreach ((NodeId, string) key in Xattrs.Keys.Where(key => key.Node == node).ToList())
        {
            Xattrs.Remove(key);
        }
    }

    /// <summary>Takes a node with its xattrs from another state.</summary>
    public void TakeNode(TreeState other, NodeId node)
    {
        RemoveNode(node);
        if (other.Nodes.TryGetValue(node, out NodeRow? row))
        {
            Nodes[node] = row;
        }

        foreach ((var key, XattrRow xattr) in other.Xattrs.Where(pair => pair.Key.Node == node))
        {
            Xattrs[key] = xattr;
        }
    }

    public void TakeEntry(TreeState other, (NodeId, string) key)
    {
        Entries.Remove(key);
        if (other.Entries.TryGetValue(key, out EntryRow? row))
        {
            Entries[key] = row;
        }
    }

    /// <summary>What a vault sees of it.</summary>
    public RowSet Visible(bool withExtents)
    {
        var rows = new RowSet();
        bool IsLinked(NodeId node) => Nodes.TryGetValue(node, out NodeRow? row) && row.LinkCount > 0;
        rows.Nodes.AddRange(Nodes.Values.Where(row => row.LinkCount > 0));
        rows.Entries.AddRange(Entries.Values);
        rows.Xattrs.AddRange(Xattrs.Values.Where(row => IsLinked(row.Node)));
        if (withExtents)
        {
            rows.Extents.AddRange(Extents.Values.Where(row => IsLinked(row.Node)));
        }

        return rows;
    }

    public static string Text(byte[] name) => Encoding.UTF8.GetString(name);
}

/// <summary>Random changes to a batch and, alike, to a state.</summary>
internal sealed class RandomChanges(Random random)
{
    private const int NodeCount = 14;
    private const int FirstParent = 100;
    private long _time = 10;

    public long NextEntryId { get; set; } = 1;

    public NodeId AnyNode() => new((ulong)random.Next(1, NodeCount + 1));

    public (NodeId Parent, string Name) AnyEntry() => (new NodeId((ulong)(FirstParent + random.Next(2))), "name" + random.Next(5));

    public NodeRow AnyRow(NodeId node, bool canBeOrphan) => new()
    {
        Node = node,
        Mode = node.Value > NodeCount - 4 ? FileMode.Directory : FileMode.Regular,
        LinkCount = canBeOrphan && random.Next(4) == 0 ? 0 : 2u,
        Size = random.Next(3),
        AccessTime = _time++,
        LinkTarget = random.Next(4) == 0 ? [(byte)random.Next(2)] : null,
    };

    public void Change(MetadataBatch batch, TreeState state)
    {
        NodeId node = AnyNode();
        (NodeId Parent, string Name) entry = AnyEntry();
        byte[] name = Encoding.UTF8.GetBytes(entry.Name);
        byte[] xattr = Encoding.UTF8.GetBytes("user." + random.Next(3));
        switch (random.Next(8))
        {
            case 0 or 1:
                NodeRow row = AnyRow(node, canBeOrphan: true);
                batch.PutNode(row, isNew: !state.Nodes.ContainsKey(node));
                state.Nodes[node] = row;
                break;
            case 2:
                // The store removes xattrs with the node before it puts those of the batch: an engine has none for a node that goes.
                if (!batch.Xattrs.Exists(change => change.Node == node))
                {
                    batch.RemoveNode(node);
                    state.RemoveNode(node);
                }

                break;
            case 3:
                var put = new EntryRow(entry.Parent, name, node, NextEntryId++);
                batch.PutEntry(put);
                state.Entries[entry] = put;
                break;
            case 4:
                batch.RemoveEntry(entry.Parent, name);
                state.Entries.Remove(entry);
                break;
            case 5 when state.Nodes.ContainsKey(node):
                var value = new XattrRow(node, xattr, [(byte)random.Next(2)]);
                batch.PutXattr(value);
                state.Xattrs[(node, TreeState.Text(xattr))] = value;
                break;
            case 6:
                batch.RemoveXattr(node, xattr);
                state.Xattrs.Remove((node, TreeState.Text(xattr)));
                break;
            case 7 when state.Nodes.TryGetValue(node, out NodeRow? old):
                batch.PutNodeAccessTime(node, ++_time);
                state.Nodes[node] = old with { AccessTime = _time };
                break;
        }
    }

    /// <summary>Replaces the extents of one node; they lie at fixed places, 10 bytes each.</summary>
    public RowChanges ChangeExtents(TreeState state)
    {
        var changes = new RowChanges();
        NodeId node = AnyNode();
        for (long offset = 0; offset < 50; offset += 10)
        {
            if (random.Next(2) == 0)
            {
                if (state.Extents.Remove((node, offset), out ExtentRow? closed))
                {
                    changes.Closed.Extents.Add(closed);
                }

                if (random.Next(3) > 0)
                {
                    var bytes = new byte[32];
                    random.NextBytes(bytes);
                    var opened = new ExtentRow(node, offset, 1 + random.Next(10), new BlockId(new Bytes32(bytes)), random.Next(9));
                    changes.Opened.Extents.Add(opened);
                    state.Extents.Add((node, offset), opened);
                }
            }
        }

        return changes;
    }
}
