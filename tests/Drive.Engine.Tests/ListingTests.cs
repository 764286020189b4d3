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
}
