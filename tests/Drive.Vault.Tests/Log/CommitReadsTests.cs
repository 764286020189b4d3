using Drive.Core.Stores;
using Drive.Vault.Log;

namespace Drive.Vault.Tests.Log;

/// <summary>Slots of the log that are read ahead.</summary>
public sealed class CommitReadsTests
{
    private const int Commits = 60;

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Who_is_far_behind_asks_for_many_slots_at_once_and_for_each_one_once()
    {
        using TestVault vault = await LongAsync();
        int inHand = 0;
        int most = 0;
        Dictionary<string, int> asked = [];
        vault.Store.Delay = async name =>
        {
            lock (asked)
            {
                asked[name.Value] = asked.GetValueOrDefault(name.Value) + 1;
                most = Math.Max(most, ++inHand);
            }

            await Task.Delay(5);
            lock (asked)
            {
                inHand--;
            }
        };
        (VaultState state, _, int commits) = await TestVault.ReplayAsync(vault.Store, vault.Keys);
        Assert.Equal((vault.State.Seq, Commits + 1), (state.Seq, commits));
        Assert.InRange(most, 8, 16);
        Assert.All(asked.Where(pair => pair.Key.StartsWith("log/", StringComparison.Ordinal) && string.CompareOrdinal(pair.Key, VaultNames.Commit(1, state.Seq).Value) <= 0), static pair => Assert.Equal(1, pair.Value));
    }

    [Fact]
    public async Task Somebody_who_finds_one_commit_now_and_then_reads_nothing_ahead()
    {
        using TestVault vault = await TestVault.CreateAsync();
        VaultLog log = new(vault.Store, vault.Keys, vault.Source);
        VaultState state = vault.State;
        for (int i = 0; i < 5; i++)
        {
            await vault.CommitAsync();
            HashSet<string> asked = [];
            vault.Store.Replace = (name, stored) =>
            {
                asked.Add(name.Value);
                return stored;
            };
            state = Assert.IsType<ReadResult.Next>(await log.ReadChainAsync(state, None)).State;
            Assert.IsType<ReadResult.AtHead>(await log.ReadChainAsync(state, None));
            Assert.Equal([VaultNames.Floor(1).Value, VaultNames.Commit(1, state.Seq).Value, VaultNames.Commit(1, state.Seq + 1).Value], asked.Order(StringComparer.Ordinal));
            vault.Store.Replace = static (_, stored) => stored;
        }
    }

    [Fact]
    public async Task A_slot_that_was_absent_ahead_of_time_is_asked_for_again_in_its_turn()
    {
        using TestVault vault = await LongAsync();
        VaultLog log = new(vault.Store, vault.Keys, vault.Source);
        VaultState state = VaultState.BeforeGenesis(vault.Keys);
        for (int i = 0; i <= Commits - 3; i++)
        {
            state = Assert.IsType<ReadResult.Next>(await log.ReadChainAsync(state, None)).State;
        }

        // Those behind the head were asked for by now.
        await vault.CommitAsync();
        await vault.CommitAsync();
        while (await log.ReadChainAsync(state, None) is ReadResult.Next next)
        {
            state = next.State;
        }

        Assert.Equal(vault.State.Seq, state.Seq);
    }

    [Fact]
    public async Task What_fails_ahead_of_time_is_read_again()
    {
        using TestVault vault = await LongAsync();
        int calls = 0;
        vault.Store.Replace = (_, stored) => ++calls > 3 && calls % 2 == 0 ? throw new StoreException(StoreErrorKind.Unreachable, isTransient: true, "made up") : stored;
        VaultLog log = new(vault.Store, vault.Keys, vault.Source);
        VaultState state = VaultState.BeforeGenesis(vault.Keys);
        for (int tries = 0; state.Seq < vault.State.Seq; tries++)
        {
            Assert.True(tries < 10 * Commits);
            try
            {
                state = await log.ReadChainAsync(state, None) is ReadResult.Next next ? next.State : throw new Xunit.Sdk.XunitException($"The log ends at {state.Seq}.");
            }
            catch (StoreException)
            {
                // Unreachable is not absent.
            }
        }
    }

    private static async Task<TestVault> LongAsync()
    {
        TestVault vault = await TestVault.CreateAsync();
        for (int i = 0; i < Commits; i++)
        {
            await vault.CommitAsync();
        }

        return vault;
    }
}
