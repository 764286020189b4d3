using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Disk;
using Drive.Testing.Stores;

namespace Drive.Engine.Tests;

/// <summary>A store and a disk that fail: no false success, nothing synced is lost, and it goes on when they are well again.</summary>
public sealed class FaultTests : IAsyncLifetime
{
    private const int PieceBytes = 50_000;

    /// <summary>Nothing leaves it but by a local commit.</summary>
    private const int RoomyMemory = 32 << 20;

    /// <summary>Each piece goes to the dirty log before the next one is taken.</summary>
    private const int TightMemory = 40_000;

    private readonly FaultyStore _store = new(new MemoryStore());
    private EngineFixture _fixture = null!;

    public async Task InitializeAsync() => _fixture = await EngineFixture.CreateAsync(_store);

    public async Task DisposeAsync() => await _fixture.DisposeAsync();

    [Fact]
    public async Task A_store_that_is_away_at_the_start_is_no_hindrance_and_gets_everything_later()
    {
        ManualTime time = new();
        _fixture.Time = time;
        await using (Volume first = await _fixture.OpenAsync())
        {
            first.WriteFile(NodeId.Root, "before", VolumeFiles.Bytes(1, 1000));
        }

        _store.IsUnreachable = true;
        await using Volume volume = await _fixture.OpenAsync();
        Assert.Equal(VolumeFiles.Bytes(1, 1000), await volume.ReadFileAsync(volume.Find(NodeId.Root, "before")));
        volume.WriteFile(NodeId.Root, "meanwhile", VolumeFiles.Bytes(2, 1000));
        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
        Assert.Equal(StoreCondition.Unreachable, volume.GetStatus().Store);
        Assert.NotNull(volume.GetStatus().LastError);
        using CancellationTokenSource gone = new();
        Task<UploadProgress> waiting = volume.WaitUploadedAsync(null, gone.Token);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.False(waiting.IsCompleted);
        _store.IsUnreachable = false;
        await VolumeFiles.PumpAsync(waiting, time);
        Assert.True((await waiting).Done);
        Assert.Equal(StoreCondition.Reachable, volume.GetStatus().Store);
        Assert.Null(volume.GetStatus().LastError);
        await using Volume second = await _fixture.RecoverAsync("second");
        Assert.Equal(VolumeFiles.Bytes(1, 1000), await second.ReadFileAsync(second.Find(NodeId.Root, "before")));
        Assert.Equal(VolumeFiles.Bytes(2, 1000), await second.ReadFileAsync(second.Find(NodeId.Root, "meanwhile")));
    }

    [Fact]
    public async Task A_store_that_is_away_is_looked_at_more_and_more_rarely_and_at_once_when_it_says_something()
    {
        ManualTime time = new();
        _fixture.Time = time;
        await using Volume volume = await _fixture.OpenAsync(_fixture.Settings() with { LookInterval = TimeSpan.FromSeconds(1) });
        int looks = 0;
        _store.Script = call =>
        {
            looks += call.Name.StartsWith("log/", StringComparison.Ordinal) ? 1 : 0;
            return StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true);
        };
        await VolumeFiles.PumpAsync(Task.Delay(TimeSpan.FromMinutes(3), time), time);
        Assert.InRange(looks, 5, 20);
        int before = looks;
        volume.LookSoon();
        await UploadTests.EventuallyAsync(() => looks > before, "the hint is followed");
        _store.Script = _ => null;
        await VolumeFiles.PumpAsync(UploadTests.EventuallyAsync(() => volume.GetStatus().Store == StoreCondition.Reachable, "the store is back"), time);
    }

    [Fact]
    public async Task A_device_without_local_state_says_that_it_needs_the_store()
    {
        _store.IsUnreachable = true;
        Exception error = await Assert.ThrowsAnyAsync<Exception>(() => _fixture.OpenAsync());
        Assert.True(error is StoreException or FsException, error.ToString());
        _store.IsUnreachable = false;
        await using Volume volume = await _fixture.OpenAsync();
    }

    [Fact]
    public async Task A_store_that_denies_writes_is_tried_again_until_it_allows_them()
    {
        ManualTime time = new();
        _fixture.Time = time;
        await using Volume volume = await _fixture.OpenAsync();
        _store.Script = call => call.Kind == StoreCallKind.Put ? StoreFault.FailBefore(StoreErrorKind.Denied, isTransient: false) : null;
        volume.WriteFile(NodeId.Root, "f", VolumeFiles.Bytes(3, 1000));
        using CancellationTokenSource gone = new();
        Task<UploadProgress> waiting = volume.WaitUploadedAsync(null, gone.Token);
        await VolumeFiles.PumpAsync(UploadTests.EventuallyAsync(() => volume.GetStatus().Store == StoreCondition.Unreachable, "the refusal is known"), time);
        Assert.Contains("Denied", volume.GetStatus().LastError, StringComparison.Ordinal);
        Assert.False(waiting.IsCompleted);
        _store.Script = _ => null;
        await VolumeFiles.PumpAsync(waiting, time);
        Assert.True((await waiting).Done);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_store_that_fails_a_third_of_its_calls_before_or_after_them_gets_everything_once(bool before)
    {
        ManualTime time = new();
        _fixture.Time = time;
        await using Volume volume = await _fixture.OpenAsync();
        Random random = new(1);
        _store.Script = call => call.Kind is StoreCallKind.Put or StoreCallKind.Get && random.Next(3) == 0
            ? before ? StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true) : StoreFault.FailAfter(StoreErrorKind.Unreachable, isTransient: true)
            : null;
        for (int round = 0; round < 5; round++)
        {
            volume.WriteFile(NodeId.Root, $"f{round}", VolumeFiles.Bytes(round, 5000));
            await volume.WaitAsync(time);
        }

        Assert.Equal(6, volume.GetStatus().Seq);
        _store.Script = _ => null;
        await using Volume second = await _fixture.RecoverAsync("second");
        for (int round = 0; round < 5; round++)
        {
            Assert.Equal(VolumeFiles.Bytes(round, 5000), await second.ReadFileAsync(second.Find(NodeId.Root, $"f{round}")));
        }
    }

    [Theory]
    [InlineData(RoomyMemory)]
    [InlineData(TightMemory)]
    public async Task A_full_disk_is_said_at_every_place_it_can_happen_and_nothing_synced_is_lost(int memory) =>
        await FailEachChangeAsync(FaultyDisk.Full, forEver: false, FsStatus.NoSpace, memory);

    [Theory]
    [InlineData(RoomyMemory)]
    [InlineData(TightMemory)]
    public async Task A_disk_that_stays_full_is_said_and_nothing_synced_is_lost(int memory) =>
        await FailEachChangeAsync(FaultyDisk.Full, forEver: true, FsStatus.NoSpace, memory);

    [Theory]
    [InlineData(RoomyMemory)]
    [InlineData(TightMemory)]
    public async Task An_error_of_the_disk_at_any_place_is_said_or_got_over_and_nothing_synced_is_lost(int memory) =>
        await FailEachChangeAsync(FaultyDisk.InputOutputError, forEver: false, FsStatus.IoError, memory);

    [Theory]
    [InlineData(RoomyMemory)]
    [InlineData(TightMemory)]
    public async Task A_disk_that_broke_is_said_and_nothing_synced_is_lost(int memory) =>
        await FailEachChangeAsync(FaultyDisk.InputOutputError, forEver: true, FsStatus.IoError, memory);

    [Fact]
    public async Task A_quota_that_is_used_up_is_a_full_disk() =>
        await FailEachChangeAsync(static () => new DiskFullException("Disk quota exceeded (made up)") { HResult = 122 }, forEver: false, FsStatus.NoSpace, RoomyMemory);

    [Fact]
    public async Task A_disk_that_was_remounted_read_only_is_said_and_nothing_synced_is_lost() =>
        await FailEachChangeAsync(static () => new IOException("Read-only file system (made up)", 30), forEver: true, FsStatus.IoError, RoomyMemory);

    /// <summary>The n-th change of the disk fails, for each n there is: what an fsync said yes to must be there, in this run and after the next start.</summary>
    private async Task FailEachChangeAsync(Func<Exception> fault, bool forEver, FsStatus expected, int memory)
    {
        bool wasReached = true;
        for (int number = 0; wasReached && number < 80; number++)
        {
            FaultyDisk disk = new(new Drive.Disk.LocalDisk());
            _fixture.Disk = disk;
            VolumeSettings settings = _fixture.Settings($"state{number}") with { SaveInterval = TimeSpan.FromDays(30), MemoryBytesMax = memory };
            List<(string Name, byte[] Content)> synced = [];
            Volume volume = await _fixture.OpenAsync(settings);
            _store.Script = call => call.Kind == StoreCallKind.Put ? StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true) : null;
            int seen = 0;
            disk.FailChange(number, () =>
            {
                seen++;
                return fault();
            }, forEver);
            bool failed = false;
            for (int file = 0; file < 4; file++)
            {
                byte[] content = VolumeFiles.Bytes((number * 10) + file, 3 * PieceBytes);
                string name = $"f{file}";
                FsStatus made = volume.Create(NodeId.Root, System.Text.Encoding.UTF8.GetBytes(name), 0x1A4, OpenOptions.Write, Caller.Root, out _, out HandleId handle);
                FsStatus wrote = made;
                foreach (int offset in (int[])[0, PieceBytes, 2 * PieceBytes])
                {
                    wrote = wrote == FsStatus.Ok ? volume.Write(handle, offset, content.AsSpan(offset, PieceBytes), WriteOptions.None) : wrote;
                    if (wrote == FsStatus.NoSpace && expected == FsStatus.NoSpace && !forEver)
                    {
                        // Once there is room again the same write must succeed.
                        failed = true;
                        wrote = volume.Write(handle, offset, content.AsSpan(offset, PieceBytes), WriteOptions.None);
                        Assert.Equal(FsStatus.Ok, wrote);
                    }
                }

                FsStatus status = wrote == FsStatus.Ok ? await volume.FsyncAsync(handle, false, CancellationToken.None) : wrote;
                if (status == FsStatus.NoSpace && expected == FsStatus.NoSpace && !forEver)
                {
                    // Once there is room again the same fsync must succeed.
                    failed = true;
                    status = await volume.FsyncAsync(HandleId.None, false, CancellationToken.None);
                    Assert.Equal(FsStatus.Ok, status);
                }

                if (status == FsStatus.Ok)
                {
                    synced.Add((name, content));
                }
                else
                {
                    failed = true;
                    Assert.True(status == expected || (status == FsStatus.ReadOnly && expected == FsStatus.IoError), $"change {number}, {name}: {status}");
                }

                volume.Close(handle);
            }

            wasReached = seen > 0;
            Assert.True(!wasReached || failed || expected == FsStatus.IoError || synced.Count == 4, $"change {number}: a failure went by unsaid");
            await CheckAsync(volume, synced, number);
            bool stopped = await volume.StopAsync();
            Assert.True(!stopped || synced.Count == 4 || !forEver, $"change {number}: a stop that saved nothing said that it did");
            await volume.DisposeAsync();
            disk.Fault = _ => null;
            await using Volume again = await _fixture.OpenAsync(settings);
            await CheckAsync(again, synced, number);
            _store.Script = _ => null;
        }

        Assert.False(wasReached);
    }

    private static async Task CheckAsync(Volume volume, List<(string Name, byte[] Content)> synced, int number)
    {
        foreach ((string name, byte[] content) in synced)
        {
            byte[] found = await volume.ReadFileAsync(volume.Find(NodeId.Root, name));
            Assert.True(content.AsSpan().SequenceEqual(found), $"change {number}: {name}");
        }
    }

    [Fact]
    public async Task Writers_are_refused_when_memory_is_full_of_what_the_disk_does_not_take()
    {
        FaultyDisk disk = new(_fixture.Disk);
        _fixture.Disk = disk;
        await using Volume volume = await _fixture.OpenAsync(_fixture.Settings() with { MemoryBytesMax = 4 << 20, SaveInterval = TimeSpan.FromDays(30) });
        NodeId node = volume.WriteFile(NodeId.Root, "f", [1]);
        Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Write, out HandleId handle));
        disk.Fault = call => call.Operation == DiskOperation.Write && call.Path.Contains("dirty", StringComparison.Ordinal) ? FaultyDisk.Full() : null;
        byte[] piece = VolumeFiles.Bytes(1, 1 << 20);
        int written = 0;
        while (written < 20 && volume.Write(handle, (long)written << 20, piece, WriteOptions.None) == FsStatus.Ok)
        {
            written++;
        }

        Assert.InRange(written, 3, 8);
        disk.Fault = _ => null;
        Assert.Equal(FsStatus.Ok, volume.Write(handle, (long)written << 20, piece, WriteOptions.None));
        volume.Close(handle);
        byte[] content = await volume.ReadFileAsync(node);
        Assert.Equal((written + 1) << 20, content.Length);
    }

    /// <summary>Not even a fault of a kind that nobody thought of may leave bytes behind that a later fsync takes for safe.</summary>
    [Fact]
    public async Task A_strange_failure_while_memory_is_emptied_is_said_and_no_fsync_lies()
    {
        FaultyDisk disk = new(_fixture.Disk);
        _fixture.Disk = disk;
        VolumeSettings settings = _fixture.Settings() with { MemoryBytesMax = TightMemory, SaveInterval = TimeSpan.FromDays(30) };
        _store.Script = call => call.Kind == StoreCallKind.Put ? StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true) : null;
        byte[] synced = VolumeFiles.Bytes(1, PieceBytes);
        await using (Volume volume = await _fixture.OpenAsync(settings))
        {
            NodeId node = volume.WriteFile(NodeId.Root, "f", synced);
            Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
            int failures = 0;
            disk.Fault = call => call.Path.Contains("dirty", StringComparison.Ordinal) && failures++ == 0 ? new InvalidOperationException("made up") : null;
            Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Write, out HandleId handle));
            byte[] piece = VolumeFiles.Bytes(2, PieceBytes);
            FsStatus wrote = FsStatus.Ok;
            for (int i = 1; i <= 3 && wrote == FsStatus.Ok; i++)
            {
                wrote = volume.Write(handle, i * PieceBytes, piece, WriteOptions.None);
                synced = wrote == FsStatus.Ok ? [.. synced, .. piece] : synced;
            }

            bool isKept = await volume.FsyncAsync(handle, false, CancellationToken.None) == FsStatus.Ok;
            Assert.True(failures > 0);
            volume.Close(handle);
            synced = isKept ? synced : synced[..PieceBytes];
        }

        disk.Fault = _ => null;
        await using Volume again = await _fixture.OpenAsync(settings);
        byte[] found = await again.ReadFileAsync(again.Find(NodeId.Root, "f"));
        Assert.Equal(synced, found[..synced.Length]);
    }

    [Fact]
    public async Task A_full_cache_refuses_early_and_takes_again_after_an_upload()
    {
        await using Volume volume = await _fixture.OpenAsync(_fixture.Settings() with { CacheLimitBytes = 3 << 20 });
        _store.Script = call => call.Kind == StoreCallKind.Put ? StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true) : null;
        byte[] two = VolumeFiles.Bytes(1, 2 << 20);
        NodeId first = volume.WriteFile(NodeId.Root, "first", two);
        Assert.Equal(FsStatus.Ok, volume.Create(NodeId.Root, "second"u8, 0x1A4, OpenOptions.Write, Caller.Root, out NodeAttributes second, out HandleId handle));
        Assert.Equal(FsStatus.NoSpace, volume.Write(handle, 0, two, WriteOptions.None));
        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(handle, false, CancellationToken.None));
        volume.GetAttributes(second.Node, out NodeAttributes attributes);
        Assert.Equal(0, attributes.Size);
        _store.Script = _ => null;
        await volume.WaitAsync();
        Assert.Equal(FsStatus.Ok, volume.Write(handle, 0, two, WriteOptions.None));
        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(handle, false, CancellationToken.None));
        volume.Close(handle);
        Assert.Equal(two, await volume.ReadFileAsync(first));
        Assert.Equal(two, await volume.ReadFileAsync(second.Node));
    }

    [Fact]
    public async Task A_second_volume_on_the_same_state_is_refused_and_does_no_harm()
    {
        await using (Volume volume = await _fixture.OpenAsync())
        {
            volume.WriteFile(NodeId.Root, "f", VolumeFiles.Bytes(1, 1000));
            Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
            await Assert.ThrowsAnyAsync<Exception>(() => _fixture.OpenAsync());
            volume.WriteFile(NodeId.Root, "g", VolumeFiles.Bytes(2, 1000));
            Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
            await volume.WaitAsync();
        }

        await using Volume again = await _fixture.OpenAsync();
        Assert.Equal(VolumeFiles.Bytes(1, 1000), await again.ReadFileAsync(again.Find(NodeId.Root, "f")));
        Assert.Equal(VolumeFiles.Bytes(2, 1000), await again.ReadFileAsync(again.Find(NodeId.Root, "g")));
    }

    [Theory]
    [InlineData("flip")]
    [InlineData("cut")]
    [InlineData("gone")]
    [InlineData("swap")]
    public async Task A_pack_that_is_not_as_it_was_gives_an_error_and_never_wrong_bytes(string damage)
    {
        byte[] content = VolumeFiles.Bytes(1, 3_000_000);
        await using (Volume volume = await _fixture.OpenAsync())
        {
            volume.WriteFile(NodeId.Root, "f", content);
            await volume.WaitAsync();
            volume.WriteFile(NodeId.Root, "g", VolumeFiles.Bytes(2, 3_000_000));
            await volume.WaitAsync();
        }

        List<ObjectName> packs = [];
        await foreach (ObjectInfo info in _store.ListAsync("packs/", CancellationToken.None))
        {
            packs.Add(info.Name);
        }

        byte[][] before = [.. await Task.WhenAll(packs.Select(async name => (await _store.GetAsync(name, int.MaxValue, CancellationToken.None))!))];
        for (int pack = 0; pack < packs.Count; pack++)
        {
            byte[] bytes = damage == "swap" ? [.. before[(pack + 1) % packs.Count]] : [.. before[pack]];
            for (int at = 50_000; damage == "flip" && at < bytes.Length; at += 200_000)
            {
                bytes[at] ^= 1;
            }

            await _store.DeleteAsync(packs[pack], CancellationToken.None);
            if (damage != "gone")
            {
                await _store.PutIfAbsentAsync(packs[pack], damage == "cut" ? bytes.AsMemory(0, 1_000_000) : bytes, CancellationToken.None);
            }
        }

        await using Volume damaged = await _fixture.OpenAsync();
        Assert.Equal(FsStatus.Ok, damaged.Open(damaged.Find(NodeId.Root, "f"), OpenOptions.Read, out HandleId handle));
        byte[] buffer = new byte[65536];
        int failures = 0;
        for (long offset = 0; offset < content.Length; offset += buffer.Length)
        {
            IoResult read = await damaged.ReadAsync(handle, offset, buffer, CancellationToken.None);
            failures += read.Status == FsStatus.Ok ? 0 : 1;
            Assert.True(read.Status is FsStatus.Ok or FsStatus.Corrupt, read.Status.ToString());
            Assert.True(read.Status == FsStatus.Corrupt || content.AsSpan((int)offset, (int)read.Count).SequenceEqual(buffer.AsSpan(0, (int)read.Count)), $"at {offset}");
        }

        Assert.True(failures > 0);
        Assert.NotNull(damaged.GetStatus().LastError);
        damaged.Close(handle);

        // A damaged file does not keep others from being written and sent.
        damaged.WriteFile(NodeId.Root, "new", VolumeFiles.Bytes(3, 1000));
        await damaged.WaitAsync();
    }
}
