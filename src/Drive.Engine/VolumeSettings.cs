using Drive.Cache.Dirty;
using Drive.Engine.Upload;
using Drive.Metadata;

namespace Drive.Engine;

/// <summary>What a volume is told at its start. Times and sizes have the defaults of the product.</summary>
public sealed record VolumeSettings
{
    /// <summary>Database and dirty log of this vault and device; absolute.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Block cache; absolute. Losing it loses nothing.</summary>
    public required string CacheDirectory { get; init; }

    /// <summary>Most bytes on the local disk: dirty log and block cache together.</summary>
    public long CacheLimitBytes { get; init; } = 20L << 30;

    /// <summary>Refuse every change.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>A local commit at least this often while something is not saved: what a crash may lose.</summary>
    public TimeSpan SaveInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often the store is asked for commits of other devices, besides when it says so itself; null: only at the start, and when something is sent.</summary>
    public TimeSpan? LookInterval { get; init; }

    /// <summary>
    /// A commit counts when the store still shows it this long after it was made: for stores that do not keep a taken name by themselves. Null: at once, but in a vault with a single writer after two seconds.
    /// </summary>
    public TimeSpan? SecondLook { get; init; }

    /// <summary>A file is uploaded after it rested this long (the first commits of a burst after an eighth of it) …</summary>
    public TimeSpan UploadRest { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>… or when the oldest change waited this long …</summary>
    public TimeSpan UploadDeadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>… or when so much waits.</summary>
    public long UploadBatchBytes { get; init; } = 256L << 20;

    /// <summary>… or when so many files, folders and links do: a commit takes some 4 KiB of memory for each on its way.</summary>
    public int UploadBatchNodes { get; init; } = 10_000;

    /// <summary>A file with more unsent bytes than this is late: commits do not wait for it, its blocks are sent ahead in shares of this size.</summary>
    public long LateFileBytes { get; init; } = 64L << 20;

    /// <summary>A late file that keeps changing is taken into a commit after this long all the same: nothing waits for ever.</summary>
    public TimeSpan LateMax { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Written bytes that may be in memory only, before writers wait for the disk.</summary>
    public long MemoryBytesMax { get; init; } = 32L << 20;

    /// <summary>Bytes in the dirty log that nothing wants any more, before live ones are moved out of the sparsest segment.</summary>
    public long DeadLogBytesMax { get; init; } = 256L << 20;

    /// <summary>How often this device forgets by the vault's rule and gives space in the store back; null: only when it is told to.</summary>
    public TimeSpan? GarbageInterval { get; init; }

    /// <summary>The log is cut where that lets at least so many commits go: a cut costs a commit, a floor, and reading a checkpoint back. Arbitrary.</summary>
    public int CutCommitsMin { get; init; } = 256;

    /// <summary>
    /// In a vault with a single writer the log waits for nobody else. So commits stay this long below a floor: a device that only looks on and slept for less goes on where it was, one that slept for longer
    /// starts at the checkpoint when it is mounted again.
    /// </summary>
    public TimeSpan FollowersAway { get; init; } = TimeSpan.FromDays(7);

    /// <summary>When this device writes a checkpoint.</summary>
    public CheckpointRule Checkpoints { get; init; } = new();

    /// <summary>Nodes kept in memory (about 400 bytes each, without names).</summary>
    public int NodesCachedMax { get; init; } = 50_000;

    /// <summary>Sizes of the local database, and the layer that keeps its file.</summary>
    public MetadataOptions Database { get; init; } = new();

    /// <summary>Sizes of the dirty log.</summary>
    public DirtyLogOptions DirtyLog { get; init; } = new();

    /// <summary>Read one segment from a far store soon after the start, so that the first reader does not wait for the compiler.</summary>
    public bool RehearseReads { get; init; }

    /// <summary>Where the loops, and what a call leaves to be done behind it, run: the thread pool; one thread in simulations.</summary>
    public TaskScheduler Background { get; init; } = TaskScheduler.Default;
}
