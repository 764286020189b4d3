using Drive.Core.Stores;

namespace Drive.Stores.Tests.Koofr;

public sealed class KoofrPlaceTests
{
    [Theory]
    [InlineData("koofr://app.koofr.net/drive", "koofr://app.koofr.net/drive")]
    [InlineData("KOOFR://ana@example.com@App.Koofr.net:443/My%20files/drive/", "koofr://ana%40example.com@app.koofr.net/My%20files/drive")]
    [InlineData("koofr://ana%40example.com@app.koofr.net/a b?mount=My%20files", "koofr://ana%40example.com@app.koofr.net/a%20b?mount=My%20files")]
    [InlineData("koofr+http://ana@127.0.0.1:8080/x", "koofr+http://ana@127.0.0.1:8080/x")]
    public void A_url_is_written_one_way_and_read_back(string url, string canonical)
    {
        StorePlace place = StorePlace.Parse(url);
        Assert.Equal(new StoreDescription(canonical, IsLocal: false), place.Description);
        Assert.Equal(place, StorePlace.Parse(canonical));
    }

    [Theory]
    [InlineData("koofr:host")]
    [InlineData("koofr://")]
    [InlineData("koofr:///path")]
    [InlineData("koofr://app.koofr.net")]
    [InlineData("koofr://app.koofr.net/")]
    [InlineData("koofr://@app.koofr.net/path")]
    [InlineData("koofr://host:port/path")]
    [InlineData("koofr://host/a//b")]
    [InlineData("koofr://host/a/../b")]
    [InlineData("koofr://host/a/%2e%2e")]
    [InlineData("koofr://host/a%2fb")]
    [InlineData("koofr://host/a%5cb")]
    [InlineData("koofr://host/a%00")]
    [InlineData("koofr://host/path?")]
    [InlineData("koofr://host/path?mount=")]
    [InlineData("koofr://host/path?mount=a&mount=b")]
    [InlineData("koofr://host/path?token=abc")]
    [InlineData("koofr+http://app.koofr.net/path")]
    public void What_makes_no_sense_is_refused_in_one_line(string url)
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => StorePlace.Parse(url));
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Theory]
    [InlineData("koofr://ana:secret@app.koofr.net/path")]
    [InlineData("koofr://ana@example.com:secret@app.koofr.net/path")]
    [InlineData("koofr://ana:se@cret@app.koofr.net/path")]
    public void A_password_in_a_url_is_refused_and_not_repeated(string url)
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => StorePlace.Parse(url));
        Assert.Contains("DRIVE_KOOFR_PASSWORD", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("cret", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Case_makes_no_other_place_and_a_mount_does()
    {
        StorePlace place = StorePlace.Parse("koofr://ana@host/Drive");
        Assert.True(place.IsSameAs(StorePlace.Parse("koofr://Ana@host/drive/")));
        Assert.False(place.IsSameAs(StorePlace.Parse("koofr://ana@host/drive?mount=Dropbox")));
        Assert.False(place.IsSameAs(StorePlace.Parse("koofr://ana@host/other")));
    }
}
