using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Vault.Packs;
using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Vault.Codec;

/// <summary>
/// One row as bytes, the same on every device. What is local stays out: the link count of directories, entry ids; the access time stands in
/// the stored form only, as information, and not in the form that the state hash is over.
/// </summary>
internal static class RowCodec
{
    public const int XattrNameBytesMax = 255;
    public const int XattrValueBytesMax = 65_536;

    /// <summary>Stored in commits for a directory's links, which every device counts for itself: those of an empty one.</summary>
    private const uint DirectoryLinks = 2;

    public static void Write(ByteWriter writer, NodeRow row, bool withAccessTime = true)
    {
        WriteKey(writer, row);
        writer.UInt(row.Mode);
        if (!FileMode.IsDirectory(row.Mode))
        {
            writer.UInt(row.LinkCount);
        }

        writer.UInt(row.Uid);
        writer.UInt(row.Gid);
        writer.UInt(row.DeviceNumber);
        writer.Count(row.Size);
        writer.Fixed64(row.ModifyTime);
        writer.Int(unchecked(row.ChangeTime - row.ModifyTime));
        writer.Int(unchecked(row.BirthTime - row.ModifyTime));
        if (withAccessTime)
        {
            writer.Int(unchecked(row.AccessTime - row.ModifyTime));
        }

        writer.Bool(row.LinkTarget is not null);
        if (row.LinkTarget is { } target)
        {
            writer.Sized(target);
        }
    }

    public static NodeRow ReadNode(ref ByteReader reader)
    {
        NodeId node = ReadNodeId(ref reader);
        uint mode = reader.UInt32();
        uint links = FileMode.IsDirectory(mode) ? DirectoryLinks : reader.UInt32();
        uint uid = reader.UInt32();
        uint gid = reader.UInt32();
        uint deviceNumber = reader.UInt32();
        long size = reader.Count();
        long modifyTime = reader.Fixed64();
        long changeTime = unchecked(reader.Int() + modifyTime);
        long birthTime = unchecked(reader.Int() + modifyTime);
        long accessTime = unchecked(reader.Int() + modifyTime);
        return new NodeRow
        {
            Node = node,
            Mode = mode,
            LinkCount = links,
            Uid = uid,
            Gid = gid,
            DeviceNumber = deviceNumber,
            Size = size,
            ModifyTime = modifyTime,
            ChangeTime = changeTime,
            BirthTime = birthTime,
            AccessTime = accessTime,
            LinkTarget = reader.Bool() ? reader.Sized(0, FileName.LinkTargetBytesMax).ToArray() : null,
        };
    }

    public static void Write(ByteWriter writer, EntryRow row)
    {
        WriteKey(writer, row);
        writer.UInt(row.Node.Value);
    }

    public static EntryRow ReadEntry(ref ByteReader reader)
    {
        EntryRow key = ReadEntryKey(ref reader);
        return key with { Node = ReadNodeId(ref reader) };
    }

    public static void Write(ByteWriter writer, ExtentRow row)
    {
        WriteKey(writer, row);
        writer.Count(row.Length);
        writer.Raw(row.Block.Value);
        writer.Count(row.BlockOffset);
    }

    public static ExtentRow ReadExtent(ref ByteReader reader)
    {
        ExtentRow key = ReadExtentKey(ref reader);
        int length = reader.Count32(1, BlockSegments.BlockBytesMax);
        var block = new BlockId(reader.Raw32());
        int blockOffset = reader.Count32(0, BlockSegments.BlockBytesMax - length);
        return key.Offset <= long.MaxValue - length
            ? key with { Length = length, Block = block, BlockOffset = blockOffset }
            : throw reader.Malformed("an extent ends beyond the largest file");
    }

    public static void Write(ByteWriter writer, XattrRow row)
    {
        WriteKey(writer, row);
        writer.Sized(row.Value);
    }

    public static XattrRow ReadXattr(ref ByteReader reader)
    {
        XattrRow key = ReadXattrKey(ref reader);
        return key with { Value = reader.Sized(0, XattrValueBytesMax).ToArray() };
    }

    public static void Write(ByteWriter writer, BlockRow row)
    {
        writer.Raw(row.Block.Value);
        writer.Raw(row.Pack.Value);
        writer.Count(row.PackOffset);
        writer.Count(row.FirstSegment);
        WriteSegments(writer, row);
    }

    public static BlockRow ReadBlock(ref ByteReader reader)
    {
        var block = new BlockId(reader.Raw32());
        var pack = new PackId(reader.Raw32());
        long packOffset = reader.Count(PackReader.PackBytesMax);
        int firstSegment = reader.Count32(0, int.MaxValue - BlockSegments.SegmentsMax);
        (int plainLength, int[] segments) = ReadSegments(ref reader);
        return new BlockRow(block, pack, packOffset, firstSegment, plainLength, segments);
    }

    /// <summary>The part of a block row that a pack's directory holds too.</summary>
    public static void WriteSegments(ByteWriter writer, BlockRow row)
    {
        writer.Count(row.PlainLength);
        foreach (int segment in row.Segments)
        {
            writer.Count(segment);
        }
    }

    public static (int PlainLength, int[] Segments) ReadSegments(ref ByteReader reader)
    {
        int plainLength = reader.Count32(1, BlockSegments.BlockBytesMax);
        var segments = new int[BlockSegments.CountOf(plainLength)];
        for (int i = 0; i < segments.Length; i++)
        {
            segments[i] = reader.Count32(0, int.MaxValue);
            if (!BlockSegments.IsPlausible(segments[i], BlockSegments.PlainLengthOf(plainLength, i)))
            {
                throw reader.Malformed("a segment's length is impossible");
            }
        }

        return (plainLength, segments);
    }

    public static void WriteKey(ByteWriter writer, NodeRow row) => writer.UInt(row.Node.Value);

    public static NodeRow ReadNodeKey(ref ByteReader reader) => new() { Node = ReadNodeId(ref reader), Mode = 0, LinkCount = 0 };

    public static void WriteKey(ByteWriter writer, EntryRow row)
    {
        writer.UInt(row.Parent.Value);
        writer.Sized(row.Name);
    }

    public static EntryRow ReadEntryKey(ref ByteReader reader)
    {
        NodeId parent = ReadNodeId(ref reader);
        ReadOnlySpan<byte> name = reader.Sized(1, FileName.BytesMax);
        return FileName.Validate(name) == FsStatus.Ok
            ? new EntryRow(parent, name.ToArray(), NodeId.None, 0)
            : throw reader.Malformed("a name breaks the rules of names");
    }

    public static void WriteKey(ByteWriter writer, ExtentRow row)
    {
        writer.UInt(row.Node.Value);
        writer.Count(row.Offset);
    }

    public static ExtentRow ReadExtentKey(ref ByteReader reader) => new(ReadNodeId(ref reader), reader.Count(), 0, default, 0);

    public static void WriteKey(ByteWriter writer, XattrRow row)
    {
        writer.UInt(row.Node.Value);
        writer.Sized(row.Name);
    }

    public static XattrRow ReadXattrKey(ref ByteReader reader) =>
        new(ReadNodeId(ref reader), reader.Sized(1, XattrNameBytesMax).ToArray(), []);

    private static NodeId ReadNodeId(ref ByteReader reader)
    {
        ulong value = reader.UInt();
        return value == 0 ? throw reader.Malformed("node 0 is no node") : new NodeId(value);
    }
}
