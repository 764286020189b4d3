using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Tests.Merging;
using Drive.Engine.Upload;
using Drive.Testing.Stores;
using Drive.Vault.Log;
using Drive.Vault.Packs;

namespace Drive.Engine.Tests.Upload;

/// <summary>Content that goes straight into packs, with other devices beside it and crashes in between.</summary>
public sealed class ImportTests
{
    private const int Length = 200_000;

    [Fact]
    public async Task Content_that_another_device_condemns_before_a_file_shows_it_is_refused_and_is_sent_anew()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        await using IImportBatch batch = await devices.First.Volume.BeginImportAsync(CancellationToken.None);
        ContentPiece piece = await AddAsync(batch);
        await batch.CommitAsync(CancellationToken.None);
        await TwoDevices.FollowAsync(devices.Second, devices.First);
        Assert.Equal(1, (await devices.Second.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None)).UnneededPacks);
        await devices.FirstFollowsAsync();
        NodeId file = Make(devices.First.Volume, "f");
        Assert.Equal(FsStatus.Stale, devices.First.Volume.SetContent(file, Length, [piece]));

        await using IImportBatch again = await devices.First.Volume.BeginImportAsync(CancellationToken.None);
        Assert.Equal(piece, await AddAsync(again));
        await again.CommitAsync(CancellationToken.None);
        Assert.InRange(again.SentBytes, Length, 2 * Length);
        Assert.Equal(FsStatus.Ok, devices.First.Volume.SetContent(file, Length, [piece]));
        await devices.MeetAsync();
        Assert.Equal(Bytes(), await ReadAsync(devices.Second.Volume, file));
    }

    [Fact]
    public async Task Content_that_another_device_condemns_after_a_file_shows_it_is_kept()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        NodeId file;
        await using (IImportBatch batch = await devices.First.Volume.BeginImportAsync(CancellationToken.None))
        {
            ContentPiece piece = await AddAsync(batch);
            await batch.CommitAsync(CancellationToken.None);
            file = Make(devices.First.Volume, "f");
            Assert.Equal(FsStatus.Ok, devices.First.Volume.SetContent(file, Length, [piece]));
        }

        await TwoDevices.FollowAsync(devices.Second, devices.First);
        await devices.Second.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        await devices.FirstFollowsAsync();
        await devices.MeetAsync();
        await devices.Second.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Equal(Bytes(), await ReadAsync(devices.First.Volume, file));
        Assert.Equal(Bytes(), await ReadAsync(devices.Second.Volume, file));
    }

    [Fact]
    public async Task A_garbage_collection_of_this_device_takes_nothing_that_a_batch_counts_on()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        Volume volume = devices.First.Volume;
        await volume.ChangeHistoryAsync(static _ => [new SetRetention(new Drive.Core.History.RetentionRule(0, 0, 0, 0, 0))], CancellationToken.None);
        NodeId file = Make(volume, "old");
        Assert.Equal(FsStatus.Ok, volume.Write(HandleId.Of(file), 0, Bytes(), WriteOptions.None));
        await volume.WaitAsync();
        Assert.Equal(FsStatus.Ok, volume.Unlink(NodeId.Root, "old"u8));
        volume.Forget(file);
        await volume.WaitAsync();
        await using (IImportBatch batch = await volume.BeginImportAsync(CancellationToken.None))
        {
            // It is in the vault only because of a past that is forgotten now.
            await AddAsync(batch);
            Assert.Equal(0, (await volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None)).UnneededPacks);
        }

        Assert.Equal(1, (await volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None)).UnneededPacks);
    }

    [Fact]
    public async Task A_commit_whose_slot_another_device_took_is_made_on_top_of_that()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        Make(devices.Second.Volume, "theirs");
        await devices.Second.Volume.WaitAsync();
        await using IImportBatch batch = await devices.First.Volume.BeginImportAsync(CancellationToken.None);
        ContentPiece piece = await AddAsync(batch);
        await batch.CommitAsync(CancellationToken.None);
        NodeId file = Make(devices.First.Volume, "mine");
        Assert.Equal(FsStatus.Ok, devices.First.Volume.SetContent(file, Length, [piece]));
        await devices.MeetAsync();
        Assert.Equal(Bytes(), await ReadAsync(devices.Second.Volume, file));
    }

    [Fact]
    public async Task What_was_imported_is_there_after_a_crash_before_its_tree_was_committed()
    {
        FaultyStore store = new(new Drive.Stores.Memory.MemoryStore());
        await using EngineFixture fixture = await EngineFixture.CreateAsync(store);
        VolumeSettings image;
        NodeId file;
        await using (Volume volume = await fixture.OpenAsync(fixture.Settings() with { UploadRest = TimeSpan.FromHours(1), UploadDeadline = TimeSpan.FromHours(1), SaveInterval = TimeSpan.FromHours(1) }))
        {
            await using IImportBatch batch = await volume.BeginImportAsync(CancellationToken.None);
            ContentPiece piece = await AddAsync(batch);
            await batch.CommitAsync(CancellationToken.None);
            file = Make(volume, "f");
            Assert.Equal(FsStatus.Ok, volume.SetContent(file, Length, [piece]));
            Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
            image = fixture.CopyState("image");
        }

        await using Volume next = await fixture.OpenAsync(image);
        Assert.Equal(Bytes(), await ReadAsync(next, file));
        await next.WaitAsync();
        await using Volume rebuilt = await fixture.OpenAsync(fixture.Settings("rebuilt"));
        Assert.Equal(Bytes(), await ReadAsync(rebuilt, file));
    }

    [Fact]
    public async Task What_a_run_before_put_is_no_garbage_to_another_device_while_an_import_counts_on_it()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        using (PackWriter pack = devices.Second.Volume.NewImportPack())
        {
            BlockRow row = pack.Add(devices.Second.Volume.IdentifyBlock(Bytes()), Bytes(), Effort.None);
            await devices.Second.Volume.PutImportAsync(pack.Id, pack.Finish(), [row], CancellationToken.None);
        }

        await devices.First.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        for (int start = 0; start < 3; start++)
        {
            await devices.RestartSecondAsync();
            Make(devices.Second.Volume, $"of start {start}");
            await devices.Second.Volume.WaitAsync();
        }

        await using IImportBatch batch = await devices.Second.Volume.BeginImportAsync(CancellationToken.None);
        ContentPiece piece = await AddAsync(batch);
        await devices.FirstFollowsAsync();
        await devices.First.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        await batch.CommitAsync(CancellationToken.None);
        await devices.SecondFollowsAsync();
        NodeId file = Make(devices.Second.Volume, "f");
        if (devices.Second.Volume.SetContent(file, Length, [piece]) == FsStatus.Stale)
        {
            // The other device condemned it in the log: that is told, and it is sent again.
            await using IImportBatch again = await devices.Second.Volume.BeginImportAsync(CancellationToken.None);
            piece = await AddAsync(again);
            await again.CommitAsync(CancellationToken.None);
            Assert.Equal(FsStatus.Ok, devices.Second.Volume.SetContent(file, Length, [piece]));
        }

        await devices.MeetAsync();
        Assert.Equal(Bytes(), await ReadAsync(devices.First.Volume, file));
    }

    [Fact]
    public async Task Content_is_replaced_as_a_whole_holes_and_all_and_the_same_content_is_no_change()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        await using Volume volume = await fixture.OpenAsync();
        await using IImportBatch batch = await volume.BeginImportAsync(CancellationToken.None);
        ContentPiece piece = await AddAsync(batch);
        await batch.CommitAsync(CancellationToken.None);
        NodeId file = Make(volume, "f");
        byte[] old = new byte[3 << 20];
        new Random(5).NextBytes(old);
        Assert.Equal(FsStatus.Ok, volume.Write(HandleId.Of(file), 0, old, WriteOptions.None));
        await volume.WaitAsync();
        ContentPiece[] pieces = [piece with { Length = 1000 }, piece with { Offset = 1 << 20 }];
        Assert.Equal(FsStatus.Ok, volume.SetContent(file, 2 << 20, pieces));
        byte[] expected = new byte[2 << 20];
        Bytes().AsSpan(0, 1000).CopyTo(expected);
        Bytes().CopyTo(expected, 1 << 20);
        Assert.Equal(expected, await ReadAsync(volume, file));
        await volume.WaitAsync();
        Assert.Equal(expected, await ReadAsync(volume, file));
        long seq = volume.Head.Seq;
        Assert.Equal(FsStatus.Ok, volume.SetContent(file, 2 << 20, pieces));
        await volume.WaitAsync();
        Assert.Equal(seq, volume.Head.Seq);
        Assert.Throws<ArgumentException>(() => volume.SetContent(file, 10, [piece]));
        Assert.Throws<ArgumentException>(() => volume.SetContent(file, 2 << 20, [piece with { Offset = (1 << 20) - 5 }]));
    }

    [Fact]
    public void A_file_that_only_shares_blocks_of_the_vault_has_nothing_to_send()
    {
        OverlayItem shared = new(0, 1000, null, new BlockId(new Bytes32(new byte[32])), 0);
        OverlayItem written = new(1000, 500, new DirtyChunk { Node = new NodeId(2), Offset = 1000 }, default, 0);
        Assert.Equal(500, new EarlyBlocks().UnsentBytes(new CapturedFile(new NodeId(2), 1500, [shared, written], [])));
    }

    [Fact]
    public async Task A_read_only_volume_refuses()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        await (await fixture.OpenAsync()).DisposeAsync();
        await using Volume volume = await fixture.OpenAsync(fixture.Settings() with { ReadOnly = true });
        FsException error = await Assert.ThrowsAsync<FsException>(() => volume.BeginImportAsync(CancellationToken.None).AsTask());
        Assert.Equal(FsStatus.ReadOnly, error.Status);
    }

    private static byte[] Bytes()
    {
        byte[] bytes = new byte[Length];
        new Random(42).NextBytes(bytes);
        return bytes;
    }

    private static async Task<ContentPiece> AddAsync(IImportBatch batch) => new(0, Length, await batch.AddAsync(Bytes(), CancellationToken.None));

    private static NodeId Make(Volume volume, string name)
    {
        Assert.Equal(FsStatus.Ok, volume.MakeNode(NodeId.Root, System.Text.Encoding.UTF8.GetBytes(name), FileMode.Regular | 0x180, 0, Caller.Root, out NodeAttributes made));
        return made.Node;
    }

    private static async Task<byte[]> ReadAsync(Volume volume, NodeId file)
    {
        Assert.Equal(FsStatus.Ok, volume.GetAttributes(file, out NodeAttributes attributes));
        byte[] bytes = new byte[attributes.Size];
        Assert.Equal(IoResult.Done(bytes.Length), await volume.ReadAsync(HandleId.Of(file), 0, bytes, CancellationToken.None));
        return bytes;
    }
}
