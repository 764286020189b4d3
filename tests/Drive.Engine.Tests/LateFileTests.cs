using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Upload;
using Drive.Vault.Keys;

namespace Drive.Engine.Tests;

/// <summary>A document saved now does not wait for the film that is on its way.</summary>
public sealed class LateFileTests
{
    private static readonly NodeId Film = new(10);
    private static readonly NodeId Old = new(11);
    private static readonly NodeId Folder = new(12);
    private static readonly NodeId Other = new(13);

    [Fact]
    public void A_name_that_a_late_file_took_over_stays_with_it_and_so_does_what_it_named_before()
    {
        RowChanges rows = new();
        rows.Opened.Entries.Add(Entry(NodeId.Root, "doc", Film));
        rows.Closed.Entries.Add(Entry(NodeId.Root, "doc", Old));
        rows.Opened.Entries.Add(Entry(NodeId.Root, "else", Other));
        Deferral.Plan plan = Deferral.Close(rows, [Film]);
        Assert.Equal([Film, Old], plan.Nodes.OrderBy(node => node.Value));
        Assert.Equal(["doc"], plan.Entries.Select(entry => System.Text.Encoding.UTF8.GetString(entry.Name)));
    }

    [Fact]
    public void A_directory_that_goes_stays_while_a_late_file_moves_out_of_it()
    {
        RowChanges rows = new();
        rows.Closed.Nodes.Add(new NodeRow { Node = Folder, Mode = FileMode.Directory, LinkCount = 2 });
        rows.Closed.Entries.Add(Entry(NodeId.Root, "folder", Folder));
        rows.Closed.Entries.Add(Entry(Folder, "film", Film));
        rows.Opened.Entries.Add(Entry(NodeId.Root, "film", Film));
        Deferral.Plan plan = Deferral.Close(rows, [Film]);
        Assert.Contains(Folder, plan.Nodes);
        Assert.Equal(3, plan.Entries.Count);
    }

    [Fact]
    public void What_lies_in_a_directory_that_stays_behind_stays_behind()
    {
        RowChanges rows = new();
        rows.Opened.Entries.Add(Entry(NodeId.Root, "film", Film));
        rows.Closed.Entries.Add(Entry(NodeId.Root, "film", Folder));
        rows.Opened.Entries.Add(Entry(NodeId.Root, "moved", Folder));
        rows.Opened.Entries.Add(Entry(Folder, "new", Other));
        Deferral.Plan plan = Deferral.Close(rows, [Film]);
        Assert.Equal([Film, Folder, Other], plan.Nodes.OrderBy(node => node.Value));
        Assert.Equal(3, plan.Entries.Count);
    }

    [Fact]
    public async Task A_document_is_committed_while_a_large_file_is_still_local_and_both_are_whole_in_the_end()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        VolumeSettings settings = fixture.Settings() with
        {
            LateFileBytes = 2 << 20,
            UploadRest = TimeSpan.FromMilliseconds(50),
            UploadDeadline = TimeSpan.FromSeconds(1),
        };
        byte[] film = VolumeFiles.Bytes(1, 24 << 20);
        byte[] document = VolumeFiles.Bytes(2, 20_000);
        await using (Volume volume = await fixture.OpenAsync(settings))
        {
            NodeId filmNode = volume.WriteFile(NodeId.Root, "film", film);
            NodeId documentNode = volume.WriteFile(NodeId.Root, "document", document);
            bool documentFirst = false;
            long deadline = Environment.TickCount64 + 60_000;
            while (volume.GetFileState(filmNode) != FileState.InCloud)
            {
                documentFirst |= volume.GetFileState(documentNode) == FileState.InCloud;
                Assert.True(Environment.TickCount64 < deadline, volume.GetStatus().ToString());
                await Task.Yield();
            }

            Assert.True(documentFirst);
            Assert.Equal(film, await volume.ReadFileAsync(filmNode));
            long packs = 0;
            await foreach (Core.Stores.ObjectInfo pack in fixture.Store.ListAsync("packs/", CancellationToken.None))
            {
                packs += pack.Length;
            }

            Assert.InRange(packs, film.Length, film.Length * 11L / 10);
        }

        RecoveredVault recovered = await VaultSetup.RecoverAsync(
            fixture.Store, fixture.RecoveryKey, "second", null, TimeProvider.System, SystemRandomSource.Instance, CancellationToken.None);
        await using Volume second = await fixture.OpenAsync(fixture.Settings("second"), recovered.Keys.Export());
        Assert.Equal(film, await second.ReadFileAsync(second.Find(NodeId.Root, "film")));
        Assert.Equal(document, await second.ReadFileAsync(second.Find(NodeId.Root, "document")));
    }

    private static EntryRow Entry(NodeId parent, string name, NodeId node) => new(parent, System.Text.Encoding.UTF8.GetBytes(name), node, 0);
}
