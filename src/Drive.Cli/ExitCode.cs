using System.Diagnostics;
using Drive.Control;

namespace Drive.Cli;

/// <summary>What the command returns to its caller. Documented in docs/operating.md and in <c>drive --help</c>; numbers are never reused.</summary>
internal enum ExitCode
{
    /// <summary>Done.</summary>
    Done = 0,

    /// <summary>The answer is no: a wait ran out with data left, a repair could not prove that all is there, or the doctor or a scrub found something broken.</summary>
    No = 1,

    /// <summary>The command line makes no sense.</summary>
    Usage = 2,

    /// <summary>Anything else.</summary>
    Failed = 3,

    /// <summary>No such vault, or nothing is mounted.</summary>
    NotFound = 4,

    /// <summary>Mounted already, name taken, or another command is at work in the store.</summary>
    InUse = 5,

    /// <summary>The mount point can't be used.</summary>
    BadMountPoint = 6,

    /// <summary>Passphrase, recovery key or device key.</summary>
    WrongSecret = 7,

    /// <summary>No vault there, one of a newer format, or one that failed authentication.</summary>
    BadVault = 8,

    /// <summary>The store does not answer or refuses.</summary>
    StoreUnreachable = 9,

    /// <summary>The machine can't mount.</summary>
    NoFuse = 10,

    /// <summary>The local disk.</summary>
    LocalDisk = 11,

    /// <summary>A store is of class B: a vault can be kept there.</summary>
    ClassB = 12,

    /// <summary>A store is of class C: a vault is not safe there.</summary>
    ClassC = 13,

    /// <summary>Somebody else has to do something first.</summary>
    NotReady = 14,

    /// <summary>A backup is there but for paths that could not be read or kept whole.</summary>
    Incomplete = 15,

    /// <summary>A backup is there, and an implausible share of its files changed or vanished.</summary>
    Suspicious = 16,
}

/// <summary>The one table from errors to exit codes.</summary>
internal static class ExitCodes
{
    /// <summary>Every code in a few words, for help and documents.</summary>
    public static IReadOnlyList<(ExitCode Code, string Meaning)> All { get; } =
    [
        (ExitCode.Done, "done"),
        (ExitCode.No, "wait: not everything is in the store yet; device add: nobody joined; repair: something is lost; check: the store lacks something; doctor: something is broken; serve --scrub: something is damaged; backup status: a set needs somebody; backup verify: something is damaged"),
        (ExitCode.Usage, "the command line makes no sense"),
        (ExitCode.Failed, "anything else went wrong"),
        (ExitCode.NotFound, "no such vault, or nothing is mounted"),
        (ExitCode.InUse, "mounted already, name taken, or another command is at work in the store"),
        (ExitCode.BadMountPoint, "the mount point is missing, not empty or taken"),
        (ExitCode.WrongSecret, "wrong or missing passphrase, recovery key or device key"),
        (ExitCode.BadVault, "no vault there, a newer format, or failed authentication"),
        (ExitCode.StoreUnreachable, "the store does not answer or refuses"),
        (ExitCode.NoFuse, "this machine can't mount: no FUSE, or not allowed"),
        (ExitCode.LocalDisk, "the local disk is full or fails"),
        (ExitCode.ClassB, "store check: class B, good for a vault (class A is 0)"),
        (ExitCode.ClassC, "store check: class C, no safe place for a vault"),
        (ExitCode.NotReady, "not possible now: the message says who has to do what first"),
        (ExitCode.Incomplete, "backup run: all is backed up but paths that could not be read or kept whole"),
        (ExitCode.Suspicious, "backup run: all is backed up, but an implausible share of the files changed or vanished"),
    ];

    /// <summary>The code of an error.</summary>
    public static ExitCode For(DriveError error) => error switch
    {
        DriveError.Failed => ExitCode.Failed,
        DriveError.Usage => ExitCode.Usage,
        DriveError.NotFound => ExitCode.NotFound,
        DriveError.InUse => ExitCode.InUse,
        DriveError.BadMountPoint => ExitCode.BadMountPoint,
        DriveError.WrongSecret => ExitCode.WrongSecret,
        DriveError.BadVault => ExitCode.BadVault,
        DriveError.StoreUnreachable => ExitCode.StoreUnreachable,
        DriveError.NoFuse => ExitCode.NoFuse,
        DriveError.LocalDisk => ExitCode.LocalDisk,
        DriveError.NotReady => ExitCode.NotReady,
        _ => throw new UnreachableException(),
    };
}
