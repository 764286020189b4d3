using Drive.Engine.Content;
using Drive.Engine.Reading;

namespace Drive.Engine.Tests.Reading;

public sealed class PackFetcherTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2_097_664, 1)]
    [InlineData(3_000_000, 1)]
    [InlineData(4_195_328, 2)]
    [InlineData(16_781_312, 8)]
    public void A_range_is_asked_for_in_equal_parts_and_none_is_a_crumb(long length, int count)
    {
        List<ByteRange> requests = [.. PackFetcher.Requests(new ByteRange(106, 106 + length))];
        Assert.Equal(count, requests.Count);
        Assert.Equal(106, requests[0].Start);
        Assert.Equal(106 + length, requests[^1].End);
        Assert.All(requests.Zip(requests.Skip(1)), static pair => Assert.Equal(pair.First.End, pair.Second.Start));
        Assert.InRange(requests.Max(static request => request.Length) - requests.Min(static request => request.Length), 0, 1);
    }
}
