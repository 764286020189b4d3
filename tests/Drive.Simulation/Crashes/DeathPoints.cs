using System.Text.RegularExpressions;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Simulation.World;
using Drive.Testing.Disk;
using Drive.Testing.Model;

namespace Drive.Simulation.Crashes;

/// <summary>
/// Something that one device does, and in which it dies at each change of its disk, and again while it recovers. Everything was synced before, so the tree that it shows and sends in the end must be the
/// one that it comes to without dying.
/// </summary>
/// <param name="workload">Seed of all that is done.</param>
/// <param name="command">What repeats it in the runner.</param>
public abstract partial class DeathPoints(int workload, string command)
{
    private const int Operations = 14;
    private static readonly CrashKind[] Kinds = [CrashKind.PowerLosesAll, CrashKind.PowerLosesSome, CrashKind.PowerLosesAny, CrashKind.Process];

    private readonly List<Point> _points = [];
    private int _deaths;

    private protected int Workload => workload;

    /// <summary>Does all of it once, from a new store on, with <see cref="NotePoint"/> before each change of the disk of the device that is to die; gives that device's keys, and the tree in the end.</summary>
    private protected abstract Task<(byte[] Keys, string Tree)> LiveAsync(SimulatedWorld world);

    /// <summary>Goes on from wherever the device is to the end; gives the tree that it shows then.</summary>
    private protected abstract Task<string> FinishAsync(SimulatedWorld world, Machine machine);

    /// <summary>After the last recovery of a point.</summary>
    private protected abstract Task HoldAsync(SimulatedWorld world, Machine machine, Random random);

    private protected CrashCount DieAtEach(int pointsMax)
    {
        (byte[] Keys, string Tree) lived = ([], "");
        SimulatedWorld world = NewWorld(workload, VaultOrigin.NewStore());
        world.Run(async () => lived = await LiveAsync(world));
        Random random = new(workload);
        Point[] chosen = _points.Count <= pointsMax ? [.. _points] : [.. _points.OrderBy(_ => random.Next()).Take(pointsMax)];
        foreach (Point point in chosen)
        {
            try
            {
                Recover(point, lived.Keys, lived.Tree);
            }
            catch (Exception error)
            {
                throw new SimulationException(
                    $"Workload {workload}, point {point.Number}, before {point.Call.Operation} of {point.Call.Path} at {point.Call.Offset}+{point.Call.Length}, {point.Kind}; repeat with: "
                    + $"dotnet run -c Release --project tests/Drive.Simulation -- {command} --workloads {workload}..{workload}\n{error}");
            }
        }

        return new CrashCount(_points.Count, chosen.Length, chosen.Length, _deaths);
    }

    /// <summary>The workload's settings, and choices of its own: two worlds that draw the same ids for different objects would blame the store.</summary>
    private SimulatedWorld NewWorld(int seed, StoreContent store)
    {
        SimulatedWorld world = new(seed, store);
        world.Settings = new SimulatedWorld(workload, store).Settings with { UploadRest = TimeSpan.FromDays(30), UploadDeadline = TimeSpan.FromDays(30), CacheLimitBytes = 1L << 30 };
        return world;
    }

    private protected static async Task DoAsync(Volume volume, int seed)
    {
        OperationRunner runner = new(volume);
        foreach (VolumeOperation operation in SmallOperations.Generate(seed, Operations, fsyncEvery: 6))
        {
            await runner.RunAsync(operation);
        }

        runner.CloseSlots();
        if (await volume.FsyncAsync(HandleId.None, false, CancellationToken.None) != FsStatus.Ok)
        {
            throw new SimulationException($"The changes were not synced: {volume.GetStatus().LastError}");
        }
    }

    private protected static async Task SendAsync(Machine machine)
    {
        if (!(await machine.Volume!.WaitUploadedAsync(null, machine.Life)).Done && !machine.IsDead)
        {
            throw new SimulationException($"Not everything reached the store: {machine.Volume!.GetStatus().LastError}");
        }
    }

    private protected void NotePoint(SimulatedWorld world, Machine machine, DiskCall call)
    {
        int seed = unchecked((workload * 1_000_003) + _points.Count);
        Random random = new(seed);
        CrashKind kind = Kinds[random.Next(Kinds.Length)];
        StoreContent store = world.Store.Clone();
        store.Deliver(random, all: false);
        _points.Add(new Point(_points.Count, seed, call, kind, machine.Memory.Crash(kind, random), store, world.Time.GetUtcNow()));
    }

    private void Recover(Point point, byte[] keys, string tree)
    {
        Random random = new(point.Seed);
        SimulatedWorld world = NewWorld(~point.Seed, point.Store);
        world.Time.JumpTo(point.At);
        Machine machine = Machine.On(world, keys, point.Image);
        world.Run(async () =>
        {
            CrashKind kind = Kinds[random.Next(Kinds.Length)];
            machine.DieAt(random.Next(80), kind);
            try
            {
                await machine.BootAsync();
                await FinishAsync(world, machine);
            }
            catch (Exception) when (machine.IsDead)
            {
                // What a dying start throws nobody hears.
            }

            if (!machine.IsDead)
            {
                machine.Die(kind);
            }

            _deaths += 2;
            await machine.BuryAsync();
            await machine.BootAsync();
            string shown = await FinishAsync(world, machine);
            Compare(tree, shown, "After the crash it came to another tree.");
            if (machine.Volume!.GetStatus().ReadOnlyReason is { } reason)
            {
                throw new SimulationException($"The volume came back read-only: {reason}");
            }

            await HoldAsync(world, machine, random);
            await machine.BuryAsync();
        });
    }

    private protected static async Task<string> CaptureAsync(Volume volume) => ConflictTime().Replace((await TreeSnapshot.CaptureAsync(volume)).Text, ", then");

    private protected static void Compare(string expected, string actual, string what)
    {
        if (expected != actual)
        {
            string[] lost = [.. expected.Split('\n').Except(actual.Split('\n'))];
            string[] instead = [.. actual.Split('\n').Except(expected.Split('\n'))];
            throw new SimulationException($"{what}\nGone:\n{string.Join('\n', lost)}\nInstead:\n{string.Join('\n', instead)}");
        }
    }

    [GeneratedRegex(@", \d{4}-\d\d-\d\d \d\d-\d\d")]
    private static partial Regex ConflictTime();

    private sealed record Point(int Number, int Seed, DiskCall Call, CrashKind Kind, MemoryDisk Image, StoreContent Store, DateTimeOffset At);
}
