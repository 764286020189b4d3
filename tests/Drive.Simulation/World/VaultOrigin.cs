using Drive.Core.Platform;
using Drive.Testing;
using Drive.Vault.Keys;

namespace Drive.Simulation.World;

/// <summary>A new vault with one device: where every run begins. Made once for the process, always from the same random bytes.</summary>
internal static class VaultOrigin
{
    private static readonly Lazy<(StoreContent Content, byte[] Keys, string RecoveryKey)> Made = new(Make);

    /// <summary>The exported keys of the first device.</summary>
    public static byte[] Keys => Made.Value.Keys;

    public static string RecoveryKey => Made.Value.RecoveryKey;

    public static StoreContent NewStore() => Made.Value.Content.Clone();

    private static (StoreContent Content, byte[] Keys, string RecoveryKey) Make()
    {
        ManualTime time = new();
        StoreContent content = new();
        SimulatedStore store = new(content, time, new Random(0), new Trace());
        IRandomSource random = new SeededRandom(0);
        CreatedVault? created = null;
        new Scheduler(time, new Random(0), new Trace()).Run(async () =>
            created = await VaultSetup.CreateAsync(store, new CreateVaultOptions { DeviceName = "first" }, time, random, CancellationToken.None));
        using VaultKeys keys = created!.Keys;
        return (content, keys.Export(), created.RecoveryKey);
    }
}
