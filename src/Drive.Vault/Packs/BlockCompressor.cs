using System.Buffers.Binary;
using System.IO.Compression;
using ZstdSharp;
using ZstdSharp.Unsafe;

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
/// zstd (RFC 8878) over a block's segments, each alone, as <c>docs/vault-format.md</c> wants it; which level is taken is free. Any number of threads may compress and open at once.
/// <c>docs/decisions/0030-zstd.md</c> says why these levels.
/// </summary>
public static class BlockCompressor
{
    /// <summary>What every zstd frame begins with, as a little-endian number.</summary>
    private const uint FrameMagic = 0xFD2FB528;

    private const int QuickLevel = 3;

    /// <summary>The shortest repetition that is looked for at <see cref="QuickLevel"/>, where zstd would take 5: as fast, and as small as level 4.</summary>
    private const int QuickMatch = 4;

    /// <summary>Text of small files is worth twice the time from level 4 on: what repeats in so few bytes is short.</summary>
    private const int SmallBytes = 8 * 1024;

    /// <summary>After so many segments in a row that do not shrink, the block is taken for media or archives.</summary>
    private const int FailuresMax = 2;

    private static readonly IdleContexts<Compressor> Compressors = new(static () => new Compressor());
    private static readonly IdleContexts<Decompressor> Decompressors = new(static () => new Decompressor());

    /// <summary>
    /// Compresses the segments of <paramref name="plain"/> one behind the other into <paramref name="packed"/>, which is at least as long. <paramref name="lengths"/> gets for each segment what it takes there;
    /// 0 where it saves less than a sixteenth, and is to be sealed as it is.
    /// </summary>
    /// <returns>Bytes of <paramref name="packed"/> that were filled.</returns>
    public static int Compress(ReadOnlySpan<byte> plain, Effort effort, Span<byte> packed, Span<int> lengths)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(packed.Length, plain.Length);
        int segments = BlockSegments.CountOf(plain.Length);
        lengths[..segments].Clear();
        if (effort == Effort.None)
        {
            return 0;
        }

        Compressor compressor = Compressors.Rent();
        int filled = 0;
        for (int i = 0, failures = 0; i < segments && failures < FailuresMax; i++)
        {
            ReadOnlySpan<byte> segment = plain.Slice(i * BlockSegments.SegmentBytes, BlockSegments.PlainLengthOf(plain.Length, i));
            int worthwhile = segment.Length - (segment.Length / 16) - 1;
            compressor.Level = LevelOf(effort, segment.Length);
            compressor.SetParameter(ZSTD_cParameter.ZSTD_c_minMatch, compressor.Level == QuickLevel ? QuickMatch : 0);
            if (worthwhile > 0 && compressor.TryWrap(segment, packed.Slice(filled, worthwhile), out int written))
            {
                lengths[i] = written;
                filled += written;
                failures = 0;
            }
            else
            {
                failures++;
            }
        }

        Compressors.Return(compressor);
        return filled;
    }

    /// <summary>
    /// Opens one compressed segment, a zstd frame or, as programs before November 2026 wrote it, Brotli. No segment is taken for the wrong one: as Brotli, the first four bytes of a frame announce 13.8 million bytes.
    /// </summary>
    /// <returns>Whether it came to exactly as much as <paramref name="plain"/> has room for.</returns>
    public static bool TryDecompress(ReadOnlySpan<byte> packed, Span<byte> plain)
    {
        if (packed.Length < sizeof(uint) || BinaryPrimitives.ReadUInt32LittleEndian(packed) != FrameMagic)
        {
            return BrotliDecoder.TryDecompress(packed, plain, out int opened) && opened == plain.Length;
        }

        Decompressor decompressor = Decompressors.Rent();
        try
        {
            return decompressor.TryUnwrap(packed, plain, out int written) && written == plain.Length;
        }
        catch (ZstdException)
        {
            return false;
        }
        finally
        {
            Decompressors.Return(decompressor);
        }
    }

    private static int LevelOf(Effort effort, int length) => effort switch
    {
        Effort.Quick => QuickLevel,
        Effort.Moderate => length <= SmallBytes ? 4 : QuickLevel,
        Effort.Thorough => 6,
        _ => throw new ArgumentOutOfRangeException(nameof(effort)),
    };
}
