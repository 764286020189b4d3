using Drive.Core.History;

namespace Drive.Core.Tests;

public sealed class KeptHistoryTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_row_is_held_as_long_as_one_kept_state_lies_in_its_span(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 300; round++)
        {
            long below = random.Next(0, 14);
            long[] seqs = [.. Enumerable.Range(0, random.Next(5)).Select(_ => (long)random.Next(1, 16))];
            KeptHistory kept = new(below, seqs);
            for (long from = 1; from < 16; from++)
            {
                Assert.Equal(from >= below || seqs.Contains(from), kept.Keeps(from));
                for (long to = from + 1; to < 18; to++)
                {
                    bool expected = Enumerable.Range((int)from, (int)(to - from)).Any(seq => kept.Keeps(seq));
                    Assert.True(expected == kept.Holds(from, to), $"seed {seed}: below {below}, kept {string.Join(',', seqs)}, row {from} to {to}");
                }

                Assert.True(kept.Holds(from, long.MaxValue));
            }
        }
    }

    [Fact]
    public void Where_nothing_was_forgotten_everything_is_held() => Assert.True(KeptHistory.Everything.Keeps(1) && KeptHistory.Everything.Holds(1, 2));
}
