using Drive.Engine.Reading;

namespace Drive.Engine.Tests.Reading;

public sealed class ReadStreamsTests
{
    private const int Call = 128 << 10;
    private const long Size = 1L << 30;

    private readonly ReadStreams _streams = new();

    [Fact]
    public void Readers_at_different_places_have_a_stream_each()
    {
        ReadStream[] last = [.. Enumerable.Range(0, ReadStreams.StreamsMax).Select(reader => Read(reader * 100L << 20))];
        for (int call = 1; call < 50; call++)
        {
            for (int reader = 0; reader < last.Length; reader++)
            {
                Assert.Same(last[reader], Read((reader * 100L << 20) + (call * Call)));
            }
        }

        Assert.Equal(last.Length, last.Distinct().Count());
    }

    [Fact]
    public void A_reader_that_jumps_does_not_end_one_that_goes_on()
    {
        Random random = new(7);
        ReadStream straight = Read(0);
        for (int call = 1; call < 100; call++)
        {
            Assert.Same(straight, Read(call * Call));
            for (int jump = 0; jump < 10; jump++)
            {
                Read((500L << 20) + (random.NextInt64(1 << 14) << 14));
            }
        }
    }

    [Fact]
    public void Reading_the_same_place_again_is_no_going_on()
    {
        ReadStream first = Read(5 << 20);
        Assert.NotSame(first, Read(5 << 20));
        Assert.False(Read(5 << 20).IsProven);
    }

    private ReadStream Read(long offset)
    {
        ReadStream stream = _streams.At(offset);
        stream.Advance(offset, Call, Size, long.MaxValue);
        return stream;
    }
}
