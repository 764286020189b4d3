using Drive.Core.Stores;
using Drive.Testing;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Vault.Tests.Log;

/// <summary>Every bit of the small objects of a vault, turned over one at a time; then cut and extended at every length.</summary>
public sealed class FlipTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Every_change_of_a_commit_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        var log = new VaultLog(vault.Store, vault.Keys, vault.Source);
        Attempt attempt = log.Prepare(vault.State, new CommitDraft { Time = 1 });
        await vault.Store.PutIfAbsentAsync(attempt.Name, attempt.Bytes, None);
        await EveryChange(vault, attempt.Name, () => log.ReadNextAsync(vault.State, vault.Tree.Resolve, None));
    }

    [Fact]
    public async Task Every_change_of_the_first_commit_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        await EveryChange(vault, VaultNames.Commit(1, 1), () => vault.Log.ReadNextAsync(VaultState.BeforeGenesis(vault.Keys), vault.Tree.Resolve, None));
    }

    [Fact]
    public async Task Every_change_of_the_recovery_slot_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        var name = new ObjectName(Assert.Single(await vault.Store.NamesAsync("slots/")));
        await EveryChange(vault, name, () => Recover(vault));
    }

    [Fact]
    public async Task Every_change_of_the_vault_object_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        await EveryChange(vault, VaultNames.Vault, () => Recover(vault));
    }

    private static Task<RecoveredVault> Recover(TestVault vault) =>
        VaultSetup.RecoverAsync(vault.Store, vault.Created.RecoveryKey, "b", null, new ManualTime(), new SeededRandom(3), None);

    private static async Task EveryChange<T>(TestVault vault, ObjectName victim, Func<Task<T>> use)
    {
        byte[] bytes = await vault.Store.BytesAsync(victim);
        byte[] changed = [];
        vault.Store.Replace = (name, stored) => name == victim ? changed : stored;
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            changed = [.. bytes];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            await Refused(use, $"bit {bit}");
        }

        for (int length = 0; length < bytes.Length; length++)
        {
            changed = bytes[..length];
            await Refused(use, $"cut to {length}");
        }

        changed = [.. bytes, 0];
        await Refused(use, "extended");
    }

    private static async Task Refused<T>(Func<Task<T>> use, string what)
    {
        Exception? e = await Record.ExceptionAsync(use);
        bool typed = e is VaultIntegrityException or VaultException { Kind: VaultErrorKind.WrongSecret or VaultErrorKind.NewerFormat };
        Assert.True(typed, $"{what}: {e?.GetType().Name ?? "accepted"} {e?.Message}");
    }
}
