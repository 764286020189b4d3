using System.Text.RegularExpressions;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Simulation.World;
using Drive.Testing.Disk;
using Drive.Testing.Model;

namespace Drive.Simulation.Crashes;

/// <summary>
/// Two devices do things without seeing each other, one commits, and the other dies at each change of its disk from the moment it looks until all of it is merged and sent, and
/// again while it recovers. Everything was synced before, so what it shows and sends in the end must be the tree that it comes to without dying.
/// </summary>
public sealed partial class MergePoints
{
    private const int Operations = 14;
    private static readonly CrashKind[] Kinds = [CrashKind.PowerLosesAll, CrashKind.PowerLosesSome, CrashKind.PowerLosesAny, CrashKind.Process];

    private readonly int _workload;
    private readonly int _pointsMax;
    private readonly List<Point> _points = [];
    private int _deaths;

    private MergePoints(int workload, int pointsMax)
    {
        _workload = workload;
        _pointsMax = pointsMax;
    }

    /// <summary>Dies at each of a workload's points, or at some <paramref name="pointsMax"/> of them.</summary>
    public static CrashCount Run(int workload, int pointsMax = int.MaxValue) => new MergePoints(workload, pointsMax).Run();

    private CrashCount Run()
    {
        int changes = 0;
        string tree = "";
        byte[] keys = [];
        SimulatedWorld world = NewWorld(_workload, VaultOrigin.NewStore());
        world.Run(async () =>
        {
            Machine first = new(world, VaultOrigin.Keys);
            await first.BootAsync();
            await DoAsync(first.Volume!, seed: _workload * 3);
            await first.Volume!.WaitUploadedAsync(null, CancellationToken.None);
            Enrolment enrolment = await Oracle.EnrolAsync(world, isLogCut: false);
            keys = enrolment.Keys;
            Machine second = Machine.Enrolled(world, enrolment);
            await second.BootAsync();
            await DoAsync(first.Volume!, seed: (_workload * 3) + 1);
            await DoAsync(second.Volume!, seed: (_workload * 3) + 2);
            await first.Volume!.WaitUploadedAsync(null, CancellationToken.None);
            second.BeforeChange = call => NotePoint(world, second, call);
            tree = await MergeAsync(world, second);
            second.BeforeChange = null;
            changes = _points.Count;
            first.Volume!.LookSoon();
            await Task.Delay(TimeSpan.FromSeconds(10), world.Time);
            Compare(tree, await CaptureAsync(first.Volume!), "The other device shows another tree.");
            await second.BuryAsync();
            await first.BuryAsync();
        });
        Random random = new(_workload);
        Point[] chosen = _points.Count <= _pointsMax ? [.. _points] : [.. _points.OrderBy(_ => random.Next()).Take(_pointsMax)];
        foreach (Point point in chosen)
        {
            try
            {
                Recover(point, keys, tree);
            }
            catch (Exception error)
            {
                throw new SimulationException(
                    $"Workload {_workload}, point {point.Number}, before {point.Call.Operation} of {point.Call.Path} at {point.Call.Offset}+{point.Call.Length}, {point.Kind}; repeat with: "
                    + $"dotnet run -c Release --project tests/Drive.Simulation -- merge --workloads {_workload}..{_workload}\n{error}");
            }
        }

        return new CrashCount(changes, chosen.Length, chosen.Length, _deaths);
    }

    /// <summary>The workload's settings, and choices of its own: two worlds that draw the same ids for different objects would blame the store.</summary>
    private SimulatedWorld NewWorld(int seed, StoreContent store)
    {
        SimulatedWorld world = new(seed, store);
        world.Settings = new SimulatedWorld(_workload, store).Settings with { UploadRest = TimeSpan.FromDays(30), UploadDeadline = TimeSpan.FromDays(30), CacheLimitBytes = 1L << 30 };
        return world;
    }

    private static async Task DoAsync(Volume volume, int seed)
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

    /// <summary>Everything merged and sent; what is shown then.</summary>
    private static async Task<string> MergeAsync(SimulatedWorld world, Machine machine)
    {
        Volume volume = machine.Volume!;
        volume.LookSoon();
        await Task.Delay(TimeSpan.FromSeconds(10), world.Time);
        if (!(await volume.WaitUploadedAsync(null, machine.Life)).Done && !machine.IsDead)
        {
            throw new SimulationException($"Not everything reached the store: {volume.GetStatus().LastError}");
        }

        return await CaptureAsync(volume);
    }

    private void NotePoint(SimulatedWorld world, Machine machine, DiskCall call)
    {
        int seed = unchecked((_workload * 1_000_003) + _points.Count);
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
                await MergeAsync(world, machine);
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
            string shown = await MergeAsync(world, machine);
            Compare(tree, shown, "After the crash the merge came to another tree.");
            if (machine.Volume!.GetStatus().ReadOnlyReason is { } reason)
            {
                throw new SimulationException($"The volume came back read-only: {reason}");
            }

            if (random.Next(8) == 0)
            {
                await Oracle.HoldInStoreAsync(world, machine.Volume!);
            }

            await machine.BuryAsync();
        });
    }

    private static async Task<string> CaptureAsync(Volume volume) => ConflictTime().Replace((await TreeSnapshot.CaptureAsync(volume)).Text, ", then");

    private static void Compare(string expected, string actual, string what)
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
