using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Disk;
using Drive.Stores.Wrappers;
using Drive.Testing;
using Drive.Testing.Stores;

namespace Drive.Stores.Tests.WebDav;

/// <summary>Connections to a WebDAV server that fall silent: lighttpd.</summary>
public sealed class DavSilenceTests(DavServers servers) : IClassFixture<DavServers>
{
    public static TheoryData<string> Contract => SilenceContract.Tests;

    [DavTheory(DavKind.Lighttpd)]
    [MemberData(nameof(Contract))]
    public Task On_lighttpd_a_call_goes_on(string test) => GoesOnAsync(DavKind.Lighttpd, test);

    [DavTheory(DavKind.Apache)]
    [MemberData(nameof(Contract))]
    public Task On_apache_a_call_goes_on(string test) => GoesOnAsync(DavKind.Apache, test);

    private async Task GoesOnAsync(DavKind kind, string test)
    {
        DavServer server = await servers.GetAsync(kind);
        string path = new Uri(server.NewFolder().Replace("dav://", "http://", StringComparison.Ordinal)).AbsolutePath;
        await new SilenceContract(server.Open, Open).RunAsync(test);

        IObjectStore Open(Uri address, TimeProvider time) => StorePlace.Parse($"dav://127.0.0.1:{address.Port}{path}")
            .Open(create: true, new LocalDisk(), time, SystemRandomSource.Instance)
            .Retried(new RetryOptions { AttemptsMax = 3, FirstDelay = TimeSpan.Zero }, time, new SeededRandom(1));
    }
}
