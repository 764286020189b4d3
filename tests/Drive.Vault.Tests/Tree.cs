using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Testing;
using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Vault.Tests;

/// <summary>A tree that also thinks of changes to itself.</summary>
internal sealed class Tree : RowTree
{
    /// <summary>A change that this tree allows: files made, changed and removed. The tree itself is left as it is.</summary>
    public RowChanges RandomChange(Random random, ulong firstNewNode)
    {
        var changes = new RowChanges();
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            AddFile(changes, random, new NodeId(firstNewNode++));
        }

        foreach (EntryRow entry in Entries.Where(_ => random.Next(6) == 0).ToList())
        {
            NodeRow node = FindNode(entry.Node)!;
            changes.Closed.Nodes.Add(node);
            List<ExtentRow> extents = [.. Extents(node.Node)];
            List<XattrRow> xattrs = [.. Xattrs.Where(row => row.Node == node.Node)];
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
        changes.Blocks.Add(new BlockRow(block, new PackId(Random32(random)), random.Next(1 << 27), random.Next(1000), plainLength, segments));
        if (random.Next(3) == 0)
        {
            changes.Opened.Xattrs.Add(new XattrRow(node, "user.a"u8.ToArray(), Bytes(random, random.Next(100))));
        }
    }
}
