namespace Drive.Control;

/// <summary>A member of a vault, as <c>drive device list --json</c> prints it.</summary>
public sealed record DeviceInfo
{
    /// <summary>32 hex digits; unique for ever.</summary>
    public required string Id { get; init; }

    /// <summary>"device", "recovery" (the recovery key or the passphrase) or "pairing" (a code that was not used yet).</summary>
    public required string Kind { get; init; }

    /// <summary>From 1 for devices, never used twice; 0 for what is no device.</summary>
    public required int Number { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Whether its commits count.</summary>
    public required bool Active { get; init; }

    /// <summary>Whether it is the machine that was asked.</summary>
    public required bool IsThis { get; init; }

    /// <summary>When its last commit was made, by its own clock; null before the first.</summary>
    public DateTimeOffset? LastCommit { get; init; }

    /// <summary>The first 16 hex digits of the SHA-256 of its signing key: to compare by eye.</summary>
    public required string Fingerprint { get; init; }
}

/// <summary>Who belongs to a vault.</summary>
/// <param name="Seq">As of this commit.</param>
/// <param name="KeyEpoch">Master keys so far: each revocation begins a new one.</param>
/// <param name="Members">In the order in which they came.</param>
/// <param name="Writer">Id of the one device that writes, in a vault with a single writer; null where all do.</param>
public sealed record DeviceList(long Seq, int KeyEpoch, IReadOnlyList<DeviceInfo> Members, string? Writer = null);

/// <summary>A pairing code that was made.</summary>
/// <param name="Id">The member that stands for it: no longer active when the code was used.</param>
/// <param name="Code">To be typed on the new machine.</param>
/// <param name="NeedsAdmitting">Whether the new machine has to be let in by this one, which alone writes to the vault.</param>
public sealed record PairingReply(string Id, string Code, bool NeedsAdmitting = false);

/// <summary>Which member, and what it is to be called.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">A new name, for a renaming.</param>
public sealed record DeviceRequest(string Id, string? Name = null);

/// <summary>A new passphrase for the vault.</summary>
/// <param name="Passphrase">In NFC.</param>
/// <param name="Alone">Whether it opens the vault on a new machine without the account key.</param>
public sealed record PassphraseRequest(string Passphrase, bool Alone);

/// <summary>A recovery key.</summary>
/// <param name="Key">As it is written down.</param>
public sealed record RecoveryKeyMessage(string Key);

/// <summary>What can be done about the members of one vault: by the daemon that has it open, or by a process that opens it for that.</summary>
public interface IDevices
{
    /// <summary>Who belongs to the vault.</summary>
    Task<DeviceList> ListDevicesAsync(CancellationToken cancellationToken);

    /// <summary>Makes a code that lets one device in.</summary>
    Task<PairingReply> PairAsync(CancellationToken cancellationToken);

    /// <summary>Lets in the device that asked with a code, if one has: in a vault with a single writer, where no other commits.</summary>
    Task<DeviceList> AdmitAsync(PairingReply pairing, CancellationToken cancellationToken);

    /// <summary>Makes another device the vault's single writer, when all that was changed here is sent.</summary>
    Task<DeviceList> HandOverAsync(DeviceRequest request, CancellationToken cancellationToken);

    /// <summary>Makes this device the vault's single writer in place of the one that is named, which has not handed over.</summary>
    Task<DeviceList> TakeOverAsync(DeviceRequest request, CancellationToken cancellationToken);

    /// <summary>Ends a membership. For a device the vault gets a new master key; a code is just withdrawn.</summary>
    Task<DeviceList> RevokeAsync(DeviceRequest request, CancellationToken cancellationToken);

    /// <summary>Gives a device another name.</summary>
    Task<DeviceList> RenameAsync(DeviceRequest request, CancellationToken cancellationToken);

    /// <summary>Draws another recovery key, which is not in force yet.</summary>
    Task<RecoveryKeyMessage> OfferRecoveryKeyAsync(CancellationToken cancellationToken);

    /// <summary>Puts a recovery key that was offered in force, as its owner wrote it down; the old one ends, and the vault gets a new master key.</summary>
    Task<DeviceList> TakeRecoveryKeyAsync(RecoveryKeyMessage written, CancellationToken cancellationToken);

    /// <summary>Sets the passphrase that lets new devices in.</summary>
    Task SetPassphraseAsync(PassphraseRequest request, CancellationToken cancellationToken);
}
