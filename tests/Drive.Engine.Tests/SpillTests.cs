using Drive.Cache.Dirty;
using Drive.Core.Volumes;
using Drive.Stores.Memory;
using Drive.Testing.Stores;

namespace Drive.Engine.Tests;

/// <summary>Bytes that go to the dirty log before a local commit, because memory fills: the next start knows nothing of them until one came.</summary>
public sealed class SpillTests : IAsyncLifetime
{
    private const int PieceBytes = 1 << 20;
    private const int Pieces = 20;

    private readonly FaultyStore _store = new(new MemoryStore());
    private EngineFixture _fixture = null!;

    public async Task InitializeAsync() => _fixture = await EngineFixture.CreateAsync(_store);

    public async Task DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task A_crash_before_the_commit_shows_the_file_as_it_was_and_gives_the_room_back()
    {
        await using Volume volume = await OpenAsync();
        byte[] old = VolumeFiles.Bytes(1, 5000);
        NodeId node = volume.WriteFile(NodeId.Root, "f", old);
        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
        WritePieces(volume, node);
        VolumeSettings image = _fixture.CopyState("image");
        Assert.True(LogBytes(image) > (Pieces - 4) * PieceBytes, "the bytes are in the dirty log");

        await using Volume after = await _fixture.OpenAsync(image);
        Assert.Equal(old, await after.ReadFileAsync(after.Find(NodeId.Root, "f")));

        // They share a segment with the old bytes, and go with them, once the database that says so is flushed.
        Truncate(after, after.Find(NodeId.Root, "f"));
        Assert.Equal(FsStatus.Ok, await after.FsyncAsync(HandleId.None, false, CancellationToken.None));
        Assert.True(SpinWait.SpinUntil(() => LogBytes(image) < PieceBytes, TimeSpan.FromSeconds(20)), $"{LogBytes(image)} bytes in the log");
    }

    [Fact]
    public async Task A_sync_after_it_keeps_every_byte()
    {
        await using Volume volume = await OpenAsync();
        NodeId node = volume.WriteFile(NodeId.Root, "f", [1]);
        WritePieces(volume, node);
        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
        VolumeSettings image = _fixture.CopyState("image");
        await using Volume after = await _fixture.OpenAsync(image);
        await ExpectPiecesAsync(after);
    }

    [Fact]
    public async Task Bytes_overwritten_after_it_give_their_room_back()
    {
        await using Volume volume = await OpenAsync();
        NodeId node = volume.WriteFile(NodeId.Root, "f", [1]);
        for (int round = 0; round < 3; round++)
        {
            WritePieces(volume, node);
        }

        Truncate(volume, node);
        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));

        // Until something landed the journal keeps its place among them.
        _store.Script = _ => null;
        await volume.WaitAsync();
        volume.WriteFile(NodeId.Root, "g", [1]);
        await volume.WaitAsync();
        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
        Assert.True(LogBytes(_fixture.Settings()) < PieceBytes, $"{LogBytes(_fixture.Settings())} bytes in the log");
    }

    [Fact]
    public async Task Overwritten_bytes_stay_until_the_commit_that_replaces_them()
    {
        await using Volume volume = await OpenAsync(new DirtyLogOptions { SegmentBytes = 64 << 10, WriteBytes = 8 << 10 });
        byte[] old = VolumeFiles.Bytes(1, 400_000);
        NodeId node = volume.WriteFile(NodeId.Root, "f", old);
        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
        volume.WriteFile(NodeId.Root, "next", [1]);
        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
        Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Write, out HandleId handle));
        Assert.Equal(FsStatus.Ok, volume.Write(handle, 0, VolumeFiles.Bytes(2, old.Length), WriteOptions.None));
        volume.Close(handle);
        VolumeSettings image = _fixture.CopyState("image");
        await using Volume after = await _fixture.OpenAsync(image);
        Assert.Equal(old, await after.ReadFileAsync(after.Find(NodeId.Root, "f")));
    }

    private Task<Volume> OpenAsync(DirtyLogOptions? log = null)
    {
        _store.Script = call => call.Kind == StoreCallKind.Put ? StoreFault.FailBefore(Core.Stores.StoreErrorKind.Unreachable, isTransient: true) : null;
        return _fixture.OpenAsync(_fixture.Settings() with { MemoryBytesMax = 2 * PieceBytes, SaveInterval = TimeSpan.FromDays(30), DirtyLog = log ?? new DirtyLogOptions() });
    }

    private static void Truncate(Volume volume, NodeId node)
    {
        Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Write | OpenOptions.Truncate, out HandleId handle));
        volume.Close(handle);
    }

    private static void WritePieces(Volume volume, NodeId node)
    {
        Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Write, out HandleId handle));
        for (int piece = 0; piece < Pieces; piece++)
        {
            Assert.Equal(FsStatus.Ok, volume.Write(handle, (long)piece * PieceBytes, VolumeFiles.Bytes(piece, PieceBytes), WriteOptions.None));
        }

        volume.Close(handle);
    }

    private static async Task ExpectPiecesAsync(Volume volume)
    {
        byte[] content = await volume.ReadFileAsync(volume.Find(NodeId.Root, "f"));
        Assert.Equal(Pieces * PieceBytes, content.Length);
        for (int piece = 0; piece < Pieces; piece++)
        {
            Assert.True(content.AsSpan(piece * PieceBytes, PieceBytes).SequenceEqual(VolumeFiles.Bytes(piece, PieceBytes)), $"piece {piece}");
        }
    }

    private static long LogBytes(VolumeSettings settings) =>
        Directory.EnumerateFiles(settings.StateDirectory, "*.log", SearchOption.AllDirectories).Sum(static path => new FileInfo(path).Length);
}
