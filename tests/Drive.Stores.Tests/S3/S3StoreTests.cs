using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Disk;
using Drive.Testing.Stores;

namespace Drive.Stores.Tests.S3;

[Collection(CephCollection.Name)]
public sealed class S3StoreTests(CephGateway gateway)
{
    private static readonly CancellationToken None = CancellationToken.None;

    public static TheoryData<string> Contract => ObjectStoreContract.Tests;

    [CephTheory]
    [MemberData(nameof(Contract))]
    public async Task It_keeps_the_contract(string test)
    {
        // A bucket, and a part of one.
        foreach (string prefix in new[] { "", "/some/where" })
        {
            await ObjectStoreContract.RunAsync(test, async () => Open(await UrlAsync(prefix)));
        }
    }

    [CephFact]
    public async Task Of_many_racing_creators_one_wins_in_every_round()
    {
        await using IObjectStore store = Open(await UrlAsync());
        for (int round = 0; round < 20; round++)
        {
            ObjectName name = new($"log/1/{round}");
            byte[][] contents = [.. Enumerable.Range(0, 16).Select(writer => Bytes(writer, 4096))];
            Task<bool>[] puts = [.. contents.Select(content => store.PutSurelyAsync(name, content))];
            bool[] made = await Task.WhenAll(puts);
            int winner = Array.IndexOf(made, true);
            Assert.Equal(1, made.Count(static isMade => isMade));
            Assert.Equal(contents[winner], await store.GetAsync(name, 4096, None));
        }
    }

    [CephFact]
    public async Task A_large_object_goes_up_in_parts_and_does_not_replace_one_that_is_there()
    {
        await using IObjectStore store = Open(await UrlAsync());
        byte[] content = Bytes(5, (33 << 20) + 7);
        Assert.True(await store.PutIfAbsentAsync(new ObjectName("big"), content, None));
        Assert.Equal(content, await store.GetAsync(new ObjectName("big"), content.Length, None));
        byte[] tail = new byte[100];
        Assert.Equal(7, await store.GetRangeAsync(new ObjectName("big"), 33 << 20, tail, None));
        Assert.Equal(content[^7..], tail[..7]);
    }

    [CephFact]
    public async Task A_listing_of_several_pages_is_whole()
    {
        await using IObjectStore store = Open(await UrlAsync("/a"));
        await Parallel.ForAsync(0, 1100, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (index, token) => await store.PutIfAbsentAsync(new ObjectName($"packs/{index}"), new byte[1], token));
        int count = 0;
        await foreach (ObjectInfo found in store.ListAsync("packs/", None))
        {
            count++;
            Assert.Equal(1, found.Length);
        }

        Assert.Equal(1100, count);
    }

    [CephFact]
    public async Task Without_its_bucket_nothing_is_absent()
    {
        await using IObjectStore store = Open($"s3://never-made?endpoint={gateway.Endpoint.OriginalString}");
        ObjectName name = new("x");
        await UnreachableAsync(() => store.GetAsync(name, 10, None));
        await UnreachableAsync(() => store.GetLengthAsync(name, None));
        await UnreachableAsync(() => store.GetRangeAsync(name, 0, new byte[1], None).AsTask());
        await UnreachableAsync(() => store.PutIfAbsentAsync(name, new byte[1], None));
        for (int round = 0; round < 50; round++)
        {
            await UnreachableAsync(() => store.PutIfAbsentAsync(name, new byte[1], None));
            await UnreachableAsync(() => store.DeleteAsync(name, None));
        }

        async Task UnreachableAsync(Func<Task> call)
        {
            // The gateway refuses such a put before it has read it all, and takes what is left for the next request on that connection.
            StoreException failure;
            do
            {
                failure = await Assert.ThrowsAsync<StoreException>(call);
            }
            while (failure is { Kind: StoreErrorKind.Malformed, IsTransient: true });
            Assert.True(failure.Kind == StoreErrorKind.Unreachable, failure.ToString());
        }
    }

    [CephFact]
    public async Task A_server_that_is_away_is_unreachable_for_now()
    {
        await using IObjectStore store = Open("s3://bucket?endpoint=http://127.0.0.1:1");
        StoreException failure = await Assert.ThrowsAsync<StoreException>(() => store.GetAsync(new ObjectName("x"), 10, None));
        Assert.Equal((StoreErrorKind.Unreachable, true), (failure.Kind, failure.IsTransient));
    }

    private async Task<string> UrlAsync(string prefix = "") => (await gateway.NewBucketAsync()).Replace("?", prefix + "?", StringComparison.Ordinal);

    private static IObjectStore Open(string url) => StorePlace.Parse(url).Open(create: true, new LocalDisk(), TimeProvider.System, SystemRandomSource.Instance);

    private static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
