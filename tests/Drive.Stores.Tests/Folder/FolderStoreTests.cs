using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Folder;
using Drive.Testing;
using Drive.Testing.Disk;

namespace Drive.Stores.Tests.Folder;

public sealed class FolderStoreTests
{
    private const string Root = "/mnt/vault";
    private readonly MemoryDisk _disk = new();

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public void A_folder_that_is_no_store_is_unreachable_and_is_not_made_by_opening()
    {
        Assert.Equal(StoreErrorKind.Unreachable, Assert.Throws<StoreException>(() => FolderStore.Open(_disk, Root, create: false, new SeededRandom(1))).Kind);
        _disk.CreateDirectory(Root);
        Assert.Equal(StoreErrorKind.Unreachable, Assert.Throws<StoreException>(() => FolderStore.Open(_disk, Root, create: false, new SeededRandom(1))).Kind);
        Assert.Empty(_disk.List(Root));
    }

    [Fact]
    public async Task While_the_disk_is_unmounted_nothing_is_absent_and_nothing_is_written_below_it()
    {
        await using FolderStore store = Open();
        await store.PutIfAbsentAsync(new ObjectName("log/1/1"), new byte[10], None);
        using (_disk.Unmount(Root))
        {
            foreach (Func<Task> call in Calls(store))
            {
                StoreException exception = await Assert.ThrowsAsync<StoreException>(call);
                Assert.Equal(StoreErrorKind.Unreachable, exception.Kind);
                Assert.True(exception.IsTransient);
            }

            Assert.Empty(_disk.List(Root));
        }

        Assert.Equal(10, await store.GetLengthAsync(new ObjectName("log/1/1"), None));
        Assert.Null(await store.GetLengthAsync(new ObjectName("log/1/2"), None));
    }

    [Fact]
    public async Task Another_store_mounted_in_its_place_is_not_taken_for_it()
    {
        await using FolderStore store = Open();
        using IDisposable unmounted = _disk.Unmount(Root);
        await using FolderStore other = FolderStore.Open(_disk, Root, create: true, new SeededRandom(77));
        foreach (Func<Task> call in Calls(store))
        {
            Assert.Equal(StoreErrorKind.Unreachable, (await Assert.ThrowsAsync<StoreException>(call)).Kind);
        }

        Assert.Null(await other.GetLengthAsync(new ObjectName("log/1/1"), None));
    }

    [Fact]
    public async Task Errors_of_the_disk_have_their_kind()
    {
        var disk = new FaultyDisk(_disk);
        await using FolderStore store = Open(disk);
        foreach ((Func<Exception> made, StoreErrorKind kind) in new (Func<Exception>, StoreErrorKind)[]
        {
            (FaultyDisk.Full, StoreErrorKind.Full),
            (FaultyDisk.InputOutputError, StoreErrorKind.Unreachable),
            (() => new IOException("read-only", 30), StoreErrorKind.Denied),
            (() => new IOException("denied", 13), StoreErrorKind.Denied),
        })
        {
            disk.Fault = call => call.Operation is DiskOperation.Write or DiskOperation.Read ? made() : null;
            Assert.Equal(kind, (await Assert.ThrowsAsync<StoreException>(() => store.PutIfAbsentAsync(new ObjectName("x"), new byte[1], None))).Kind);
            disk.Fault = _ => null;
            Assert.Null(await store.GetAsync(new ObjectName("x"), 10, None));
        }
    }

    [Fact]
    public async Task Whatever_change_of_the_disk_fails_an_object_is_whole_or_not_there_and_a_true_is_durable()
    {
        byte[] content = [.. Enumerable.Range(0, 3000).Select(value => (byte)value)];
        for (int number = 0; number < 40; number++)
        {
            var memory = new MemoryDisk();
            memory.CreateDirectory("/mnt");
            memory.SyncDirectory("/");
            var disk = new FaultyDisk(memory);
            await using FolderStore store = Open(disk);
            disk.FailChange(number, FaultyDisk.InputOutputError);
            bool isMade = await TryPutAsync(store, content);
            foreach (CrashKind kind in Enum.GetValues<CrashKind>())
            {
                MemoryDisk image = memory.Crash(kind, new Random(number));
                await using FolderStore after = FolderStore.Open(image, Root, create: true, new SeededRandom(number + 50));
                byte[]? got = await after.GetAsync(new ObjectName("packs/ab/one"), 10_000, None);
                Assert.True(got is null ? !isMade : got.AsSpan().SequenceEqual(content), $"change {number}, {kind}");
            }
        }
    }

    [Fact]
    public async Task A_put_that_is_told_false_finds_the_winners_object_durable()
    {
        _disk.CreateDirectory("/mnt");
        _disk.SyncDirectory("/");
        var disk = new FaultyDisk(_disk);
        await using FolderStore winner = Open(disk);
        await using FolderStore loser = Open();
        disk.Fault = call => call.Operation == DiskOperation.SyncDirectory && call.Path.EndsWith("/log/1", StringComparison.Ordinal) ? FaultyDisk.InputOutputError() : null;
        await Assert.ThrowsAsync<StoreException>(() => winner.PutIfAbsentAsync(new ObjectName("log/1/1"), new byte[5], None));
        Assert.False(await loser.PutIfAbsentAsync(new ObjectName("log/1/1"), new byte[6], None));
        await using FolderStore after = Open(_disk.Crash(CrashKind.PowerLosesAll, new Random(1)));
        Assert.Equal(5, await after.GetLengthAsync(new ObjectName("log/1/1"), None));
    }

    [Fact]
    public async Task What_the_dead_left_is_removed_and_what_the_living_write_is_not()
    {
        // A process that died between writing and linking: its lock is gone after the crash.
        var faulty = new FaultyDisk(_disk);
        FolderStore dying = Open(faulty, seed: 5);
        faulty.Fault = call => call.Operation is DiskOperation.Link or DiskOperation.Delete ? FaultyDisk.InputOutputError() : null;
        await Assert.ThrowsAsync<StoreException>(() => dying.PutIfAbsentAsync(new ObjectName("x"), new byte[1000], None));
        Assert.Equal(1, TemporaryFiles(_disk));
        MemoryDisk image = _disk.Crash(CrashKind.Process, new Random(1));
        Assert.Equal(1, TemporaryFiles(image));

        await using FolderStore living = Open(image, seed: 6);
        await using FolderStore other = Open(image, seed: 7);
        Assert.Null(await living.GetAsync(new ObjectName("x"), 1000, None));
        await living.PutIfAbsentAsync(new ObjectName("y"), new byte[10], None);
        await other.PutIfAbsentAsync(new ObjectName("z"), new byte[10], None);
        await living.PutIfAbsentAsync(new ObjectName("w"), new byte[10], None);
        Assert.Equal(0, TemporaryFiles(image));
        Assert.Equal(4, image.List($"{Root}/.tmp").Count);
    }

    [Fact]
    public async Task A_closed_store_leaves_no_temporary_files()
    {
        FolderStore store = Open();
        await store.PutIfAbsentAsync(new ObjectName("x"), new byte[10], None);
        await store.DisposeAsync();
        Assert.Empty(_disk.List($"{Root}/.tmp"));
    }

    [Fact]
    public async Task A_local_range_read_completes_at_once_and_few_files_stay_open()
    {
        int opens = 0;
        var disk = new FaultyDisk(_disk);
        await using FolderStore store = Open(disk);
        await store.PutIfAbsentAsync(new ObjectName("packs/ab/one"), new byte[1000], None);
        disk.Fault = call =>
        {
            opens += call.Operation == DiskOperation.Open ? 1 : 0;
            return null;
        };
        for (int read = 0; read < 50; read++)
        {
            ValueTask<int?> range = store.GetRangeAsync(new ObjectName("packs/ab/one"), read, new byte[10], None);
            Assert.True(range.IsCompletedSuccessfully);
            Assert.Equal(10, await range);
        }

        Assert.Equal(1, opens);
    }

    [Fact]
    public async Task The_lock_keeps_a_second_holder_out_until_it_is_let_go()
    {
        await using FolderStore one = Open();
        await using FolderStore two = Open(seed: 2);
        using (IDisposable? held = one.TryLock("here since Tuesday", out _))
        {
            Assert.NotNull(held);
            Assert.Null(two.TryLock("me", out string? holder));
            Assert.Equal("here since Tuesday", holder);
        }

        using IDisposable? mine = two.TryLock("me", out _);
        Assert.NotNull(mine);
    }

    private static int TemporaryFiles(MemoryDisk disk) => disk.List($"{Root}/.tmp").Sum(name => disk.List($"{Root}/.tmp/{name}").Count);

    private static async Task<bool> TryPutAsync(FolderStore store, byte[] content)
    {
        try
        {
            return await store.PutIfAbsentAsync(new ObjectName("packs/ab/one"), content, None);
        }
        catch (StoreException)
        {
            return false;
        }
    }

    private static IEnumerable<Func<Task>> Calls(FolderStore store)
    {
        var there = new ObjectName("log/1/1");
        yield return () => store.GetAsync(there, 100, None);
        yield return () => store.GetLengthAsync(there, None);
        yield return async () => await store.GetRangeAsync(there, 0, new byte[10], None);
        yield return () => store.PutIfAbsentAsync(new ObjectName("log/1/2"), new byte[3], None);
        yield return () => store.DeleteAsync(there, None);
        yield return () => store.GetSpaceAsync(None);
        yield return async () =>
        {
            await foreach (ObjectInfo info in store.ListAsync("log/", None))
            {
                Assert.Fail($"{info.Name} was listed");
            }
        };
    }

    private FolderStore Open(IDisk? disk = null, int seed = 1) => FolderStore.Open(disk ?? _disk, Root, create: true, new SeededRandom(seed));
}
