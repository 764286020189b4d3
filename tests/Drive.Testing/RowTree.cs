using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>A device's current rows in memory, as its database keeps them, and where blocks lie.</summary>
public class RowTree
{
    private readonly Dictionary<NodeId, NodeRow> _nodes;
    private readonly Dictionary<(NodeId, string), EntryRow> _entries;
    private readonly Dictionary<(NodeId, long), ExtentRow> _extents;
    private readonly Dictionary<(NodeId, string), XattrRow> _xattrs;
    private readonly Dictionary<BlockId, BlockRow> _blocks;

    public RowTree()
    {
        _nodes = [];
        _entries = [];
        _extents = [];
        _xattrs = [];
        _blocks = [];
    }

    public RowTree(RowTree other)
    {
        _nodes = new(other._nodes);
        _entries = new(other._entries);
        _extents = new(other._extents);
        _xattrs = new(other._xattrs);
        _blocks = new(other._blocks);
    }

    public IReadOnlyCollection<BlockRow> Blocks => _blocks.Values;

    public IReadOnlyCollection<EntryRow> Entries => _entries.Values;

    public IReadOnlyCollection<XattrRow> Xattrs => _xattrs.Values;

    public RowTree Clone() => new(this);

    public NodeRow? FindNode(NodeId node) => _nodes.GetValueOrDefault(node);

    public EntryRow? FindEntry(NodeId parent, string name) => _entries.GetValueOrDefault((parent, name));

    public BlockRow? FindBlock(BlockId block) => _blocks.GetValueOrDefault(block);

    public IReadOnlyList<ExtentRow> Extents(NodeId node) =>
        [.. _extents.Values.Where(row => row.Node == node).OrderBy(static row => row.Offset)];

    public RowSet Rows()
    {
        var rows = new RowSet();
        rows.Nodes.AddRange(_nodes.Values);
        rows.Entries.AddRange(_entries.Values);
        rows.Extents.AddRange(_extents.Values);
        rows.Xattrs.AddRange(_xattrs.Values);
        return rows;
    }

    /// <summary>The tree after a change; one that ends what is not there, or begins what is, does not fit and fails the test.</summary>
    public void Apply(RowChanges changes)
    {
        changes.Closed.Nodes.ForEach(row => Assert.True(_nodes.Remove(row.Node)));
        changes.Closed.Entries.ForEach(row => Assert.True(_entries.Remove((row.Parent, Text(row.Name)))));
        changes.Closed.Extents.ForEach(row => Assert.True(_extents.Remove((row.Node, row.Offset))));
        changes.Closed.Xattrs.ForEach(row => Assert.True(_xattrs.Remove((row.Node, Text(row.Name)))));
        Add(changes.Opened, changes.Blocks);
    }

    public void Add(RowSet rows, IReadOnlyList<BlockRow>? blocks = null)
    {
        rows.Nodes.ForEach(row => _nodes.Add(row.Node, row));
        rows.Entries.ForEach(row => _entries.Add((row.Parent, Text(row.Name)), row));
        rows.Extents.ForEach(row => _extents.Add((row.Node, row.Offset), row));
        rows.Xattrs.ForEach(row => _xattrs.Add((row.Node, Text(row.Name)), row));
        foreach (BlockRow block in blocks ?? [])
        {
            _blocks[block.Block] = block;
        }
    }

    /// <summary>Closed rows whole, as they stand here.</summary>
    public RowChanges Resolve(RowChanges stored)
    {
        var whole = new RowChanges();
        stored.Closed.Nodes.ForEach(row => whole.Closed.Nodes.Add(_nodes[row.Node]));
        stored.Closed.Entries.ForEach(row => whole.Closed.Entries.Add(_entries[(row.Parent, Text(row.Name))]));
        stored.Closed.Extents.ForEach(row => whole.Closed.Extents.Add(_extents[(row.Node, row.Offset)]));
        stored.Closed.Xattrs.ForEach(row => whole.Closed.Xattrs.Add(_xattrs[(row.Node, Text(row.Name))]));
        whole.Opened.Nodes.AddRange(stored.Opened.Nodes);
        whole.Opened.Entries.AddRange(stored.Opened.Entries);
        whole.Opened.Extents.AddRange(stored.Opened.Extents);
        whole.Opened.Xattrs.AddRange(stored.Opened.Xattrs);
        whole.Blocks.AddRange(stored.Blocks);
        return whole;
    }

    /// <summary>A name as a key: one character a byte, whatever its bytes are.</summary>
    public static string Text(byte[] name) => System.Text.Encoding.Latin1.GetString(name);
}
