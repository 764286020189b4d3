using Drive.Core.Platform;
using Drive.Engine;
using Drive.Testing;
using Drive.Testing.Disk;

namespace Drive.Simulation.World;

/// <summary>What the machines of one run share: the clock, the store, the seed's choices, the trace. Everything in it runs on one thread.</summary>
internal sealed class SimulatedWorld
{
    public SimulatedWorld(int seed, StoreContent store, Trace? trace = null)
    {
        Trace = trace ?? new Trace();
        Store = store;
        DiskRandom = new Random(seed ^ 0x0D15C000);
        StoreRandom = new Random(seed ^ 0x00570000);
        Bytes = new SeededRandom(seed ^ 0x00B17E50);
        Scheduler = new Scheduler(Time, new Random(seed ^ 0x5C4ED000), Trace);
        Settings = SettingsFor(new Random(seed ^ 0x5E771000));
    }

    public ManualTime Time { get; } = new();

    public Trace Trace { get; }

    public StoreContent Store { get; }

    public Random DiskRandom { get; }

    public Random StoreRandom { get; }

    /// <summary>Keys, ids and nonces.</summary>
    public IRandomSource Bytes { get; }

    public Scheduler Scheduler { get; }

    /// <summary>How each call of a machine to the store fares.</summary>
    public Weather Weather { get; set; } = Weather.Fair;

    /// <summary>Syncs that do nothing, on every disk: a planted fault, to prove that it would be found.</summary>
    public Func<DiskCall, bool> Lies { get; set; } = static _ => false;

    public VolumeSettings Settings { get; set; }

    /// <summary>Whether so little may lie on the disk that a write can find no room though the disk is well: then packs are evicted, too.</summary>
    public bool IsTight => Settings.CacheLimitBytes < 1L << 30;

    public void Run(Func<Task> main) => Scheduler.Run(main);

    /// <summary>Limits so small that a few hundred calls meet all of them: full segments, checkpoints (the database's and the vault's), evictions, compaction, late files, waiting writers.</summary>
    private static VolumeSettings SettingsFor(Random random) => new()
    {
        StateDirectory = "/drive/state",
        CacheDirectory = "/drive/cache",
        SaveInterval = random.Next(3) == 0 ? TimeSpan.FromDays(30) : TimeSpan.FromSeconds(1),
        LateFileBytes = random.Next(2) == 0 ? 20_000 : 64L << 20,
        MemoryBytesMax = 1L << random.Next(13, 20),
        DeadLogBytesMax = 1L << random.Next(14, 20),
        NodesCachedMax = random.Next(2) == 0 ? 12 : 1000,
        Database = new() { CacheKiB = random.Next(2) == 0 ? 64 : 1024, CheckpointPages = random.Next(2) == 0 ? 16 : 200 },
        DirtyLog = new() { SegmentBytes = 1L << random.Next(14, 20), WriteBytes = 1 << random.Next(12, 16) },
        Background = new ContextScheduler(),
        CacheLimitBytes = random.Next(3) == 0 ? 3L << 20 : 1L << 30,
        Checkpoints = new() { CommitsMax = random.Next(2, 8), CommitsMin = random.Next(1, 3), ReplayShare = 0.25 },
        CutCommitsMin = random.Next(2, 12),
    };

    /// <summary>Runs tasks on the context of whoever starts them.</summary>
    private sealed class ContextScheduler : TaskScheduler
    {
        protected override void QueueTask(Task task) => SynchronizationContext.Current!.Post(_ => TryExecuteTask(task), null);

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

        protected override IEnumerable<Task>? GetScheduledTasks() => null;
    }
}
