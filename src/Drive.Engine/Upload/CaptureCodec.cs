using System.Buffers.Binary;
using Drive.Cache.Dirty;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;

namespace Drive.Engine.Upload;

/// <summary>
/// What a restart must know of a capture whose commit was perhaps written: which dirty ranges it holds. Saved with the attempt; the rest is in the commit.
/// Fixed-size little-endian records of the local database, sealed by it.
/// </summary>
internal static class CaptureCodec
{
    private const int RecordBytes = 8 + 8 + 8 + 1 + 8 + 8 + 4 + Bytes32.Size;

    /// <summary>The dirty ranges of a capture as rows.</summary>
    public static IEnumerable<DirtyRow> Rows(Capture capture)
    {
        foreach (CapturedFile file in capture.Files)
        {
            foreach (OverlayItem item in file.Items)
            {
                yield return item.Chunk is { } chunk
                    ? new DirtyRow(file.Node, item.Offset, item.Length, DirtyKind.Data, chunk.Position.Segment, chunk.Position.Position, chunk.Length, item.InnerOffset, default)
                    : new DirtyRow(file.Node, item.Offset, item.Length, DirtyKind.Block, 0, 0, 0, item.InnerOffset, item.Block);
            }

            foreach (ByteRange hole in file.Holes)
            {
                yield return new DirtyRow(file.Node, hole.Start, hole.Length, DirtyKind.Hole, 0, 0, 0, 0, default);
            }
        }
    }

    public static byte[] Encode(IReadOnlyCollection<DirtyRow> rows)
    {
        byte[] bytes = new byte[rows.Count * RecordBytes];
        Span<byte> rest = bytes;
        foreach (DirtyRow row in rows)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(rest, row.Node.Value);
            BinaryPrimitives.WriteInt64LittleEndian(rest[8..], row.Offset);
            BinaryPrimitives.WriteInt64LittleEndian(rest[16..], row.Length);
            rest[24] = (byte)row.Kind;
            BinaryPrimitives.WriteInt64LittleEndian(rest[25..], row.Segment);
            BinaryPrimitives.WriteInt64LittleEndian(rest[33..], row.Position);
            BinaryPrimitives.WriteInt32LittleEndian(rest[41..], row.InnerOffset);
            row.Block.Value.AsSpan().CopyTo(rest[45..]);
            rest = rest[RecordBytes..];
        }

        return bytes;
    }

    public static List<DirtyRow> Decode(ReadOnlySpan<byte> bytes)
    {
        List<DirtyRow> rows = new(bytes.Length / RecordBytes);
        for (; bytes.Length >= RecordBytes; bytes = bytes[RecordBytes..])
        {
            rows.Add(new DirtyRow(
                new NodeId(BinaryPrimitives.ReadUInt64LittleEndian(bytes)),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
                (DirtyKind)bytes[24],
                BinaryPrimitives.ReadInt64LittleEndian(bytes[25..]),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[33..]),
                0,
                BinaryPrimitives.ReadInt32LittleEndian(bytes[41..]),
                new BlockId(new Bytes32(bytes.Slice(45, Bytes32.Size)))));
        }

        return rows;
    }
}
