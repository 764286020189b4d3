using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using VaultNames = Drive.Vault.VaultNames;

namespace Drive.Security.Tests;

/// <summary>A history of 200 commits, and a store that shows an earlier state of it, whole or in part. A device that saw a newer one must say so.</summary>
public sealed class RollbackTests : IClassFixture<RollbackTests.History>
{
    private const int Commits = 200;
    private readonly KnownVault _vault;

    public RollbackTests(History history) => _vault = history.Vault;

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Every_earlier_state_of_the_store_is_noticed_by_every_device_that_saw_a_newer_one()
    {
        EvilStore store = await _vault.EvilStoreAsync();
        using VaultKeys keys = _vault.Keys();
        int noticed = 0;
        for (int shown = 0; shown < Commits; shown++)
        {
            store.RollBackTo(shown == 0 ? 0 : _vault.MomentOf(shown));
            for (int seen = shown + 1; seen <= Commits; seen++)
            {
                using LightClient device = DeviceAt(store, keys, seen);
                var error = await Assert.ThrowsAsync<VaultIntegrityException>(() => device.CatchUpAsync(None));
                Assert.Equal((IntegrityKind.RolledBack, VaultNames.Commit(1, seen).Value), (error.Kind, error.ObjectName));
                noticed++;
            }
        }

        Assert.Equal(Commits * (Commits + 1) / 2, noticed);
    }

    [Fact]
    public async Task A_head_that_is_gone_or_is_an_earlier_commit_is_noticed()
    {
        EvilStore store = await _vault.EvilStoreAsync();
        using VaultKeys keys = _vault.Keys();
        for (int seen = 1; seen <= Commits; seen++)
        {
            ObjectName head = VaultNames.Commit(1, seen);
            store.Remove(head);
            await NoticesAsync(store, keys, seen);
            for (int earlier = 1 + (seen % 7); earlier < seen; earlier += 7)
            {
                store.Show(head, await BytesAsync(store, earlier));
                await NoticesAsync(store, keys, seen);
            }

            store.Heal();
        }
    }

    [Fact]
    public async Task A_log_cut_at_its_start_is_no_vault_for_a_new_device_and_no_matter_to_one_that_knows_it()
    {
        EvilStore store = await _vault.EvilStoreAsync();
        using VaultKeys keys = _vault.Keys();
        for (int cut = 1; cut < Commits; cut++)
        {
            store.Remove(VaultNames.Commit(1, cut));
            if (cut % 20 == 1)
            {
                Assert.NotNull(await Record.ExceptionAsync(() => JoinAsync(store, null)) as VaultIntegrityException);
                using LightClient device = DeviceAt(store, keys, cut + 1);
                await device.CatchUpAsync(None);
                Assert.Equal(Commits, device.State.Seq);
            }
        }
    }

    [Fact]
    public async Task A_log_with_a_gap_is_refused_by_a_new_device_that_another_told_the_head()
    {
        for (int gap = 2; gap <= Commits; gap += 33)
        {
            EvilStore store = await _vault.EvilStoreAsync();
            store.Remove(VaultNames.Commit(1, gap));
            var error = await Assert.ThrowsAsync<VaultIntegrityException>(() => JoinAsync(store, new LogPin(_vault.Head.State.Seq, _vault.Head.State.Head)));
            Assert.Equal(IntegrityKind.RolledBack, error.Kind);
        }
    }

    [Fact]
    public async Task Slots_put_back_open_the_same_vault_and_show_no_older_one()
    {
        KnownVault vault = await KnownVault.CreateAsync(3, withFloor: false);
        EvilStore store = await vault.EvilStoreAsync();
        using VaultKeys keys = vault.Keys();
        IReadOnlyList<KeyValuePair<string, byte[]>> before = [.. (await store.ShownAsync()).Where(static pair => pair.Key.StartsWith("slots/", StringComparison.Ordinal))];
        await vault.PutPassphraseAsync(store, keys, "old"u8.ToArray());
        IReadOnlyList<KeyValuePair<string, byte[]>> old = [.. (await store.ShownAsync()).Where(static pair => pair.Key.StartsWith("slots/", StringComparison.Ordinal))];
        await vault.PutPassphraseAsync(store, keys, "new"u8.ToArray());
        foreach (IReadOnlyList<KeyValuePair<string, byte[]>> slots in new[] { before, old })
        {
            foreach ((string name, byte[] content) in slots)
            {
                store.Show(new ObjectName(name), content);
            }

            RecoveredVault recovered = await VaultSetup.RecoverAsync(store, vault.RecoveryKey, "new", null, new ManualTime(), SystemRandomSource.Instance, None);
            recovered.Keys.Dispose();
            Assert.Equal(vault.Head.State.StateHash, recovered.Head.StateHash);
        }
    }

    [Fact]
    public async Task A_volume_whose_store_was_put_back_is_read_only_from_the_mount_on_and_names_the_commit()
    {
        await using VolumeTrials vault = await VolumeTrials.CreateAsync(2);
        int last = vault.Files.Count;
        for (int shown = 1; shown < last; shown++)
        {
            for (int seen = Math.Max(2, shown + 1); seen <= last; seen++)
            {
                EvilStore store = await vault.EvilStoreAsync();
                store.RollBackTo(vault.Puts.ToList().FindIndex(put => put.Key == VaultNames.Commit(1, shown).Value) + 1);
                await using Volume volume = await vault.Home.OpenAsync(vault.TakeDevice(seen), vault.Keys(), store, new ManualTime(), None);
                VolumeStatus status = volume.GetStatus();
                Assert.True(volume.IsReadOnly, $"shown {shown}, seen {seen}");
                Assert.Contains(VaultNames.Commit(1, seen).Value, status.ReadOnlyReason, StringComparison.Ordinal);
                Assert.Equal((seen, StoreCondition.Stopped), (status.Seq, status.Store));
                Assert.Equal(FsStatus.ReadOnly, volume.Write("x", [1]));
            }
        }
    }

    [Fact]
    public async Task A_mounted_volume_whose_store_is_put_back_says_so_before_it_sends_anything()
    {
        await using VolumeTrials vault = await VolumeTrials.CreateAsync(2);
        int last = vault.Files.Count;
        for (int shown = 1; shown < last; shown += 2)
        {
            var time = new ManualTime();
            EvilStore store = await vault.EvilStoreAsync();
            await using Volume volume = await vault.Home.OpenAsync(vault.TakeDevice(last), vault.Keys(), store, time, None);
            store.RollBackTo(vault.Puts.ToList().FindIndex(put => put.Key == VaultNames.Commit(1, shown).Value) + 1);
            int puts = store.Puts;
            Assert.Equal(FsStatus.Ok, volume.Write("x", KnownVault.Noise(1, 1000)));
            Assert.False(await volume.UploadAsync(time, None));
            Assert.Equal(puts, store.Puts);
            Assert.Contains(VaultNames.Commit(1, last).Value, volume.GetStatus().ReadOnlyReason, StringComparison.Ordinal);
            Assert.Equal(KnownVault.Noise(1, 1000), (await volume.ReadAsync("x", None)).Content);
        }
    }

    private LightClient DeviceAt(EvilStore store, VaultKeys keys, int seen) =>
        new(store, keys, _vault.Versions[seen - 1].State, _vault.Versions[seen - 1].Tree.Clone());

    private async Task NoticesAsync(EvilStore store, VaultKeys keys, int seen)
    {
        using LightClient device = DeviceAt(store, keys, seen);
        Assert.Equal(IntegrityKind.RolledBack, (await Assert.ThrowsAsync<VaultIntegrityException>(() => device.CatchUpAsync(None))).Kind);
    }

    private static async Task<byte[]> BytesAsync(EvilStore store, int seq) => (await store.ShownAsync(VaultNames.Commit(1, seq)))!;

    private async Task JoinAsync(EvilStore store, LogPin? atLeast)
    {
        RecoveredVault recovered = await VaultSetup.RecoverAsync(store, _vault.RecoveryKey, "new", atLeast, new ManualTime(), SystemRandomSource.Instance, None);
        recovered.Keys.Dispose();
    }

    public sealed class History : IAsyncLifetime
    {
        public KnownVault Vault { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Vault = await KnownVault.StartAsync(11);
            for (int commit = 2; commit <= Commits; commit++)
            {
                await Vault.WriteAsync(($"f{commit % 17}", KnownVault.Noise(commit, 50)));
            }
        }

        public Task DisposeAsync() => Task.CompletedTask;
    }
}
