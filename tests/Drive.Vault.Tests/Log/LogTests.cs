using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Testing;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Vault.Tests.Log;

public sealed class LogTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Another_reader_catches_up_across_200_commits_with_the_same_tree()
    {
        using TestVault vault = await TestVault.CreateAsync(7);
        for (int i = 0; i < 200; i++)
        {
            await vault.CommitAsync();
        }

        (VaultState state, Tree tree, int commits) = await TestVault.ReplayAsync(vault.Store, vault.Keys);
        Assert.Equal(201, commits);
        Assert.Equal(vault.State.Encode(), state.Encode());
        var all = new RowChanges();
        all.Opened.Nodes.AddRange(tree.Rows().Nodes);
        all.Opened.Entries.AddRange(tree.Rows().Entries);
        all.Opened.Extents.AddRange(tree.Rows().Extents);
        all.Opened.Xattrs.AddRange(tree.Rows().Xattrs);
        Assert.Equal(state.StateHash, StateHash.Update(default, all, vault.Keys));
    }

    [Fact]
    public async Task A_state_and_an_attempt_survive_being_saved()
    {
        using TestVault vault = await TestVault.CreateAsync();
        CommitDraft draft = vault.Draft() with
        {
            Writer = WriterChange.Open,
            Packs = [new PackRef(new PackId(Tree.Random32(vault.Random)), 77)],
            Incarnation = 3,
        };
        Attempt attempt = vault.Log.Prepare(vault.State, draft);
        Attempt again = Attempt.Decode(attempt.Encode());
        Assert.Equal(attempt.Bytes, again.Bytes);
        Assert.Equal(attempt.Hash, again.Hash);
        Assert.Equal(attempt.DeviceOpSeq, again.DeviceOpSeq);
        Assert.Equal(attempt.Next.Encode(), VaultState.Decode(again.Next.Encode()).Encode());
        Assert.True(attempt.Next.Writer!.IsOpen);
        Assert.Equal(3, attempt.Next.FindMember(vault.Keys.DeviceId)!.Incarnation);
    }

    [Fact]
    public async Task A_lost_reply_and_a_second_try_commit_exactly_once()
    {
        using TestVault vault = await TestVault.CreateAsync();
        Attempt attempt = vault.Log.Prepare(vault.State, vault.Draft());
        vault.Store.LoseReply = name => name.Value.StartsWith("log/", StringComparison.Ordinal);
        await Assert.ThrowsAsync<StoreException>(() => vault.Log.SubmitAsync(vault.State, attempt, None));
        vault.Store.LoseReply = null;
        Attempt reloaded = Attempt.Decode(attempt.Encode());
        var committed = Assert.IsType<AppendOutcome.Committed>(await vault.Log.SubmitAsync(vault.State, reloaded, None));
        Assert.Equal(attempt.Hash, committed.Next.Head);
        Assert.Equal(2, (await vault.Store.NamesAsync("log/")).Count);
        Assert.Equal(vault.Store.PutBytes[^1], vault.Store.PutBytes[^2]);
        Assert.IsType<AppendOutcome.Committed>(await vault.Log.SubmitAsync(vault.State, reloaded, None));
    }

    [Fact]
    public async Task A_refused_put_leaves_the_outcome_open_and_the_same_bytes_win_later()
    {
        using TestVault vault = await TestVault.CreateAsync();
        Attempt attempt = vault.Log.Prepare(vault.State, vault.Draft());
        vault.Store.RefusePut = _ => true;
        await Assert.ThrowsAsync<StoreException>(() => vault.Log.SubmitAsync(vault.State, attempt, None));
        vault.Store.RefusePut = null;
        Assert.IsType<AppendOutcome.Committed>(await vault.Log.SubmitAsync(vault.State, attempt, None));
        Assert.Equal(attempt.Bytes, await vault.Store.BytesAsync(attempt.Name));
    }

    [Fact]
    public async Task A_slot_with_anothers_commit_is_lost_and_the_next_one_is_won_after_catching_up()
    {
        using TestVault vault = await TestVault.CreateAsync();
        RecoveredVault other = await Recover(vault);
        using VaultKeys keys = other.Keys;
        (vault.State, _, _) = await TestVault.ReplayAsync(vault.Store, vault.Keys);
        Attempt mine = vault.Log.Prepare(vault.State, vault.Draft());
        var otherLog = new VaultLog(vault.Store, keys, new SeededRandom(5));
        Assert.IsType<AppendOutcome.Committed>(await otherLog.SubmitAsync(other.Head, otherLog.Prepare(other.Head, vault.Draft()), None));

        Assert.IsType<AppendOutcome.Lost>(await vault.Log.SubmitAsync(vault.State, mine, None));
        var next = Assert.IsType<ReadResult.Next>(await vault.Log.ReadNextAsync(vault.State, vault.Tree.Resolve, None));
        Assert.Equal(keys.DeviceId, next.Commit.Device);
        vault.State = next.State;
        await vault.CommitAsync();
    }

    [Fact]
    public async Task Garbage_in_the_slot_is_an_alarm_and_not_a_lost_slot()
    {
        using TestVault vault = await TestVault.CreateAsync();
        Attempt attempt = vault.Log.Prepare(vault.State, vault.Draft());
        await vault.Store.PutIfAbsentAsync(attempt.Name, new byte[300], None);
        await Assert.ThrowsAsync<VaultIntegrityException>(() => vault.Log.SubmitAsync(vault.State, attempt, None));
    }

    [Fact]
    public async Task A_store_that_says_exists_without_having_it_leaves_the_outcome_open()
    {
        using TestVault vault = await TestVault.CreateAsync();
        Attempt attempt = vault.Log.Prepare(vault.State, vault.Draft());
        await vault.Store.PutIfAbsentAsync(attempt.Name, attempt.Bytes, None);
        vault.Store.Replace = (name, bytes) => name == attempt.Name ? null : bytes;
        var e = await Assert.ThrowsAsync<StoreException>(() => vault.Log.SubmitAsync(vault.State, attempt, None));
        Assert.True(e.IsTransient);
    }

    [Fact]
    public async Task A_rolled_back_store_is_noticed_at_every_earlier_state()
    {
        using TestVault vault = await TestVault.CreateAsync();
        for (int i = 0; i < 30; i++)
        {
            await vault.CommitAsync();
        }

        Assert.Null(await vault.Log.VerifyPinAsync(vault.State, None));
        for (long kept = vault.State.Seq - 1; kept >= 0; kept--)
        {
            await vault.Store.DeleteAsync(VaultNames.Commit(1, kept + 1), None);
            var e = await Assert.ThrowsAsync<VaultIntegrityException>(() => vault.Log.VerifyPinAsync(vault.State, None));
            Assert.Equal(IntegrityKind.RolledBack, e.Kind);
        }
    }

    [Fact]
    public async Task A_fork_is_noticed_by_the_pin_and_by_the_chain()
    {
        using TestVault vault = await TestVault.CreateAsync();
        VaultState before = vault.State;
        Attempt branch = vault.Log.Prepare(before, vault.Draft());
        await vault.CommitAsync();
        await vault.Store.OverwriteAsync(branch.Name, branch.Bytes);
        Assert.Equal(IntegrityKind.RolledBack, (await Assert.ThrowsAsync<VaultIntegrityException>(() => vault.Log.VerifyPinAsync(vault.State, None))).Kind);
        Attempt onBranch = vault.Log.Prepare(branch.Next, new CommitDraft { Time = 1 });
        await vault.Store.PutIfAbsentAsync(onBranch.Name, onBranch.Bytes, None);
        Assert.Equal(IntegrityKind.Chain, await ReadFails(vault));
    }

    [Fact]
    public async Task A_reader_whose_tree_differs_stops_at_the_state_hash()
    {
        using TestVault vault = await TestVault.CreateAsync();
        VaultState from = vault.State;
        var change = new RowChanges();
        NodeRow root = vault.Tree.Rows().Nodes[0];
        change.Closed.Nodes.Add(root);
        change.Opened.Nodes.Add(root with { Uid = 7 });
        await vault.CommitAsync(new CommitDraft { Rows = change, Time = 1 });
        var e = await Assert.ThrowsAsync<VaultIntegrityException>(() => vault.Log.ReadNextAsync(
            from,
            rows =>
            {
                rows.Closed.Nodes[0] = root with { Uid = 99 };
                return rows;
            },
            None));
        Assert.Equal(IntegrityKind.StateHash, e.Kind);
    }

    [Fact]
    public async Task A_commit_in_another_slot_or_of_another_vault_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync(1);
        using TestVault stranger = await TestVault.CreateAsync(2);
        await vault.CommitAsync();
        await stranger.CommitAsync();
        ObjectNameSwap(vault, VaultNames.Commit(1, 3), await vault.Store.BytesAsync(VaultNames.Commit(1, 2)));
        Assert.Equal(IntegrityKind.Position, await ReadFails(vault));
        ObjectNameSwap(vault, VaultNames.Commit(1, 3), await stranger.Store.BytesAsync(VaultNames.Commit(1, 2)));
        Assert.Equal(IntegrityKind.WrongVault, await ReadFails(vault));
    }

    [Fact]
    public async Task A_revoked_device_can_neither_make_nor_pass_off_a_commit()
    {
        using TestVault vault = await TestVault.CreateAsync();
        RecoveredVault other = await Recover(vault);
        using VaultKeys keys = other.Keys;
        (vault.State, _, _) = await TestVault.ReplayAsync(vault.Store, vault.Keys);
        await vault.CommitAsync(new CommitDraft { Members = [new Revoke(keys.DeviceId)], Time = 1 });
        var log = new VaultLog(vault.Store, keys, new SeededRandom(5));
        Assert.Equal(VaultErrorKind.NotMember, Assert.Throws<VaultException>(() => log.Prepare(vault.State, new CommitDraft { Time = 1 })).Kind);

        VaultState pretended = vault.State with { Members = [.. vault.State.Members.Select(member => member with { Active = true })] };
        Attempt attempt = log.Prepare(pretended, new CommitDraft { Time = 1 });
        await vault.Store.PutIfAbsentAsync(attempt.Name, attempt.Bytes, None);
        Assert.Equal(IntegrityKind.Signer, await ReadFails(vault));
    }

    [Fact]
    public async Task A_device_that_counts_backwards_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        await vault.CommitAsync(new CommitDraft { Incarnation = 5, Time = 1 });
        Assert.Equal(IntegrityKind.DeviceSequence, Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, new CommitDraft { Incarnation = 4, Time = 1 })).Kind);
        foreach (long skew in new long[] { -1, 1 })
        {
            VaultState cloned = vault.State with { Members = [.. vault.State.Members.Select(member => member with { LastOpSeq = member.LastOpSeq + skew })] };
            Attempt attempt = vault.Log.Prepare(cloned, new CommitDraft { Time = 1 });
            ObjectNameSwap(vault, attempt.Name, attempt.Bytes);
            Assert.Equal(IntegrityKind.DeviceSequence, await ReadFails(vault));
        }
    }

    [Fact]
    public async Task Another_first_commit_by_the_same_device_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        VaultState start = VaultState.BeforeGenesis(vault.Keys);
        CommitContent genesis = vault.Created.Genesis;
        Attempt other = vault.Log.Prepare(start, new CommitDraft { Rows = genesis.Rows, Members = genesis.Members, Time = genesis.Time + 1 });
        ObjectNameSwap(vault, other.Name, other.Bytes);
        vault.State = start;
        Assert.Equal(IntegrityKind.Chain, await ReadFails(vault));
    }

    [Fact]
    public async Task A_commit_under_an_older_key_epoch_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        Attempt attempt = vault.Log.Prepare(vault.State, new CommitDraft { Time = 1 });
        await vault.Store.PutIfAbsentAsync(attempt.Name, attempt.Bytes, None);
        vault.State = vault.State with { KeyEpoch = vault.State.KeyEpoch + 1 };
        Assert.Equal(IntegrityKind.KeyEpoch, await ReadFails(vault));
    }

    [Fact]
    public async Task Only_the_open_writer_closes()
    {
        using TestVault vault = await TestVault.CreateAsync();
        Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, new CommitDraft { Writer = WriterChange.Close, Time = 1 }));
        await vault.CommitAsync(new CommitDraft { Writer = WriterChange.Open, Time = 1 });
        await vault.CommitAsync(new CommitDraft { Writer = WriterChange.Close, Time = 1 });
        Assert.Equal(new WriterState(vault.Keys.DeviceId, 2, false), vault.State.Writer);
    }

    [Fact]
    public async Task A_signature_turned_into_its_twin_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        Attempt attempt = vault.Log.Prepare(vault.State, vault.Draft());
        byte[] twin = [.. attempt.Bytes];
        var order = new System.Numerics.BigInteger(Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"), true, true);
        var s = new System.Numerics.BigInteger(twin.AsSpan(^32..), true, true);
        byte[] other = (order - s).ToByteArray(true, true);
        other.CopyTo(twin.AsSpan(twin.Length - other.Length));
        await vault.Store.PutIfAbsentAsync(attempt.Name, twin, None);
        Assert.Equal(IntegrityKind.Signature, await ReadFails(vault));
    }

    internal static Task<RecoveredVault> Recover(TestVault vault) =>
        VaultSetup.RecoverAsync(vault.Store, vault.Created.RecoveryKey, "laptop", null, new ManualTime(), new SeededRandom(77), None);

    private static void ObjectNameSwap(TestVault vault, ObjectName name, byte[] bytes) =>
        vault.Store.Replace = (asked, stored) => asked == name ? bytes : stored;

    private static async Task<IntegrityKind> ReadFails(TestVault vault) =>
        (await Assert.ThrowsAsync<VaultIntegrityException>(() => vault.Log.ReadNextAsync(vault.State, vault.Tree.Resolve, None))).Kind;
}
