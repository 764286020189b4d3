using System.Collections.Concurrent;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Disk;
using Drive.Stores.Folder;
using Drive.Testing;
using Drive.Testing.Disk;

namespace Drive.Stores.Tests.Folder;

public sealed class FolderWatchTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private readonly string _path = Directory.CreateTempSubdirectory("drive-watch-").FullName;

    private static CancellationToken None => CancellationToken.None;

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public async Task Another_stores_objects_are_told_of_in_folders_that_are_made_later_too_until_it_is_disposed()
    {
        await using FolderStore writer = Open();
        await using FolderStore reader = Open();
        using BlockingCollection<bool> told = [];
        IDisposable watch = reader.Watch("log/", () => told.Add(true));
        await writer.PutIfAbsentAsync(new ObjectName("packs/ab/1"), new byte[1], None);
        await writer.PutIfAbsentAsync(new ObjectName("log/1/1"), new byte[1], None);
        Assert.True(told.TryTake(out _, Soon), "the first of its folder");
        for (int seq = 2; seq < 6; seq++)
        {
            // What the folders on the way told comes first.
            while (told.TryTake(out _, TimeSpan.FromMilliseconds(200)))
            {
            }

            await writer.PutIfAbsentAsync(new ObjectName($"log/1/{seq}"), new byte[1], None);
            Assert.True(told.TryTake(out _, Soon), $"the {seq}th");
            Assert.False(told.TryTake(out _, TimeSpan.FromMilliseconds(50)), "an object is told of once");
        }

        await writer.PutIfAbsentAsync(new ObjectName("packs/ab/2"), new byte[1], None);
        Assert.False(told.TryTake(out _, TimeSpan.FromMilliseconds(200)), "what is elsewhere is not told of");
        watch.Dispose();
        await writer.PutIfAbsentAsync(new ObjectName("log/1/9"), new byte[1], None);
        Assert.False(told.TryTake(out _, TimeSpan.FromMilliseconds(200)), "it has ended");
    }

    [Fact]
    public async Task Where_the_disk_cannot_watch_or_the_folder_is_gone_nothing_happens()
    {
        await using FolderStore memory = FolderStore.Open(new MemoryDisk(), "/mnt/vault", create: true, new SeededRandom(1));
        memory.Watch("log/", static () => Assert.Fail("nobody tells")).Dispose();
        await using FolderStore gone = Open();
        Directory.Delete(_path, recursive: true);
        gone.Watch("log/", static () => Assert.Fail("nobody tells")).Dispose();
        Directory.CreateDirectory(_path);
    }

    [Fact]
    public async Task A_listing_can_be_gone_on_with_after_every_name()
    {
        await using FolderStore store = FolderStore.Open(new MemoryDisk(), "/mnt/vault", create: true, new SeededRandom(1));
        string[] names = ["a-b", "a.b/c", "a/b", "a/b-c", "a/d/e", "b", "packs/ab/1", "packs/ab/2", "packs/cd/1", "packs-not", "z"];
        foreach (string name in names)
        {
            await store.PutIfAbsentAsync(new ObjectName(name), new byte[1], None);
        }

        string[] order = [.. names.OrderBy(static name => name.Replace('/', '\0'), StringComparer.Ordinal)];
        Assert.Equal(order, await ListAsync("", ""));
        foreach (string prefix in new[] { "", "a", "a/", "packs/", "packs/ab/" })
        {
            string[] below = [.. order.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))];
            for (int index = 0; index < below.Length; index++)
            {
                Assert.Equal(below[(index + 1)..], await ListAsync(prefix, below[index]));
            }
        }

        Assert.Equal(["b", "packs/ab/1", "packs/ab/2", "packs/cd/1", "packs-not", "z"], await ListAsync("", "a.c"));

        async Task<string[]> ListAsync(string prefix, string after)
        {
            List<string> found = [];
            await foreach (ObjectInfo info in store.ListAsync(prefix, after, None))
            {
                found.Add(info.Name.Value);
            }

            return [.. found];
        }
    }

    private FolderStore Open() => FolderStore.Open(new LocalDisk(), _path, create: true, SystemRandomSource.Instance);
}
