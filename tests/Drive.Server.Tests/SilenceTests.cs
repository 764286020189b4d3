using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores;
using Drive.Stores.Calls;
using Drive.Stores.Http;
using Drive.Stores.Wrappers;
using Drive.Testing;
using Drive.Testing.Stores;

namespace Drive.Server.Tests;

/// <summary>Connections to a server of Drive's own that fall silent.</summary>
public sealed class SilenceTests(RunningServer server) : IClassFixture<RunningServer>
{
    public static TheoryData<string> Contract => SilenceContract.Tests;

    [Theory]
    [MemberData(nameof(Contract))]
    public Task A_call_goes_on(string test) => new SilenceContract(server.Address, (address, time) => Open(address, time, null)).RunAsync(test);

    [Fact]
    public async Task The_status_says_that_a_store_is_silent_and_no_more_when_it_is_not()
    {
        ManualTime time = new();
        CallsUnderWay calls = new(time);
        await using SilentProxy proxy = new(server.Address);
        await using IObjectStore store = Open(proxy.Address, time, calls);
        ObjectName name = new("packs/one");
        Assert.True(await store.PutIfAbsentAsync(name, new byte[10], CancellationToken.None));
        Assert.Null(calls.Trouble("far"));
        proxy.FallSilent();
        Task<byte[]?> read = store.GetAsync(name, 10, CancellationToken.None);
        await proxy.SwallowedAsync();
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.Null(calls.Trouble("far"));
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.StartsWith("far has been silent for 7 s.", calls.Trouble("far"), StringComparison.Ordinal);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.NotNull(await read);
        Assert.Null(calls.Trouble("far"));
    }

    private IObjectStore Open(Uri address, TimeProvider time, CallsUnderWay? calls)
    {
        HttpPlace place = (HttpPlace)StorePlace.Parse($"drive+https://127.0.0.1:{address.Port}/{server.NewVault()}?pin={server.Fingerprint}");
        RetryOptions retry = new() { AttemptsMax = 3, FirstDelay = TimeSpan.Zero, UnderWay = calls };
        return place.Open(server.Token, create: true, time, SystemRandomSource.Instance).Retried(retry, time, new SeededRandom(1));
    }
}
