using System.IO.Compression;

namespace Drive.Vault.Packs;

/// <summary>How much work goes into making a block small.</summary>
public enum Effort
{
    /// <summary>It is sealed as it is.</summary>
    None,

    /// <summary>Somebody waits for it.</summary>
    Quick,

    /// <summary>It is written once and kept for years.</summary>
    Moderate,

    /// <summary>There is time for it: the store is what is waited for.</summary>
    Thorough,
}

/// <summary>
/// Brotli over a block's segments, each alone, as <c>docs/vault-format.md</c> wants it; which level is taken is free. Pure, so several threads may compress at once. <c>docs/performance.md</c>, Backup, has what
/// each level costs and gives.
/// </summary>
public static class BlockCompressor
{
    /// <summary>A window of 64 KiB: no segment is longer.</summary>
    private const int Window = 16;

    /// <summary>After so many segments in a row that do not shrink, the block is taken for media or archives.</summary>
    private const int FailuresMax = 2;

    /// <summary>
    /// Compresses the segments of <paramref name="plain"/> one behind the other into <paramref name="packed"/>, which is at least as long. <paramref name="lengths"/> gets for each segment what it takes there;
    /// 0 where it saves less than a sixteenth, and is to be sealed as it is.
    /// </summary>
    /// <returns>Bytes of <paramref name="packed"/> that were filled.</returns>
    public static int Compress(ReadOnlySpan<byte> plain, Effort effort, Span<byte> packed, Span<int> lengths)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(packed.Length, plain.Length);
        int filled = 0;
        int failures = effort == Effort.None ? FailuresMax : 0;
        for (int i = 0; i < BlockSegments.CountOf(plain.Length); i++)
        {
            lengths[i] = 0;
            if (failures < FailuresMax)
            {
                ReadOnlySpan<byte> segment = plain.Slice(i * BlockSegments.SegmentBytes, BlockSegments.PlainLengthOf(plain.Length, i));
                lengths[i] = CompressSegment(segment, effort, packed[filled..]);
                filled += lengths[i];
                failures = lengths[i] > 0 ? 0 : failures + 1;
            }
        }

        return filled;
    }

    private static int CompressSegment(ReadOnlySpan<byte> segment, Effort effort, Span<byte> packed)
    {
        int worthwhile = segment.Length - (segment.Length / 16) - 1;
        return worthwhile > 0 && BrotliEncoder.TryCompress(segment, packed[..worthwhile], out int written, LevelOf(effort), Window) ? written : 0;
    }

    private static int LevelOf(Effort effort) => effort switch
    {
        Effort.Quick => 1,
        Effort.Moderate => 3,
        Effort.Thorough => 5,
        _ => throw new ArgumentOutOfRangeException(nameof(effort)),
    };
}
