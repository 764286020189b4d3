using Drive.Engine;
using Drive.Testing.Disk;
using Drive.Testing.Model;
using Drive.Vault;
using Drive.Vault.Checkpoints;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Simulation.World;

/// <summary>A device that was enrolled.</summary>
/// <param name="Keys">Its keys, exported.</param>
/// <param name="Head">The log's head that it has proven.</param>
internal sealed record Enrolment(byte[] Keys, VaultState Head);

/// <summary>What must hold of a volume and its store, whatever happened before.</summary>
internal static class Oracle
{
    /// <summary>
    /// Sends everything, then opens the vault on another device, over a copy of the store: it must show the same tree. That device starts at the last checkpoint, on
    /// a store whose log may be cut below it, and now and then dies on the way up.
    /// </summary>
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
        int fate = world.DiskRandom.Next(200);
        bool isLogCut = world.DiskRandom.Next(4) == 0;
        elsewhere.Run(async () =>
        {
            Machine second = Machine.Enrolled(elsewhere, await EnrolAsync(elsewhere, isLogCut));
            if (fate < 100)
            {
                await DieOnTheWayUpAsync(second, fate);
            }

            await second.BootAsync();
            if (second.Volume!.GetStatus().ReadOnlyReason is { } reason)
            {
                throw new SimulationException($"Another device is read-only: {reason}");
            }

            List<string> differences = mine.Differences(await TreeSnapshot.CaptureAsync(second.Volume!));
            await second.BuryAsync();
            if (differences.Count > 0)
            {
                throw new SimulationException($"Another device shows another tree:\n{string.Join('\n', differences)}");
            }
        });
    }

    /// <summary>
    /// The log as the store has it for a device at its head: the first commit, and every one above the floor. Below it none, once <paramref name="isCut"/> says that a round of giving space back has ended; and
    /// the floor's checkpoint is whole.
    /// </summary>
    public static async Task HoldLogAsync(SimulatedWorld world, Volume volume, bool isCut)
    {
        VaultState head = volume.Head;
        long floor = head.LastFloor?.Seq ?? 0;
        for (long seq = 1; seq <= head.Seq; seq++)
        {
            bool isThere = world.Store.Objects.ContainsKey(VaultNames.Commit(head.Gen, seq).Value);
            if (isThere ? isCut && seq > 1 && seq <= floor : seq == 1 || seq > floor)
            {
                throw new SimulationException($"Commit {seq} is {(isThere ? "still" : "not")} in the store, at {head.Seq} with a floor at {floor}.");
            }
        }

        using VaultKeys own = VaultKeys.Import(VaultOrigin.Keys);
        SimulatedStore store = new(world.Store, world.Time, world.StoreRandom, world.Trace);
        CheckpointRef?[] named = [head.LastFloor?.Checkpoint, head.LastCheckpoint, .. head.OlderCheckpoints];
        foreach (CheckpointRef checkpoint in named.OfType<CheckpointRef>())
        {
            await (await CheckpointReader.OpenAsync(store, own, checkpoint, CancellationToken.None)).ProveAsync(CancellationToken.None);
        }
    }

    /// <summary>A new device, enrolled with the recovery key; it may cut the log below the last checkpoint at once.</summary>
    public static async Task<Enrolment> EnrolAsync(SimulatedWorld world, bool isLogCut, string name = "another")
    {
        SimulatedStore store = new(world.Store, world.Time, world.StoreRandom, world.Trace) { Weather = world.Weather };
        RecoveredVault recovered = await VaultSetup.RecoverAsync(
            store, VaultOrigin.RecoveryKey, name, null, world.Time, world.Bytes, CancellationToken.None);
        using VaultKeys keys = recovered.Keys;
        VaultState head = isLogCut ? await CutLogAsync(world, store, keys, recovered.Head) : recovered.Head;
        return new Enrolment(keys.Export(), head);
    }

    /// <summary>The commit that decides on a floor at the last checkpoint, the floor, and the slots up to it gone.</summary>
    private static async Task<VaultState> CutLogAsync(SimulatedWorld world, SimulatedStore store, VaultKeys keys, VaultState head)
    {
        if (head.LastCheckpoint is not { } checkpoint || !world.Store.Objects.ContainsKey(VaultNames.Commit(head.Gen, checkpoint.Seq).Value))
        {
            return head;
        }

        VaultLog log = new(store, keys, world.Bytes);
        FloorRef floor = new(head.Floor + 1, checkpoint.Seq, checkpoint);
        Attempt attempt = log.Prepare(head, new CommitDraft { Floor = floor, Time = 1 });
        if (await log.SubmitAsync(head, attempt, CancellationToken.None) is not AppendOutcome.Committed committed)
        {
            throw new SimulationException("The slot after the head was taken.");
        }

        await log.PublishFloorAsync(committed.Next, floor, CancellationToken.None);
        for (long seq = 1; seq <= floor.Seq; seq++)
        {
            await store.DeleteAsync(VaultNames.Commit(head.Gen, seq), CancellationToken.None);
        }

        return committed.Next;
    }

    private static async Task DieOnTheWayUpAsync(Machine machine, int change)
    {
        machine.DieAt(change, change % 4 == 0 ? CrashKind.Process : change % 2 == 0 ? CrashKind.PowerLosesAny : CrashKind.PowerLosesAll);
        try
        {
            await machine.BootAsync();
        }
        catch (Exception) when (machine.IsDead)
        {
            // What a dying start throws nobody hears.
        }

        if (!machine.IsDead)
        {
            machine.Die(CrashKind.Process);
        }

        await machine.BuryAsync();
    }
}
