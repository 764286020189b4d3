namespace Drive.Vault.Sealing;

/// <summary>Every purpose that a key or a signature has. Each is used for one thing; a test holds them apart.</summary>
internal static class Labels
{
    /// <summary>Comes before the label of each key under a master key.</summary>
    public const string SubKeyPrefix = "drive/1/";

    public const string Pack = "pack";
    public const string Commit = "log";
    public const string CheckpointPart = "checkpoint-part";
    public const string CheckpointManifest = "checkpoint";
    public const string Floor = "floor";
    public const string KeyLink = "key-link";
    public const string Dedup = "dedup";
    public const string State = "state";
    public const string Rotate = "rotate";

    public const string ObjectKey = "drive/1/object-key";
    public const string ObjectCommitment = "drive/1/object-commit";
    public const string SlotKey = "drive/1/slot-key";
    public const string SlotCommitment = "drive/1/slot-commit";
    public const string RecoverySlotName = "drive/1/recovery-slot-name";
    public const string PairingSlotName = "drive/1/pairing-slot-name";
    public const string PairingRequestName = "drive/1/pairing-request-name";
    public const string PairingChecksum = "drive/1/pairing-checksum";
    public const string AccountChecksum = "drive/1/account-checksum";
    public const string RecoveryChecksum = "drive/1/recovery-checksum";
    public const string WrappingKey = "drive/1/wrapping-key";
    public const string Wrap = "drive/1/wrap";
    public const string EpochCheck = "drive/1/epoch-check";
    public const string LocalKeyPrefix = "drive/1/local/";

    public const string SignCommit = "drive/1/sign/commit";
    public const string SignFloor = "drive/1/sign/floor";
    public const string SignCheckpoint = "drive/1/sign/checkpoint";
}
