using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Stores.Memory;
using Drive.Testing.Disk;
using Drive.Testing.Stores;

namespace Drive.Engine.Tests;

/// <summary>What must stay true while an upload is under way, and what is told of it.</summary>
public sealed class UploadTests : IAsyncLifetime
{
    private readonly FaultyStore _store = new(new MemoryStore());
    private EngineFixture _fixture = null!;

    public async Task InitializeAsync() => _fixture = await EngineFixture.CreateAsync(_store);

    public async Task DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task After_a_restart_a_wait_waits_for_what_the_run_before_left()
    {
        _store.Script = call => call.Kind == StoreCallKind.Put ? StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true) : null;
        await using (Volume volume = await _fixture.OpenAsync())
        {
            volume.WriteFile(NodeId.Root, "f", VolumeFiles.Bytes(1, 1000));
        }

        await using Volume again = await _fixture.OpenAsync();
        using CancellationTokenSource soon = new(TimeSpan.FromMilliseconds(200));
        UploadProgress progress = await again.WaitUploadedAsync(null, soon.Token);
        Assert.False(progress.Done);
        Assert.True(progress.Left.Files > 0);
        _store.Script = _ => null;
        await again.WaitAsync();
        await using Volume second = await _fixture.RecoverAsync("second");
        Assert.Equal(VolumeFiles.Bytes(1, 1000), await second.ReadFileAsync(second.Find(NodeId.Root, "f")));
    }

    [Fact]
    public async Task A_file_unlinked_while_a_newer_version_is_on_its_way_shows_that_version_to_its_reader()
    {
        await using Volume volume = await _fixture.OpenAsync();
        NodeId node = volume.WriteFile(NodeId.Root, "f", VolumeFiles.Bytes(2, 300_000));
        await volume.WaitAsync();
        byte[] newer = VolumeFiles.Bytes(3, 300_000);
        Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Read | OpenOptions.Write, out HandleId handle));
        Assert.Equal(FsStatus.Ok, volume.Write(handle, 0, newer, WriteOptions.None));
        PutGate gate = new(_store, "log/");
        Task waiting = volume.WaitAsync();
        await gate.Reached;
        Assert.Equal(FsStatus.Ok, volume.Unlink(NodeId.Root, "f"u8));
        gate.Open();
        await waiting;
        Assert.Equal(newer, await volume.ReadHandleAsync(handle));
        await volume.WaitAsync();
        Assert.Equal(newer, await volume.ReadHandleAsync(handle));
        volume.Close(handle);
    }

    [Fact]
    public async Task Bytes_written_over_those_on_their_way_stay()
    {
        await using Volume volume = await _fixture.OpenAsync();
        NodeId node = volume.WriteFile(NodeId.Root, "f", VolumeFiles.Bytes(1, 300_000));
        PutGate gate = new(_store, "log/");
        Task waiting = volume.WaitAsync();
        await gate.Reached;
        byte[] newer = VolumeFiles.Bytes(2, 300_000);
        Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Write, out HandleId handle));
        Assert.Equal(FsStatus.Ok, volume.Write(handle, 0, newer, WriteOptions.None));
        volume.Close(handle);
        gate.Open();
        await waiting;
        Assert.Equal(newer, await volume.ReadFileAsync(node));
        await volume.WaitAsync();
        Assert.Equal(newer, await volume.ReadFileAsync(node));
    }

    [Fact]
    public async Task An_upload_that_lands_while_the_disk_is_full_leaves_no_row_behind()
    {
        FaultyDisk disk = new(_fixture.Disk);
        _fixture.Disk = disk;
        byte[] expected = VolumeFiles.Bytes(4, 100_000);
        await using (Volume volume = await _fixture.OpenAsync())
        {
            NodeId node = volume.WriteFile(NodeId.Root, "f", expected);
            PutGate gate = new(_store, "log/");
            Task waiting = volume.WaitAsync();
            await gate.Reached;
            disk.Fault = call => call.Operation == DiskOperation.Write && call.Path.Contains("dirty", StringComparison.Ordinal) ? FaultyDisk.Full() : null;
            Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Write, out HandleId handle));
            Assert.Equal(FsStatus.Ok, volume.Write(handle, 50_000, VolumeFiles.Bytes(5, 10), WriteOptions.None));
            VolumeFiles.Bytes(5, 10).CopyTo(expected.AsSpan(50_000));
            Assert.Equal(FsStatus.NoSpace, await volume.FsyncAsync(handle, false, CancellationToken.None));
            gate.Open();
            await Task.WhenAny(waiting, Task.Delay(500));
            disk.Fault = _ => null;
            await waiting;
            Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
            Assert.Equal(expected, await volume.ReadFileAsync(node));
            await volume.WaitAsync();

            // Rows that came back from the dead would hide this after a restart.
            Assert.Equal(FsStatus.Ok, volume.Write(handle, 0, VolumeFiles.Bytes(6, 1000), WriteOptions.None));
            VolumeFiles.Bytes(6, 1000).CopyTo(expected.AsSpan());
            await volume.WaitAsync();
            Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
            volume.Close(handle);
        }

        await using Volume again = await _fixture.OpenAsync();
        Assert.Equal(expected, await again.ReadFileAsync(again.Find(NodeId.Root, "f")));
        Assert.Equal(FileState.InCloud, again.GetFileState(again.Find(NodeId.Root, "f")));
    }

    [Fact]
    public async Task Room_in_the_dirty_log_comes_back_after_an_upload_without_further_changes()
    {
        await using Volume volume = await _fixture.OpenAsync(_fixture.Settings() with { SaveInterval = TimeSpan.FromMilliseconds(20) });
        for (int file = 0; file < 10; file++)
        {
            volume.WriteFile(NodeId.Root, $"f{file}", VolumeFiles.Bytes(file, 1 << 20));
        }

        await volume.WaitAsync();
        DirectoryInfo log = new(Path.Combine(_fixture.Settings().StateDirectory, "dirty"));
        await EventuallyAsync(() => log.EnumerateFiles().Sum(file => file.Length) < 10 << 20 && volume.GetStatus().CacheUsedBytes == 0, "the log is empty");
    }

    [Fact]
    public async Task A_store_that_is_away_while_a_fragmented_block_is_sealed_again_is_waited_for()
    {
        await using Volume volume = await _fixture.OpenAsync();
        byte[] expected = VolumeFiles.Bytes(7, 1 << 20);
        NodeId node = volume.WriteFile(NodeId.Root, "f", expected);
        await volume.WaitAsync();
        Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Write, out HandleId handle));
        for (int piece = 0; piece < 12; piece++)
        {
            VolumeFiles.Bytes(piece, 100).CopyTo(expected.AsSpan(piece * 80_000));
            Assert.Equal(FsStatus.Ok, volume.Write(handle, piece * 80_000, VolumeFiles.Bytes(piece, 100), WriteOptions.None));
        }

        int failures = 0;
        _store.Script = call => call.Kind == StoreCallKind.GetRange && failures++ < 1 ? StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true) : null;
        await volume.WaitAsync();
        Assert.Equal(expected, await volume.ReadFileAsync(node));
        Assert.True(failures > 0);
        volume.Close(handle);
    }

    [Fact]
    public async Task A_device_that_lost_its_state_but_not_its_keys_never_gives_a_node_number_twice()
    {
        List<NodeId> first = [];
        await using (Volume volume = await _fixture.OpenAsync())
        {
            for (int file = 0; file < 5; file++)
            {
                first.Add(volume.WriteFile(NodeId.Root, $"f{file}", VolumeFiles.Bytes(file, 100)));
            }

            await volume.WaitAsync();
        }

        await using (Volume again = await _fixture.OpenAsync(_fixture.Settings("other")))
        {
            for (int file = 0; file < 5; file++)
            {
                Assert.DoesNotContain(again.WriteFile(NodeId.Root, $"g{file}", VolumeFiles.Bytes(file + 5, 100)), first);
            }

            await again.WaitAsync();
        }

        await using Volume third = await _fixture.RecoverAsync("third");
        for (int file = 0; file < 5; file++)
        {
            Assert.Equal(VolumeFiles.Bytes(file, 100), await third.ReadFileAsync(third.Find(NodeId.Root, $"f{file}")));
            Assert.Equal(VolumeFiles.Bytes(file + 5, 100), await third.ReadFileAsync(third.Find(NodeId.Root, $"g{file}")));
        }
    }

    [Fact]
    public async Task A_slot_that_another_device_took_is_merged_with_and_nothing_is_lost()
    {
        PutGate gate = new(_store, "log/");
        Volume volume = await _fixture.OpenAsync(_fixture.Settings() with { SaveInterval = TimeSpan.FromDays(1) });
        volume.WriteFile(NodeId.Root, "f", VolumeFiles.Bytes(8, 1000));
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        Task<UploadProgress> waiting = volume.WaitUploadedAsync(null, limit.Token);
        await gate.Reached;
        volume.WriteFile(NodeId.Root, "g", VolumeFiles.Bytes(9, 1000));
        await using (Volume second = await _fixture.RecoverAsync("second", _store.Inner))
        {
            second.WriteFile(NodeId.Root, "theirs", VolumeFiles.Bytes(10, 10));
            await second.WaitAsync();
        }

        gate.Open();
        Assert.True((await waiting).Done);
        Assert.Null(volume.GetStatus().ReadOnlyReason);
        Assert.Equal(VolumeFiles.Bytes(10, 10), await volume.ReadFileAsync(volume.Find(NodeId.Root, "theirs")));
        await volume.WaitAsync();
        await volume.DisposeAsync();

        _store.Script = _ => null;
        await using Volume third = await _fixture.RecoverAsync("third", _store.Inner);
        Assert.Equal(VolumeFiles.Bytes(8, 1000), await third.ReadFileAsync(third.Find(NodeId.Root, "f")));
        Assert.Equal(VolumeFiles.Bytes(9, 1000), await third.ReadFileAsync(third.Find(NodeId.Root, "g")));
        Assert.Equal(VolumeFiles.Bytes(10, 10), await third.ReadFileAsync(third.Find(NodeId.Root, "theirs")));
    }

    [Fact]
    public async Task What_is_written_after_a_landing_is_kept_though_its_node_left_memory_in_between()
    {
        NodeId file;
        NodeId[] others;
        await using (Volume before = await _fixture.OpenAsync())
        {
            file = before.WriteFile(NodeId.Root, "f", VolumeFiles.Bytes(1, 10_000));
            others = [.. Enumerable.Range(0, 200).Select(i => before.WriteFile(NodeId.Root, $"other {i}", [1]))];
            await before.WaitAsync();
        }

        await using Volume volume = await _fixture.OpenAsync(_fixture.Settings() with { SaveInterval = TimeSpan.FromDays(1), NodesCachedMax = 16, UploadRest = TimeSpan.FromDays(1) });

        // The hole of the cut lands, and its row with it.
        Assert.Equal(FsStatus.Ok, volume.SetAttributes(file, HandleId.None, new AttributeChange { Fields = AttributeFields.Size, Size = 4000 }, out _));
        await volume.WaitAsync();
        Push();
        Assert.Equal(FsStatus.Ok, volume.GetAttributes(file, out _));
        volume.MakeDirectory(NodeId.Root, "makes the next save do something");
        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
        byte[] written = VolumeFiles.Bytes(2, 5000);
        Assert.Equal(FsStatus.Ok, volume.Write(HandleId.Of(file), 4000, written, WriteOptions.None));
        await volume.WaitAsync();
        Push();
        byte[] read = new byte[5000];
        Assert.Equal(IoResult.Done(5000), await volume.ReadAsync(HandleId.Of(file), 4000, read, CancellationToken.None));
        Assert.Equal(written, read);

        void Push()
        {
            foreach (NodeId other in others)
            {
                Assert.Equal(FsStatus.Ok, volume.GetAttributes(other, out _));
            }
        }
    }

    [Fact]
    public async Task An_open_file_without_a_name_keeps_its_extended_attributes()
    {
        await using (Volume first = await _fixture.OpenAsync())
        {
            NodeId made = first.WriteFile(NodeId.Root, "f", [1]);
            Assert.Equal(FsStatus.Ok, first.SetExtendedAttribute(made, "user.x"u8, "y"u8, AttributeSetOptions.None));
        }

        await using Volume volume = await _fixture.OpenAsync();
        NodeId node = volume.Find(NodeId.Root, "f");
        Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Read, out HandleId handle));
        Assert.Equal(FsStatus.Ok, volume.Unlink(NodeId.Root, "f"u8));
        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
        byte[] value = new byte[10];
        Assert.Equal(FsStatus.Ok, volume.GetExtendedAttribute(node, "user.x"u8, value, out int length));
        Assert.Equal("y"u8.ToArray(), value[..length]);
        volume.Close(handle);
    }

    [Fact]
    public async Task What_is_not_known_to_be_committed_is_not_called_in_the_cloud_after_a_restart()
    {
        await using (Volume volume = await _fixture.OpenAsync())
        {
            NodeId directory = volume.MakeDirectory(NodeId.Root, "d");
            NodeId file = volume.WriteFile(NodeId.Root, "f", VolumeFiles.Bytes(11, 1000));
            _store.Script = call => call.Kind == StoreCallKind.Put && call.Name.StartsWith("log/", StringComparison.Ordinal) ? StoreFault.FailAfter(StoreErrorKind.Unreachable, isTransient: true) : null;
            using CancellationTokenSource limit = new(TimeSpan.FromSeconds(1));
            Assert.False((await volume.WaitUploadedAsync(null, limit.Token)).Done);
            Assert.Equal(FileState.Uploading, volume.GetFileState(directory));
            Assert.Equal(FsStatus.Ok, volume.Open(file, OpenOptions.Write, out HandleId handle));
            Assert.Equal(FsStatus.Ok, volume.Write(handle, 500, VolumeFiles.Bytes(12, 10), WriteOptions.FromPageCache));
            volume.Close(handle);
        }

        byte[] expected = VolumeFiles.Bytes(11, 1000);
        VolumeFiles.Bytes(12, 10).CopyTo(expected.AsSpan(500));
        _store.IsUnreachable = true;
        await using (Volume again = await _fixture.OpenAsync())
        {
            Assert.NotEqual(FileState.InCloud, again.GetFileState(again.Find(NodeId.Root, "d")));
            Assert.NotEqual(FileState.InCloud, again.GetFileState(again.Find(NodeId.Root, "f")));
            _store.Script = _ => null;
            _store.IsUnreachable = false;
            await again.WaitAsync();
            Assert.Equal(FileState.InCloud, again.GetFileState(again.Find(NodeId.Root, "f")));
        }

        await using Volume second = await _fixture.RecoverAsync("second");
        Assert.Equal(expected, await second.ReadFileAsync(second.Find(NodeId.Root, "f")));
    }

    internal static async Task EventuallyAsync(Func<bool> condition, string what)
    {
        long end = Environment.TickCount64 + 30_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < end, $"in time: {what}");
            await Task.Delay(10);
        }
    }
}
