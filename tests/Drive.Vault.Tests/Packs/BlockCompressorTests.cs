using System.Buffers;
using System.IO.Compression;
using System.Text;
using Drive.Testing;
using Drive.Vault.Packs;

namespace Drive.Vault.Tests.Packs;

public sealed class BlockCompressorTests
{
    [Theory]
    [InlineData(Effort.Quick)]
    [InlineData(Effort.Moderate)]
    [InlineData(Effort.Thorough)]
    public void Each_segment_that_shrank_comes_back_alone(Effort effort)
    {
        Random random = new(11);
        foreach (int length in new[] { 1, 2, 200, 65_535, 65_536, 65_537, 300_000, BlockSegments.BlockBytesMax })
        {
            foreach (byte[] plain in new[] { Text(random, length), Tree.Bytes(random, length), new byte[length], [.. Text(random, length / 2), .. Tree.Bytes(random, length - (length / 2))] })
            {
                byte[] packed = new byte[length];
                int[] lengths = new int[BlockSegments.CountOf(length)];
                int filled = BlockCompressor.Compress(plain, effort, packed, lengths);
                Assert.Equal(lengths.Sum(), filled);
                for (int i = 0, start = 0; i < lengths.Length; start += lengths[i++])
                {
                    byte[] segment = plain.AsSpan(i * BlockSegments.SegmentBytes, BlockSegments.PlainLengthOf(length, i)).ToArray();
                    Assert.InRange(lengths[i], 0, segment.Length - (segment.Length / 16));
                    byte[] opened = new byte[segment.Length];
                    Assert.True(lengths[i] == 0 || BlockCompressor.TryDecompress(packed.AsSpan(start, lengths[i]), opened));
                    Assert.True(lengths[i] == 0 || segment.AsSpan().SequenceEqual(opened));
                }
            }
        }
    }

    [Fact]
    public void More_effort_makes_small_text_smaller()
    {
        byte[] plain = Text(new Random(12), 5_000);
        int[] sizes = [.. new[] { Effort.Quick, Effort.Moderate, Effort.Thorough }.Select(effort => BlockCompressor.Compress(plain, effort, new byte[plain.Length], new int[BlockSegments.CountOf(plain.Length)]))];
        Assert.True(plain.Length > sizes[0] && sizes[0] > sizes[1] && sizes[1] > sizes[2], string.Join(' ', sizes));
    }

    [Fact]
    public void What_older_programs_compressed_with_Brotli_is_opened()
    {
        foreach (byte[] plain in new[] { Text(new Random(15), 200), Text(new Random(16), BlockSegments.SegmentBytes), new byte[BlockSegments.SegmentBytes] })
        {
            byte[] packed = new byte[plain.Length];
            Assert.True(BrotliEncoder.TryCompress(plain, packed, out int written, 1, 16));
            byte[] opened = new byte[plain.Length];
            Assert.True(BlockCompressor.TryDecompress(packed.AsSpan(0, written), opened));
            Assert.True(plain.AsSpan().SequenceEqual(opened));
        }
    }

    /// <summary>So a segment's first bytes say which of the two it is.</summary>
    [Fact]
    public void No_Brotli_begins_like_a_frame_of_zstd()
    {
        byte[] plain = Text(new Random(17), 5_000);
        byte[] packed = new byte[plain.Length];
        BlockCompressor.Compress(plain, Effort.Quick, packed, new int[1]);
        Assert.Equal("28B52FFD", Convert.ToHexString(packed.AsSpan(0, 4)));
        Assert.Equal(OperationStatus.InvalidData, Begin(packed));

        Assert.True(BrotliEncoder.TryCompress(plain, packed, out _, 1, 16));
        Assert.NotEqual(OperationStatus.InvalidData, Begin(packed));

        static OperationStatus Begin(byte[] stream)
        {
            using BrotliDecoder decoder = new();
            return decoder.Decompress(stream.AsSpan(0, 4), new byte[BlockSegments.SegmentBytes], out _, out _);
        }
    }

    [Fact]
    public void What_is_damaged_or_of_another_length_is_refused_and_the_next_is_opened()
    {
        byte[] plain = Text(new Random(18), 20_000);
        byte[] packed = new byte[plain.Length];
        int[] lengths = new int[1];
        int filled = BlockCompressor.Compress(plain, Effort.Quick, packed, lengths);
        Assert.False(BlockCompressor.TryDecompress(packed.AsSpan(0, filled), new byte[plain.Length - 1]));
        Assert.False(BlockCompressor.TryDecompress(packed.AsSpan(0, filled), new byte[plain.Length + 1]));
        for (int length = 0; length < filled; length += 97)
        {
            Assert.False(BlockCompressor.TryDecompress(packed.AsSpan(0, length), new byte[plain.Length]));
        }

        byte[] opened = new byte[plain.Length];
        Assert.True(BlockCompressor.TryDecompress(packed.AsSpan(0, filled), opened));
        Assert.True(plain.AsSpan().SequenceEqual(opened));
    }

    [Fact]
    public void Noise_and_what_nobody_wants_compressed_is_left_alone()
    {
        byte[] noise = Tree.Bytes(new Random(13), 200_000);
        int[] lengths = [9, 9, 9, 9];
        Assert.Equal(0, BlockCompressor.Compress(noise, Effort.Thorough, new byte[noise.Length], lengths));
        Assert.All(lengths, length => Assert.Equal(0, length));
        Assert.Equal(0, BlockCompressor.Compress(new byte[200_000], Effort.None, new byte[200_000], lengths));
        Assert.All(lengths, length => Assert.Equal(0, length));
    }

    [Fact]
    public void After_two_segments_of_noise_the_rest_is_not_tried()
    {
        Random random = new(14);
        byte[] plain = [.. Tree.Bytes(random, 2 * BlockSegments.SegmentBytes), .. Text(random, BlockSegments.SegmentBytes)];
        int[] lengths = new int[3];
        Assert.Equal(0, BlockCompressor.Compress(plain, Effort.Moderate, new byte[plain.Length], lengths));
        plain = [.. Tree.Bytes(random, BlockSegments.SegmentBytes), .. Text(random, BlockSegments.SegmentBytes)];
        Assert.NotEqual(0, BlockCompressor.Compress(plain, Effort.Moderate, new byte[plain.Length], lengths));
    }

    /// <summary>Words, some of them far more often than others.</summary>
    private static byte[] Text(Random random, int length)
    {
        StringBuilder text = new();
        while (text.Length < length)
        {
            double chance = random.NextDouble();
            text.Append("word").Append((int)(3000 * chance * chance * chance)).Append(random.Next(9) == 0 ? "\n    " : " ");
        }

        return Encoding.ASCII.GetBytes(text.ToString(0, length));
    }
}
