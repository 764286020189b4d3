using Drive.Core.Platform;
using Drive.Testing;
using Drive.Vault.Keys;

namespace Drive.Simulation.World;

/// <summary>A new vault with one device, or with several: where every run begins. Made once for the process, always from the same random bytes.</summary>
internal static class VaultOrigin
{
    private static readonly Lazy<(StoreContent Content, byte[] Keys, string RecoveryKey)> Made = new(Make);

    /// <summary>As many devices as a run may have.</summary>
    public const int DevicesMax = 5;

    /// <summary>No seed that anybody runs: worlds of one seed draw the same keys and ids.</summary>
    private const int OriginSeed = 0x7EED0000;

    private static readonly Lazy<(StoreContent Content, Enrolment[] Devices)> Several = new(MakeSeveral);

    /// <summary>What the devices after the first are called.</summary>
    public static IReadOnlyList<string> OtherNames { get; } = ["second", "third", "fourth", "fifth"];

    /// <summary>The devices after the first of the vault that has several.</summary>
    public static IReadOnlyList<Enrolment> OtherDevices => Several.Value.Devices;

    /// <summary>The exported keys of the first device.</summary>
    public static byte[] Keys => Made.Value.Keys;

    public static string RecoveryKey => Made.Value.RecoveryKey;

    public static StoreContent NewStore() => Made.Value.Content.Clone();

    /// <summary>The vault with <see cref="DevicesMax"/> devices.</summary>
    public static StoreContent NewStoreOfSeveral() => Several.Value.Content.Clone();

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

    private static (StoreContent Content, Enrolment[] Devices) MakeSeveral()
    {
        SimulatedWorld world = new(OriginSeed, NewStore());
        Enrolment[] devices = new Enrolment[DevicesMax - 1];
        world.Run(async () =>
        {
            for (int index = 0; index < devices.Length; index++)
            {
                devices[index] = await Oracle.EnrolAsync(world, isLogCut: false, OtherNames[index]);
            }
        });
        return (world.Store, devices);
    }
}
