using Drive.Core.Stores;
using Drive.Testing;
using Drive.Testing.Disk;

namespace Drive.Stores.Tests;

public sealed class StoreFactoryTests
{
    private readonly MemoryDisk _disk = new();

    [Theory]
    [InlineData("/mnt/nas/vault", "/mnt/nas/vault")]
    [InlineData("/mnt/nas/vault/", "/mnt/nas/vault")]
    [InlineData("file:///mnt/my%20nas", "/mnt/my nas")]
    public async Task A_path_or_a_file_url_is_a_folder(string url, string path)
    {
        await using IObjectStore store = StoreFactory.Open(url, create: true, _disk, new SeededRandom(1));
        Assert.Equal(new StoreDescription(path, IsLocal: true), store.Description);
    }

    [Theory]
    [InlineData("s3://bucket/prefix")]
    [InlineData("memory:")]
    [InlineData("file://server/share")]
    [InlineData("https://cloud.example/dav")]
    [InlineData(" ")]
    public void Anything_else_is_refused_with_a_reason(string url)
    {
        Assert.Throws<ArgumentException>(() => StoreFactory.Open(url, create: true, _disk, new SeededRandom(1)));
    }
}
