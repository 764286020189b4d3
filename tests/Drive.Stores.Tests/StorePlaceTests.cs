using Drive.Core.Stores;
using Drive.Stores.Distant;
using Drive.Stores.Folder;
using Drive.Testing;
using Drive.Testing.Disk;

namespace Drive.Stores.Tests;

public sealed class StorePlaceTests
{
    private readonly MemoryDisk _disk = new();

    [Theory]
    [InlineData("/mnt/nas/vault", "/mnt/nas/vault")]
    [InlineData("/mnt/nas/vault/", "/mnt/nas/vault")]
    [InlineData("file:///mnt/my%20nas", "/mnt/my nas")]
    public async Task A_path_or_a_file_url_is_a_folder(string url, string path)
    {
        await using IObjectStore store = StorePlace.Parse(url).Open(create: true, _disk, TimeProvider.System, new SeededRandom(1));
        Assert.Equal(new StoreDescription(path, IsLocal: true), store.Description);
    }

    [Theory]
    [InlineData("file:///mnt/nas?latency=30ms&rate=50MiB", "file:///mnt/nas?latency=30ms&rate=51200KiB", 30, 50 << 20)]
    [InlineData("file:///mnt/my%20n%3Fs/?rate=1.5MiB", "file:///mnt/my%20n%3Fs?latency=0ms&rate=1536KiB", 0, 1536 << 10)]
    [InlineData("FILE:///mnt/nas?latency=1.5s", "file:///mnt/nas?latency=1500ms", 1500, null)]
    public void A_query_makes_a_folder_distant_and_is_written_one_way(string url, string canonical, int milliseconds, int? rate)
    {
        FolderPlace place = Assert.IsType<FolderPlace>(StorePlace.Parse(url));
        Assert.Equal(new Distance(TimeSpan.FromMilliseconds(milliseconds), rate), place.Distance);
        Assert.Equal(new StoreDescription(canonical, IsLocal: false), place.Description);
        Assert.Equal(place, StorePlace.Parse(canonical));
    }

    [Fact]
    public async Task A_distant_folder_is_the_same_folder_and_has_its_lock()
    {
        ObjectName name = new("x");
        await using IObjectStore near = StorePlace.Parse("/mnt/nas").Open(create: true, _disk, TimeProvider.System, new SeededRandom(1));
        await using IObjectStore far = StorePlace.Parse("file:///mnt/nas?latency=1ms").Open(create: false, _disk, TimeProvider.System, new SeededRandom(2));
        Assert.True(await far.PutIfAbsentAsync(name, new byte[] { 7 }, CancellationToken.None));
        Assert.Equal([7], await near.GetAsync(name, 1, CancellationToken.None));
        using IDisposable? held = ((IExclusiveStore)far).TryLock("far", out _);
        Assert.NotNull(held);
        Assert.Null(((IExclusiveStore)near).TryLock("near", out string? holder));
        Assert.Equal("far", holder);
    }

    [Theory]
    [InlineData("")]
    [InlineData("latency=30")]
    [InlineData("latency=-1ms")]
    [InlineData("latency=11s")]
    [InlineData("latency=30ms&latency=40ms")]
    [InlineData("rate=50")]
    [InlineData("rate=0MiB")]
    [InlineData("rate=1023KiB")]
    [InlineData("rate=50MB")]
    [InlineData("rate=1e3MiB")]
    [InlineData("rate=999999999999GiB")]
    [InlineData("rate=9999999999999999999999999999MiB")]
    [InlineData("speed=50MiB")]
    [InlineData("latency")]
    public void A_query_that_makes_no_sense_is_refused_with_one_line(string query)
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => StorePlace.Parse("file:///mnt/nas?" + query));
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Theory]
    [InlineData("ftp://host/folder")]
    [InlineData("memory:")]
    [InlineData("file://server/share")]
    [InlineData("https://cloud.example/dav")]
    [InlineData(" ")]
    public void Anything_else_is_refused_with_a_reason(string url)
    {
        Assert.Throws<ArgumentException>(() => StorePlace.Parse(url).Open(create: true, _disk, TimeProvider.System, new SeededRandom(1)));
    }
}
