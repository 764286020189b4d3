using System.Buffers.Binary;

namespace Drive.Cache.Blocks;

/// <summary>
/// The side file of a cached pack: one record for each range that was filled or invalidated, in order. It ends at the first record whose check is
/// wrong; what is lost with the rest is only fetched again. The bytes of the pack have their own tags: a record that lies does no harm.
/// </summary>
internal static class RangeJournal
{
    public const int RecordBytes = 16;
    private const uint FnvBasis = 2166136261;
    private const uint FnvPrime = 16777619;

    /// <summary>A range that was filled, or with <paramref name="isThere"/> false, invalidated.</summary>
    public static void WriteRecord(Span<byte> record, long start, int length, bool isThere)
    {
        BinaryPrimitives.WriteInt64LittleEndian(record, start);
        BinaryPrimitives.WriteInt32LittleEndian(record[8..], isThere ? length : -length);
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], Check(record[..12]));
    }

    /// <summary>The ranges that are there after all records; returns the bytes of the records that were good.</summary>
    public static int Replay(ReadOnlySpan<byte> journal, RangeSet ranges)
    {
        int at = 0;
        for (; at + RecordBytes <= journal.Length; at += RecordBytes)
        {
            ReadOnlySpan<byte> record = journal.Slice(at, RecordBytes);
            long start = BinaryPrimitives.ReadInt64LittleEndian(record);
            int length = BinaryPrimitives.ReadInt32LittleEndian(record[8..]);
            if (BinaryPrimitives.ReadUInt32LittleEndian(record[12..]) != Check(record[..12]) || start < 0 || length is 0 or int.MinValue)
            {
                break;
            }

            if (length > 0)
            {
                ranges.Add(start, length);
            }
            else
            {
                ranges.Remove(start, -(long)length);
            }
        }

        return at;
    }

    // FNV-1a: it has to notice a torn record, not an attacker.
    private static uint Check(ReadOnlySpan<byte> bytes)
    {
        uint hash = FnvBasis;
        foreach (byte value in bytes)
        {
            hash = (hash ^ value) * FnvPrime;
        }

        return hash;
    }
}
