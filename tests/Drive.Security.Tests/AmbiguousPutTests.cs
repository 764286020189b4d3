using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Stores.Memory;
using Drive.Stores.Wrappers;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using VaultNames = Drive.Vault.VaultNames;

namespace Drive.Security.Tests;

/// <summary>Puts whose answer is lost, that come twice, or that come late: each commit is in the log exactly once, with everything it names.</summary>
public sealed class AmbiguousPutTests
{
    private const int Rounds = 4;

    private static readonly EvilLie[] Kinds = [EvilLie.LoseRequest, EvilLie.LoseReply, EvilLie.Duplicate, EvilLie.Late, EvilLie.LateDuplicate];

    private static CancellationToken None => CancellationToken.None;

    public static TheoryData<EvilLie> AllKinds => [.. Kinds];

    [Theory]
    [MemberData(nameof(AllKinds))]
    public async Task Every_put_of_a_volume_can_go_astray_and_each_commit_is_there_once(EvilLie kind)
    {
        for (int index = 0; ; index++)
        {
            (EvilStore store, int met) = await RunAsync(kind, index);
            await store.ReleaseLateAsync();
            List<string> commits = [.. (await store.ShownAsync()).Select(static pair => pair.Key).Where(static name => name.StartsWith("log/", StringComparison.Ordinal))];
            Assert.True(commits.Count == 1 + Rounds + 1, $"{kind} of put {index}: {string.Join(' ', commits)}");
            if (met == 0)
            {
                Assert.InRange(index, 2 * Rounds, 3 * Rounds);
                return;
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllKinds))]
    public async Task Every_put_of_a_new_vault_can_go_astray_and_the_vault_is_whole(EvilLie kind)
    {
        for (int index = 0; index < 3; index++)
        {
            EvilStore store = await EvilStore.OverAsync(new MemoryStore());
            int astray = index;
            store.Lie = call => call.Kind == StoreCallKind.Put && call.Index == astray ? kind : EvilLie.None;
            IObjectStore retried = store.Retried(new RetryOptions { FirstDelay = TimeSpan.Zero, DelayMax = TimeSpan.Zero }, TimeProvider.System, new SeededRandom(1));
            CreatedVault created = await VaultSetup.CreateAsync(retried, new CreateVaultOptions { DeviceName = "desk" }, new ManualTime(), new SeededRandom(index), None);
            created.Keys.Dispose();
            await store.ReleaseLateAsync();
            RecoveredVault recovered = await VaultSetup.RecoverAsync(store, created.RecoveryKey, "new", null, new ManualTime(), new SeededRandom(9), None);
            recovered.Keys.Dispose();
            Assert.Equal(2, recovered.Head.Seq);
        }
    }

    [Fact]
    public async Task A_put_that_comes_after_up_to_fifty_commits_changes_nothing()
    {
        foreach (int commits in new[] { 1, 2, 7, 50 })
        {
            KnownVault vault = await KnownVault.StartAsync(commits);
            EvilStore store = await vault.EvilStoreAsync();
            using VaultKeys keys = vault.Keys();
            using var device = new LightClient(store, keys, vault.Head.State, vault.Head.Tree.Clone());
            Attempt late = device.Log.Prepare(device.State, new CommitDraft { Time = 1 });
            store.Lie = static _ => EvilLie.Late;
            await Assert.ThrowsAsync<StoreException>(() => device.Log.SubmitAsync(device.State, late, None));
            store.Lie = static _ => EvilLie.None;
            VaultState state = Assert.IsType<AppendOutcome.Committed>(await device.Log.SubmitAsync(device.State, late, None)).Next;
            for (int i = 1; i < commits; i++)
            {
                Attempt attempt = device.Log.Prepare(state, new CommitDraft { Time = 1 });
                state = Assert.IsType<AppendOutcome.Committed>(await device.Log.SubmitAsync(state, attempt, None)).Next;
            }

            await store.ReleaseLateAsync();
            await device.CatchUpAsync(None);
            Assert.Equal(state.Head, device.State.Head);
            Assert.Equal(1 + commits, device.State.Seq);
        }
    }

    [Fact]
    public async Task A_put_that_comes_after_its_slot_was_cut_away_is_not_committed_and_misleads_no_new_device()
    {
        KnownVault vault = await KnownVault.CreateAsync(5);
        EvilStore store = await vault.EvilStoreAsync();
        using VaultKeys keys = vault.Keys();
        KnownVersion old = vault.Versions[2];
        using var sleeper = new LightClient(store, keys, old.State, old.Tree.Clone());
        Attempt late = sleeper.Log.Prepare(old.State, new CommitDraft { Time = 99 });
        for (long seq = 1; seq <= vault.Floor!.Seq; seq++)
        {
            await store.DeleteAsync(VaultNames.Commit(1, seq), None);
        }

        Assert.IsType<AppendOutcome.Overtaken>(await sleeper.Log.SubmitAsync(old.State, late, None));
        Assert.NotNull(await store.ShownAsync(late.Name));
        RecoveredVault recovered = await VaultSetup.RecoverAsync(store, vault.RecoveryKey, "new", null, new ManualTime(), new SeededRandom(9), None);
        using VaultKeys joined = recovered.Keys;
        using var device = new LightClient(store, joined, VaultState.BeforeGenesis(joined), new RowTree());
        await device.CatchUpAsync(None);
        Assert.Equal(vault.Head.State.StateHash, device.State.StateHash);
        Assert.Equal(vault.Head.Files["c"], await device.ReadFileAsync("c", None));
    }

    /// <summary>A vault with some rounds of writing, one of whose puts goes astray; then the files as another device finds them.</summary>
    private static async Task<(EvilStore Store, int Met)> RunAsync(EvilLie kind, int index)
    {
        await using VolumeTrials vault = await VolumeTrials.CreateAsync(1, commits: 0);
        EvilStore store = await vault.EvilStoreAsync();
        var time = new ManualTime();
        int first = store.Puts;
        int met = 0;
        store.Lie = call =>
        {
            if (call.Kind != StoreCallKind.Put || call.Index != first + index)
            {
                return EvilLie.None;
            }

            met++;
            return kind;
        };
        string state = vault.TakeDevice();
        await using (Volume volume = await vault.Home.OpenAsync(state, vault.Keys(), store, time, None))
        {
            for (int round = 0; round < Rounds; round++)
            {
                Assert.Equal(FsStatus.Ok, volume.Write($"f{round}", KnownVault.Noise(round, 5000)));
                Assert.True(await volume.UploadAsync(time, None), $"{kind} of put {index}: {volume.GetStatus().LastError}");
            }

            Assert.Equal(1 + Rounds, volume.GetStatus().Seq);
        }

        store.Lie = static _ => EvilLie.None;
        await store.ReleaseLateAsync();
        RecoveredVault recovered = await VaultSetup.RecoverAsync(store, vault.RecoveryKey, "other", null, time, SystemRandomSource.Instance, None);
        await using Volume other = await vault.Home.OpenAsync(vault.TakeDevice(), recovered.Keys, store, time, None);
        Assert.Equal(Rounds, other.Names().Count);
        for (int round = 0; round < Rounds; round++)
        {
            Assert.Equal(KnownVault.Noise(round, 5000), (await other.ReadAsync($"f{round}", None)).Content);
        }

        return (store, met);
    }
}
