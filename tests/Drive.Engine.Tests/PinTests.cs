using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Disk;
using Drive.Engine.Repair;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault.Keys;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Engine.Tests;

/// <summary>Content that a device keeps from a store far away: on a second device, whose cache is empty at first.</summary>
public sealed class PinTests : IAsyncLifetime
{
    private const int Length = 3_000_000;
    private readonly FaultyStore _store = new(new MemoryStore()) { Description = new StoreDescription("far away", IsLocal: false) };
    private EngineFixture _fixture = null!;
    private Volume _first = null!;
    private Volume _volume = null!;
    private NodeId _folder;

    public async Task InitializeAsync()
    {
        _fixture = await EngineFixture.CreateAsync(_store);
        _first = await _fixture.OpenAsync(Looking(_fixture.Settings()));
        _folder = _first.MakeDirectory(NodeId.Root, "folder");
        NodeId below = _first.MakeDirectory(_folder, "below");
        _first.WriteFile(_folder, "a", VolumeFiles.Bytes(1, Length));
        _first.WriteFile(below, "b", VolumeFiles.Bytes(2, Length));
        await _first.WaitAsync();

        // In a pack of its own.
        _first.WriteFile(NodeId.Root, "other", VolumeFiles.Bytes(3, Length));
        await _first.WaitAsync();
        _volume = await _fixture.RecoverAsync("second");
    }

    public async Task DisposeAsync()
    {
        _store.IsUnreachable = false;
        await _volume.DisposeAsync();
        await _first.DisposeAsync();
        await _fixture.DisposeAsync();
    }

    [Fact]
    public async Task What_is_pinned_is_fetched_whole_and_read_without_the_store_and_the_rest_fails_at_once()
    {
        PinStatus said = _volume.Pin(Find("folder"));
        Assert.Equal(new Amount(2, 2 * Length), said.Pinned);
        Assert.Equal(2, said.ToFetch.Files);
        Assert.InRange(said.ToFetch.Bytes, 2 * Length, 2 * Length + 20_000);
        await FetchedAsync(2);
        Assert.Equal(("yes", "yes", "no"), (Pinned("folder/below/b"), Pinned("folder"), Pinned("other")));

        _store.IsUnreachable = true;
        Assert.Equal(VolumeFiles.Bytes(1, Length), await _volume.ReadFileAsync(Find("folder/a")));
        Assert.Equal(VolumeFiles.Bytes(2, Length), await _volume.ReadFileAsync(Find("folder/below/b")));
        Assert.Equal(FsStatus.Unreachable, await ReadStatusAsync("other"));
        Assert.Equal(StoreCondition.Unreachable, _volume.GetStatus().Store);
    }

    [Fact]
    public async Task A_read_does_not_wait_long_for_a_store_that_is_known_to_be_away_and_hears_when_it_is_back()
    {
        _first.Evict(NodeId.Root);
        await _first.DisposeAsync();
        await _volume.DisposeAsync();
        _volume = _first = await _fixture.OpenAsync(Looking(_fixture.Settings()) with { LookInterval = TimeSpan.FromMilliseconds(200) });
        _store.IsUnreachable = true;
        Assert.Equal(FsStatus.Unreachable, await ReadStatusAsync("other"));

        // From now on it takes calls and answers none: without a limit the next read would wait as long.
        TaskCompletionSource never = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.IsUnreachable = false;
        _store.Script = call => call.Kind == StoreCallKind.GetRange ? new StoreFault { Delay = never.Task } : StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true);
        Assert.Equal(FsStatus.Unreachable, await ReadStatusAsync("other").WaitAsync(TimeSpan.FromSeconds(20)));
        _store.Script = static _ => null;
        never.SetResult();
        await UploadTests.EventuallyAsync(() => _volume.GetStatus().Store == StoreCondition.Reachable, "it is heard that the store is back");
        Assert.Equal(VolumeFiles.Bytes(3, Length), await _volume.ReadFileAsync(Find("other")));
    }

    [Fact]
    public async Task Evicting_frees_what_is_in_the_store_keeps_what_is_not_and_refuses_what_is_pinned()
    {
        NodeId other = Find("other");
        await _volume.ReadFileAsync(other);
        long used = _volume.GetStatus().CacheUsedBytes;
        Assert.True(used > Length);
        Assert.Equal(FsStatus.Ok, _volume.Open(other, OpenOptions.Write, out HandleId handle));
        _store.IsUnreachable = true;
        Assert.Equal(FsStatus.Ok, _volume.Write(handle, 0, new byte[1000], WriteOptions.None));
        _volume.Close(handle);
        EvictResult result = _volume.Evict(NodeId.Root);
        Assert.InRange(result.FreedBytes, Length, used);
        Assert.Equal(new Amount(1, 1000), result.Kept);
        byte[] buffer = new byte[1000];
        Assert.Equal(FsStatus.Ok, _volume.Open(other, OpenOptions.Read, out handle));
        Assert.Equal(1000, (await _volume.ReadAsync(handle, 0, buffer, CancellationToken.None)).Count);
        Assert.Equal(FsStatus.Unreachable, (await _volume.ReadAsync(handle, 100_000, buffer, CancellationToken.None)).Status);
        _volume.Close(handle);

        _store.IsUnreachable = false;
        _volume.Pin(Find("folder"));
        await FetchedAsync(2);
        Assert.Equal(FsStatus.Busy, Assert.Throws<FsException>(() => _volume.Evict(Find("folder/below"))).Status);
        _volume.Evict(NodeId.Root);
        _store.IsUnreachable = true;
        Assert.Equal(VolumeFiles.Bytes(1, Length), await _volume.ReadFileAsync(Find("folder/a")));
    }

    [Fact]
    public async Task Pins_survive_a_rebuild_of_the_database_and_it_is_said_when_they_cannot()
    {
        _first.Pin(_folder);
        await UploadTests.EventuallyAsync(() => _first.GetStatus().Pins is { Pinned.Files: 2, ToFetch.Files: 0 }, "all is here");
        VolumeSettings settings = Looking(_fixture.Settings());
        Assert.True((await RebuildAsync()).ArePinsKnown);
        _first = await _fixture.OpenAsync(settings);
        await UploadTests.EventuallyAsync(() => _first.GetStatus().Pins.Pinned.Files == 2, "they are pinned again");
        Assert.Equal(FsStatus.Busy, Assert.Throws<FsException>(() => _first.Evict(_folder)).Status);

        Assert.False((await RebuildAsync(() => Directory.GetFiles(settings.StateDirectory).ToList().ForEach(File.Delete))).ArePinsKnown);
        _first = await _fixture.OpenAsync(settings);
        _first.Evict(_folder);

        async Task<RebuildReport> RebuildAsync(Action? damage = null)
        {
            await _first.DisposeAsync();
            damage?.Invoke();
            using VaultKeys keys = VaultKeys.Import(_fixture.Keys);
            return await StateRebuild.RunAsync(
                settings, keys, _store, new LocalDisk(), TimeProvider.System, SystemRandomSource.Instance, NullLogger.Instance, RebuildMode.Asked, CancellationToken.None);
        }
    }

    [Fact]
    public async Task New_and_changed_files_of_another_device_follow()
    {
        NodeId folder = Find("folder");
        _volume.Pin(folder);
        await FetchedAsync(2);
        _first.WriteFile(_folder, "new", VolumeFiles.Bytes(4, Length));
        byte[] changed = VolumeFiles.Bytes(1, Length);
        changed[2_000_000] ^= 1;
        Assert.Equal(FsStatus.Ok, _first.Open(_first.Find(_folder, "a"), OpenOptions.Write, out HandleId handle));
        Assert.Equal(FsStatus.Ok, _first.Write(handle, 2_000_000, changed.AsSpan(2_000_000, 1).ToArray(), WriteOptions.None));
        _first.Close(handle);
        await _first.WaitAsync();
        _volume.LookSoon();
        await FetchedAsync(3);
        _store.IsUnreachable = true;
        Assert.Equal(changed, await _volume.ReadFileAsync(Find("folder/a")));
        Assert.Equal(VolumeFiles.Bytes(4, Length), await _volume.ReadFileAsync(Find("folder/new")));
    }

    [Fact]
    public async Task Pins_outlive_a_restart_and_what_was_not_fetched_is_fetched_then()
    {
        // The first device, whose keys outlive its volume. Its own uploads are here.
        await _volume.DisposeAsync();
        _volume = _first;
        Assert.True(_volume.Evict(NodeId.Root).FreedBytes > 0);
        _store.IsUnreachable = true;
        _volume.Pin(_folder);
        await UploadTests.EventuallyAsync(() => _volume.GetStatus().Pins.Problem is not null, "it is told why nothing is fetched");
        await _volume.DisposeAsync();
        _store.IsUnreachable = false;
        _volume = _first = await _fixture.OpenAsync(Looking(_fixture.Settings()));
        await FetchedAsync(2);
        _store.IsUnreachable = true;
        Assert.Equal(VolumeFiles.Bytes(2, Length), await _volume.ReadFileAsync(Find("folder/below/b")));
        Assert.True(_volume.Unpin(_folder));
        Assert.False(_volume.Unpin(_folder));
        Assert.Equal(PinStatus.None, _volume.GetStatus().Pins);
    }

    [Fact]
    public async Task Pressure_evicts_everything_else_and_a_pin_that_has_no_room_is_refused()
    {
        await _volume.DisposeAsync();

        // Room for the folder, and for little more than one other file.
        _first.Evict(NodeId.Root);
        await _first.DisposeAsync();
        _volume = _first = await _fixture.OpenAsync(Looking(_fixture.Settings()) with { CacheLimitBytes = 10_000_000 });
        _volume.Pin(_folder);
        await FetchedAsync(2);
        await _volume.ReadFileAsync(Find("other"));
        for (int file = 0; file < 4; file++)
        {
            _volume.WriteFile(NodeId.Root, $"more{file}", VolumeFiles.Bytes(10 + file, 1_500_000));
            await _volume.WaitAsync();
            Assert.Equal(VolumeFiles.Bytes(10 + file, 1_500_000), await _volume.ReadFileAsync(Find($"more{file}")));
        }

        // What the log still has of files that are in the store comes on top, as without pins.
        long log = new DirectoryInfo(_fixture.Settings().StateDirectory).EnumerateDirectories().SelectMany(static folder => folder.EnumerateFiles()).Sum(static file => file.Length);
        Assert.True(_volume.GetStatus().CacheUsedBytes - log <= 10_000_000, $"{log} bytes of log, {_volume.GetStatus()}");
        FsException refusal = Assert.Throws<FsException>(() => _volume.Pin(NodeId.Root));
        Assert.Equal(FsStatus.NoSpace, refusal.Status);
        Assert.Contains("--cache-size", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(new Amount(2, 2 * Length), _volume.GetStatus().Pins.Pinned);
        _store.IsUnreachable = true;
        Assert.Equal(VolumeFiles.Bytes(1, Length), await _volume.ReadFileAsync(Find("folder/a")));
        Assert.Equal(VolumeFiles.Bytes(2, Length), await _volume.ReadFileAsync(Find("folder/below/b")));
        Assert.Equal(FsStatus.Unreachable, await ReadStatusAsync("other"));
    }

    [Fact]
    public async Task A_local_store_is_read_in_place_and_nothing_is_pinned_from_it()
    {
        await using EngineFixture near = await EngineFixture.CreateAsync(new FaultyStore(new MemoryStore()) { Description = new StoreDescription("near", IsLocal: true) });
        await using Volume volume = await near.OpenAsync();
        Assert.Equal(FsStatus.NotSupported, Assert.Throws<FsException>(() => volume.Pin(NodeId.Root)).Status);
    }

    private static VolumeSettings Looking(VolumeSettings settings) => settings with { UploadRest = TimeSpan.FromMilliseconds(50) };

    private NodeId Find(string path) => _volume.FindPath(path) ?? throw new FileNotFoundException(path);

    private string Pinned(string path)
    {
        byte[] value = new byte[16];
        Assert.Equal(FsStatus.Ok, _volume.GetExtendedAttribute(Find(path), System.Text.Encoding.ASCII.GetBytes(Volume.PinnedXattr), value, out int length));
        return System.Text.Encoding.ASCII.GetString(value, 0, length);
    }

    private Task FetchedAsync(int files) => UploadTests.EventuallyAsync(
        () => _volume.GetStatus().Pins is { Problem: null } pins && pins.Pinned.Files == files && pins.ToFetch == default, $"{files} files are here");

    private async Task<FsStatus> ReadStatusAsync(string path)
    {
        Assert.Equal(FsStatus.Ok, _volume.Open(Find(path), OpenOptions.Read, out HandleId handle));
        IoResult read = await _volume.ReadAsync(handle, 1_000_000, new byte[4096], CancellationToken.None);
        _volume.Close(handle);
        return read.Status;
    }
}
