using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Checks;
using Drive.Stores.Memory;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Packs;
using SQLitePCL;

namespace Drive.Engine.Tests;

/// <summary>The check of what a store has, after packs were lost, cut, changed and swapped in it.</summary>
public sealed class CheckTests : IAsyncLifetime
{
    private const int Length = 3_000_000;
    private readonly MemoryStore _memory = new();
    private readonly FaultyStore _store;
    private EngineFixture _fixture = null!;
    private Volume _volume = null!;

    public CheckTests() => _store = new FaultyStore(_memory) { Description = new StoreDescription("far away", IsLocal: false) };

    public async Task InitializeAsync()
    {
        _fixture = await EngineFixture.CreateAsync(_store);
        _volume = await _fixture.OpenAsync();
        NodeId folder = _volume.MakeDirectory(NodeId.Root, "folder");
        _volume.WriteFile(folder, "a", VolumeFiles.Bytes(1, Length));
        await _volume.WaitAsync();
        _volume.WriteFile(NodeId.Root, "b", VolumeFiles.Bytes(2, Length));
        await _volume.WaitAsync();
    }

    public async Task DisposeAsync()
    {
        await _volume.DisposeAsync();
        await _fixture.DisposeAsync();
    }

    [Fact]
    public async Task A_store_that_has_everything_is_sound_and_each_share_reads_as_much()
    {
        CheckReport quick = await CheckAsync(0);
        Assert.True(quick.IsSound && quick.IsTreeSound);
        Assert.Equal((2, 0, 0), (quick.Packs, quick.PacksRead, quick.BytesRead));
        CheckReport half = await CheckAsync(0.5);
        Assert.Equal(1, half.PacksRead);
        CheckReport full = await CheckAsync(1);
        Assert.True(full.IsSound);
        Assert.Equal(2, full.PacksRead);
        Assert.True(full.BytesRead > 2 * Length);
        Assert.Equal(0, full.UnknownBlocks);
    }

    [Fact]
    public async Task A_missing_pack_costs_the_files_that_are_named_and_is_restored_from_the_cache()
    {
        ObjectName pack = (await _memory.PacksAsync())[0];
        await _memory.DeleteAsync(pack, CancellationToken.None);
        CheckReport found = await CheckAsync(0);
        Assert.False(found.IsSound);
        BadPack bad = Assert.Single(found.BadPacks);
        Assert.Equal((pack.Value, "is missing"), (bad.Name, bad.Problem));
        BadFile file = Assert.Single(found.BadFiles);
        Assert.Contains(file.Path, (string[])["/folder/a", "/b"]);
        Assert.Equal(Length, file.LostBytes);

        // What was written here is in the cache: it is sent again, in a pack of another name.
        CheckReport repaired = await CheckAsync(0, repairs: true);
        Assert.True(repaired.IsSound);
        Assert.Equal(bad.Blocks, Assert.Single(repaired.BadPacks).Restored);
        Assert.Equal(2, (await _memory.PacksAsync()).Count);
        Assert.True((await CheckAsync(1)).BadPacks.Count == 0);
        await using Volume other = await _fixture.RecoverAsync("other");
        Assert.Equal(VolumeFiles.Bytes(2, Length), await other.ReadFileAsync(other.Find(NodeId.Root, "b")));
        Assert.Equal(VolumeFiles.Bytes(1, Length), await other.ReadFileAsync(other.Find(other.Find(NodeId.Root, "folder"), "a")));
    }

    [Fact]
    public async Task What_no_cache_has_is_lost_and_said_to_be_and_a_copy_of_it_heals_the_file()
    {
        _volume.Evict(NodeId.Root);
        foreach (ObjectName pack in await _memory.PacksAsync())
        {
            await _memory.DeleteAsync(pack, CancellationToken.None);
        }

        CheckReport found = await CheckAsync(0, repairs: true);
        Assert.False(found.IsSound);
        Assert.Equal(["/b", "/folder/a"], found.BadFiles.Select(static file => file.Path));
        Assert.All(found.BadPacks, static bad => Assert.Equal(0, bad.Restored));

        // Copied in again, the content is sent, and the other file with the same blocks would have it too.
        _volume.WriteFile(NodeId.Root, "again", VolumeFiles.Bytes(2, Length));
        await _volume.WaitAsync();
        CheckReport after = await CheckAsync(1);
        Assert.Equal(["/folder/a"], after.BadFiles.Select(static file => file.Path));
    }

    [Fact]
    public async Task What_no_cache_has_is_found_in_another_pack_by_the_packs_own_list()
    {
        // A second copy, of one file, that no commit names: as after two machines sent the same at once.
        using VaultKeys keys = VaultKeys.Import(_fixture.Keys);
        ObjectName copy;
        using (PackWriter writer = new(keys, SystemRandomSource.Instance))
        {
            foreach (byte[] block in VolumeFiles.Bytes(2, Length).Chunk(1 << 20))
            {
                writer.Add(keys.IdentifyBlock(block), block, Effort.Quick);
            }

            copy = VaultNames.Pack(writer.Id);
            await _memory.PutIfAbsentAsync(copy, writer.Finish(), CancellationToken.None);
        }

        _volume.Evict(NodeId.Root);
        foreach (ObjectName pack in (await _memory.PacksAsync()).Where(pack => pack != copy))
        {
            await _memory.DeleteAsync(pack, CancellationToken.None);
        }

        Assert.Equal(["/b", "/folder/a"], (await CheckAsync(0, repairs: true)).BadFiles.Select(static file => file.Path));
        CheckReport searched = await CheckAsync(0, repairs: true, searches: true);
        Assert.Equal(["/folder/a"], searched.BadFiles.Select(static file => file.Path));
        Assert.Equal(3, searched.BadPacks.Sum(static bad => bad.Restored));
        Assert.Equal(VolumeFiles.Bytes(2, Length), await _volume.ReadFileAsync(_volume.Find(NodeId.Root, "b")));

        // Not where it was found: that pack is nobody's, and may go.
        await _memory.DeleteAsync(copy, CancellationToken.None);
        await using Volume other = await _fixture.RecoverAsync("other");
        Assert.Equal(VolumeFiles.Bytes(2, Length), await other.ReadFileAsync(other.Find(NodeId.Root, "b")));
    }

    [Fact]
    public async Task An_index_that_is_lost_is_made_anew_from_the_packs_own_lists()
    {
        List<ObjectName> packs = await _memory.PacksAsync();
        await _volume.DisposeAsync();
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_open(Path.Combine(_fixture.Settings().StateDirectory, "metadata.db"), out sqlite3 database));
        using (database)
        {
            Assert.Equal(raw.SQLITE_OK, raw.sqlite3_exec(database, "DELETE FROM block"));
        }

        Directory.Delete(_fixture.Settings().CacheDirectory, recursive: true);
        _volume = await _fixture.OpenAsync();
        CheckReport found = await CheckAsync(0, repairs: true);
        Assert.Equal((false, 6), (found.IsSound, found.UnknownBlocks));
        CheckReport searched = await CheckAsync(0, repairs: true, searches: true);
        Assert.Equal((true, 0), (searched.IsSound, searched.UnknownBlocks));
        Assert.Equal(VolumeFiles.Bytes(1, Length), await _volume.ReadFileAsync(_volume.Find(_volume.Find(NodeId.Root, "folder"), "a")));
        Assert.Equal(VolumeFiles.Bytes(2, Length), await _volume.ReadFileAsync(_volume.Find(NodeId.Root, "b")));
        Assert.True((await CheckAsync(1)).IsSound);
        foreach (ObjectName pack in packs)
        {
            await _memory.DeleteAsync(pack, CancellationToken.None);
        }

        await using Volume other = await _fixture.RecoverAsync("other");
        Assert.Equal(VolumeFiles.Bytes(1, Length), await other.ReadFileAsync(other.Find(other.Find(NodeId.Root, "folder"), "a")));
    }

    [Theory]
    [InlineData("flip", "seals do not hold")]
    [InlineData("cut", "cut short")]
    [InlineData("swap", "seals do not hold")]
    public async Task A_changed_pack_is_found_by_reading_it(string how, string problem)
    {
        List<ObjectName> packs = await _memory.PacksAsync();
        byte[] bytes = (await _memory.GetAsync(packs[0], int.MaxValue, CancellationToken.None))!;
        byte[] changed = how switch
        {
            "flip" => [.. bytes[..200_000], (byte)(bytes[200_000] ^ 1), .. bytes[200_001..]],
            "cut" => bytes[..^100_000],
            _ => (await _memory.GetAsync(packs[1], int.MaxValue, CancellationToken.None))!,
        };
        await _memory.DeleteAsync(packs[0], CancellationToken.None);
        await _memory.PutIfAbsentAsync(packs[0], changed, CancellationToken.None);
        CheckReport found = await CheckAsync(1);
        BadPack bad = Assert.Single(found.BadPacks);
        Assert.Equal(packs[0].Value, bad.Name);
        Assert.Contains(problem, bad.Problem, StringComparison.Ordinal);

        // Of a pack with one changed byte only one block is lost.
        Assert.Equal(how == "flip" ? 1 : bad.Blocks, bad.Lost);
        Assert.True(bad.Blocks > 1);
        Assert.Single(found.BadFiles);
        Assert.True((await CheckAsync(1, repairs: true)).IsSound);
    }

    [Fact]
    public async Task What_is_sent_again_is_no_stray_to_a_round_of_garbage_collection_before_its_commit()
    {
        List<ObjectName> before = await _memory.PacksAsync();
        foreach (ObjectName pack in before)
        {
            await _memory.DeleteAsync(pack, CancellationToken.None);
        }

        // The new pack is put, and its putter is held up before the commit that names it.
        TaskCompletionSource put = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.Script = call => call.Kind == StoreCallKind.GetRange && call.Name.StartsWith(VaultNames.PackPrefix, StringComparison.Ordinal) && !before.Contains(new ObjectName(call.Name)) && put.TrySetResult()
            ? new StoreFault { Delay = goOn.Task }
            : null;
        Task<CheckReport> repairing = CheckAsync(0, repairs: true);
        await put.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await _volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        goOn.SetResult();
        Assert.True((await repairing).IsSound);
        Assert.Equal(0, (await _volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None)).MissingPacks);
        Assert.Equal(VolumeFiles.Bytes(2, Length), await _volume.ReadFileAsync(_volume.Find(NodeId.Root, "b")));
    }

    [Fact]
    public async Task A_store_that_is_away_is_no_finding()
    {
        _store.IsUnreachable = true;
        await Assert.ThrowsAsync<StoreException>(() => CheckAsync(0));
        _store.IsUnreachable = false;
        Assert.True((await CheckAsync(0)).IsSound);
    }

    private Task<CheckReport> CheckAsync(double share, bool repairs = false, bool searches = false) => _volume.CheckAsync(new CheckRequest(share, repairs, searches), static _ => { }, CancellationToken.None);
}
