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
using VaultNames = Drive.Vault.VaultNames;

namespace Drive.Security.Tests;

/// <summary>The rows of the threat table about the log: rolled back, forked, wedged, and written by a member that turned.</summary>
public sealed class LogThreatTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Row_16_A_store_put_back_or_frozen_is_noticed_by_who_saw_more_and_by_a_new_device_that_was_told_the_head()
    {
        KnownVault vault = await KnownVault.CreateAsync(1);
        EvilStore store = await vault.EvilStoreAsync();
        using VaultKeys keys = vault.Keys();
        for (int shown = 1; shown < vault.Versions.Count; shown++)
        {
            store.RollBackTo(vault.MomentOf(shown));
            for (int seen = shown + 1; seen <= vault.Versions.Count; seen++)
            {
                KnownVersion known = vault.Versions[seen - 1];
                using var device = new LightClient(store, keys, known.State, known.Tree.Clone());
                await device.CatchUpRefusedAsync(IntegrityKind.RolledBack);
                var error = await Assert.ThrowsAsync<VaultIntegrityException>(() => VaultSetup.RecoverAsync(
                    store, vault.RecoveryKey, "new", new LogPin(known.State.Seq, known.State.Head), new ManualTime(), new SeededRandom(1), None));
                Assert.Null(Verdict.Complain(error));
            }
        }
    }

    [Fact]
    public async Task Row_16_A_new_device_that_nobody_told_anything_takes_an_old_state_for_the_newest_but_none_before_its_slot()
    {
        // The limit that docs/security.md states: kept here so that the day it goes, the page is changed too.
        KnownVault vault = await KnownVault.CreateAsync(1, withFloor: false);
        EvilStore store = await vault.EvilStoreAsync();
        store.RollBackTo(vault.MomentOf(3));
        RecoveredVault recovered = await VaultSetup.RecoverAsync(store, vault.RecoveryKey, "new", null, new ManualTime(), new SeededRandom(1), None);
        recovered.Keys.Dispose();
        Assert.Equal(vault.Versions[2].State.StateHash, recovered.Head.StateHash);
        store.RollBackTo(vault.MomentOf(1) - 1);
        await Assert.ThrowsAsync<VaultIntegrityException>(() => VaultSetup.RecoverAsync(store, vault.RecoveryKey, "new", null, new ManualTime(), new SeededRandom(1), None));
    }

    [Fact]
    public async Task Row_17_Two_devices_kept_apart_by_a_fork_both_notice_when_they_are_shown_each_others_branch_and_it_can_never_be_joined_again()
    {
        KnownVault vault = await KnownVault.CreateAsync(1, withFloor: false);
        EvilStore one = await vault.EvilStoreAsync();
        RecoveredVault second = await VaultSetup.RecoverAsync(one, vault.RecoveryKey, "laptop", null, new ManualTime(), new SeededRandom(1), None);
        using VaultKeys laptopKeys = second.Keys;
        using VaultKeys deskKeys = vault.Keys();
        EvilStore other = await one.ForkAsync();
        using var desk = new LightClient(one, deskKeys, vault.Head.State, vault.Head.Tree.Clone());
        using var laptop = new LightClient(other, laptopKeys, vault.Head.State, vault.Head.Tree.Clone());
        await desk.CatchUpAsync(None);
        await laptop.CatchUpAsync(None);
        Attempt deskCommit = await CommitAsync(desk, 1);
        Attempt laptopCommit = await CommitAsync(laptop, 2);
        Assert.Equal(deskCommit.Name, laptopCommit.Name);

        using var deskOnOther = new LightClient(other, deskKeys, deskCommit.Next, desk.Tree);
        using var laptopOnOne = new LightClient(one, laptopKeys, laptopCommit.Next, laptop.Tree);
        await deskOnOther.CatchUpRefusedAsync(IntegrityKind.RolledBack);
        await laptopOnOne.CatchUpRefusedAsync(IntegrityKind.RolledBack);

        // Even a store that goes on showing each its own head cannot splice what the other wrote onto it.
        await CommitAsync(laptop, 3);
        one.Show(VaultNames.Commit(1, laptopCommit.Seq + 1), (await other.ShownAsync(VaultNames.Commit(1, laptopCommit.Seq + 1)))!);
        await desk.CatchUpRefusedAsync(IntegrityKind.Chain);
    }

    [Fact]
    public async Task Row_24_A_member_that_removes_everything_is_named_by_its_signature_can_be_shut_out_and_every_older_version_is_still_there()
    {
        KnownVault vault = await KnownVault.CreateAsync(1, withFloor: false);
        EvilStore store = await vault.EvilStoreAsync();
        RecoveredVault hostile = await VaultSetup.RecoverAsync(store, vault.RecoveryKey, "hostile", null, new ManualTime(), new SeededRandom(1), None);
        using VaultKeys hostileKeys = hostile.Keys;
        using VaultKeys keys = vault.Keys();
        using var thief = new LightClient(store, hostileKeys, vault.Head.State, vault.Head.Tree.Clone());
        await thief.CatchUpAsync(None);
        var rows = new RowChanges();
        RowSet all = thief.Tree.Rows();
        rows.Closed.Nodes.AddRange(all.Nodes.Where(static row => row.Node != NodeId.Root));
        rows.Closed.Entries.AddRange(all.Entries);
        rows.Closed.Extents.AddRange(all.Extents);
        Attempt removal = thief.Log.Prepare(thief.State, new CommitDraft { Rows = rows, Time = 1 });
        await thief.Log.SubmitAsync(thief.State, removal, None);

        using var reader = new LightClient(store, keys, thief.State, thief.Tree.Clone());
        var read = Assert.IsType<ReadResult.Next>(await reader.Log.ReadNextAsync(reader.State, reader.Tree.Resolve, None));
        Assert.Equal(hostileKeys.DeviceId, read.Commit.Device);
        foreach ((string name, byte[] content) in vault.Head.Files)
        {
            Assert.Equal(content, await reader.ReadFileAsync(name, None));
        }

        using var desk = new LightClient(store, keys, VaultState.BeforeGenesis(keys), new RowTree());
        await desk.CatchUpAsync(None);
        Assert.Empty(desk.Tree.Entries);
        Attempt revoke = desk.Log.Prepare(desk.State, new CommitDraft { Members = [new Revoke(hostileKeys.DeviceId)], Time = 1 });
        await desk.Log.SubmitAsync(desk.State, revoke, None);
        await desk.CatchUpAsync(None);
        Assert.Equal(VaultErrorKind.NotMember, Assert.Throws<VaultException>(() => thief.Log.Prepare(desk.State, new CommitDraft { Time = 1 })).Kind);
    }

    [Fact]
    public async Task Row_25_Garbage_in_the_next_slot_stops_writers_loudly_loses_nothing_and_is_mended_by_removing_it()
    {
        await using VolumeTrials vault = await VolumeTrials.CreateAsync(7, commits: 2);
        EvilStore store = await vault.EvilStoreAsync();
        var time = new ManualTime();
        ObjectName next = VaultNames.Commit(1, 4);
        string state = vault.TakeDevice(3);
        byte[] content = KnownVault.Noise(1, 40_000);
        await using (Volume volume = await vault.Home.OpenAsync(state, vault.Keys(), store, time, None))
        {
            // First the write: the upload loop may look at the slot as soon as it runs.
            Assert.Equal(FsStatus.Ok, volume.Write("new", content));
            store.Show(next, KnownVault.Noise(2, 500));
            Assert.False(await volume.UploadAsync(time, None));
            Assert.True(volume.IsReadOnly);
            Assert.Contains(next.Value, volume.GetStatus().ReadOnlyReason, StringComparison.Ordinal);
            Assert.Equal(content, (await volume.ReadAsync("new", None)).Content);
        }

        await using (Volume again = await vault.Home.OpenAsync(state, vault.Keys(), store, time, None))
        {
            Assert.Contains(next.Value, again.GetStatus().ReadOnlyReason, StringComparison.Ordinal);
            Assert.Equal(content, (await again.ReadAsync("new", None)).Content);
        }

        store.Heal();
        await using Volume mended = await vault.Home.OpenAsync(state, vault.Keys(), store, time, None);
        Assert.True(await mended.UploadAsync(time, None), mended.GetStatus().LastError);
        Assert.Equal(4, mended.GetStatus().Seq);
    }

    [Fact]
    public async Task Row_25_An_overwritten_commit_is_refused_by_who_comes_later_and_the_true_bytes_bring_it_back()
    {
        KnownVault vault = await KnownVault.CreateAsync(1, withFloor: false);
        EvilStore store = await vault.EvilStoreAsync();
        using VaultKeys keys = vault.Keys();
        for (int seq = 2; seq <= vault.Versions.Count; seq++)
        {
            store.Show(VaultNames.Commit(1, seq), KnownVault.Noise(seq, 400));
            using var device = new LightClient(store, keys, vault.Versions[0].State, vault.Versions[0].Tree.Clone());
            await device.CatchUpRefusedAsync(IntegrityKind.Malformed);
            Assert.Equal(seq - 1, device.State.Seq);
            store.Heal();
            await device.CatchUpAsync(None);
            Assert.Equal(vault.Head.State.Head, device.State.Head);
        }
    }

    private static async Task<Attempt> CommitAsync(LightClient device, ulong number)
    {
        var rows = new RowChanges();
        var node = new NodeId(5000 + number);
        rows.Opened.Nodes.Add(new NodeRow { Node = node, Mode = FileMode.Regular, LinkCount = 1 });
        rows.Opened.Entries.Add(new EntryRow(NodeId.Root, [(byte)('A' + number)], node, 0));
        Attempt attempt = device.Log.Prepare(device.State, new CommitDraft { Rows = rows, Time = 1 });
        Assert.IsType<AppendOutcome.Committed>(await device.Log.SubmitAsync(device.State, attempt, None));
        await device.CatchUpAsync(None);
        return attempt;
    }
}
