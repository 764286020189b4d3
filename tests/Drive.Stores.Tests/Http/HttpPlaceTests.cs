using Drive.Core.Stores;
using Drive.Stores.Http;

namespace Drive.Stores.Tests.Http;

/// <summary>What can be known of a server's address without the server. Tests of the client itself are in Drive.Server.Tests, on the real one.</summary>
public sealed class HttpPlaceTests
{
    private const string Pin = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    [Theory]
    [InlineData("drive+https://host.example:8443/photos", "drive+https://host.example:8443/photos")]
    [InlineData("DRIVE+HTTPS://Host.Example:8443/photos/", "drive+https://host.example:8443/photos")]
    [InlineData("drive+https://host.example:443/photos", "drive+https://host.example/photos")]
    [InlineData("drive+https://[::1]:8443/a.b-c", "drive+https://[::1]:8443/a.b-c")]
    [InlineData("drive+http://127.0.0.1:8080/photos", "drive+http://127.0.0.1:8080/photos")]
    [InlineData("drive+http://localhost:8080/photos", "drive+http://localhost:8080/photos")]
    [InlineData("drive+https://host:1/x?pin=" + Pin, "drive+https://host:1/x?pin=" + Pin)]
    [InlineData("drive+https://host:1/x?pin=00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF", "drive+https://host:1/x?pin=" + Pin)]
    public void A_url_is_written_one_way_and_read_back(string url, string canonical)
    {
        StorePlace place = StorePlace.Parse(url);
        Assert.Equal(new StoreDescription(canonical, IsLocal: false), place.Description);
        Assert.Equal(place, StorePlace.Parse(canonical));
        Assert.IsType<HttpPlace>(place);
    }

    [Theory]
    [InlineData("drive+https://")]
    [InlineData("drive+https:")]
    [InlineData("drive+https://host")]
    [InlineData("drive+https://host/")]
    [InlineData("drive+https://host/a/b")]
    [InlineData("drive+https://host/Photos")]
    [InlineData("drive+https://host/.x")]
    [InlineData("drive+https://host/%2e%2e")]
    [InlineData("drive+https://host/x#y")]
    [InlineData("drive+https://host/x?pin=")]
    [InlineData("drive+https://host/x?pin=0011")]
    [InlineData("drive+https://host/x?token=secret")]
    [InlineData("drive+https://host/x?pin=" + Pin + "&pin=" + Pin)]
    [InlineData("drive+http://127.0.0.1/x?pin=" + Pin)]
    [InlineData("drive+http://host.example/x")]
    [InlineData("drive+http://10.0.0.1/x")]
    [InlineData("drive+ftp://host/x")]
    public void What_makes_no_sense_is_refused_in_one_line(string url)
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => StorePlace.Parse(url));
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Fact]
    public void A_password_in_the_address_is_refused_and_not_repeated()
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => StorePlace.Parse("drive+https://ana:hunter2@host/x"));
        Assert.DoesNotContain("hunter2", refusal.Message, StringComparison.Ordinal);
    }
}
