namespace Drive.Vault;

/// <summary>Why a vault can't be made, opened or used.</summary>
public enum VaultErrorKind
{
    /// <summary>The store holds no vault.</summary>
    NoVault,

    /// <summary>The store holds a vault already.</summary>
    AlreadyExists,

    /// <summary>Making the vault was interrupted before its first commit; it never held anything.</summary>
    Interrupted,

    /// <summary>The vault was written by a later version.</summary>
    NewerFormat,

    /// <summary>The passphrase or recovery key opens nothing here.</summary>
    WrongSecret,

    /// <summary>The passphrase opens nothing without the account key.</summary>
    NeedsAccountKey,

    /// <summary>The text is no recovery key: a typing error, by its checksum.</summary>
    MalformedSecret,

    /// <summary>Secrets of a device that can't be read: cut, changed, or of a later version.</summary>
    MalformedKeys,

    /// <summary>Somebody else has to do something first; the message says what.</summary>
    NotReady,

    /// <summary>This device is not, or no longer, a member of the vault.</summary>
    NotMember,
}

/// <summary>A refusal that a person can do something about. Its message never contains a secret.</summary>
public sealed class VaultException(VaultErrorKind kind, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public VaultErrorKind Kind { get; } = kind;
}
