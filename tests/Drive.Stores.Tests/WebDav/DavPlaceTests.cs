using System.Net;
using Drive.Core.Stores;
using Drive.Stores.WebDav;

namespace Drive.Stores.Tests.WebDav;

public sealed class DavPlaceTests
{
    [Theory]
    [InlineData("davs://host.example", "davs://host.example")]
    [InlineData("DAVS://Host.example:443/My%20files/", "davs://host.example/My%20files")]
    [InlineData("dav://127.0.0.1:8080/a/b?slot=put", "dav://127.0.0.1:8080/a/b?slot=put")]
    [InlineData("davs://ann%40home@host/a b?slot=folder", "davs://ann%40home@host/a%20b?slot=folder")]
    [InlineData("davs://[::1]:8443/x?slot=move", "davs://[::1]:8443/x?slot=move")]
    public void A_url_is_written_one_way_and_read_back(string url, string canonical)
    {
        StorePlace place = StorePlace.Parse(url);
        Assert.Equal(new StoreDescription(canonical, IsLocal: false), place.Description);
        Assert.Equal(place, StorePlace.Parse(canonical));
    }

    [Theory]
    [InlineData("davs:host")]
    [InlineData("davs://")]
    [InlineData("davs:///path")]
    [InlineData("davs://@host/path")]
    [InlineData("davs://host:port/path")]
    [InlineData("davs://host//path")]
    [InlineData("davs://host/path#part")]
    [InlineData("davs://host/path?")]
    [InlineData("davs://host/path?slot=lock")]
    [InlineData("davs://host/path?slot=PUT")]
    [InlineData("davs://host/path?slot=put&slot=put")]
    [InlineData("davs://host/path?token=abc")]
    public void What_makes_no_sense_is_refused_in_one_line(string url)
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => StorePlace.Parse(url));
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Theory]
    [InlineData("davs://ann:secret@host/path")]
    [InlineData("davs://ann:@host/path")]
    [InlineData("dav://ann:se@cret@host")]
    public void A_password_in_a_url_is_refused_and_not_repeated(string url)
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => StorePlace.Parse(url));
        Assert.Contains("DRIVE_DAV_PASSWORD", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("cret", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Fact]
    public void The_step_makes_no_other_place()
    {
        StorePlace place = StorePlace.Parse("davs://ann@host/x");
        Assert.True(place.IsSameAs(StorePlace.Parse("davs://ann@host/x/?slot=put")));
        Assert.False(place.IsSameAs(StorePlace.Parse("dav://ann@host/x")));
        Assert.False(place.IsSameAs(StorePlace.Parse("davs://host/x")));
        Assert.False(place.IsSameAs(StorePlace.Parse("davs://ann@host/y")));
        Assert.False(place.IsSameAs(StorePlace.Parse("/x")));
    }

    [Fact]
    public void A_secret_is_sent_over_tls_or_to_this_machine_alone()
    {
        DavPlace secure = Place("davs://host/x");
        DavPlace open = Place("dav://host/x");
        DavPlace here = Place("dav://127.0.0.1:1/x");
        DavCredentials user = new("ann", "secret", null);
        Assert.NotNull(user.For(secure)!.GetCredential(secure.Root, "Basic"));
        Assert.NotNull(user.For(secure)!.GetCredential(secure.Root, "Digest"));
        Assert.Null(user.For(open)!.GetCredential(open.Root, "Basic"));
        Assert.NotNull(user.For(open)!.GetCredential(open.Root, "Digest"));
        Assert.NotNull(user.For(here)!.GetCredential(here.Root, "Basic"));

        // Nor to another server.
        Assert.Null(user.For(secure)!.GetCredential(new Uri("https://elsewhere/x"), "Basic"));
        DavCredentials token = new(null, null, "t");
        Assert.Null(token.For(secure));
        StoreException refused = Assert.Throws<StoreException>(() => token.For(open));
        Assert.Equal((StoreErrorKind.Denied, false), (refused.Kind, refused.IsTransient));
    }

    [Fact]
    public void A_user_without_a_password_is_refused_before_anything_is_sent()
    {
        StoreException refused = Assert.Throws<StoreException>(() => new DavCredentials("ann", null, null).For(Place("davs://host/x")));
        Assert.Equal((StoreErrorKind.Denied, false), (refused.Kind, refused.IsTransient));
        Assert.Contains("DRIVE_DAV_PASSWORD", refused.Message, StringComparison.Ordinal);
        Assert.Null(new DavCredentials(null, "left over", null).For(Place("davs://host/x")));
    }

    private static DavPlace Place(string url) => Assert.IsType<DavPlace>(StorePlace.Parse(url));
}
