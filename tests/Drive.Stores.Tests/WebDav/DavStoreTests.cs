using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Disk;
using Drive.Stores.WebDav;
using Drive.Stores.Wrappers;
using Drive.Testing.Stores;

namespace Drive.Stores.Tests.WebDav;

/// <summary>The store on real servers: the contract, with the step that was chosen there, and races for it.</summary>
public sealed class DavStoreTests(DavServers servers) : IClassFixture<DavServers>
{
    private static readonly CancellationToken None = CancellationToken.None;

    public static TheoryData<string> Contract => ObjectStoreContract.Tests;

    [DavTheory(DavKind.Lighttpd)]
    [MemberData(nameof(Contract))]
    public Task Lighttpd_keeps_the_contract(string test) => KeepsContractAsync(DavKind.Lighttpd, test);

    [DavTheory(DavKind.Lighttpd)]
    [MemberData(nameof(Contract))]
    public Task Lighttpd_keeps_the_contract_by_put(string test) => KeepsContractAsync(DavKind.Lighttpd, test, "?slot=put");

    [DavTheory(DavKind.Lighttpd)]
    [MemberData(nameof(Contract))]
    public Task Lighttpd_keeps_the_contract_by_moving_objects(string test) => KeepsContractAsync(DavKind.Lighttpd, test, "?slot=move");

    [DavTheory(DavKind.Apache)]
    [MemberData(nameof(Contract))]
    public Task Apache_keeps_the_contract(string test) => KeepsContractAsync(DavKind.Apache, test);

    [DavTheory(DavKind.Nginx)]
    [MemberData(nameof(Contract))]
    public Task Nginx_keeps_the_contract(string test) => KeepsContractAsync(DavKind.Nginx, test);

    [DavTheory(DavKind.Rclone)]
    [MemberData(nameof(Contract))]
    public async Task Rclone_keeps_the_contract(string test)
    {
        // It locks a name as long as a request for it lasts, and says so to others (423): who retries hears the rest.
        DavServer server = await servers.GetAsync(DavKind.Rclone);
        RetryOptions often = new() { AttemptsMax = 20, FirstDelay = TimeSpan.FromMilliseconds(5) };
        await ObjectStoreContract.RunAsync(
            test, () => ValueTask.FromResult(Open(server.NewFolder()).Retried(often, TimeProvider.System, SystemRandomSource.Instance)), tellsEqualBytesApart: false);
    }

    [DavFact(DavKind.Lighttpd)]
    public Task On_lighttpd_one_of_many_wins_in_every_round() => OneWinsAsync(DavKind.Lighttpd);

    [DavFact(DavKind.LighttpdWorkers)]
    public Task On_lighttpd_with_several_processes_one_of_many_wins_in_every_round() => OneWinsAsync(DavKind.LighttpdWorkers);

    [DavFact(DavKind.Apache)]
    public Task On_apache_one_of_many_wins_in_every_round() => OneWinsAsync(DavKind.Apache);

    [DavFact(DavKind.Nginx)]
    public Task On_nginx_one_of_many_wins_in_every_round() => OneWinsAsync(DavKind.Nginx);

    [DavFact(DavKind.Rclone)]
    public Task On_rclone_one_of_many_wins_in_every_round() => OneWinsAsync(DavKind.Rclone);

    [DavFact(DavKind.Apache)]
    public async Task Without_its_folder_on_the_server_nothing_is_absent()
    {
        DavServer server = await servers.GetAsync(DavKind.Apache);
        string url = server.NewFolder();
        string folder = Path.Combine(server.Shown, url[(url.LastIndexOf('/') + 1)..]);
        ObjectName name = new("log/1/1");
        await using IObjectStore store = Open(url);
        Assert.True(await store.PutIfAbsentAsync(name, Bytes(1, 10), None));

        // As a disk that is not mounted on the server: the folder is there and empty, or not even that.
        Directory.Move(folder, folder + "-away");
        await UnreachableAsync(() => store.GetAsync(name, 10, None));
        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, (UnixFileMode)0x1FF);
        await UnreachableAsync(() => store.GetAsync(name, 10, None));
        await UnreachableAsync(() => store.PutIfAbsentAsync(new ObjectName("log/1/2"), Bytes(1, 10), None));
        await using IObjectStore later = Open(url, create: false);
        await UnreachableAsync(() => later.GetAsync(name, 10, None));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        Directory.Delete(folder);
        Directory.Move(folder + "-away", folder);
        Assert.Equal(Bytes(1, 10), await store.GetAsync(name, 10, None));
        Assert.Equal(Bytes(1, 10), await later.GetAsync(name, 10, None));

        static async Task UnreachableAsync(Func<Task> call) => Assert.Equal(StoreErrorKind.Unreachable, (await Assert.ThrowsAsync<StoreException>(call)).Kind);
    }

    [DavFact(DavKind.Apache)]
    public async Task A_folder_with_other_things_in_it_is_no_place_for_a_store()
    {
        DavServer server = await servers.GetAsync(DavKind.Apache);
        string url = server.NewFolder();
        string folder = Directory.CreateDirectory(Path.Combine(server.Shown, url[(url.LastIndexOf('/') + 1)..])).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "Letter.txt"), "dear Ann");
        await using IObjectStore store = Open(url);
        StoreException refused = await Assert.ThrowsAsync<StoreException>(() => store.PutIfAbsentAsync(new ObjectName("vault"), new byte[1], None));
        Assert.Equal((StoreErrorKind.Denied, false), (refused.Kind, refused.IsTransient));
        Assert.Equal("Letter.txt", Path.GetFileName(Assert.Single(Directory.EnumerateFileSystemEntries(folder))));
    }

    [DavTheory(DavKind.Apache)]
    [InlineData("basic/")]
    [InlineData("digest/")]
    public async Task Who_signs_in_is_asked_for_and_a_wrong_password_is_denied(string below)
    {
        DavServer server = await servers.GetAsync(DavKind.Apache);
        DavPlace place = (DavPlace)StorePlace.Parse(server.NewFolder(below));
        ObjectName name = new("vault");
        foreach (string? password in new[] { null, "wrong" })
        {
            await using DavStore refused = Open(password);
            StoreException failure = await Assert.ThrowsAsync<StoreException>(() => refused.PutIfAbsentAsync(name, new byte[1], None));
            Assert.Equal((StoreErrorKind.Denied, false), (failure.Kind, failure.IsTransient));
        }

        await using DavStore store = Open(DavServer.Password);
        Assert.True(await store.PutIfAbsentAsync(name, Bytes(1, 3 << 20), None));
        Assert.Equal(Bytes(1, 3 << 20), await store.GetAsync(name, 3 << 20, None));

        DavStore Open(string? password)
        {
            DavCredentials credentials = new(password is null ? null : DavServer.User, password, null);
            return new DavStore(place, true, new DavClient(place, credentials, TimeProvider.System), SystemRandomSource.Instance);
        }
    }

    [DavFact(DavKind.Lighttpd)]
    public async Task What_a_killed_writer_left_is_in_nobodys_way()
    {
        DavServer server = await servers.GetAsync(DavKind.Lighttpd);
        string url = server.NewFolder();
        await using IObjectStore store = Open(url);
        Assert.True(await store.PutIfAbsentAsync(new ObjectName("log/1/1"), Bytes(1, 10), None));
        string left = Path.Combine(server.Shown, url[(url.LastIndexOf('/') + 1)..], "_tmp");
        Assert.Empty(Directory.EnumerateFileSystemEntries(left));
        Directory.CreateDirectory(Path.Combine(left, "0123"));
        await File.WriteAllTextAsync(Path.Combine(left, "0123", "_object"), "half");
        Assert.True(await store.PutIfAbsentAsync(new ObjectName("log/1/2"), Bytes(2, 10), None));
        Assert.False(await store.PutIfAbsentAsync(new ObjectName("log/1/2"), Bytes(3, 10), None));
        List<string> found = [];
        await foreach (ObjectInfo info in store.ListAsync("", None))
        {
            found.Add(info.Name.Value);
        }

        Assert.Equal(["log/1/1", "log/1/2"], found.Order(StringComparer.Ordinal));
        Assert.Equal("0123", Path.GetFileName(Assert.Single(Directory.EnumerateFileSystemEntries(left))));
    }

    private async Task KeepsContractAsync(DavKind kind, string test, string query = "")
    {
        DavServer server = await servers.GetAsync(kind);
        await ObjectStoreContract.RunAsync(test, () => ValueTask.FromResult(Open(server.NewFolder() + query)));
    }

    private async Task OneWinsAsync(DavKind kind)
    {
        const int Rounds = 40;
        const int Writers = 16;
        DavServer server = await servers.GetAsync(kind);
        string url = server.NewFolder();

        // Connections of their own, as devices have them.
        IObjectStore[] stores = [.. Enumerable.Range(0, Writers).Select(_ => Open(url))];
        Assert.True(await stores[0].PutIfAbsentAsync(new ObjectName("vault"), new byte[1], None));
        for (int round = 0; round < Rounds; round++)
        {
            ObjectName name = new($"log/1/{round}");
            byte[][] contents = [.. Enumerable.Range(0, Writers).Select(writer => Bytes(writer, 4096))];
            bool[] made = await Task.WhenAll(stores.Select((store, writer) => store.PutSurelyAsync(name, contents[writer])));
            int winner = Assert.Single(Enumerable.Range(0, Writers), writer => made[writer]);
            foreach (IObjectStore store in stores)
            {
                Assert.Equal(contents[winner], await store.GetAsync(name, 4096, None));
            }
        }

        Assert.EndsWith("?slot=folder", stores[0].Description.Url, StringComparison.Ordinal);
        foreach (IObjectStore store in stores)
        {
            await store.DisposeAsync();
        }
    }

    internal static IObjectStore Open(string url, bool create = true) => StorePlace.Parse(url).Open(create, new LocalDisk(), TimeProvider.System, SystemRandomSource.Instance);

    private static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
