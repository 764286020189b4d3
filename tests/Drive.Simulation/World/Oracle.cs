using Drive.Engine;
using Drive.Testing.Model;
using Drive.Vault.Keys;

namespace Drive.Simulation.World;

/// <summary>What must hold of a volume and its store, whatever happened before.</summary>
internal static class Oracle
{
    /// <summary>Sends everything, then opens the vault on another device, over a copy of the store: it must show the same tree.</summary>
    public static async Task HoldInStoreAsync(SimulatedWorld world, Volume volume)
    {
        UploadProgress progress = await volume.WaitUploadedAsync(null, CancellationToken.None);
        if (!progress.Done)
        {
            throw new SimulationException($"Not everything reached the store: {progress}");
        }

        SimulatedWorld elsewhere = new(1, world.Store.Clone());
        elsewhere.Time.JumpTo(world.Time.GetUtcNow());
        TreeSnapshot mine = await TreeSnapshot.CaptureAsync(volume);
        elsewhere.Run(async () =>
        {
            Machine second = new(elsewhere, await EnrolAsync(elsewhere));
            await second.BootAsync();
            List<string> differences = mine.Differences(await TreeSnapshot.CaptureAsync(second.Volume!));
            await second.BuryAsync();
            if (differences.Count > 0)
            {
                throw new SimulationException($"Another device shows another tree:\n{string.Join('\n', differences)}");
            }
        });
    }

    /// <summary>Keys of a new device, enrolled with the recovery key.</summary>
    public static async Task<byte[]> EnrolAsync(SimulatedWorld world)
    {
        SimulatedStore store = new(world.Store, world.Time, world.StoreRandom, world.Trace) { Weather = world.Weather };
        RecoveredVault recovered = await VaultSetup.RecoverAsync(
            store, VaultOrigin.RecoveryKey, "another", null, world.Time, world.Bytes, CancellationToken.None);
        using VaultKeys keys = recovered.Keys;
        return keys.Export();
    }
}
