using Drive.Core.Rows;

namespace Drive.Vault;

/// <summary>Arithmetic of a block's segments. Every segment but the last holds 65,536 plain bytes.</summary>
public static class BlockSegments
{
    public const int SegmentBytes = 65_536;
    public const int BlockBytesMax = 1_048_576;
    public const int SegmentsMax = BlockBytesMax / SegmentBytes;

    /// <summary>What sealing adds to a segment.</summary>
    public const int TagBytes = 16;

    public static int CountOf(int plainLength) => (plainLength + SegmentBytes - 1) / SegmentBytes;

    /// <summary>Plain bytes in a segment of a block of this length.</summary>
    public static int PlainLengthOf(int plainLength, int segment) => Math.Min(SegmentBytes, plainLength - (segment * SegmentBytes));

    /// <summary>Sealed bytes of a segment as they lie in the pack.</summary>
    public static int StoredLengthOf(BlockRow block, int segment) => block.Segments[segment] >> 1;

    public static bool IsCompressed(BlockRow block, int segment) => (block.Segments[segment] & 1) != 0;

    /// <summary>Where a segment lies in the pack object.</summary>
    public static long OffsetOf(BlockRow block, int segment)
    {
        long offset = block.PackOffset;
        for (int i = 0; i < segment; i++)
        {
            offset += StoredLengthOf(block, i);
        }

        return offset;
    }

    /// <summary>Sealed bytes of the whole block.</summary>
    public static int StoredLengthOf(BlockRow block)
    {
        int length = 0;
        for (int i = 0; i < block.Segments.Length; i++)
        {
            length += StoredLengthOf(block, i);
        }

        return length;
    }

    /// <summary>Stored plain: exactly as long. Compressed: shorter, and not empty.</summary>
    internal static bool IsPlausible(int storedAndFlag, int plainLength)
    {
        int content = (storedAndFlag >> 1) - TagBytes;
        return (storedAndFlag & 1) == 0 ? content == plainLength : content > 0 && content < plainLength;
    }
}
