using Drive.Core.Rows;
using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Sealing;

namespace Drive.Vault.Log;

/// <summary>What an identity of the vault may do.</summary>
public enum MemberKind
{
    /// <summary>A machine: everything.</summary>
    Device = 0,

    /// <summary>The recovery key, or the passphrase: it may only enrol devices.</summary>
    Recovery = 1,

    /// <summary>A pairing code: it may enrol one device, and ends with that.</summary>
    Pairing = 2,
}

/// <summary>An identity whose signature the vault knows.</summary>
public sealed record VaultMember
{
    public required DeviceId Id { get; init; }

    public required MemberKind Kind { get; init; }

    /// <summary>From 1 for devices, never used twice; 0 for the recovery identity.</summary>
    public required int Number { get; init; }

    public required string Name { get; init; }

    /// <summary>P-256 point, X ‖ Y.</summary>
    public required byte[] SigningPublicKey { get; init; }

    /// <summary>P-256 point, X ‖ Y, that new master keys are wrapped for; null where it has not been said yet.</summary>
    public byte[]? WrappingPublicKey { get; init; }

    /// <summary>When its last commit was made, by its own clock, in nanoseconds since 1970 UTC; 0 where that is not known.</summary>
    public long LastTime { get; init; }

    /// <summary>False after it was revoked.</summary>
    public bool Active { get; init; } = true;

    /// <summary>Counts the starts of the member's daemon; never falls.</summary>
    public long Incarnation { get; init; }

    /// <summary>Number of its last commit; the next has one more.</summary>
    public long LastOpSeq { get; init; }

    /// <summary>
    /// How far it has followed the log, as far as its commits tell: the seq of its last one, or of the one that enrolled it. 0 where that is not known: a state of before November 2026, which
    /// is before any pack was condemned.
    /// </summary>
    public long LastSeq { get; init; }

    /// <summary>Whether packs are deleted without waiting for it, until its next commit.</summary>
    public bool IsLapsed { get; init; }

    /// <summary>Whether it was the single writer and another device took its place without its word: it may have content that it never sent. Ends when it is the writer again.</summary>
    public bool WasReplaced { get; init; }
}

/// <summary>Who wrote last, or, where the vault was made so, who alone may write.</summary>
/// <param name="Device">The device.</param>
/// <param name="Since">Seq of the commit that opened or appointed.</param>
/// <param name="IsOpen">False after it closed in order.</param>
/// <param name="IsAlone">Nobody else's commits count (<see cref="Appoint"/>).</param>
public sealed record WriterState(DeviceId Device, long Since, bool IsOpen, bool IsAlone = false);

/// <summary>
/// All that is known of the vault's log up to one commit, which it pins. Immutable. The engine saves its bytes in one transaction with the
/// rows of that commit, so pin and tree never differ.
/// </summary>
public sealed record VaultState
{
    private const string EncodedName = "vault state";
    private const byte Version = 4;

    /// <summary>With the number of the last floor alone, and the last checkpoint alone.</summary>
    private const byte VersionBeforeFloors = 3;

    /// <summary>Besides without history, and without how far the members are.</summary>
    private const byte VersionBeforeHistory = 2;

    /// <summary>Besides without wrapping keys, times and rotations.</summary>
    private const byte OldVersion = 1;

    private const byte ClosedByte = 0;
    private const byte OpenByte = 1;
    private const byte AloneByte = 2;

    public required Bytes32 VaultId { get; init; }

    public int Gen { get; init; } = 1;

    /// <summary>The head commit; 0 before the first.</summary>
    public long Seq { get; init; }

    /// <summary>Hash of the head commit's bytes: the pin. Before the first commit, the hash of the object <c>vault</c>.</summary>
    public required Bytes32 Head { get; init; }

    /// <summary>The last floor that the log has decided on; null before the first.</summary>
    public FloorRef? LastFloor { get; init; }

    /// <summary>Number of the last floor; 0 before the first.</summary>
    public long Floor => LastFloor?.Number ?? 0;

    public int KeyEpoch { get; init; } = 1;

    public IReadOnlyList<VaultMember> Members { get; init; } = [];

    /// <summary>How each master key after the first was made known, oldest first.</summary>
    public IReadOnlyList<KeyRotation> Rotations { get; init; } = [];

    public WriterState? Writer { get; init; }

    /// <summary>The one device whose commits count, in a vault that was made with a single writer; null where all devices write.</summary>
    public DeviceId? SingleWriter => Writer is { IsAlone: true, Device: var device } ? device : null;

    /// <summary>Keyed hash of all current rows.</summary>
    public Bytes32 StateHash { get; init; }

    /// <summary>The newest checkpoint that the log names.</summary>
    public CheckpointRef? LastCheckpoint { get; init; }

    /// <summary>Checkpoints that the log named before the last one and that stay: above that of the last floor, oldest first. See <see cref="CheckpointRules"/>.</summary>
    public IReadOnlyList<CheckpointRef> OlderCheckpoints { get; init; } = [];

    /// <summary>Checkpoints that nothing needs any more, in the order in which they were given up; only the last few are remembered. Anyone may delete them.</summary>
    public IReadOnlyList<CheckpointRef> DroppedCheckpoints { get; init; } = [];

    /// <summary>Snapshots, what is kept of the past, and packs on their way out.</summary>
    public VaultHistory History { get; init; } = VaultHistory.Empty;

    /// <summary>Where a device starts that has read nothing yet.</summary>
    public static VaultState BeforeGenesis(VaultKeys keys) => new() { VaultId = keys.VaultId, Head = keys.HeaderHash };

    public VaultMember? FindMember(DeviceId id)
    {
        foreach (VaultMember member in Members)
        {
            if (member.Id == id)
            {
                return member;
            }
        }

        return null;
    }

    /// <summary>The number that the next device gets.</summary>
    public int NextDeviceNumber => Members.Count == 0 ? 1 : Members.Max(member => member.Number) + 1;

    /// <summary>Active devices that may have content, or packs, which no commit names yet: all that did not lapse, but with a single writer only that one and those whose place was taken.</summary>
    public IEnumerable<VaultMember> Holders => Committers.Where(static member => !member.IsLapsed);

    /// <summary>Those of <see cref="Holders"/> that may not have followed the log above a seq: what was condemned there is not deleted before they have.</summary>
    public IReadOnlyList<VaultMember> WaitsFor(long seq, DeviceId except) => [.. Holders.Where(member => member.LastSeq <= seq && member.Id != except)];

    /// <summary>
    /// The highest seq below which the log may be cut without leaving a device behind that commits: of each one its last commit and the one before must stay, since it may have died before it learned that
    /// its commit landed. Devices that lapsed count too; only a revocation ends that. 0 where one's place is not known.
    /// </summary>
    public long FloorMax => Committers.Select(static member => Math.Max(0, member.LastSeq - 2)).DefaultIfEmpty().Min();

    /// <summary>Active devices that may have begun a commit which they do not know the fate of: all, but with a single writer only that one and those whose place was taken.</summary>
    public IEnumerable<VaultMember> Committers => Members.Where(member => member is { Active: true, Kind: MemberKind.Device } && (SingleWriter is null || member.Id == SingleWriter || member.WasReplaced));

    /// <summary>
    /// Whether the log can lead from an earlier state to this one: nobody who was known has gone, become another, come back after a revocation, or counts less.
    /// It is all that can be told of a part of the log that is gone.
    /// </summary>
    public bool CanFollow(VaultState earlier) =>
        VaultId == earlier.VaultId && Gen == earlier.Gen && Seq >= earlier.Seq && KeyEpoch >= earlier.KeyEpoch
        && (earlier.SingleWriter is null) == (SingleWriter is null)
        && earlier.Members.All(known => FindMember(known.Id) is { } now
            && now.Kind == known.Kind && now.Number == known.Number && now.SigningPublicKey.AsSpan().SequenceEqual(known.SigningPublicKey)
            && (known.WrappingPublicKey is null || now.WrappingPublicKey.AsSpan().SequenceEqual(known.WrappingPublicKey))
            && now.Incarnation >= known.Incarnation && now.LastOpSeq >= known.LastOpSeq && now.LastSeq >= known.LastSeq && (known.Active || !now.Active))
        && History.PrunedBelow >= earlier.History.PrunedBelow;

    /// <summary>
    /// Whether both say the same of the log: head, members with their counters, writer, tree, history. Floors and checkpoints are left out: who jumped to one knows of it
    /// before the commit that names it. So is how far a member is, where one of both is of before that was kept.
    /// </summary>
    public bool IsSameAs(VaultState other) => ToCompare(other).Encode().AsSpan().SequenceEqual(other.ToCompare(this).Encode());

    private VaultState ToCompare(VaultState other) => this with
    {
        LastFloor = null,
        LastCheckpoint = null,
        OlderCheckpoints = [],
        DroppedCheckpoints = [],
        Members = [.. Members.Select(member => other.FindMember(member.Id)?.LastSeq == 0 ? member with { LastSeq = 0 } : member)],
    };

    public byte[] Encode()
    {
        using var writer = new ByteWriter();
        writer.Byte(Version);
        writer.Raw(VaultId);
        writer.Count(Gen);
        writer.Count(Seq);
        writer.Raw(Head);
        writer.Count(KeyEpoch);
        writer.Count(Members.Count);
        foreach (VaultMember member in Members)
        {
            RefCodec.Write(writer, member);
            writer.Bool(member.Active);
            writer.Count(member.Incarnation);
            writer.Count(member.LastOpSeq);
            writer.Fixed64(member.LastTime);
            writer.Sized(member.WrappingPublicKey);
            writer.Count(member.LastSeq);
            writer.Bool(member.IsLapsed);
            writer.Bool(member.WasReplaced);
        }

        writer.Count(Rotations.Count);
        foreach (KeyRotation rotation in Rotations)
        {
            RefCodec.Write(writer, rotation);
        }

        writer.Bool(Writer is not null);
        if (Writer is not null)
        {
            writer.Device(Writer.Device);
            writer.Count(Writer.Since);
            writer.Byte(Writer.IsAlone ? AloneByte : Writer.IsOpen ? OpenByte : ClosedByte);
        }

        writer.Raw(StateHash);
        writer.Bool(LastCheckpoint is not null);
        if (LastCheckpoint is not null)
        {
            RefCodec.Write(writer, LastCheckpoint);
        }

        writer.Bool(LastFloor is not null);
        if (LastFloor is not null)
        {
            RefCodec.Write(writer, LastFloor);
        }

        RefCodec.Write(writer, OlderCheckpoints);
        RefCodec.Write(writer, DroppedCheckpoints);
        HistoryCodec.Write(writer, History);
        return writer.ToArray();
    }

    public static VaultState Decode(ReadOnlySpan<byte> source)
    {
        var reader = new ByteReader(source, EncodedName);
        VaultState state = Read(ref reader);
        reader.ExpectEnd();
        return state;
    }

    internal static VaultState Read(ref ByteReader reader)
    {
        byte version = reader.Byte();
        if (version is < OldVersion or > Version)
        {
            throw reader.Malformed("a state of another version");
        }

        var state = new VaultState
        {
            VaultId = reader.Raw32(),
            Gen = reader.Count32(1, int.MaxValue),
            Seq = reader.Count(),
            Head = reader.Raw32(),
        };
        if (version <= VersionBeforeFloors)
        {
            // No program of that time decided on one.
            _ = reader.Count();
        }

        state = state with { KeyEpoch = reader.Count32(1, int.MaxValue) };
        var members = new VaultMember[reader.Items(16 + SigningKey.PublicKeyBytes)];
        for (int i = 0; i < members.Length; i++)
        {
            members[i] = RefCodec.ReadMember(ref reader) with { Active = reader.Bool(), Incarnation = reader.Count(), LastOpSeq = reader.Count() };
            if (version > OldVersion)
            {
                members[i] = members[i] with { LastTime = reader.Fixed64(), WrappingPublicKey = ReadWrappingKey(ref reader) };
            }

            if (version > VersionBeforeHistory)
            {
                members[i] = members[i] with { LastSeq = reader.Count(), IsLapsed = reader.Bool(), WasReplaced = reader.Bool() };
            }
        }

        var rotations = new KeyRotation[version > OldVersion ? reader.Items(WrappingKey.PublicKeyBytes + Bytes32.Size) : 0];
        for (int i = 0; i < rotations.Length; i++)
        {
            rotations[i] = RefCodec.ReadRotation(ref reader);
        }

        state = state with
        {
            Members = members,
            Rotations = rotations,
            Writer = reader.Bool() ? ReadWriter(ref reader) : null,
            StateHash = reader.Raw32(),
            LastCheckpoint = reader.Bool() ? RefCodec.ReadCheckpoint(ref reader) : null,
        };
        if (version > VersionBeforeFloors)
        {
            state = state with
            {
                LastFloor = reader.Bool() ? RefCodec.ReadFloor(ref reader) : null,
                OlderCheckpoints = RefCodec.ReadCheckpoints(ref reader),
                DroppedCheckpoints = RefCodec.ReadCheckpoints(ref reader),
            };
        }

        return state with
        {
            History = version > VersionBeforeHistory ? HistoryCodec.ReadHistory(ref reader) : VaultHistory.Empty,
        };
    }

    private static WriterState ReadWriter(ref ByteReader reader)
    {
        DeviceId device = reader.Device();
        long since = reader.Count();
        return reader.Byte() switch
        {
            ClosedByte => new WriterState(device, since, IsOpen: false),
            OpenByte => new WriterState(device, since, IsOpen: true),
            AloneByte => new WriterState(device, since, IsOpen: true, IsAlone: true),
            _ => throw reader.Malformed("a writer that neither opened nor closed"),
        };
    }

    private static byte[]? ReadWrappingKey(ref ByteReader reader) =>
        reader.Count32(0, WrappingKey.PublicKeyBytes) switch
        {
            0 => null,
            WrappingKey.PublicKeyBytes => reader.Raw(WrappingKey.PublicKeyBytes).ToArray(),
            _ => throw reader.Malformed("a wrapping key that is none"),
        };
}
