using Drive.Cache.Blocks;
using Xunit.Abstractions;

namespace Drive.Cache.Tests.Blocks;

public sealed class RangeSetTests(ITestOutputHelper output)
{
    [Fact]
    public void It_agrees_with_a_bitmap_whatever_is_added_and_removed()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            output.WriteLine($"seed {seed}");
            var random = new Random(seed);
            var ranges = new RangeSet();
            byte[] journal = [];
            bool[] model = new bool[100];
            for (int step = 0; step < 40; step++)
            {
                int start = random.Next(100);
                int length = random.Next(1, 101 - start);
                bool isThere = random.Next(3) > 0;
                byte[] record = new byte[RangeJournal.RecordBytes];
                RangeJournal.WriteRecord(record, start, length, isThere);
                journal = [.. journal, .. record];
                Array.Fill(model, isThere, start, length);
                if (isThere)
                {
                    ranges.Add(start, length);
                }
                else
                {
                    ranges.Remove(start, length);
                }

                int from = random.Next(100);
                int count = random.Next(0, 100 - from);
                Assert.Equal(model.AsSpan(from, count).IndexOf(false) < 0, ranges.Contains(from, count));
                Assert.Equal(
                    Enumerable.Range(from, count).Where(at => !model[at]),
                    ranges.Missing(from, count).SelectMany(static part => Enumerable.Range((int)part.Start, (int)(part.End - part.Start))));
            }

            int runs = Enumerable.Range(0, 100).Count(at => model[at] && (at == 0 || !model[at - 1]));
            Assert.Equal(runs, ranges.Count);

            var replayed = new RangeSet();
            Assert.Equal(journal.Length, RangeJournal.Replay([.. journal, 1, 2, 3], replayed));
            Assert.Equal(ranges.Ranges, replayed.Ranges);
        }
    }

    [Theory]
    [InlineData(0, 1, 4096)]
    [InlineData(4095, 2, 8192)]
    [InlineData(4096, 4096, 4096)]
    [InlineData(100, 65552, 69632)]
    public void A_range_takes_whole_allocation_units(long start, long length, long expected)
    {
        Assert.Equal(expected, RangeSet.AllocatedBytesOf(start, length));
    }

    [Fact]
    public void A_torn_record_ends_the_journal()
    {
        byte[] journal = new byte[RangeJournal.RecordBytes * 2];
        RangeJournal.WriteRecord(journal, 0, 10, isThere: true);
        RangeJournal.WriteRecord(journal.AsSpan(RangeJournal.RecordBytes), 20, 10, isThere: true);
        for (int at = 0; at < journal.Length; at++)
        {
            byte[] torn = [.. journal];
            torn[at] ^= 0x40;
            var ranges = new RangeSet();
            Assert.Equal(at / RangeJournal.RecordBytes * RangeJournal.RecordBytes, RangeJournal.Replay(torn, ranges));
        }
    }
}
