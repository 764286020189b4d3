using System.Text;
using Drive.Core.History;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Simulation.World;
using Drive.Vault.Log;

namespace Drive.Simulation.Crashes;

/// <summary>
/// A device gives space back, round after round, with changes that are not sent yet between them, and dies in it. Afterwards another device that reads all from the store must show the same tree, no pack
/// that is needed is missing, and nothing that was given up is left for ever.
/// </summary>
public sealed class GarbagePoints : DeathPoints
{
    private const string Snapshot = "kept";
    private const int RoundsMax = 6;
    private const int Files = 6;

    /// <summary>What the frames of a few small packs take.</summary>
    private const long SlackBytes = 16 << 10;

    private static readonly RetentionRule NewestOnly = new(0, 0, 0, 0, 0);

    private int _deletedPacks;

    private GarbagePoints(int workload)
        : base(workload, "garbage")
    {
    }

    /// <summary>Dies at each of a workload's points, or at some <paramref name="pointsMax"/> of them.</summary>
    public static CrashCount Run(int workload, int pointsMax = int.MaxValue) => new GarbagePoints(workload).DieAtEach(pointsMax);

    private protected override async Task<(byte[] Keys, string Tree)> LiveAsync(SimulatedWorld world)
    {
        Machine machine = new(world, VaultOrigin.Keys);
        await machine.BootAsync();
        await DoAsync(machine.Volume!, seed: Workload * 3);
        Write(machine.Volume!, new Random(Workload), isFirst: true);
        await SendAsync(machine);
        if (Workload % 2 == 0)
        {
            await machine.Volume!.ChangeHistoryAsync(static state => [new NameSnapshot(Snapshot, state.Seq, 1)], machine.Life);
        }

        Write(machine.Volume!, new Random(~Workload), isFirst: false);
        await DoAsync(machine.Volume!, seed: (Workload * 3) + 1);
        await SendAsync(machine);
        Write(machine.Volume!, new Random(Workload), isFirst: false);
        await DoAsync(machine.Volume!, seed: (Workload * 3) + 2);
        machine.BeforeChange = call => NotePoint(world, machine, call);
        string tree = await FinishAsync(world, machine);
        machine.BeforeChange = null;
        if (_deletedPacks == 0)
        {
            throw new SimulationException($"Workload {Workload} gives no space back, and so shows nothing.");
        }

        await HoldAsync(world, machine, new Random(0));
        await machine.BuryAsync();
        return (VaultOrigin.Keys, tree);
    }

    /// <summary>A few files whose content fills packs; later half of them go, at least, and parts of others are written over.</summary>
    private static void Write(Volume volume, Random random, bool isFirst)
    {
        for (int number = 0; number < Files; number++)
        {
            byte[] name = Encoding.UTF8.GetBytes($"content {number}");
            if (isFirst)
            {
                volume.MakeNode(NodeId.Root, name, FileMode.Regular | 0x1A4, 0, Caller.Root, out _);
            }

            if (volume.Lookup(NodeId.Root, name, out NodeAttributes file) != FsStatus.Ok)
            {
                continue;
            }

            byte[] bytes = new byte[random.Next(20_000, 60_000)];
            random.NextBytes(bytes);
            if (!isFirst && (number < Files / 2 || random.Next(3) == 0))
            {
                volume.Unlink(NodeId.Root, name);
            }
            else if (volume.Write(HandleId.Of(file.Node), isFirst ? 0 : random.Next(60_000), bytes, WriteOptions.None) is var status and not FsStatus.Ok)
            {
                throw new SimulationException($"The content of a file was not written: {status}");
            }

            volume.Forget(file.Node);
        }
    }

    /// <summary>One round with what was not sent, which goes up meanwhile, one with everything sent, and one without the snapshot.</summary>
    private protected override async Task<string> FinishAsync(SimulatedWorld world, Machine machine)
    {
        await SayAsync(machine, static state => state.History.Retention is null ? [new SetRetention(NewestOnly)] : []);
        await CollectAsync(machine);
        await SendAsync(machine);
        await CollectAsync(machine);
        await SayAsync(machine, static state => state.History.FindSnapshot(Snapshot) is null ? [] : [new DropSnapshot(Snapshot)]);
        await CollectAsync(machine);
        return await CaptureAsync(machine.Volume!);
    }

    private protected override async Task HoldAsync(SimulatedWorld world, Machine machine, Random random)
    {
        GarbageReport report = new();
        for (int round = 0; round < RoundsMax; round++)
        {
            // What was put and never named is garbage once the device has started anew and said so.
            await machine.BuryAsync();
            await machine.BootAsync();
            report = await machine.Volume!.CollectGarbageAsync(new GarbageOptions(), machine.Life);
            if (report.MissingPacks > 0)
            {
                throw new SimulationException($"{report.MissingPacks} packs that are needed are not in the store.");
            }
        }

        if (report.StoredBytes - report.NeededBytes > (report.StoredBytes / 5) + SlackBytes)
        {
            throw new SimulationException($"After {RoundsMax} rounds {report.StoredBytes} bytes lie in the store, and {report.NeededBytes} of them are needed.");
        }

        if (machine.Volume!.Head.LastFloor is null)
        {
            throw new SimulationException($"Workload {Workload} never cuts its log, and so shows nothing of that.");
        }

        await Oracle.HoldLogAsync(world, machine.Volume!, isCut: true);
        await Oracle.HoldInStoreAsync(world, machine.Volume!);
    }

    private async Task CollectAsync(Machine machine) => _deletedPacks += (await machine.Volume!.CollectGarbageAsync(new GarbageOptions(), machine.Life)).DeletedPacks;

    private static Task SayAsync(Machine machine, Func<VaultState, IReadOnlyList<HistoryChange>> make) => machine.Volume!.ChangeHistoryAsync(make, machine.Life);
}
