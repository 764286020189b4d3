using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Testing;
using Drive.Vault.Checkpoints;
using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Tests.Checkpoints;

public sealed class CheckpointTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_device_that_starts_from_a_checkpoint_ends_with_the_same_state()
    {
        using TestVault vault = await TestVault.CreateAsync();
        await CommitSome(vault, 10);
        CheckpointRef checkpoint = await WriteAsync(vault);
        await vault.CommitAsync(vault.Draft() with { Checkpoint = checkpoint });
        await CommitSome(vault, 5);
        Assert.Equal(checkpoint, vault.State.LastCheckpoint);

        (VaultState start, Tree tree, List<BlockRow> blocks) = await ReadAsync(vault, await CheckpointReader.OpenAsync(vault.Store, vault.Keys, checkpoint, None));
        Assert.NotEmpty(blocks);
        (VaultState state, _, _) = await TestVault.ReplayAsync(vault.Store, vault.Keys, start, tree);
        Assert.Equal(vault.State.Encode(), state.Encode());
    }

    [Fact]
    public async Task A_checkpoint_of_before_version_2_is_read_and_has_no_past()
    {
        using TestVault vault = await TestVault.CreateAsync();
        await CommitSome(vault, 10);
        using ByteWriter rows = new();
        RowChanges all = new();
        all.Opened.Nodes.AddRange(vault.Tree.Rows().Nodes);
        all.Opened.Entries.AddRange(vault.Tree.Rows().Entries);
        all.Opened.Extents.AddRange(vault.Tree.Rows().Extents);
        all.Opened.Xattrs.AddRange(vault.Tree.Rows().Xattrs);
        RowStream.Write(rows, all);
        byte[] part = SealedBody.Seal(vault.Keys, 1, ObjectClass.CheckpointPart, vault.Source, [], rows.Written, 0, out Bytes32 partId);
        await vault.Store.PutIfAbsentAsync(VaultNames.Checkpoint(partId), part, None);
        using ByteWriter body = new();
        body.Byte(1);
        body.Sized(vault.State.Encode());
        body.Count(1);
        body.Raw(partId);
        body.Raw(VaultLog.Hash(part));
        body.Count(part.Length);
        byte[] manifest = SignedObject.Seal(vault.Keys, 1, vault.Keys.Signer, ObjectClass.CheckpointManifest, vault.Source, body.Written, out Bytes32 id);
        await vault.Store.PutIfAbsentAsync(VaultNames.Checkpoint(id), manifest, None);
        CheckpointReader reader = await CheckpointReader.OpenAsync(
            vault.Store, vault.Keys, new CheckpointRef(id, vault.State.Seq, VaultLog.Hash(manifest), vault.State.StateHash), None);
        Assert.Equal((0, vault.State.Seq), (reader.PastPartCount, reader.KnownFrom));
        (_, Tree tree, _) = await ReadAsync(vault, reader);
        Assert.Equal(vault.Tree.Rows().Nodes.Count, tree.Rows().Nodes.Count);
        await foreach ((HeldRows held, _) in reader.ReadAsync(None))
        {
            Assert.All(held.Nodes, node => Assert.Equal((vault.State.Seq, Epochs.Open), (node.From, node.To)));
        }
    }

    [Fact]
    public async Task The_past_lies_in_parts_of_its_own_that_the_present_does_not_need()
    {
        using TestVault vault = await TestVault.CreateAsync();
        await CommitSome(vault, 5);
        using var writer = new CheckpointWriter(vault.Store, vault.Keys, vault.State, vault.Source) { KnownFrom = 1 };
        await writer.AddAsync(HeldRows.Since(vault.Tree.Rows(), 3), [], None);
        PastRows past = new() { Moments = { new MomentRow(2, 7, vault.Keys.DeviceId) } };
        for (int i = 0; i < 100; i++)
        {
            past.Ended.Xattrs.Add(new(new XattrRow(NodeId.Root, BitConverter.GetBytes(i + 1), Tree.Bytes(vault.Random, 65_536)), 1, 2 + (i % 4)));
        }

        await writer.AddAsync(past, None);
        CheckpointRef checkpoint = await writer.FinishAsync(None);
        CheckpointReader reader = await CheckpointReader.OpenAsync(vault.Store, vault.Keys, checkpoint, None);
        Assert.Equal((1, 1), (reader.PartCount, reader.KnownFrom));
        Assert.InRange(reader.PastPartCount, 2, 4);
        PastRows read = new();
        await foreach (PastRows part in reader.ReadPastAsync(None))
        {
            read.Ended.Xattrs.AddRange(part.Ended.Xattrs);
            read.Moments.AddRange(part.Moments);
        }

        Assert.Equal(past.Moments, read.Moments);
        Assert.Equal(past.Ended.Xattrs.Select(static held => (held.From, held.To, Convert.ToHexString(held.Row.Value))), read.Ended.Xattrs.Select(static held => (held.From, held.To, Convert.ToHexString(held.Row.Value))));
        (_, Tree tree, _) = await ReadAsync(vault, reader);
        Assert.Equal(vault.Tree.Rows().Nodes.Count, tree.Rows().Nodes.Count);
        await reader.ProveAsync(None);
    }

    [Fact]
    public async Task A_large_tree_becomes_several_parts()
    {
        using TestVault vault = await TestVault.CreateAsync();
        var big = new RowChanges();
        for (int i = 0; i < 100; i++)
        {
            big.Opened.Xattrs.Add(new XattrRow(NodeId.Root, BitConverter.GetBytes(i + 1), Tree.Bytes(vault.Random, 65_536)));
        }

        await vault.CommitAsync(new CommitDraft { Rows = big, Time = 1 });
        CheckpointRef checkpoint = await WriteAsync(vault);
        CheckpointReader reader = await CheckpointReader.OpenAsync(vault.Store, vault.Keys, checkpoint, None);
        Assert.InRange(reader.PartCount, 2, 4);
        (_, Tree tree, _) = await ReadAsync(vault, reader);
        Assert.Equal(100, tree.Rows().Xattrs.Count);
    }

    [Fact]
    public async Task Rows_that_are_not_the_states_make_no_checkpoint()
    {
        using TestVault vault = await TestVault.CreateAsync();
        using var writer = new CheckpointWriter(vault.Store, vault.Keys, vault.State, vault.Source);
        RowSet rows = vault.Tree.Rows();
        rows.Nodes[0] = rows.Nodes[0] with { Uid = 5 };
        await writer.AddAsync(HeldRows.Since(rows, 1), [], None);
        Assert.Equal(IntegrityKind.StateHash, (await Assert.ThrowsAsync<VaultIntegrityException>(() => writer.FinishAsync(None))).Kind);
        Assert.Empty(await vault.Store.NamesAsync("checkpoints/"));
    }

    [Fact]
    public async Task Every_bit_flip_and_every_loss_in_a_checkpoint_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        CheckpointRef checkpoint = await WriteAsync(vault, withPast: true);
        foreach (string victim in await vault.Store.NamesAsync("checkpoints/"))
        {
            byte[] bytes = await vault.Store.BytesAsync(new ObjectName(victim));
            byte[]? changed = null;
            vault.Store.Replace = (name, stored) => name.Value == victim ? changed : stored;
            for (int bit = -1; bit < bytes.Length * 8; bit += 3)
            {
                if (bit >= 0)
                {
                    changed = [.. bytes];
                    changed[bit / 8] ^= (byte)(1 << (bit % 8));
                }

                await Assert.ThrowsAsync<VaultIntegrityException>(
                    async () => await (await CheckpointReader.OpenAsync(vault.Store, vault.Keys, checkpoint, None)).ProveAsync(None));
            }
        }
    }

    [Fact]
    public async Task A_truncated_log_sends_a_reader_to_the_floors_checkpoint()
    {
        using TestVault vault = await TestVault.CreateAsync();
        VaultState sleeper = vault.State;
        FloorRef floor = await TruncateAsync(vault, 10);
        await CommitSome(vault, 3);

        var jump = Assert.IsType<ReadResult.FloorJump>(await vault.Log.ReadNextAsync(sleeper, rows => rows, None));
        Assert.Equal(floor, jump.Floor);
        CheckpointReader reader = await CheckpointReader.OpenAsync(vault.Store, vault.Keys, jump.Floor, sleeper, None);
        (VaultState start, Tree tree, _) = await ReadAsync(vault, reader);
        (VaultState state, _, _) = await TestVault.ReplayAsync(vault.Store, vault.Keys, start, tree);
        Assert.Equal(vault.State.Encode(), state.Encode());
        Assert.Equal(floor, await vault.Log.VerifyPinAsync(sleeper, None));
        Assert.Null(await vault.Log.VerifyPinAsync(vault.State, None));
    }

    [Fact]
    public async Task A_reader_jumps_to_the_last_floor_and_needs_nothing_of_those_before()
    {
        using TestVault vault = await TestVault.CreateAsync();
        VaultState sleeper = vault.State;
        await TruncateAsync(vault, 6);
        string[] before = [.. await vault.Store.NamesAsync("checkpoints/")];
        FloorRef last = await TruncateAsync(vault, 6);
        foreach (string name in before)
        {
            await vault.Store.DeleteAsync(new ObjectName(name), None);
        }

        var jump = Assert.IsType<ReadResult.FloorJump>(await vault.Log.ReadNextAsync(sleeper, rows => rows, None));
        Assert.Equal(last, jump.Floor);
        CheckpointReader reader = await CheckpointReader.OpenAsync(vault.Store, vault.Keys, jump.Floor, sleeper, None);
        (VaultState start, Tree tree, _) = await ReadAsync(vault, reader);
        (VaultState state, _, _) = await TestVault.ReplayAsync(vault.Store, vault.Keys, start, tree);
        Assert.Equal(vault.State.LastFloor, state.LastFloor);
        Assert.True(vault.State.IsSameAs(state));
    }

    [Fact]
    public async Task A_sleepers_commit_in_a_truncated_slot_is_not_committed()
    {
        using TestVault vault = await TestVault.CreateAsync();
        VaultState sleeper = vault.State;
        Attempt attempt = vault.Log.Prepare(sleeper, vault.Draft());
        RecoveredVault other = await Log.LogTests.Recover(vault);
        using VaultKeys keys = other.Keys;
        (vault.State, _, _) = await TestVault.ReplayAsync(vault.Store, vault.Keys);
        FloorRef floor = await TruncateAsync(vault, 5);
        var overtaken = Assert.IsType<AppendOutcome.Overtaken>(await vault.Log.SubmitAsync(sleeper, attempt, None));
        Assert.Equal(floor, overtaken.Floor);
    }

    [Fact]
    public async Task Recovery_on_a_truncated_log_starts_at_the_floor()
    {
        using TestVault vault = await TestVault.CreateAsync();
        await TruncateAsync(vault, 8);
        await CommitSome(vault, 2);
        RecoveredVault recovered = await Log.LogTests.Recover(vault);
        using VaultKeys keys = recovered.Keys;
        Assert.Equal(vault.State.Seq + 1, recovered.Head.Seq);
        Assert.Equal(vault.State.StateHash, recovered.Head.StateHash);
    }

    [Fact]
    public async Task A_forged_or_displaced_floor_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync(1);
        using TestVault stranger = await TestVault.CreateAsync(2);
        VaultState sleeper = vault.State;
        await TruncateAsync(vault, 5);
        await TruncateAsync(stranger, 5);
        byte[] own = await vault.Store.BytesAsync(VaultNames.Floor(1));
        byte[] foreign = await stranger.Store.BytesAsync(VaultNames.Floor(1));
        foreach (byte[] floor in new[] { foreign, own[..^1], [.. own, 0], [.. own[..^1], (byte)(own[^1] ^ 1)] })
        {
            vault.Store.Replace = (name, stored) => name == VaultNames.Floor(1) ? floor : stored;
            await Assert.ThrowsAsync<VaultIntegrityException>(() => vault.Log.ReadNextAsync(sleeper, rows => rows, None));
        }

        vault.Store.Replace = (name, stored) => name == VaultNames.Floor(2) ? own : stored;
        Assert.Equal(IntegrityKind.Position, (await Assert.ThrowsAsync<VaultIntegrityException>(() => vault.Log.ReadNextAsync(vault.State, rows => rows, None))).Kind);
    }

    private static async Task CommitSome(TestVault vault, int count)
    {
        for (int i = 0; i < count; i++)
        {
            await vault.CommitAsync();
        }
    }

    /// <summary>Some commits, a checkpoint, the commit that decides on the floor, the floor, and the old slots gone.</summary>
    private static async Task<FloorRef> TruncateAsync(TestVault vault, int commits)
    {
        await CommitSome(vault, commits);
        CheckpointRef checkpoint = await WriteAsync(vault);
        await vault.CommitAsync(vault.Draft() with { Checkpoint = checkpoint });
        var floor = new FloorRef(vault.State.Floor + 1, checkpoint.Seq, checkpoint);
        await vault.CommitAsync(new CommitDraft { Floor = floor, Time = 1 });
        await vault.Log.PublishFloorAsync(vault.State, floor, None);
        await vault.Log.PublishFloorAsync(vault.State, floor, None);
        for (long seq = 1; seq <= floor.Seq; seq++)
        {
            await vault.Store.DeleteAsync(VaultNames.Commit(1, seq), None);
        }

        return floor;
    }

    private static async Task<CheckpointRef> WriteAsync(TestVault vault, bool withPast = false)
    {
        using var writer = new CheckpointWriter(vault.Store, vault.Keys, vault.State, vault.Source);
        var block = new BlockRow(new(Tree.Random32(vault.Random)), new(Tree.Random32(vault.Random)), 106, 0, 1, [17 << 1]);
        await writer.AddAsync(HeldRows.Since(vault.Tree.Rows(), 1), [block], None);
        if (withPast)
        {
            await writer.AddAsync(new PastRows { Moments = { new MomentRow(1, 7, vault.Keys.DeviceId) } }, None);
        }

        return await writer.FinishAsync(None);
    }

    private static async Task<(VaultState State, Tree Tree, List<BlockRow> Blocks)> ReadAsync(TestVault vault, CheckpointReader reader)
    {
        var tree = new Tree();
        List<BlockRow> blocks = [];
        await foreach ((HeldRows rows, IReadOnlyList<BlockRow> part) in reader.ReadAsync(None))
        {
            tree.Add(rows.ToRows());
            blocks.AddRange(part);
        }

        Assert.Equal(vault.Keys.VaultId, reader.State.VaultId);
        return (reader.State, tree, blocks);
    }
}
