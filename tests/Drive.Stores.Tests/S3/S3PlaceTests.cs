using Drive.Core.Stores;
using Drive.Stores.S3;

namespace Drive.Stores.Tests.S3;

public sealed class S3PlaceTests
{
    [Theory]
    [InlineData("s3://my-bucket", "s3://my-bucket")]
    [InlineData("S3://my-bucket/some/where/", "s3://my-bucket/some/where")]
    [InlineData("s3://bucket/x?region=eu-central-1", "s3://bucket/x?region=eu-central-1")]
    [InlineData("s3://bucket?style=path&endpoint=http://127.0.0.1:9000/", "s3://bucket?endpoint=http://127.0.0.1:9000")]
    [InlineData("s3://bucket?endpoint=https://host.example&style=virtual&region=r", "s3://bucket?endpoint=https://host.example&region=r&style=virtual")]
    [InlineData("s3://bucket?style=path", "s3://bucket?style=path")]
    public void A_url_is_written_one_way_and_read_back(string url, string canonical)
    {
        StorePlace place = StorePlace.Parse(url);
        Assert.Equal(new StoreDescription(canonical, IsLocal: false), place.Description);
        Assert.Equal(place, StorePlace.Parse(canonical));
    }

    [Fact]
    public void Amazon_gets_the_bucket_in_the_hosts_name_and_other_servers_in_the_path()
    {
        Assert.False(Assert.IsType<S3Place>(StorePlace.Parse("s3://bucket/x")).IsPathStyle);
        Assert.True(Assert.IsType<S3Place>(StorePlace.Parse("s3://bucket/x?endpoint=http://127.0.0.1:9000")).IsPathStyle);
    }

    [Theory]
    [InlineData("s3:bucket")]
    [InlineData("s3://")]
    [InlineData("s3://Bucket")]
    [InlineData("s3://bu")]
    [InlineData("s3://bucket/UPPER")]
    [InlineData("s3://bucket/a//b")]
    [InlineData("s3://bucket?endpoint=host:9000")]
    [InlineData("s3://bucket?endpoint=http://host/path")]
    [InlineData("s3://bucket?region=")]
    [InlineData("s3://bucket?style=other")]
    [InlineData("s3://bucket?region=a&region=b")]
    [InlineData("s3://bucket?key=secret")]
    public void What_makes_no_sense_is_refused_in_one_line(string url)
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => StorePlace.Parse(url));
        Assert.DoesNotContain('\n', refusal.Message);
    }
}
