using System.Buffers;
using Drive.Core.Rows;
using Drive.Engine.Reading;

namespace Drive.Engine.Tests.Reading;

public sealed class RecentSegmentsTests
{
    [Fact]
    public void A_segment_is_given_as_it_was_put_or_not_at_all()
    {
        RecentSegments recent = new();
        Random random = new(1);
        int hits = 0;
        for (int step = 0; step < 20_000; step++)
        {
            int block = random.Next(10);
            int segment = random.Next(random.Next(4) == 0 ? 30 : 5);
            int offset = random.Next(1000);
            byte[] part = new byte[random.Next(1, 1000)];
            if (recent.TryCopy(Block(block), segment, offset, part))
            {
                hits++;
                Assert.True(part.AsSpan().SequenceEqual(Content(block, segment).AsSpan(offset, part.Length)), $"step {step}");
            }
            else
            {
                byte[] rented = ArrayPool<byte>.Shared.Rent(2000);
                Content(block, segment).CopyTo(rented, 0);
                recent.Put(Block(block), segment, rented, 2000);
                Assert.True(recent.TryCopy(Block(block), segment, offset, part), $"step {step}: just put");
            }
        }

        Assert.InRange(hits, 10_000, 19_999);
    }

    private static byte[] Content(int block, int segment)
    {
        byte[] content = new byte[2000];
        new Random((block * 100) + segment).NextBytes(content);
        return content;
    }

    private static BlockId Block(int number)
    {
        byte[] bytes = new byte[Bytes32.Size];
        bytes[0] = (byte)number;
        return new BlockId(new Bytes32(bytes));
    }
}
