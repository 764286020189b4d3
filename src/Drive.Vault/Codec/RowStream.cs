using Drive.Core.Rows;

namespace Drive.Vault.Codec;

/// <summary>Rows one after another, each after a byte that says its kind, up to the end of the bytes.</summary>
internal static class RowStream
{
    private const byte Node = 1;
    private const byte Entry = 2;
    private const byte Extent = 3;
    private const byte Xattr = 4;
    private const byte Block = 5;
    private const byte ClosedNode = 0x11;
    private const byte ClosedEntry = 0x12;
    private const byte ClosedExtent = 0x13;
    private const byte ClosedXattr = 0x14;

    /// <summary>Of closed rows, the keys only.</summary>
    public static void Write(ByteWriter writer, RowChanges changes)
    {
        foreach (NodeRow row in changes.Closed.Nodes)
        {
            writer.Byte(ClosedNode);
            RowCodec.WriteKey(writer, row);
        }

        foreach (EntryRow row in changes.Closed.Entries)
        {
            writer.Byte(ClosedEntry);
            RowCodec.WriteKey(writer, row);
        }

        foreach (ExtentRow row in changes.Closed.Extents)
        {
            writer.Byte(ClosedExtent);
            RowCodec.WriteKey(writer, row);
        }

        foreach (XattrRow row in changes.Closed.Xattrs)
        {
            writer.Byte(ClosedXattr);
            RowCodec.WriteKey(writer, row);
        }

        changes.Opened.Nodes.ForEach(row => Write(writer, row));
        changes.Opened.Entries.ForEach(row => Write(writer, row));
        changes.Opened.Extents.ForEach(row => Write(writer, row));
        changes.Opened.Xattrs.ForEach(row => Write(writer, row));
        changes.Blocks.ForEach(row => Write(writer, row));
    }

    public static void Write(ByteWriter writer, NodeRow row)
    {
        writer.Byte(Node);
        RowCodec.Write(writer, row);
    }

    public static void Write(ByteWriter writer, EntryRow row)
    {
        writer.Byte(Entry);
        RowCodec.Write(writer, row);
    }

    public static void Write(ByteWriter writer, ExtentRow row)
    {
        writer.Byte(Extent);
        RowCodec.Write(writer, row);
    }

    public static void Write(ByteWriter writer, XattrRow row)
    {
        writer.Byte(Xattr);
        RowCodec.Write(writer, row);
    }

    public static void Write(ByteWriter writer, BlockRow row)
    {
        writer.Byte(Block);
        RowCodec.Write(writer, row);
    }

    /// <summary>All rows to the end. A checkpoint closes nothing, so it allows no closed rows.</summary>
    public static RowChanges ReadToEnd(ref ByteReader reader, bool allowClosed)
    {
        var changes = new RowChanges();
        while (!reader.AtEnd)
        {
            byte kind = reader.Byte();
            switch (kind)
            {
                case Node:
                    changes.Opened.Nodes.Add(RowCodec.ReadNode(ref reader));
                    break;
                case Entry:
                    changes.Opened.Entries.Add(RowCodec.ReadEntry(ref reader));
                    break;
                case Extent:
                    changes.Opened.Extents.Add(RowCodec.ReadExtent(ref reader));
                    break;
                case Xattr:
                    changes.Opened.Xattrs.Add(RowCodec.ReadXattr(ref reader));
                    break;
                case Block:
                    changes.Blocks.Add(RowCodec.ReadBlock(ref reader));
                    break;
                case ClosedNode when allowClosed:
                    changes.Closed.Nodes.Add(RowCodec.ReadNodeKey(ref reader));
                    break;
                case ClosedEntry when allowClosed:
                    changes.Closed.Entries.Add(RowCodec.ReadEntryKey(ref reader));
                    break;
                case ClosedExtent when allowClosed:
                    changes.Closed.Extents.Add(RowCodec.ReadExtentKey(ref reader));
                    break;
                case ClosedXattr when allowClosed:
                    changes.Closed.Xattrs.Add(RowCodec.ReadXattrKey(ref reader));
                    break;
                default:
                    throw reader.Malformed("no such kind of row");
            }
        }

        return changes;
    }
}
