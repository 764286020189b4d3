namespace Drive.Control;

/// <summary>
/// What went wrong, as far as somebody at a command line can act on it. The command turns each into its own exit code; the numbers
/// here cross from the daemon to the command by name, so names are never reused.
/// </summary>
public enum DriveError
{
    /// <summary>Anything else.</summary>
    Failed,

    /// <summary>The command was called in a way that makes no sense.</summary>
    Usage,

    /// <summary>No vault of that name is known here, or nothing is mounted.</summary>
    NotFound,

    /// <summary>The name is taken, the drive is mounted already, or another command is at work in the store.</summary>
    InUse,

    /// <summary>The mount point is missing, no directory, not empty or taken.</summary>
    BadMountPoint,

    /// <summary>A passphrase or recovery key is wrong or missing, or a key can't be read.</summary>
    WrongSecret,

    /// <summary>The place holds no vault, a vault of a newer format, or one that failed authentication.</summary>
    BadVault,

    /// <summary>The store does not answer or refuses.</summary>
    StoreUnreachable,

    /// <summary>The machine can't mount: no FUSE, or no permission for it.</summary>
    NoFuse,

    /// <summary>The local disk is full or fails.</summary>
    LocalDisk,

    /// <summary>Somebody else has to do something first: another device, or whoever mounted the drive.</summary>
    NotReady,
}

/// <summary>A refusal for people: one line that says what to do next.</summary>
public sealed class DriveException : Exception
{
    /// <summary>A refusal with its kind and its line.</summary>
    public DriveException(DriveError error, string message, Exception? innerException = null)
        : base(message, innerException) => Error = error;

    /// <summary>What kind.</summary>
    public DriveError Error { get; }
}
