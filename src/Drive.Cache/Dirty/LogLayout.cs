using System.Buffers.Binary;
using Drive.Core;
using Drive.Core.Volumes;

namespace Drive.Cache.Dirty;

/// <summary>
/// Arithmetic of the segment format (docs/local-state.md): where the parts of a record lie, and the bytes that its tags bind.
/// A segment is its header, then records; a record is a header with its own tag, then pieces of 64 KiB, each sealed with its own tag.
/// </summary>
internal static class LogLayout
{
    public const int TagBytes = 16;
    public const int NonceBytes = 12;
    public const int PieceBytes = 64 << 10;
    public const int SealedPieceBytes = PieceBytes + TagBytes;
    public const int RecordBytesMax = 1 << 20;

    public const int SegmentIdBytes = 32;
    public const int SegmentHeaderBytes = 8 + SegmentIdBytes;
    public const int RecordFieldsBytes = 4 + 4 + 8 + 8 + 8;
    public const int RecordHeaderBytes = RecordFieldsBytes + TagBytes;
    public const int PieceBindingBytes = 8 + 4 + 4;

    private const uint RecordMagic = 0x31524C44; // "DLR1"

    /// <summary>What every record starts with.</summary>
    public static ReadOnlySpan<byte> RecordMagicBytes => "DLR1"u8;

    public static ReadOnlySpan<byte> SegmentMagic => "DRVLOG\0\x01"u8;

    public static int PieceCount(int recordLength) => (recordLength + PieceBytes - 1) / PieceBytes;

    public static int PieceLength(int recordLength, int piece) => Math.Min(PieceBytes, recordLength - (piece * PieceBytes));

    /// <summary>Where a piece's ciphertext starts in the segment's file.</summary>
    public static long PiecePosition(long recordPosition, int piece) => recordPosition + RecordHeaderBytes + ((long)piece * SealedPieceBytes);

    /// <summary>Bytes of the whole record on disk.</summary>
    public static int SealedLength(int recordLength) => RecordHeaderBytes + recordLength + (PieceCount(recordLength) * TagBytes);

    public static int SealedLengthMax => SealedLength(RecordBytesMax);

    /// <summary>Every byte of a segment is written once, so the position of a sealed part is a nonce that no other part has.</summary>
    public static void WriteNonce(Span<byte> nonce, long position)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt64BigEndian(nonce[4..], Mistakes.Has(Mistake.LogNonceRepeated) ? 0 : position);
    }

    public static void WriteFields(Span<byte> fields, int length, NodeId node, long offset, ulong sequence)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(fields, RecordMagic);
        BinaryPrimitives.WriteInt32LittleEndian(fields[4..], length);
        BinaryPrimitives.WriteUInt64LittleEndian(fields[8..], node.Value);
        BinaryPrimitives.WriteInt64LittleEndian(fields[16..], offset);
        BinaryPrimitives.WriteUInt64LittleEndian(fields[24..], sequence);
    }

    /// <summary>False when these are not the fields of a record: the tag has to be right besides.</summary>
    public static bool TryReadFields(ReadOnlySpan<byte> fields, out int length, out NodeId node, out long offset, out ulong sequence)
    {
        length = BinaryPrimitives.ReadInt32LittleEndian(fields[4..]);
        node = new NodeId(BinaryPrimitives.ReadUInt64LittleEndian(fields[8..]));
        offset = BinaryPrimitives.ReadInt64LittleEndian(fields[16..]);
        sequence = BinaryPrimitives.ReadUInt64LittleEndian(fields[24..]);
        return BinaryPrimitives.ReadUInt32LittleEndian(fields) == RecordMagic && length is >= 1 and <= RecordBytesMax;
    }

    /// <summary>What a piece's tag binds besides key and nonce: its record, that record's length, and its place in it.</summary>
    public static void WritePieceBinding(Span<byte> binding, long recordPosition, int recordLength, int piece)
    {
        BinaryPrimitives.WriteInt64LittleEndian(binding, recordPosition);
        BinaryPrimitives.WriteInt32LittleEndian(binding[8..], recordLength);
        BinaryPrimitives.WriteInt32LittleEndian(binding[12..], piece);
    }
}
