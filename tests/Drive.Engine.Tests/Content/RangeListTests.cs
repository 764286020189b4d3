using Drive.Engine.Content;

namespace Drive.Engine.Tests.Content;

public sealed class RangeListTests
{
    private const int Room = 60;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_range_list_is_the_set_of_its_numbers(int seed)
    {
        Random random = new(seed);
        bool[] model = new bool[Room];
        RangeList list = new();
        for (int step = 0; step < 5000; step++)
        {
            int start = random.Next(Room);
            int end = random.Next(Room + 1);
            bool adds = random.Next(2) == 0;
            bool[] before = [.. model];
            for (int at = start; at < end; at++)
            {
                model[at] = adds;
            }

            bool changed = adds ? list.Add(start, end) : list.Remove(start, end);
            Assert.True(changed == !before.AsSpan().SequenceEqual(model), $"seed {seed} step {step}: changed is {changed}");
            Assert.True(Expected(model).SequenceEqual(list.Ranges), $"seed {seed} step {step}: {string.Join(' ', list.Ranges)}");
            Assert.Equal(list.Ranges.Count == 0, list.IsEmpty);
            int asked = random.Next(Room);
            ByteRange? found = list.FindAtOrAfter(asked);
            ByteRange? expected = Expected(model).Where(range => range.End > asked).Select(range => (ByteRange?)range).FirstOrDefault();
            Assert.True(found == expected, $"seed {seed} step {step}: at {asked} {found} instead of {expected}");
        }
    }

    [Fact]
    public void The_last_offset_of_all_is_no_special_case()
    {
        RangeList list = new();
        Assert.True(list.Add(100, long.MaxValue));
        Assert.False(list.Add(200, long.MaxValue));
        Assert.True(list.Remove(long.MaxValue - 10, long.MaxValue));
        Assert.Equal([new ByteRange(100, long.MaxValue - 10)], list.Ranges);
        Assert.False(list.Remove(long.MaxValue - 10, long.MaxValue));
        Assert.Null(list.FindAtOrAfter(long.MaxValue - 10));
    }

    private static List<ByteRange> Expected(bool[] model)
    {
        List<ByteRange> ranges = [];
        for (int at = 0; at < Room; at++)
        {
            if (model[at] && (at == 0 || !model[at - 1]))
            {
                ranges.Add(new ByteRange(at, at + 1));
            }
            else if (model[at])
            {
                ranges[^1] = ranges[^1] with { End = at + 1 };
            }
        }

        return ranges;
    }
}
