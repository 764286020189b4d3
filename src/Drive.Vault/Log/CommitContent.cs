using Drive.Core.Rows;

namespace Drive.Vault.Log;

/// <summary>A pack that a commit's blocks need; it lies in the store before the commit does.</summary>
/// <param name="Pack">The pack.</param>
/// <param name="Length">Bytes of the whole object.</param>
public sealed record PackRef(PackId Pack, long Length);

/// <summary>A checkpoint: the whole tree as of a seq.</summary>
/// <param name="Id">Its manifest's id, <see cref="VaultNames.Checkpoint"/>.</param>
/// <param name="Seq">The commit it stands at.</param>
/// <param name="ManifestHash">SHA-256 of the manifest object.</param>
/// <param name="StateHash">Hash of its rows.</param>
public sealed record CheckpointRef(Bytes32 Id, long Seq, Bytes32 ManifestHash, Bytes32 StateHash);

/// <summary>A floor: commits up to <paramref name="Seq"/> may be gone; start from its checkpoint.</summary>
/// <param name="Number">1, 2, … without gaps.</param>
/// <param name="Seq">The last commit that may be deleted.</param>
/// <param name="Checkpoint">A checkpoint at or after <paramref name="Seq"/>.</param>
public sealed record FloorRef(long Number, long Seq, CheckpointRef Checkpoint);

/// <summary>A change of who may sign.</summary>
public abstract record MemberChange;

/// <summary>A new identity; its counters start at 0.</summary>
public sealed record Enrol(VaultMember Member) : MemberChange;

/// <summary>An identity whose later commits are refused.</summary>
public sealed record Revoke(DeviceId Device) : MemberChange;

/// <summary>Another name for a device.</summary>
public sealed record Rename(DeviceId Device, string Name) : MemberChange;

/// <summary>From the next commit on only this device's commits count. For a vault that was made with a single writer: the writer hands over with it, another device takes over with one for itself.</summary>
public sealed record Appoint(DeviceId Device) : MemberChange;

/// <summary>The key that new master keys are wrapped for: said once, by the member itself or by who enrols it.</summary>
/// <param name="Device">Whose.</param>
/// <param name="PublicKey">P-256 point, X ‖ Y.</param>
public sealed record Announce(DeviceId Device, byte[] PublicKey) : MemberChange;

/// <summary>A new master key begins with the next commit. It is wrapped for every member that is active after this commit, and for nobody else.</summary>
public sealed record Rotate(KeyRotation Rotation) : MemberChange;

/// <summary>How the members learn a master key.</summary>
/// <param name="Epoch">The key epoch that begins.</param>
/// <param name="Ephemeral">Public key of this rotation, X ‖ Y.</param>
/// <param name="Check">Follows from the master key: who unwraps another notices.</param>
/// <param name="Wrapped">For each member, by id.</param>
public sealed record KeyRotation(int Epoch, byte[] Ephemeral, Bytes32 Check, IReadOnlyList<WrappedKey> Wrapped);

/// <summary>A master key that one member can open.</summary>
public sealed record WrappedKey(DeviceId Member, byte[] Bytes);

/// <summary>A change of who writes; it is always about the commit's own device.</summary>
public enum WriterChange
{
    None = 0,

    /// <summary>This device writes from now on, whoever wrote before.</summary>
    Open = 1,

    /// <summary>This device, which writes, stops in order.</summary>
    Close = 2,
}

/// <summary>What a device wants to commit. Everything else follows from the state and the keys.</summary>
public sealed record CommitDraft
{
    /// <summary>Closed rows whole.</summary>
    public RowChanges Rows { get; init; } = new();

    public IReadOnlyList<PackRef> Packs { get; init; } = [];

    public IReadOnlyList<MemberChange> Members { get; init; } = [];

    public WriterChange Writer { get; init; }

    public CheckpointRef? Checkpoint { get; init; }

    public FloorRef? Floor { get; init; }

    public IReadOnlyList<HistoryChange> History { get; init; } = [];

    /// <summary>Counts this device's daemon starts; at least the one known. Null: the one known.</summary>
    public long? Incarnation { get; init; }

    /// <summary>Nanoseconds since 1970 UTC. Information for people: nothing depends on it.</summary>
    public required long Time { get; init; }
}

/// <summary>A commit as it stands in the log.</summary>
public sealed record CommitContent
{
    public required Bytes32 VaultId { get; init; }

    public required int Gen { get; init; }

    public required long Seq { get; init; }

    public required Bytes32 PrevHash { get; init; }

    public required DeviceId Device { get; init; }

    public required long Incarnation { get; init; }

    public required long DeviceOpSeq { get; init; }

    public required int KeyEpoch { get; init; }

    public required long Time { get; init; }

    /// <summary>As read with a resolver, closed rows are whole; in the log they are keys only.</summary>
    public required RowChanges Rows { get; init; }

    public required IReadOnlyList<PackRef> Packs { get; init; }

    public required IReadOnlyList<MemberChange> Members { get; init; }

    public required WriterChange Writer { get; init; }

    public CheckpointRef? Checkpoint { get; init; }

    public FloorRef? Floor { get; init; }

    /// <summary>Empty in a commit of version 1.</summary>
    public IReadOnlyList<HistoryChange> History { get; init; } = [];

    /// <summary>Hash of all rows after this commit.</summary>
    public required Bytes32 StateHash { get; init; }
}
