using Drive.Core.Rows;
using Drive.Engine.Content;
using Drive.Engine.Reading;
using Drive.Testing;

namespace Drive.Engine.Tests.Reading;

public sealed class PackNeighboursTests
{
    private static readonly PackId Pack = new(new Bytes32([.. Enumerable.Repeat((byte)7, 32)]));

    [Fact]
    public void Pieces_double_up_to_a_limit_are_aligned_and_hold_what_is_read()
    {
        PackNeighbours neighbours = new(new ManualTime());
        Random random = new(5);
        long wanted = 64 << 10;
        for (int read = 0; read < 12; read++)
        {
            long offset = random.Next(32 << 20);
            ByteRange piece = neighbours.Around(Pack, offset);
            Assert.Equal(wanted, piece.Length);
            Assert.Equal(0, piece.Start % piece.Length);
            Assert.InRange(offset, piece.Start, piece.End - 1);
            wanted = Math.Min(wanted * 2, 4 << 20);
        }
    }

    [Fact]
    public void After_a_pause_and_in_another_pack_they_are_small_again()
    {
        ManualTime time = new();
        PackNeighbours neighbours = new(time);
        neighbours.Around(Pack, 0);
        neighbours.Around(Pack, 0);
        Assert.Equal(64 << 10, neighbours.Around(new PackId(default), 0).Length);
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(64 << 10, neighbours.Around(Pack, 0).Length);
    }
}
