using System.Text;
using Drive.Core.Volumes;
using Drive.Testing;

namespace Drive.Engine.Tests;

/// <summary>Listings while their directory changes.</summary>
public sealed class ListingTests
{
    [Fact]
    public async Task A_listing_ends_though_everything_that_it_gives_is_renamed()
    {
        const int files = 200;
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        await using Volume volume = await fixture.OpenAsync();
        NodeId directory = volume.MakeDirectory(NodeId.Root, "d");
        for (int i = 0; i < files; i++)
        {
            volume.WriteFile(directory, $"f{i}", []);
        }

        Assert.Equal(FsStatus.Ok, volume.OpenDirectory(directory, out HandleId handle));
        DirectoryCollector collector = new(20);
        HashSet<string> given = [];
        int count = 0;
        do
        {
            collector.Clear();
            Assert.Equal(FsStatus.Ok, volume.ReadDirectory(handle, collector.NextCookie, collector));
            foreach (string name in collector.Names.Where(static name => name[0] == 'f'))
            {
                given.Add(name);
                byte[] bytes = Encoding.UTF8.GetBytes(name);
                Assert.Equal(FsStatus.Ok, volume.Rename(directory, bytes, directory, "aside"u8, RenameOptions.None));
                Assert.Equal(FsStatus.Ok, volume.Rename(directory, "aside"u8, directory, bytes, RenameOptions.None));
                Assert.True(++count < 5000, "no end");
            }
        }
        while (collector.Entries.Count > 0);

        Assert.Equal(files, given.Count);
    }

    [Fact]
    public async Task A_first_listing_is_right_though_names_change_while_it_is_read()
    {
        const int files = 6000;
        int seed = Environment.TickCount;
        Random random = new(seed);
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        NodeId directory;
        await using (Volume first = await fixture.OpenAsync())
        {
            directory = first.MakeDirectory(NodeId.Root, "d");
            for (int i = 0; i < files; i++)
            {
                MakeFile(first, directory, $"f{i}");
            }
        }

        await using Volume volume = await fixture.OpenAsync();
        HashSet<string> model = [.. Enumerable.Range(0, files).Select(static i => $"f{i}")];
        HashSet<string> untouched = [.. model];
        Task<List<string>> listing = Task.Run(() => List(volume, directory));
        for (int step = 0; step < 500 || !listing.IsCompleted; step++)
        {
            string name = $"f{random.Next(files / 2)}";
            untouched.Remove(name);
            if (model.Remove(name))
            {
                Assert.Equal(FsStatus.Ok, volume.Unlink(directory, Encoding.UTF8.GetBytes(name)));
            }
            else
            {
                MakeFile(volume, directory, name);
                model.Add(name);
            }
        }

        List<string> given = await listing;
        Assert.True(untouched.IsSubsetOf(given), $"seed {seed}: a name that nobody touched is missing");
        Assert.True(model.SetEquals(List(volume, directory)), $"seed {seed}");
    }

    [Fact]
    public async Task A_directory_of_which_nothing_was_read_is_removed_only_when_it_is_empty()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        await using (Volume first = await fixture.OpenAsync())
        {
            first.MakeDirectory(NodeId.Root, "empty");
            first.WriteFile(first.MakeDirectory(NodeId.Root, "full"), "f", []);
            NodeId many = first.MakeDirectory(NodeId.Root, "many");
            for (int i = 0; i < 40; i++)
            {
                MakeFile(first, many, $"f{i}");
            }
        }

        await using Volume volume = await fixture.OpenAsync();
        Assert.Equal(FsStatus.Ok, volume.RemoveDirectory(NodeId.Root, "empty"u8));
        Assert.Equal(FsStatus.NotEmpty, volume.RemoveDirectory(NodeId.Root, "full"u8));
        Assert.Equal(FsStatus.Ok, volume.Unlink(volume.Find(NodeId.Root, "full"), "f"u8));
        Assert.Equal(FsStatus.Ok, volume.RemoveDirectory(NodeId.Root, "full"u8));
        for (int i = 0; i < 40; i++)
        {
            Assert.Equal(FsStatus.NotEmpty, volume.RemoveDirectory(NodeId.Root, "many"u8));
            Assert.Equal(FsStatus.Ok, volume.Unlink(volume.Find(NodeId.Root, "many"), Encoding.UTF8.GetBytes($"f{i}")));
        }

        Assert.Equal(FsStatus.Ok, volume.RemoveDirectory(NodeId.Root, "many"u8));
    }

    private static void MakeFile(Volume volume, NodeId directory, string name) =>
        Assert.Equal(FsStatus.Ok, volume.MakeNode(directory, Encoding.UTF8.GetBytes(name), FileMode.Regular | 0x1A4, 0, Caller.Root, out _));

    private static List<string> List(Volume volume, NodeId directory)
    {
        Assert.Equal(FsStatus.Ok, volume.OpenDirectory(directory, out HandleId handle));
        DirectoryCollector collector = new(200);
        List<string> names = [];
        do
        {
            collector.Clear();
            Assert.Equal(FsStatus.Ok, volume.ReadDirectory(handle, collector.NextCookie, collector));
            names.AddRange(collector.Names.Where(static name => name[0] == 'f'));
        }
        while (collector.Entries.Count > 0);

        volume.CloseDirectory(handle);
        return names;
    }
}
