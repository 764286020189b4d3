using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores;
using Drive.Stores.Http;
using Drive.Testing.Stores;

namespace Drive.Server.Tests;

/// <summary>The contract, by the client on a real server with TLS and a pin.</summary>
public sealed class HttpStoreContractTests(RunningServer server) : ObjectStoreContract, IClassFixture<RunningServer>
{
    protected override ValueTask<IObjectStore> OpenAsync() => ValueTask.FromResult(server.Open(server.NewVault()));
}

/// <summary>The client on a real server, beyond the contract.</summary>
public sealed class HttpStoreTests(RunningServer server) : IClassFixture<RunningServer>
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Of_sixteen_racing_creators_one_wins_in_every_round()
    {
        string vault = server.NewVault();
        IObjectStore[] stores = [.. Enumerable.Range(0, 4).Select(_ => server.Open(vault))];
        for (int round = 0; round < 20; round++)
        {
            ObjectName name = new($"log/1/{round}");
            byte[][] contents = [.. Enumerable.Range(0, 16).Select(writer => Bytes(writer, 4096))];
            bool[] made = await Task.WhenAll(contents.Select((content, writer) => stores[writer % 4].PutIfAbsentAsync(name, content, None)));
            Assert.Equal(1, made.Count(static isMade => isMade));
            Assert.Equal(contents[Array.IndexOf(made, true)], await stores[0].GetAsync(name, 4096, None));
        }

        foreach (IObjectStore store in stores)
        {
            await store.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_store_passes_the_look_that_a_new_vault_takes()
    {
        await using IObjectStore store = server.Open(server.NewVault());
        Assert.Equal(StoreClass.A, (await new StoreProbe([store], ProbeSize.Quick, SystemRandomSource.Instance).RunAsync(None)).Class);
        string vault = server.NewVault();
        await using IObjectStore adding = server.Open(vault, server.NewToken(RunningServer.User, isAppendOnly: true));
        Assert.Equal(StoreClass.A, (await new StoreProbe([adding], ProbeSize.Quick, SystemRandomSource.Instance).RunAsync(None)).Class);
    }

    [Fact]
    public async Task A_listing_of_several_pages_is_whole_and_in_order()
    {
        await using IObjectStore store = server.Open(server.NewVault());
        string[] names = [.. Enumerable.Range(0, 2300).Select(index => (index % 3) switch { 0 => $"packs/{index % 7}/{index}", 1 => $"packs/{index % 7}-{index}", _ => $"packs/x{index}" })];
        await Parallel.ForEachAsync(names, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (name, token) => await store.PutIfAbsentAsync(new ObjectName(name), new byte[1], token));
        List<string> found = [];
        await foreach (ObjectInfo info in store.ListAsync("packs/", None))
        {
            found.Add(info.Name.Value);
        }

        Assert.Equal(names.OrderBy(static name => name.Replace('/', '\0'), StringComparer.Ordinal), found);
    }

    [Fact]
    public async Task A_vault_that_nobody_made_is_unreachable_and_nothing_in_it_is_absent()
    {
        await using IObjectStore store = server.Open("never-made", create: false);
        ObjectName name = new("x");
        foreach (Func<Task> call in new Func<Task>[]
        {
            () => store.GetAsync(name, 10, None),
            () => store.GetLengthAsync(name, None),
            () => store.GetRangeAsync(name, 0, new byte[1], None).AsTask(),
            () => store.PutIfAbsentAsync(name, new byte[1], None),
            () => store.DeleteAsync(name, None),
            () => store.GetSpaceAsync(None),
        })
        {
            StoreException failure = await Assert.ThrowsAsync<StoreException>(call);
            Assert.Equal((StoreErrorKind.Unreachable, false), (failure.Kind, failure.IsTransient));
        }
    }

    [Fact]
    public async Task Another_certificate_than_the_pinned_one_is_refused()
    {
        await using IObjectStore store = server.Place("vault", new string('0', 64)).Open(server.Token, create: true, TimeProvider.System, SystemRandomSource.Instance);
        StoreException failure = await Assert.ThrowsAsync<StoreException>(() => store.GetAsync(new ObjectName("x"), 10, None));
        Assert.Equal((StoreErrorKind.Denied, false), (failure.Kind, failure.IsTransient));
        Assert.DoesNotContain(server.Log, line => line.Contains(" vault ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_certificate_of_no_authority_is_refused_without_a_pin()
    {
        HttpPlace place = server.Place("vault") with { Pin = null };
        await using IObjectStore store = place.Open(server.Token, create: true, TimeProvider.System, SystemRandomSource.Instance);
        StoreException failure = await Assert.ThrowsAsync<StoreException>(() => store.GetAsync(new ObjectName("x"), 10, None));
        Assert.Equal(StoreErrorKind.Denied, failure.Kind);
    }

    [Fact]
    public async Task A_server_that_is_away_is_unreachable_for_now()
    {
        HttpPlace place = (HttpPlace)StorePlace.Parse("drive+http://127.0.0.1:1/vault");
        await using IObjectStore store = place.Open(server.Token, create: true, TimeProvider.System, SystemRandomSource.Instance);
        StoreException failure = await Assert.ThrowsAsync<StoreException>(() => store.GetAsync(new ObjectName("x"), 10, None));
        Assert.Equal((StoreErrorKind.Unreachable, true), (failure.Kind, failure.IsTransient));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("a\r\nX-Other: b")]
    public void Without_a_token_nothing_is_opened(string? token)
    {
        StoreException failure = Assert.Throws<StoreException>(() => server.Place("vault").Open(token, create: true, TimeProvider.System, SystemRandomSource.Instance));
        Assert.Equal((StoreErrorKind.Denied, false), (failure.Kind, failure.IsTransient));
        Assert.Contains("DRIVE_SERVER_TOKEN", failure.Message, StringComparison.Ordinal);
    }

    private static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
