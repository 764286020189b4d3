using System.Buffers.Binary;
using Drive.Core.Rows;
using Drive.Vault.Codec;
using Drive.Vault.Sealing;

namespace Drive.Vault.Packs;

/// <summary>
/// A pack's own list of its blocks, sealed as the last segment (last flag 1) at the end of the object, so that an index can be built anew from
/// packs alone. After it a footer of two numbers in the clear says where it starts; a wrong footer only leads to a seal that does not hold.
/// </summary>
internal static class PackDirectory
{
    /// <summary>Segment number u32, sealed length u32.</summary>
    private const int FooterBytes = 8;

    public const int FixedBytes = ObjectCipher.TagBytes + FooterBytes;

    public static void Append(ByteWriter directory, BlockRow row)
    {
        directory.Raw(row.Block.Value);
        RowCodec.WriteSegments(directory, row);
    }

    public static int Seal(ObjectCipher cipher, int number, ReadOnlySpan<byte> directory, Span<byte> destination)
    {
        int stored = directory.Length + ObjectCipher.TagBytes;
        cipher.Seal(number, last: true, compressed: false, directory.Length, directory, destination);
        BinaryPrimitives.WriteUInt32BigEndian(destination[stored..], (uint)number);
        BinaryPrimitives.WriteUInt32BigEndian(destination[(stored + 4)..], (uint)stored);
        return stored + FooterBytes;
    }

    /// <summary>The blocks of a whole pack. Segments and directory must fill it exactly.</summary>
    public static List<BlockRow> Open(ObjectCipher cipher, PackId pack, ReadOnlySpan<byte> whole, string objectName)
    {
        if (whole.Length < ObjectCipher.PreambleBytes + FixedBytes)
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.Malformed, "cut short");
        }

        uint number = BinaryPrimitives.ReadUInt32BigEndian(whole[^FooterBytes..]);
        uint stored = BinaryPrimitives.ReadUInt32BigEndian(whole[^4..]);
        if (stored < ObjectCipher.TagBytes || stored > whole.Length - ObjectCipher.PreambleBytes - FooterBytes)
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.Malformed, "its footer is impossible");
        }

        int start = whole.Length - FooterBytes - (int)stored;
        var directory = new byte[stored - ObjectCipher.TagBytes];
        if (!cipher.TryOpen(number, last: true, compressed: false, directory.Length, whole.Slice(start, (int)stored), directory))
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.Seal, "the seal of its directory does not hold");
        }

        List<BlockRow> rows = [];
        var reader = new ByteReader(directory, objectName);
        long offset = ObjectCipher.PreambleBytes;
        int segment = 0;
        while (!reader.AtEnd)
        {
            var block = new BlockId(reader.Raw32());
            (int plainLength, int[] segments) = RowCodec.ReadSegments(ref reader);
            var row = new BlockRow(block, pack, offset, segment, plainLength, segments);
            rows.Add(row);
            offset += BlockSegments.StoredLengthOf(row);
            segment += segments.Length;
        }

        return offset == start && segment == number
            ? rows
            : throw new VaultIntegrityException(objectName, IntegrityKind.Malformed, "its blocks do not fill it");
    }
}
