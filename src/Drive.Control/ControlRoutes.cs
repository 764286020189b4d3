namespace Drive.Control;

/// <summary>
/// What a daemon answers, over HTTP/1.1 on its Unix socket. Only the owner can connect: the socket has mode 0600 in a directory of mode 0700.
/// </summary>
public static class ControlRoutes
{
    /// <summary>GET: <see cref="DriveStatus"/>.</summary>
    public const string Status = "/v1/status";

    /// <summary>POST of a <see cref="LimitRequest"/>: sets limits until the drive is unmounted, answers with <see cref="TransferLimits"/>.</summary>
    public const string Limits = "/v1/limits";

    /// <summary>POST of a <see cref="PathRequest"/>: keeps it on this machine, answers with <see cref="PinnedContent"/>.</summary>
    public const string Pin = "/v1/pin";

    /// <summary>POST of a <see cref="PathRequest"/>: lets it go, answers with <see cref="PinnedContent"/>.</summary>
    public const string Unpin = "/v1/unpin";

    /// <summary>POST of a <see cref="PathRequest"/>: frees its local space, answers with <see cref="EvictReply"/>.</summary>
    public const string Evict = "/v1/evict";

    /// <summary>POST of a <see cref="GarbageRequest"/>: a round of giving space in the store back, <see cref="GarbageReply"/>.</summary>
    public const string Garbage = "/v1/gc";

    /// <summary>POST: lines of <see cref="WaitLine"/>, the last with Done; hang up to give up waiting.</summary>
    public const string Wait = "/v1/wait";

    /// <summary>POST: unmounts, keeps everything on this machine, answers with <see cref="StopReply"/>, then the daemon ends.</summary>
    public const string Stop = "/v1/stop";

    /// <summary>POST <see cref="CheckOrder"/>: looks whether the store has what the vault needs; <see cref="CheckResult"/>.</summary>
    public const string Check = "/v1/check";

    /// <summary>POST <see cref="PathRequest"/>: what it costs in the store; <see cref="DiskCost"/>.</summary>
    public const string DiskUse = "/v1/du";

    /// <summary>GET: <see cref="DeviceList"/>.</summary>
    public const string Devices = "/v1/devices";

    /// <summary>POST: makes a code that lets one device in, <see cref="PairingReply"/>.</summary>
    public const string Pair = "/v1/devices/pair";

    /// <summary>POST <see cref="PairingReply"/>: lets in who asked with the code, in a vault with a single writer; <see cref="DeviceList"/>.</summary>
    public const string Admit = "/v1/devices/admit";

    /// <summary>POST <see cref="DeviceRequest"/>: makes it the vault's single writer, when all that is here is sent; <see cref="DeviceList"/>.</summary>
    public const string HandOver = "/v1/devices/hand-over";

    /// <summary>POST <see cref="DeviceRequest"/> of the writer of now: makes this device the writer in its place; <see cref="DeviceList"/>.</summary>
    public const string TakeOver = "/v1/devices/take-over";

    /// <summary>POST <see cref="DeviceRequest"/>: ends a membership; <see cref="DeviceList"/>.</summary>
    public const string Revoke = "/v1/devices/revoke";

    /// <summary>POST <see cref="DeviceRequest"/>: gives a device another name; <see cref="DeviceList"/>.</summary>
    public const string Rename = "/v1/devices/rename";

    /// <summary>POST: puts another recovery key beside the one in force; <see cref="RecoveryKeyMessage"/>.</summary>
    public const string OfferRecoveryKey = "/v1/recovery-key/offer";

    /// <summary>POST <see cref="RecoveryKeyMessage"/>: puts it in force in place of the old one; <see cref="DeviceList"/>.</summary>
    public const string TakeRecoveryKey = "/v1/recovery-key/take";

    /// <summary>POST <see cref="PassphraseRequest"/>: sets the vault's passphrase; <see cref="DeviceList"/>.</summary>
    public const string Passphrase = "/v1/passphrase";

    /// <summary>POST of a <see cref="PathRequest"/>: what a path was, <see cref="PathVersions"/>.</summary>
    public const string Versions = "/v1/history/versions";

    /// <summary>POST of a <see cref="StateRequest"/>: the state that is meant, <see cref="StateInfo"/>.</summary>
    public const string State = "/v1/history/state";

    /// <summary>POST of a <see cref="RestoreRequest"/>: brings something back, <see cref="RestoreReply"/>.</summary>
    public const string Restore = "/v1/history/restore";

    /// <summary>POST of a <see cref="CopyRequest"/>: brings something to a folder of this machine, <see cref="RestoreReply"/>.</summary>
    public const string CopyOut = "/v1/history/copy";

    /// <summary>POST of a <see cref="RestoreRequest"/>: sets something back, <see cref="RestoreReply"/>.</summary>
    public const string Rewind = "/v1/history/rewind";

    /// <summary>POST of a <see cref="CompareRequest"/>: what differs, <see cref="CompareReply"/>.</summary>
    public const string Compare = "/v1/history/compare";

    /// <summary>GET: <see cref="SnapshotList"/>.</summary>
    public const string Snapshots = "/v1/snapshots";

    /// <summary>POST of a <see cref="SnapshotRequest"/>: names the state of now, <see cref="SnapshotInfo"/>.</summary>
    public const string NameSnapshot = "/v1/snapshots/name";

    /// <summary>POST of a <see cref="SnapshotRequest"/>: takes a name away, <see cref="SnapshotList"/>.</summary>
    public const string DropSnapshot = "/v1/snapshots/drop";

    /// <summary>POST of a <see cref="PastMountRequest"/>: shows a state beside the drive, <see cref="StateInfo"/>.</summary>
    public const string MountPast = "/v1/past/mount";

    /// <summary>POST of a <see cref="PastMountRequest"/>: ends that, <see cref="StateInfo"/>.</summary>
    public const string UnmountPast = "/v1/past/unmount";

    /// <summary>All routes of backup begin so.</summary>
    public const string BackupPrefix = "/v1/backup/";

    /// <summary>GET: <see cref="BackupSetList"/>.</summary>
    public const string BackupSets = "/v1/backup/sets";

    /// <summary>POST of a <see cref="BackupNameRequest"/>: how sets stand, <see cref="BackupStandings"/>.</summary>
    public const string BackupStatus = "/v1/backup/status";

    /// <summary>POST of a <see cref="BackupSetInfo"/>: adds it, <see cref="BackupStandings"/>.</summary>
    public const string AddBackup = "/v1/backup/add";

    /// <summary>POST of a <see cref="BackupNameRequest"/>: its schedule rests, <see cref="BackupStandings"/>.</summary>
    public const string PauseBackup = "/v1/backup/pause";

    /// <summary>POST of a <see cref="BackupNameRequest"/>: it goes on, <see cref="BackupStandings"/>.</summary>
    public const string ResumeBackup = "/v1/backup/resume";

    /// <summary>POST of a <see cref="BackupNameRequest"/>: forgets the set, <see cref="BackupSetList"/>.</summary>
    public const string RemoveBackup = "/v1/backup/remove";

    /// <summary>POST of a <see cref="BackupRunRequest"/>: lines of <see cref="BackupRunLine"/>, the last with what the run came to; hang up to end it.</summary>
    public const string RunBackup = "/v1/backup/run";

    /// <summary>POST of a <see cref="BackupVerifyRequest"/>: reads back, <see cref="BackupVerifyInfo"/>.</summary>
    public const string VerifyBackup = "/v1/backup/verify";

    /// <summary>POST of a <see cref="BackupNameRequest"/>: its suspicious run is as it should be, <see cref="BackupStandings"/>.</summary>
    public const string AcceptBackup = "/v1/backup/accept";
}
