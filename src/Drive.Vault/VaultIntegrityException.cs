namespace Drive.Vault;

/// <summary>Which proof failed.</summary>
public enum IntegrityKind
{
    /// <summary>Cut, extended, or not of the format.</summary>
    Malformed,

    /// <summary>Of another suite or version than this program accepts; there is no negotiation.</summary>
    UnsupportedSuite,

    /// <summary>An object of another class in this place.</summary>
    WrongClass,

    /// <summary>Of another vault.</summary>
    WrongVault,

    /// <summary>Another object than the one that was asked for.</summary>
    WrongObject,

    /// <summary>Sealed under a key epoch that this device has no key of, or an epoch that was left.</summary>
    KeyEpoch,

    /// <summary>The key commitment does not match.</summary>
    CommitTag,

    /// <summary>Authenticated decryption failed.</summary>
    Seal,

    /// <summary>The signature is not the signer's.</summary>
    Signature,

    /// <summary>The signer may not do that, or is no active member.</summary>
    Signer,

    /// <summary>Another generation or seq than its slot's.</summary>
    Position,

    /// <summary>It does not follow the commit that this device has seen.</summary>
    Chain,

    /// <summary>The device's own counters run backwards or jump: it was cloned or restored.</summary>
    DeviceSequence,

    /// <summary>A rule of the log is broken: a device number used twice, a writer closed by another.</summary>
    Rule,

    /// <summary>The rows do not give the author's state hash.</summary>
    StateHash,

    /// <summary>The store no longer has what this device has seen: rolled back, or lost.</summary>
    RolledBack,

    /// <summary>An object that the signed state names is not in the store.</summary>
    Missing,
}

/// <summary>
/// What the store gave failed its proof. Nothing of it was used. The engine stops, alarms and keeps serving its last good state.
/// </summary>
public sealed class VaultIntegrityException(string objectName, IntegrityKind kind, string message, Exception? innerException = null)
    : Exception($"{objectName}: {message}", innerException)
{
    public string ObjectName { get; } = objectName;

    public IntegrityKind Kind { get; } = kind;
}
