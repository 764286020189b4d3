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
                    Assert.True(lengths[i] == 0 || (BrotliDecoder.TryDecompress(packed.AsSpan(start, lengths[i]), opened, out int written) && written == segment.Length));
                    Assert.True(lengths[i] == 0 || segment.AsSpan().SequenceEqual(opened));
                }
            }
        }
    }

    [Fact]
    public void More_effort_makes_text_smaller()
    {
        byte[] plain = Text(new Random(12), 400_000);
        int[] sizes = [.. new[] { Effort.Quick, Effort.Moderate, Effort.Thorough }.Select(effort => BlockCompressor.Compress(plain, effort, new byte[plain.Length], new int[BlockSegments.CountOf(plain.Length)]))];
        Assert.True(plain.Length > sizes[0] && sizes[0] > sizes[1] && sizes[1] > sizes[2], string.Join(' ', sizes));
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
