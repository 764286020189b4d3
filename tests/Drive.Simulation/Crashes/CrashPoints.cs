using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Simulation.World;
using Drive.Testing.Disk;
using Drive.Testing.Model;

namespace Drive.Simulation.Crashes;

/// <summary>What came of a workload.</summary>
/// <param name="Changes">Changes of the disk that it made: so many points there are.</param>
/// <param name="Points">Points at which the machine died.</param>
/// <param name="Images">What was left of the disk: one or more for each point.</param>
/// <param name="Deaths">Deaths in all: those during the recovery too.</param>
public sealed record CrashCount(int Changes, int Points, int Images, int Deaths);

/// <summary>
/// A workload of calls, uploads, commits and landings, in which the machine dies at each change of its disk (the database's among them), and again while
/// it recovers. What comes back must be the tree after some prefix of the calls that holds all that was synced, it must start without an error, and go on.
/// </summary>
public sealed class CrashPoints
{
    private const int Operations = 36;
    private static readonly CrashKind[] Kinds = [CrashKind.PowerLosesAll, CrashKind.PowerLosesSome, CrashKind.PowerLosesAny, CrashKind.Process];

    private readonly int _workload;
    private readonly IReadOnlyList<VolumeOperation> _operations;
    private readonly Func<DiskCall, bool> _lies;
    private readonly Func<int, bool> _isWanted;
    private readonly int _imagesPerPoint;
    private readonly List<Point> _pending = [];
    private readonly List<string> _trees = [];
    private VolumeModel? _model;
    private int _points;
    private int _images;
    private int _deaths;

    private CrashPoints(int workload, IReadOnlyList<VolumeOperation> operations, Func<DiskCall, bool> lies, Func<int, bool> isWanted, int imagesPerPoint)
    {
        _workload = workload;
        _imagesPerPoint = imagesPerPoint;
        _lies = lies;
        _operations = operations;
        _isWanted = isWanted;
    }

    /// <summary>Runs a workload and dies at each of its points, or at <paramref name="pointsMax"/> of them. A failure is shrunk and says how to repeat it.</summary>
    /// <param name="workload">Seed of the calls.</param>
    /// <param name="pointsMax">Most points.</param>
    /// <param name="lies">Syncs that do nothing: a planted fault.</param>
    /// <param name="imagesPerPoint">
    /// How many images of the disk are tried for each point: the first's kind is drawn, the next ones take the other kinds in turn, each with choices of its own.
    /// </param>
    public static CrashCount Run(int workload, int pointsMax = int.MaxValue, Func<DiskCall, bool>? lies = null, int imagesPerPoint = 1)
    {
        bool isPlanted = lies is not null;
        lies ??= static _ => false;
        List<VolumeOperation> operations = SmallOperations.Generate(workload, Operations, fsyncEvery: 6);
        HashSet<int>? chosen = null;
        if (pointsMax != int.MaxValue)
        {
            CrashPoints counting = new(workload, operations, lies, static _ => false, 1);
            int changes = counting.Run().Changes;
            Random random = new(workload);
            chosen = [.. Enumerable.Range(0, pointsMax).Select(_ => random.Next(changes))];
        }

        try
        {
            return new CrashPoints(workload, operations, lies, point => chosen?.Contains(point) != false, imagesPerPoint).Run();
        }
        catch (Exception failure) when (!isPlanted)
        {
            throw new SimulationException(Report(workload, operations, lies, imagesPerPoint, failure));
        }
    }

    private static string Report(int workload, List<VolumeOperation> operations, Func<DiskCall, bool> lies, int imagesPerPoint, Exception failure)
    {
        Exception last = failure;
        IReadOnlyList<VolumeOperation> shortest = VolumeOperations.ShrinkAsync(
            operations,
            list =>
            {
                try
                {
                    new CrashPoints(workload, list, lies, static _ => true, imagesPerPoint).Run();
                    return Task.FromResult(false);
                }
                catch (Exception error)
                {
                    last = error;
                    return Task.FromResult(true);
                }
            },
            runsMax: 25).GetAwaiter().GetResult();
        return $"""
            Workload {workload} fails; repeat with: dotnet run -c Release --project tests/Drive.Simulation -- crash --workloads {workload}..{workload} --images {imagesPerPoint}
            {failure.Message}
            Shortest list found ({shortest.Count}):
            {string.Join('\n', shortest)}
            {(last is SimulationException or ModelException ? last.Message : last)}
            """;
    }

    /// <summary>Runs a workload without dying, and shows each change of the disk before it is made.</summary>
    public static void Watch(int workload, Action<DiskCall> watch) =>
        new CrashPoints(workload, SmallOperations.Generate(workload, Operations, fsyncEvery: 6), static _ => false, static _ => false, 1).Run(watch);

    private CrashCount Run(Action<DiskCall>? watch = null)
    {
        SimulatedWorld world = new(_workload, VaultOrigin.NewStore()) { Lies = _lies };
        Machine machine = new(world, VaultOrigin.Keys);
        machine.BeforeChange = call =>
        {
            watch?.Invoke(call);
            NotePoint(world, machine, call);
        };
        world.Run(() => RunAsync(world, machine));
        return new CrashCount(machine.Changes, _points, _images, _deaths);
    }

    private async Task RunAsync(SimulatedWorld world, Machine machine)
    {
        Random random = new(_workload);
        await machine.BootAsync();
        _model = new VolumeModel(machine.Volume!, world.Time) { Excuses = status => status == FsStatus.NoSpace && world.IsTight };
        _trees.Add((await _model.CaptureReferenceAsync()).Text);
        DieAtPending();
        foreach (VolumeOperation operation in _operations)
        {
            await _model.StepAsync(operation);
            _trees.Add((await _model.CaptureReferenceAsync()).Text);
            DieAtPending();
            switch (random.Next(12))
            {
                case 0:
                    await machine.Volume!.WaitUploadedAsync(null, new CancellationToken(canceled: true));
                    break;
                case 1 or 2 or 3:
                    await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 4000)), world.Time);
                    break;
                case 4:
                    await machine.Volume!.WaitUploadedAsync(null, CancellationToken.None);
                    break;
            }

            DieAtPending();
        }

        await machine.BuryAsync();
        DieAtPending();
    }

    private void NotePoint(SimulatedWorld world, Machine machine, DiskCall call)
    {
        int number = machine.Changes - 1;
        if (!_isWanted(number))
        {
            return;
        }

        _points++;
        int first = new Random(HashOf(number, 0)).Next(Kinds.Length);
        for (int image = 0; image < _imagesPerPoint; image++)
        {
            int seed = HashOf(number, image);
            Random random = new(seed);
            CrashKind kind = Kinds[(first + image) % Kinds.Length];
            StoreContent store = world.Store.Clone();
            store.Deliver(random, all: false);
            _pending.Add(new Point(number, seed, call, kind, machine.Memory.Crash(kind, random), store, _model?.SyncedStepCount ?? 0, world.Time.GetUtcNow()));
        }
    }

    private int HashOf(int number, int image) => unchecked((((_workload * 1_000_003) + number) * 31) + image);

    private void DieAtPending()
    {
        foreach (Point point in _pending)
        {
            _images++;
            _deaths++;
            try
            {
                Recover(point);
            }
            catch (Exception error)
            {
                throw new SimulationException(
                    $"Point {point.Number}, before {point.Call.Operation} of {point.Call.Path} at {point.Call.Offset}+{point.Call.Length}, {point.Kind}: "
                    + (error is SimulationException or ModelException ? error.Message : error));
            }
        }

        _pending.Clear();
    }

    private void Recover(Point point)
    {
        Random random = new(point.Seed);
        SimulatedWorld world = new(_workload, point.Store) { Lies = _lies };
        world.Time.JumpTo(point.At);
        Machine machine = Machine.On(world, VaultOrigin.Keys, point.Image);
        world.Run(async () =>
        {
            string? synced = await DieAgainAsync(point, machine, random);
            _deaths++;
            await machine.BuryAsync();
            await machine.BootAsync();
            await HoldAsync(point, machine.Volume!, synced);
            await GoOnAsync(world, machine, random);
            await machine.BuryAsync();
        });
    }

    /// <summary>Starts, and dies on the way or soon after. Returns the tree that it showed and said to have synced, if it came so far.</summary>
    private async Task<string?> DieAgainAsync(Point point, Machine machine, Random random)
    {
        CrashKind kind = Kinds[random.Next(Kinds.Length)];
        machine.DieAt(random.Next(60), kind);
        string? synced = null;
        try
        {
            await machine.BootAsync();
            string tree = (await TreeSnapshot.CaptureAsync(machine.Volume!)).Text;
            FsStatus status = await machine.Volume!.FsyncAsync(HandleId.None, false, CancellationToken.None);
            synced = status == FsStatus.Ok && !machine.IsDead ? tree : null;
        }
        catch (Exception) when (machine.IsDead)
        {
            // What a dying start throws nobody hears.
        }

        if (!machine.IsDead)
        {
            await HoldAsync(point, machine.Volume!, synced);
            machine.Die(kind);
        }

        return synced;
    }

    private async Task HoldAsync(Point point, Volume volume, string? synced)
    {
        TreeSnapshot tree = await TreeSnapshot.CaptureAsync(volume);
        if (synced is not null && synced != tree.Text)
        {
            throw new SimulationException($"A tree was shown and synced, and is another after the next crash. It was:\n{synced}\nIt is:\n{tree.Text}");
        }

        if (_trees.FindIndex(point.StepsMin, text => text == tree.Text) < 0)
        {
            int other = _trees.IndexOf(tree.Text);
            throw new SimulationException(
                $"{point.StepsMin} of {_trees.Count - 1} steps were synced. "
                + (other >= 0 ? $"The tree is that after {other}." : "The tree is that after no number of steps:\n" + tree.Text));
        }

        if (volume.GetStatus().ReadOnlyReason is { } reason)
        {
            throw new SimulationException($"The volume came back read-only: {reason}");
        }
    }

    /// <summary>The volume takes a change and makes it last; now and then all of it goes to the store, and another device finds it there.</summary>
    private static async Task GoOnAsync(SimulatedWorld world, Machine machine, Random random)
    {
        Volume volume = machine.Volume!;
        FsStatus made = volume.MakeDirectory(NodeId.Root, "after the crash"u8, 0x1ED, Caller.Root, out _);
        FsStatus synced = await volume.FsyncAsync(HandleId.None, false, CancellationToken.None);
        if (made != FsStatus.Ok || synced != FsStatus.Ok)
        {
            throw new SimulationException($"After the crash a directory could not be made: {made}, {synced}. {volume.GetStatus().LastError}");
        }

        if (random.Next(8) == 0)
        {
            await Oracle.HoldInStoreAsync(world, volume);
        }
    }

    private sealed record Point(int Number, int Seed, DiskCall Call, CrashKind Kind, MemoryDisk Image, StoreContent Store, int StepsMin, DateTimeOffset At);
}
