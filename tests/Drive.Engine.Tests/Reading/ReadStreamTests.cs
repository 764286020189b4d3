using Drive.Engine.Content;
using Drive.Engine.Reading;

namespace Drive.Engine.Tests.Reading;

public sealed class ReadStreamTests
{
    private const long Film = 8L << 30;
    private const long Mebibyte = 1 << 20;
    private const int Call = 128 << 10;

    [Fact]
    public void A_reader_that_goes_on_gets_a_window_that_doubles_and_is_refilled_before_it_is_used_up()
    {
        ReadStream stream = new();
        RangeList asked = new();
        long windowMost = 0;
        for (long offset = 0; offset < 200 * Mebibyte; offset += Call)
        {
            ByteRange next = stream.Advance(offset, Call, Film, long.MaxValue);
            asked.Add(next.Start, next.End);
            windowMost = Math.Max(windowMost, next.End - offset);
            if (offset >= Mebibyte)
            {
                // From the second read on everything was asked for before the reader came to it.
                Assert.True(asked.Ranges.Any(range => range.Start <= offset + Call && range.End > offset + Call), $"at {offset}");
            }
        }

        Assert.Single(asked.Ranges);
        Assert.InRange(windowMost, ReadStream.WindowMax / 2, ReadStream.WindowMax + Call);
    }

    [Fact]
    public void Who_begins_at_the_beginning_with_a_large_piece_gets_a_window_at_once_and_a_small_first_read_gets_none()
    {
        Assert.Equal(new ByteRange(Mebibyte, 2 * Mebibyte), new ReadStream().Advance(0, 1 << 20, Film, long.MaxValue));
        Assert.Equal(new ByteRange(Mebibyte, Mebibyte + 4096), new ReadStream().Advance(0, 1 << 20, Film, windowMax: 4096));
        Assert.Equal(0, new ReadStream().Advance(0, 128 << 10, Film, long.MaxValue).Length);
        Assert.Equal(0, new ReadStream().Advance(Mebibyte, 1 << 20, Film, long.MaxValue).Length);
    }

    [Fact]
    public void Nothing_is_asked_for_twice()
    {
        ReadStream stream = new();
        RangeList asked = new();
        Random random = new(7);
        for (long offset = 0; offset < 64 * Mebibyte;)
        {
            int length = random.Next(1, 1 << 20);
            ByteRange next = stream.Advance(offset, length, 64 * Mebibyte, long.MaxValue);
            for (long at = next.Start; at < next.End; at += 4096)
            {
                Assert.DoesNotContain(asked.Ranges, range => range.Start <= at && at < range.End);
            }

            asked.Add(next.Start, next.End);
            offset += length;
        }
    }

    [Fact]
    public void Random_reads_get_nothing_beyond_what_they_ask_for()
    {
        ReadStream stream = new();
        Random random = new(11);
        for (int read = 0; read < 50; read++)
        {
            // Farther apart than pieces of one read can be.
            long offset = ((read * 37 % 50) * 100 * Mebibyte) + random.Next(1 << 20);
            Assert.Equal(0, stream.Advance(offset, 64 << 10, Film, long.MaxValue).Length);
        }
    }

    [Fact]
    public void After_a_jump_the_window_is_small_again()
    {
        ReadStream stream = new();
        for (long offset = 0; offset < 64 * Mebibyte; offset += Call)
        {
            stream.Advance(offset, Call, Film, long.MaxValue);
        }

        long jump = 4L << 30;
        Assert.Equal(0, stream.Advance(jump, Call, Film, long.MaxValue).Length);
        ByteRange next = stream.Advance(jump + Call, Call, Film, long.MaxValue);
        Assert.Equal(new ByteRange(jump + (2 * Call), jump + (2 * Call) + ReadStream.WindowMin), next);
    }

    [Fact]
    public void A_document_is_expected_to_be_read_whole_and_the_head_of_a_film_is_not()
    {
        Assert.Equal(new ByteRange(Call, 2 * Mebibyte), new ReadStream().Advance(0, Call, 2 * Mebibyte, long.MaxValue));
        Assert.Equal(0, new ReadStream().Advance(0, Call, Film, long.MaxValue).Length);
        Assert.Equal(0, new ReadStream().Advance(Mebibyte, Call, 2 * Mebibyte, long.MaxValue).Length);
    }

    [Fact]
    public void Pieces_of_the_kernels_own_read_ahead_may_come_in_any_order()
    {
        ReadStream stream = new();
        RangeList asked = new();
        Random random = new(3);
        for (long offset = 0; offset < 32 * Mebibyte; offset += Mebibyte)
        {
            long[] pieces = [.. Enumerable.Range(0, 8).Select(index => offset + (index * Call))];
            random.Shuffle(pieces);
            foreach (long piece in pieces)
            {
                ByteRange next = stream.Advance(piece, Call, Film, long.MaxValue);
                asked.Add(next.Start, next.End);
            }
        }

        Assert.Single(asked.Ranges);
        Assert.True(asked.Ranges[0].End > 40 * Mebibyte);
    }

    [Fact]
    public void A_stream_keeps_to_its_share_and_to_the_files_end()
    {
        ReadStream stream = new();
        for (long offset = 0; offset < 30 * Mebibyte; offset += Call)
        {
            ByteRange next = stream.Advance(offset, Call, 30 * Mebibyte, 2 * Mebibyte);
            Assert.True(next.End <= Math.Min(30 * Mebibyte, offset + Call + (2 * Mebibyte)), $"{next} at {offset}");
        }
    }

    [Fact]
    public void What_could_not_be_asked_for_is_returned_again()
    {
        ReadStream stream = new();
        stream.Advance(0, Call, Film, long.MaxValue);
        ByteRange refused = stream.Advance(Call, Call, Film, long.MaxValue);
        stream.Retreat();
        ByteRange again = stream.Advance(2 * Call, Call, Film, long.MaxValue);
        Assert.Equal(3 * Call, again.Start);
        Assert.True(again.End >= refused.End);
    }
}
