using Drive.Core.Rows;
using Drive.Engine.Garbage;

namespace Drive.Engine.Tests.History;

public sealed class CompactionRuleTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_is_left_alone_wastes_little_and_no_pack_moves_that_is_nearly_full(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 200; round++)
        {
            List<PackShare> packs = [.. Enumerable.Range(0, random.Next(30)).Select(i => new PackShare(Pack(i), 1000, random.Next(3) == 0 ? 0 : random.Next(1, 1001)))];
            HashSet<PackId> chosen = [.. CompactionRule.Choose(packs)];
            List<PackShare> left = [.. packs.Where(pack => pack.NeededBytes > 0 && !chosen.Contains(pack.Pack))];
            long needed = packs.Sum(static pack => pack.NeededBytes);
            long waste = left.Sum(static pack => pack.WasteBytes);
            Assert.True(waste <= 0.11 * (needed + waste) || left.All(static pack => pack.WasteBytes < 50), $"seed {seed}, round {round}: {waste} of {needed}");
            Assert.DoesNotContain(packs, pack => chosen.Contains(pack.Pack) && (pack.NeededBytes == 0 || pack.WasteBytes < 50));
            Assert.True(left.Count == 0 || chosen.Count == 0
                || left.Max(static pack => pack.WasteBytes) <= packs.Where(pack => chosen.Contains(pack.Pack)).Min(static pack => pack.WasteBytes));
        }
    }

    [Fact]
    public void Small_packs_that_are_full_stay_where_they_are() =>
        Assert.Empty(CompactionRule.Choose([new PackShare(Pack(1), 400, 380), new PackShare(Pack(2), 400, 500)]));

    private static PackId Pack(int number)
    {
        byte[] bytes = new byte[Bytes32.Size];
        BitConverter.TryWriteBytes(bytes, number);
        return new PackId(new Bytes32(bytes));
    }
}
