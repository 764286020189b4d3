using Drive.Core.Rows;
using Drive.Vault.Packs;
using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Vault.Codec;

/// <summary>
/// Rows of a checkpoint with the spans in which they held, one after another to the end of the bytes. Rows that hold say from which commit on; rows that ended also say how many
/// commits long they held, and directories among them their links, which nothing else tells any more.
/// </summary>
internal static class HeldRowStream
{
    private const byte Block = 5;
    private const byte Node = 0x21;
    private const byte Entry = 0x22;
    private const byte Extent = 0x23;
    private const byte Xattr = 0x24;
    private const byte EndedNode = 0x31;
    private const byte EndedEntry = 0x32;
    private const byte EndedExtent = 0x33;
    private const byte EndedXattr = 0x34;
    private const byte Pack = 0x36;
    private const byte Moment = 0x37;

    public static void Write(ByteWriter writer, Held<NodeRow> held)
    {
        WriteSpan(writer, Node, EndedNode, held.From, held.To);
        RowCodec.Write(writer, held.Row);
        if (held.To != Epochs.Open && FileMode.IsDirectory(held.Row.Mode))
        {
            writer.UInt(held.Row.LinkCount);
        }
    }

    public static void Write(ByteWriter writer, Held<EntryRow> held)
    {
        WriteSpan(writer, Entry, EndedEntry, held.From, held.To);
        RowCodec.Write(writer, held.Row);
    }

    public static void Write(ByteWriter writer, Held<ExtentRow> held)
    {
        WriteSpan(writer, Extent, EndedExtent, held.From, held.To);
        RowCodec.Write(writer, held.Row);
    }

    public static void Write(ByteWriter writer, Held<XattrRow> held)
    {
        WriteSpan(writer, Xattr, EndedXattr, held.From, held.To);
        RowCodec.Write(writer, held.Row);
    }

    public static void Write(ByteWriter writer, PackRow row)
    {
        writer.Byte(Pack);
        writer.Raw(row.Pack.Value);
        writer.Count(row.Length);
    }

    public static void Write(ByteWriter writer, MomentRow row)
    {
        writer.Byte(Moment);
        writer.Count(row.Seq);
        writer.Fixed64(row.Time);
        writer.Device(row.Device);
    }

    /// <summary>Rows that hold at a commit, and where blocks lie.</summary>
    public static (HeldRows Rows, List<BlockRow> Blocks) ReadPresent(ref ByteReader reader, long seq)
    {
        HeldRows rows = new();
        List<BlockRow> blocks = [];
        while (!reader.AtEnd)
        {
            byte kind = reader.Byte();
            if (kind == Block)
            {
                blocks.Add(RowCodec.ReadBlock(ref reader));
                continue;
            }

            long from = reader.Count(1, seq);
            Read(ref reader, kind, from, Epochs.Open, rows);
        }

        return (rows, blocks);
    }

    /// <summary>Rows that ended by a commit, and what else is known of the past.</summary>
    public static PastRows ReadPast(ref ByteReader reader, long seq)
    {
        PastRows past = new();
        while (!reader.AtEnd)
        {
            byte kind = reader.Byte();
            switch (kind)
            {
                case Pack:
                    past.Packs.Add(new PackRow(new PackId(reader.Raw32()), reader.Count(PackReader.PackBytesMax)));
                    break;
                case Moment:
                    past.Moments.Add(new MomentRow(reader.Count(1, seq), reader.Fixed64(), reader.Device()));
                    break;
                case >= EndedNode and <= EndedXattr:
                    long from = reader.Count(1, seq);
                    Read(ref reader, (byte)(kind - EndedNode + Node), from, from + reader.Count(1, seq - from), past.Ended);
                    break;
                default:
                    throw reader.Malformed("no such kind of row");
            }
        }

        return past;
    }

    private static void WriteSpan(ByteWriter writer, byte holds, byte ended, long from, long to)
    {
        writer.Byte(to == Epochs.Open ? holds : ended);
        writer.Count(from);
        if (to != Epochs.Open)
        {
            writer.Count(to - from);
        }
    }

    private static void Read(ref ByteReader reader, byte kind, long from, long to, HeldRows into)
    {
        switch (kind)
        {
            case Node:
                NodeRow node = RowCodec.ReadNode(ref reader);
                into.Nodes.Add(new(to != Epochs.Open && FileMode.IsDirectory(node.Mode) ? node with { LinkCount = reader.UInt32() } : node, from, to));
                break;
            case Entry:
                into.Entries.Add(new(RowCodec.ReadEntry(ref reader), from, to));
                break;
            case Extent:
                into.Extents.Add(new(RowCodec.ReadExtent(ref reader), from, to));
                break;
            case Xattr:
                into.Xattrs.Add(new(RowCodec.ReadXattr(ref reader), from, to));
                break;
            default:
                throw reader.Malformed("no such kind of row");
        }
    }
}
