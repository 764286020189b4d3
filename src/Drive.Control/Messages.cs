using System.Text.Json;
using System.Text.Json.Serialization;

namespace Drive.Control;

/// <summary>Files and bytes.</summary>
public readonly record struct FileAmount(long Files, long Bytes)
{
    /// <summary>Whether there is nothing.</summary>
    [JsonIgnore]
    public bool IsNone => Files == 0 && Bytes == 0;
}

/// <summary>Bytes of the dirty log and the block cache on disk, and their limit.</summary>
public readonly record struct CacheUse(long Used, long Limit);

/// <summary>Bytes per second over the last seconds.</summary>
public readonly record struct TransferRates(double Up, double Down);

/// <summary>What went to and from the store since the daemon started: calls, those of them that failed, and bytes of content each way.</summary>
public readonly record struct TrafficTotals(long Requests, long Failures, long Up, long Down);

/// <summary>Limits of what goes to and from the store, as they were set and in bytes per second now; null is no limit.</summary>
public readonly record struct TransferLimits(string? Up, string? Down, long? UpNow, long? DownNow);

/// <summary>Limits to set, amounts in bytes per second ("off" for none); null leaves one as it is.</summary>
public sealed record LimitRequest(string? Up, string? Down);

/// <summary>A path on the drive, below its mount point, parts between slashes; empty for all of it.</summary>
public sealed record PathRequest(string Path);

/// <summary>Content that is kept on this machine: all of it, what is still to be fetched of it (in sealed bytes), and why that is not, or null.</summary>
public readonly record struct PinnedContent(FileAmount Pinned, FileAmount ToFetch, string? Problem);

/// <summary>Bytes of the local disk that were freed, and files that stay with bytes that are not in the store.</summary>
public sealed record EvictReply(long FreedBytes, FileAmount Kept);

/// <summary>A mounted drive, as <c>drive status --json</c> prints it.</summary>
public sealed record DriveStatus
{
    /// <summary>The vault's name on this machine.</summary>
    public required string Name { get; init; }

    /// <summary>Where it is mounted.</summary>
    public required string Mountpoint { get; init; }

    /// <summary>Where its store is.</summary>
    public required string Store { get; init; }

    /// <summary>The daemon's process.</summary>
    public required int Pid { get; init; }

    /// <summary>The last commit that this device has.</summary>
    public required long Seq { get; init; }

    /// <summary>Only on this machine, and not being sent now.</summary>
    public required FileAmount LocalOnly { get; init; }

    /// <summary>Being sent.</summary>
    public required FileAmount Uploading { get; init; }

    /// <summary>In the store and committed.</summary>
    public required FileAmount InCloud { get; init; }

    /// <summary>When the oldest change was made that is not committed.</summary>
    public DateTimeOffset? OldestUnsent { get; init; }

    /// <summary>Local disk space.</summary>
    public required CacheUse Cache { get; init; }

    /// <summary>Transfer rates.</summary>
    public TransferRates Rates { get; init; }

    /// <summary>What is pinned.</summary>
    public PinnedContent Pins { get; init; }

    /// <summary>Limits of the rates.</summary>
    public TransferLimits Limits { get; init; }

    /// <summary>All that was asked of the store.</summary>
    public TrafficTotals Traffic { get; init; }

    /// <summary>How this machine's backup sets stand.</summary>
    public IReadOnlyList<BackupStanding> Backups { get; init; } = [];

    /// <summary>"reachable", "unreachable" or "stopped".</summary>
    public required string StoreState { get; init; }

    /// <summary>Whether changes are refused.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Why changes are refused, when nobody asked for that.</summary>
    public string? ReadOnlyReason { get; init; }

    /// <summary>The last error in one line, or null.</summary>
    public string? LastError { get; init; }
}

/// <summary>One line of the answer to a wait.</summary>
/// <param name="Done">Everything written before the call is committed in the store.</param>
/// <param name="Left">What is not.</param>
/// <param name="LastError">Why, when it is known.</param>
public sealed record WaitLine(bool Done, FileAmount Left, string? LastError);

/// <summary>How a stop ended.</summary>
/// <param name="Left">What is only on this machine.</param>
/// <param name="Problem">What could not be kept, in one line, or null.</param>
public sealed record StopReply(FileAmount Left, string? Problem);

/// <summary>The body of an answer that is no success.</summary>
/// <param name="Error">The kind.</param>
/// <param name="Message">One line that says what to do next.</param>
public sealed record ErrorReply(DriveError Error, string Message);

/// <summary>Where a running daemon is, as it writes it for commands to find.</summary>
/// <param name="Name">The vault's name.</param>
/// <param name="Pid">The process.</param>
/// <param name="Socket">Its control socket.</param>
/// <param name="Mountpoint">Where it mounts.</param>
public sealed record DaemonRecord(string Name, int Pid, string Socket, string Mountpoint);

/// <summary>What a background daemon says once to the command that started it.</summary>
/// <param name="Mountpoint">Mounted there, or null.</param>
/// <param name="Error">Why not, or null.</param>
/// <param name="Notice">Something the user should know although it is mounted, or null.</param>
public sealed record StartLine(string? Mountpoint, ErrorReply? Error, string? Notice);

/// <summary>The JSON of all messages.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never)]
[JsonSerializable(typeof(DriveStatus))]
[JsonSerializable(typeof(PathRequest))]
[JsonSerializable(typeof(PinnedContent))]
[JsonSerializable(typeof(EvictReply))]
[JsonSerializable(typeof(LimitRequest))]
[JsonSerializable(typeof(TransferLimits))]
[JsonSerializable(typeof(WaitLine))]
[JsonSerializable(typeof(StopReply))]
[JsonSerializable(typeof(ErrorReply))]
[JsonSerializable(typeof(GarbageRequest))]
[JsonSerializable(typeof(GarbageReply))]
[JsonSerializable(typeof(DeviceList))]
[JsonSerializable(typeof(PairingReply))]
[JsonSerializable(typeof(RecoveryKeyMessage))]
[JsonSerializable(typeof(CheckOrder))]
[JsonSerializable(typeof(CheckResult))]
[JsonSerializable(typeof(DiskCost))]
[JsonSerializable(typeof(DeviceRequest))]
[JsonSerializable(typeof(PassphraseRequest))]
[JsonSerializable(typeof(PathVersions))]
[JsonSerializable(typeof(StateRequest))]
[JsonSerializable(typeof(StateInfo))]
[JsonSerializable(typeof(RestoreRequest))]
[JsonSerializable(typeof(CopyRequest))]
[JsonSerializable(typeof(RestoreReply))]
[JsonSerializable(typeof(CompareRequest))]
[JsonSerializable(typeof(CompareReply))]
[JsonSerializable(typeof(SnapshotList))]
[JsonSerializable(typeof(SnapshotRequest))]
[JsonSerializable(typeof(SnapshotInfo))]
[JsonSerializable(typeof(PastMountRequest))]
[JsonSerializable(typeof(BackupSetInfo))]
[JsonSerializable(typeof(BackupSetList))]
[JsonSerializable(typeof(BackupStandings))]
[JsonSerializable(typeof(BackupNameRequest))]
[JsonSerializable(typeof(BackupRunRequest))]
[JsonSerializable(typeof(BackupRunInfo))]
[JsonSerializable(typeof(BackupRunLine))]
[JsonSerializable(typeof(BackupVerifyRequest))]
[JsonSerializable(typeof(BackupVerifyInfo))]
public sealed partial class ControlJson : JsonSerializerContext;
