using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Packs;
using VaultNames = Drive.Vault.VaultNames;

namespace Drive.Security.Tests;

/// <summary>The rows of the threat table about single objects: changed, cut, moved, injected, sealed twice.</summary>
public sealed class ObjectThreatTests : IAsyncLifetime
{
    private KnownVault _vault = null!;
    private EvilStore _store = null!;

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync()
    {
        _vault = await KnownVault.CreateAsync(1);
        _store = await _vault.EvilStoreAsync();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Row_05_A_volume_that_meets_a_changed_byte_anywhere_gives_exact_bytes_or_an_error_that_names_it()
    {
        await using VolumeTrials vault = await VolumeTrials.CreateAsync(3, commits: 3);
        EvilStore store = await vault.EvilStoreAsync();
        var random = new Random(5);
        foreach ((string name, byte[] content) in vault.Puts)
        {
            for (int i = 0; i < 4; i++)
            {
                await store.FlipAsync(new ObjectName(name), random.NextInt64(content.Length * 8L));
                await JudgeNewDeviceAsync(vault, store, name);
                store.Heal();
            }
        }
    }

    [Fact]
    public async Task Row_06_Segments_put_in_another_order_left_out_or_doubled_are_refused()
    {
        (BlockRow block, byte[] pack) = Prose();
        int start = (int)block.PackOffset;
        byte[][] parts = [.. Enumerable.Range(0, block.Segments.Length).Select(i => pack.AsSpan((int)BlockSegments.OffsetOf(block, i), BlockSegments.StoredLengthOf(block, i)).ToArray())];
        Assert.Equal(3, parts.Length);
        byte[] head = pack[..start];
        byte[] tail = pack[(start + parts.Sum(static part => part.Length))..];
        int[][] orders = [[1, 0, 2], [0, 2, 1], [2, 1, 0], [1, 2], [0, 2], [0, 0, 1, 2], [0, 1, 1], [0, 1], [0, 1, 2, 2]];
        foreach (int[] order in orders)
        {
            byte[] changed = [.. head, .. order.SelectMany(i => parts[i]), .. tail];
            _store.Show(VaultNames.Pack(block.Pack), changed);
            if (order is not [0, 1, 2, 2])
            {
                await RefusesAsync("notes");
            }

            // A segment more behind the block is never read, but the pack as a whole is not what was sealed.
            using VaultKeys keys = _vault.Keys();
            using var reader = new PackReader(keys);
            Assert.NotNull(Record.Exception(() => reader.VerifyPack(block.Pack, changed)) as VaultIntegrityException);
        }
    }

    [Fact]
    public async Task Row_06_Segments_of_one_pack_in_another_are_refused()
    {
        BlockRow[] blocks = [.. _vault.Head.Tree.Blocks];
        foreach (BlockRow block in blocks)
        {
            foreach (BlockRow other in blocks.Where(other => other.Block != block.Block))
            {
                byte[] pack = [.. Bytes(VaultNames.Pack(block.Pack))];
                int length = Math.Min(BlockSegments.StoredLengthOf(block), BlockSegments.StoredLengthOf(other));
                Bytes(VaultNames.Pack(other.Pack)).AsSpan((int)other.PackOffset, length).CopyTo(pack.AsSpan((int)block.PackOffset));
                using VaultKeys keys = _vault.Keys();
                using var reader = new PackReader(keys);
                var plain = new byte[BlockSegments.SegmentBytes];
                Assert.Throws<VaultIntegrityException>(
                    () => reader.OpenSegment(block, 0, pack.AsSpan((int)block.PackOffset, BlockSegments.StoredLengthOf(block, 0)), plain));
                Assert.All(plain, static b => Assert.Equal(0, b));
            }
        }

        await Task.CompletedTask;
    }

    [Fact]
    public async Task Row_07_A_pack_cut_at_a_seam_or_a_byte_beside_it_is_refused()
    {
        (BlockRow block, byte[] pack) = Prose();
        int[] seams = [.. Enumerable.Range(0, block.Segments.Length).Select(i => (int)BlockSegments.OffsetOf(block, i))];
        foreach (int cut in seams.SelectMany(static seam => new[] { seam - 1, seam, seam + 1 }).Append((int)block.PackOffset + BlockSegments.StoredLengthOf(block) - 1))
        {
            await _store.CutAsync(VaultNames.Pack(block.Pack), cut);
            await RefusesAsync("notes");
            _store.Heal();
        }

        using VaultKeys keys = _vault.Keys();
        using var reader = new PackReader(keys);
        for (int cut = 0; cut < pack.Length; cut++)
        {
            Assert.Throws<VaultIntegrityException>(() => reader.ReadDirectory(block.Pack, pack.AsSpan(0, cut)));
        }
    }

    [Fact]
    public async Task Row_08_Zeros_in_place_of_a_segment_or_a_pack_are_refused()
    {
        HashSet<BlockId> shown = [.. _vault.Head.Tree.Rows().Extents.Select(static row => row.Block)];
        Assert.True(shown.Count >= 4);
        foreach (BlockRow block in _vault.Head.Tree.Blocks.Where(block => shown.Contains(block.Block)))
        {
            ObjectName name = VaultNames.Pack(block.Pack);
            for (int segment = 0; segment < block.Segments.Length; segment++)
            {
                byte[] pack = [.. Bytes(name)];
                pack.AsSpan((int)BlockSegments.OffsetOf(block, segment), BlockSegments.StoredLengthOf(block, segment)).Clear();
                _store.Show(name, pack);
                Assert.True(await CountRefusedAsync() > 0, name.Value);
            }

            _store.Show(name, new byte[Bytes(name).Length]);
            Assert.True(await CountRefusedAsync() > 0, name.Value);
            _store.Heal();
        }
    }

    [Fact]
    public async Task Row_09_Any_two_objects_of_a_kind_swapped_are_refused_or_change_nothing()
    {
        int refused = 0;
        int pairs = 0;
        foreach (IGrouping<string, string> kind in _vault.Puts.Select(static put => put.Key).GroupBy(static name => name.Split('/')[0]))
        {
            string[] names = [.. kind];
            for (int i = 0; i < names.Length; i++)
            {
                for (int j = i + 1; j < names.Length; j++)
                {
                    pairs++;
                    await _store.SwapAsync(new ObjectName(names[i]), new ObjectName(names[j]));
                    refused += await JudgeAsync($"{names[i]} and {names[j]}") ? 1 : 0;
                    _store.Heal();
                }
            }
        }

        Assert.True(pairs > 40 && refused > pairs / 2, $"{refused} of {pairs}");
    }

    [Fact]
    public async Task Row_10_What_no_signed_commit_names_does_not_exist()
    {
        KnownVault other = await KnownVault.CreateAsync(2);
        foreach ((string name, byte[] content) in other.Puts.Where(static put => put.Key.StartsWith("packs/", StringComparison.Ordinal) || put.Key.StartsWith("checkpoints/", StringComparison.Ordinal) || put.Key.StartsWith("slots/", StringComparison.Ordinal)))
        {
            _store.Show(new ObjectName(name), content);
        }

        _store.Show(new ObjectName("packs/00/readme.txt"), [1, 2, 3]);
        _store.Show(new ObjectName("files/evil.txt"), [1, 2, 3]);
        _store.DisorderListings(3, new ObjectInfo(new ObjectName("slots/ghost"), 5));
        Assert.False(await JudgeAsync("injected"));
        using VaultKeys keys = _vault.Keys();
        await _vault.PutPassphraseAsync(_store, keys, "p"u8.ToArray());
        Assert.False(await JudgeAsync("after a change of the passphrase"));

        // A commit in the next slot that another vault's device signed is not this vault's.
        _store.Show(VaultNames.Commit(1, _vault.Head.State.Seq + 1), other.Puts.First(static put => put.Key == VaultNames.Commit(1, 2).Value).Value);
        Assert.True(await JudgeAsync("a foreign commit"));
    }

    [Fact]
    public async Task Row_12_Who_changes_the_store_while_files_are_read_through_the_mount_never_gets_a_wrong_byte_in()
    {
        await using VolumeTrials vault = await VolumeTrials.CreateAsync(3, commits: 3);
        foreach (bool isLocal in new[] { true, false })
        {
            EvilStore store = await vault.EvilStoreAsync();
            store.Description = new StoreDescription("somewhere", isLocal);
            await using Volume volume = await vault.Home.OpenAsync(vault.TakeDevice(4), vault.Keys(), store, new ManualTime(), None);
            var random = new Random(7);
            string[] packs = [.. vault.Puts.Select(static put => put.Key).Where(static name => name.StartsWith("packs/", StringComparison.Ordinal))];
            for (int round = 0; round < 200; round++)
            {
                var victim = new ObjectName(packs[random.Next(packs.Length)]);
                await store.FlipAsync(victim, random.NextInt64((await store.ShownAsync(victim))!.Length * 8L));
                (string name, byte[] content) = vault.Files[3].ElementAt(random.Next(vault.Files[3].Count));
                (FsStatus status, byte[] read) = await volume.ReadAsync(name, None);
                Assert.True(content.AsSpan(0, read.Length).SequenceEqual(read), $"round {round}");
                Assert.True(status == FsStatus.Ok ? read.Length == content.Length : status == FsStatus.Corrupt, $"round {round}: {status}");
            }

            store.Heal();
            foreach ((string name, byte[] content) in vault.Files[3])
            {
                Assert.Equal(content, (await volume.ReadAsync(name, None)).Content);
            }
        }
    }

    [Fact]
    public async Task Row_15_No_object_id_and_so_no_key_is_used_twice_by_retries_restarts_and_cloned_devices()
    {
        await using VolumeTrials vault = await VolumeTrials.CreateAsync(3, commits: 2);
        Dictionary<string, string> ids = [];
        for (int clone = 0; clone < 6; clone++)
        {
            // The same device, put back to the same state each time, writes the same content while the store loses every second answer.
            EvilStore store = await vault.EvilStoreAsync();
            List<KeyValuePair<string, byte[]>> sent = [];
            store.Lie = call => call.Kind == StoreCallKind.Put && call.Index % 2 == 0 ? EvilLie.LoseReply : EvilLie.None;
            var time = new ManualTime();
            await using Volume volume = await vault.Home.OpenAsync(vault.TakeDevice(3), vault.Keys(), new SentStore(store, sent), time, None);
            for (int round = 0; round < 3; round++)
            {
                Assert.Equal(FsStatus.Ok, volume.Write($"f{round}", KnownVault.Noise(round, 9000)));
                Assert.True(await volume.UploadAsync(time, None), volume.GetStatus().LastError);
            }

            Assert.True(sent.Count > 6);
            foreach ((string name, byte[] content) in sent)
            {
                string id = Convert.ToHexString(content.AsSpan(42, 32));
                string hash = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(content));
                Assert.True(ids.TryAdd(id, hash) || ids[id] == hash, $"{name} has the id of another object");
            }
        }

        Assert.True(ids.Count >= 36, ids.Count.ToString());
    }

    private byte[] Bytes(ObjectName name) => _vault.Puts.First(put => put.Key == name.Value).Value;

    private (BlockRow Block, byte[] Pack) Prose()
    {
        BlockRow block = _vault.Head.Tree.Blocks.Single(static block => block.Segments.Length > 1);
        return (block, Bytes(VaultNames.Pack(block.Pack)));
    }

    private async Task RefusesAsync(string file)
    {
        using VaultKeys keys = _vault.Keys();
        using var device = new LightClient(_store, keys, _vault.Head.State, _vault.Head.Tree.Clone());
        await Assert.ThrowsAsync<VaultIntegrityException>(() => device.ReadFileAsync(file, None));
    }

    private async Task<int> CountRefusedAsync()
    {
        using VaultKeys keys = _vault.Keys();
        using var device = new LightClient(_store, keys, _vault.Head.State, _vault.Head.Tree.Clone());
        int refused = 0;
        foreach ((string name, byte[] content) in _vault.Head.Files)
        {
            Exception? error = await Record.ExceptionAsync(async () => Assert.Equal(content, await device.ReadFileAsync(name, None)));
            Assert.True(error is null or VaultIntegrityException, error?.ToString());
            refused += error is null ? 0 : 1;
        }

        return refused;
    }

    /// <summary>A new device that joins and reads all: whether something was refused. Anything else than exact bytes or a typed error fails the test.</summary>
    private async Task<bool> JudgeAsync(string what)
    {
        try
        {
            RecoveredVault recovered = await VaultSetup.RecoverAsync(await _store.ForkAsync(), _vault.RecoveryKey, "new", null, new ManualTime(), new SeededRandom(3), None);
            recovered.Keys.Dispose();
            Assert.Equal(_vault.Head.State.StateHash, recovered.Head.StateHash);
        }
        catch (Exception error) when (Verdict.Complain(error) is null)
        {
            return true;
        }

        using VaultKeys keys = _vault.Keys();
        using var device = new LightClient(_store, keys, VaultState.BeforeGenesis(keys), new RowTree());
        await device.CatchUpAsync(None);
        Assert.True(_vault.Head.State.Head == device.State.Head, what);
        bool isRefused = false;
        foreach ((string name, byte[] content) in _vault.Head.Files)
        {
            Exception? error = await Record.ExceptionAsync(async () => Assert.Equal(content, await device.ReadFileAsync(name, None)));
            Assert.True(error is null or VaultIntegrityException, $"{what}: {error}");
            isRefused |= error is not null;
        }

        return isRefused;
    }

    private static async Task JudgeNewDeviceAsync(VolumeTrials vault, EvilStore store, string changed)
    {
        string state = vault.TakeDevice();
        IReadOnlyDictionary<string, byte[]> files = vault.Files[^1];
        try
        {
            RecoveredVault recovered = await VaultSetup.RecoverAsync(await store.ForkAsync(), vault.RecoveryKey, "new", null, new ManualTime(), new SeededRandom(3), None);
            recovered.Keys.Dispose();
            await using Volume volume = await vault.Home.OpenAsync(state, vault.Keys(), store, new ManualTime(), None);
            foreach ((string name, byte[] content) in files)
            {
                (FsStatus status, byte[] read) = await volume.ReadAsync(name, None);
                Assert.True(content.AsSpan(0, read.Length).SequenceEqual(read), changed);
                Assert.True(status == FsStatus.Ok ? read.Length == content.Length : status == FsStatus.Corrupt, $"{changed}: {status}");
                Assert.True(status == FsStatus.Ok || volume.GetStatus().LastError!.Contains(changed, StringComparison.Ordinal), volume.GetStatus().LastError);
            }
        }
        catch (Exception error) when (Verdict.Complain(error) is null)
        {
            Assert.False(changed.StartsWith("packs/", StringComparison.Ordinal));
        }
        finally
        {
            vault.Home.Remove(state);
        }
    }
}
