using Drive.Core.Rows;
using Drive.Core.Volumes;
using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Vault.Tests;

/// <summary>A device's current rows in memory, as the metadata keeps them: enough to resolve closed rows and to make changes.</summary>
internal sealed class Tree
{
    private readonly Dictionary<NodeId, NodeRow> _nodes = [];
    private readonly Dictionary<(NodeId, string), EntryRow> _entries = [];
    private readonly Dictionary<(NodeId, long), ExtentRow> _extents = [];
    private readonly Dictionary<(NodeId, string), XattrRow> _xattrs = [];

    public RowSet Rows()
    {
        var rows = new RowSet();
        rows.Nodes.AddRange(_nodes.Values);
        rows.Entries.AddRange(_entries.Values);
        rows.Extents.AddRange(_extents.Values);
        rows.Xattrs.AddRange(_xattrs.Values);
        return rows;
    }

    public void Apply(RowChanges changes)
    {
        changes.Closed.Nodes.ForEach(row => Assert.True(_nodes.Remove(row.Node)));
        changes.Closed.Entries.ForEach(row => Assert.True(_entries.Remove((row.Parent, Hex(row.Name)))));
        changes.Closed.Extents.ForEach(row => Assert.True(_extents.Remove((row.Node, row.Offset))));
        changes.Closed.Xattrs.ForEach(row => Assert.True(_xattrs.Remove((row.Node, Hex(row.Name)))));
        Add(changes.Opened);
    }

    public void Add(RowSet rows)
    {
        rows.Nodes.ForEach(row => _nodes.Add(row.Node, row));
        rows.Entries.ForEach(row => _entries.Add((row.Parent, Hex(row.Name)), row));
        rows.Extents.ForEach(row => _extents.Add((row.Node, row.Offset), row));
        rows.Xattrs.ForEach(row => _xattrs.Add((row.Node, Hex(row.Name)), row));
    }

    public RowChanges Resolve(RowChanges stored)
    {
        var whole = new RowChanges();
        stored.Closed.Nodes.ForEach(row => whole.Closed.Nodes.Add(_nodes[row.Node]));
        stored.Closed.Entries.ForEach(row => whole.Closed.Entries.Add(_entries[(row.Parent, Hex(row.Name))]));
        stored.Closed.Extents.ForEach(row => whole.Closed.Extents.Add(_extents[(row.Node, row.Offset)]));
        stored.Closed.Xattrs.ForEach(row => whole.Closed.Xattrs.Add(_xattrs[(row.Node, Hex(row.Name))]));
        whole.Opened.Nodes.AddRange(stored.Opened.Nodes);
        whole.Opened.Entries.AddRange(stored.Opened.Entries);
        whole.Opened.Extents.AddRange(stored.Opened.Extents);
        whole.Opened.Xattrs.AddRange(stored.Opened.Xattrs);
        whole.Blocks.AddRange(stored.Blocks);
        return whole;
    }

    /// <summary>A change that this tree allows: files made, changed and removed. The tree itself is left as it is.</summary>
    public RowChanges RandomChange(Random random, ulong firstNewNode)
    {
        var changes = new RowChanges();
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            AddFile(changes, random, new NodeId(firstNewNode++));
        }

        foreach (EntryRow entry in _entries.Values.Where(_ => random.Next(6) == 0).ToList())
        {
            NodeRow node = _nodes[entry.Node];
            changes.Closed.Nodes.Add(node);
            List<ExtentRow> extents = [.. _extents.Values.Where(row => row.Node == node.Node)];
            List<XattrRow> xattrs = [.. _xattrs.Values.Where(row => row.Node == node.Node)];
            if (random.Next(2) == 0)
            {
                changes.Closed.Entries.Add(entry);
                changes.Closed.Extents.AddRange(extents);
                changes.Closed.Xattrs.AddRange(xattrs);
            }
            else
            {
                changes.Opened.Nodes.Add(node with { Size = random.NextInt64(1 << 30), ChangeTime = random.NextInt64(), Mode = FileMode.Regular | 0x1A4 });
            }
        }

        return changes;
    }

    public static byte[] Bytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    public static Bytes32 Random32(Random random) => new(Bytes(random, 32));

    private static void AddFile(RowChanges changes, Random random, NodeId node)
    {
        changes.Opened.Nodes.Add(new NodeRow
        {
            Node = node,
            Mode = FileMode.Regular | (uint)random.Next(0xFFF),
            LinkCount = 1,
            Uid = (uint)random.Next(),
            Size = random.NextInt64(1L << 40),
            ModifyTime = random.NextInt64(long.MinValue, long.MaxValue),
            ChangeTime = random.NextInt64(long.MinValue, long.MaxValue),
            BirthTime = random.NextInt64(long.MinValue, long.MaxValue),
            AccessTime = random.NextInt64(long.MinValue, long.MaxValue),
            LinkTarget = random.Next(4) == 0 ? Bytes(random, random.Next(60)) : null,
        });
        byte[] name = [.. Bytes(random, random.Next(1, 40)).Select(b => (byte)(b | 0x41)), .. BitConverter.GetBytes(node.Value).Select(b => (byte)(b == 0 ? 1 : b == '/' ? '_' : b))];
        changes.Opened.Entries.Add(new EntryRow(NodeId.Root, name, node, random.Next()));
        int plainLength = random.Next(1, BlockSegments.BlockBytesMax);
        var block = new BlockId(Random32(random));
        changes.Opened.Extents.Add(new ExtentRow(node, random.NextInt64(1L << 40), plainLength, block, 0));
        int[] segments = [.. Enumerable.Range(0, BlockSegments.CountOf(plainLength)).Select(i => (BlockSegments.PlainLengthOf(plainLength, i) + 16) << 1)];
        changes.Blocks.Add(new BlockRow(block, new PackId(Random32(random)), random.Next(), random.Next(1000), plainLength, segments));
        if (random.Next(3) == 0)
        {
            changes.Opened.Xattrs.Add(new XattrRow(node, "user.a"u8.ToArray(), Bytes(random, random.Next(100))));
        }
    }

    private static string Hex(byte[] bytes) => Convert.ToHexString(bytes);
}
