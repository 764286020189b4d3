using System.Buffers;
using System.Buffers.Binary;
using Drive.Cache.Dirty;
using Drive.Core.Rows;
using Drive.Metadata;

namespace Drive.Engine.Journal;

/// <summary>Where in the journal the database stands: kept in it, in the transaction of the save point that the record is of.</summary>
/// <param name="Number">Number of the last record that the database holds; 0 for none.</param>
/// <param name="Position">Where that record starts in the dirty log.</param>
internal readonly record struct JournalMark(long Number, LogPosition Position)
{
    private const int Bytes = 3 * sizeof(long);

    public byte[] Encode()
    {
        byte[] bytes = new byte[Bytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Number);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), Position.Segment);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), Position.Position);
        return bytes;
    }

    public static JournalMark Decode(byte[]? bytes) => bytes is { Length: Bytes }
        ? new(
            BinaryPrimitives.ReadInt64LittleEndian(bytes),
            new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(8)), BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(16))))
        : default;
}

/// <summary>
/// The rows of one save point (or, as a snapshot, all rows that no commit holds) as they lie in the dirty log beside the bytes they point to.
/// </summary>
/// <remarks><c>length u32 of all ‖ version u8 = 1 ‖ flags u8 (1 snapshot) ‖ first number needed i64 ‖ pinned seq i64 ‖ pinned commit 32 ‖ node counter i64 ‖ batch</c>, little-endian, cut
/// into records of the log of at most 1 MiB: node 0, offset of the part, sequence = number.</remarks>
internal sealed class JournalRecord
{
    private const byte Version = 1;
    private const byte SnapshotFlag = 1;
    private const int HeaderBytes = 4 + 1 + 1 + 8 + 8 + Bytes32.Size + 8;

    /// <summary>Counts the records of this state directory, without gaps.</summary>
    public required long Number { get; init; }

    /// <summary>Whether everything before it may be forgotten.</summary>
    public bool IsSnapshot { get; init; }

    /// <summary>The oldest record that was live when this one was written: its own number when everything before had landed.</summary>
    public long From { get; init; }

    /// <summary>The head of the vault's log that the rows lie over.</summary>
    public long PinSeq { get; init; }

    /// <summary>That commit's hash.</summary>
    public Bytes32 PinHash { get; init; }

    /// <summary>The device's next node.</summary>
    public long NodeCounter { get; init; }

    public required MetadataBatch Batch { get; init; }

    /// <summary>Where its first part starts.</summary>
    public LogPosition Position { get; init; }

    public byte[] Encode()
    {
        ArrayBufferWriter<byte> output = new(HeaderBytes + 256);
        output.Advance(HeaderBytes);
        BatchCodec.Write(Batch, output);
        byte[] bytes = output.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length);
        bytes[4] = Version;
        bytes[5] = IsSnapshot ? SnapshotFlag : (byte)0;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(6), From);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(14), PinSeq);
        PinHash.AsSpan().CopyTo(bytes.AsSpan(22));
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(22 + Bytes32.Size), NodeCounter);
        return bytes;
    }

    /// <summary>The length of a whole record, from its first part; -1 when that is no beginning of one.</summary>
    public static int LengthOf(ReadOnlySpan<byte> firstPart) =>
        firstPart.Length >= HeaderBytes && BinaryPrimitives.ReadInt32LittleEndian(firstPart) is var length && length >= firstPart.Length ? length : -1;

    /// <summary>Reads a whole record; <see cref="MetadataCorruptException"/> when it is none.</summary>
    public static JournalRecord Decode(long number, LogPosition position, ReadOnlySpan<byte> bytes)
    {
        if (LengthOf(bytes) != bytes.Length || bytes[4] != Version)
        {
            throw new MetadataCorruptException("The journal of the local state holds a record of another version.");
        }

        return new JournalRecord
        {
            Number = number,
            Position = position,
            IsSnapshot = (bytes[5] & SnapshotFlag) != 0,
            From = BinaryPrimitives.ReadInt64LittleEndian(bytes[6..]),
            PinSeq = BinaryPrimitives.ReadInt64LittleEndian(bytes[14..]),
            PinHash = new Bytes32(bytes.Slice(22, Bytes32.Size)),
            NodeCounter = BinaryPrimitives.ReadInt64LittleEndian(bytes[(22 + Bytes32.Size)..]),
            Batch = BatchCodec.Read(bytes[HeaderBytes..]),
        };
    }
}
