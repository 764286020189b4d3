using Drive.Core.Stores;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Vault.Tests;

/// <summary>A vault in memory, the device that made it, and that device's tree.</summary>
internal sealed class TestVault : IDisposable
{
    private ulong _nextNode = 100;

    private TestVault(FaultyStore store, CreatedVault created, int seed)
    {
        Store = store;
        Created = created;
        Random = new Random(seed);
        Source = new SeededRandom(seed + 1000);
        State = created.State;
        Log = new VaultLog(store, created.Keys, Source);
        Tree.Apply(created.Genesis.Rows);
    }

    public FaultyStore Store { get; }

    public CreatedVault Created { get; }

    public VaultKeys Keys => Created.Keys;

    public VaultState State { get; set; }

    public VaultLog Log { get; }

    public Tree Tree { get; } = new();

    public Random Random { get; }

    public SeededRandom Source { get; }

    public static CancellationToken None => CancellationToken.None;

    public static async Task<TestVault> CreateAsync(int seed = 1, byte[]? passphrase = null, bool singleWriter = false)
    {
        var store = new FaultyStore(new MemoryStore());
        CreatedVault created = await VaultSetup.CreateAsync(
            store, new CreateVaultOptions { DeviceName = "desk", Passphrase = passphrase, SingleWriter = singleWriter }, new ManualTime(), new SeededRandom(seed), None);
        return new TestVault(store, created, seed);
    }

    public CommitDraft Draft() => new() { Rows = Tree.RandomChange(Random, _nextNode += 10), Time = 5 };

    public async Task<CommitDraft> CommitAsync(CommitDraft? draft = null)
    {
        draft ??= Draft();
        Attempt attempt = Log.Prepare(State, draft);
        var committed = Assert.IsType<AppendOutcome.Committed>(await Log.SubmitAsync(State, attempt, None));
        Tree.Apply(draft.Rows);
        State = committed.Next;
        return draft;
    }

    public async Task ChangePassphraseAsync(byte[] passphrase, bool isAlone = false)
    {
        using JoinIdentity identity = JoinIdentity.ForPassphrase(Source);
        await CommitAsync(new CommitDraft { Members = VaultSetup.PassphraseChanges(State, identity), Time = 6 });
        await VaultSetup.ChangePassphraseAsync(Store, Keys, State, identity, passphrase, isAlone, PassphraseCost.IterationsMin, Source, None);
    }

    /// <summary>Replays from a state to the head as another device would, every proof checked.</summary>
    public static async Task<(VaultState State, Tree Tree, int Commits)> ReplayAsync(IObjectStore store, VaultKeys keys, VaultState? from = null, Tree? tree = null)
    {
        var log = new VaultLog(store, keys, new SeededRandom(9));
        VaultState state = from ?? VaultState.BeforeGenesis(keys);
        tree ??= new Tree();
        for (int commits = 0; ; commits++)
        {
            ReadResult result = await log.ReadNextAsync(state, tree.Resolve, None);
            if (result is not ReadResult.Next next)
            {
                Assert.IsType<ReadResult.AtHead>(result);
                return (state, tree, commits);
            }

            tree.Apply(next.Commit.Rows);
            state = next.State;
        }
    }

    public void Dispose() => Keys.Dispose();
}
