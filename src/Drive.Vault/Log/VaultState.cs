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

    /// <summary>The recovery key: it may only enrol devices.</summary>
    Recovery = 1,
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

    /// <summary>False after it was revoked.</summary>
    public bool Active { get; init; } = true;

    /// <summary>Counts the starts of the member's daemon; never falls.</summary>
    public long Incarnation { get; init; }

    /// <summary>Number of its last commit; the next has one more.</summary>
    public long LastOpSeq { get; init; }
}

/// <summary>Who writes. The single writer of now opens before its first row and closes when it unmounts.</summary>
/// <param name="Device">The device.</param>
/// <param name="Since">Seq of the commit that opened.</param>
/// <param name="IsOpen">False after it closed in order.</param>
public sealed record WriterState(DeviceId Device, long Since, bool IsOpen);

/// <summary>
/// All that is known of the vault's log up to one commit, which it pins. Immutable. The engine saves its bytes in one transaction with the
/// rows of that commit, so pin and tree never differ.
/// </summary>
public sealed record VaultState
{
    private const string EncodedName = "vault state";
    private const byte Version = 1;

    public required Bytes32 VaultId { get; init; }

    public int Gen { get; init; } = 1;

    /// <summary>The head commit; 0 before the first.</summary>
    public long Seq { get; init; }

    /// <summary>Hash of the head commit's bytes: the pin. Before the first commit, the hash of the object <c>vault</c>.</summary>
    public required Bytes32 Head { get; init; }

    /// <summary>Number of the last floor.</summary>
    public long Floor { get; init; }

    public int KeyEpoch { get; init; } = 1;

    public IReadOnlyList<VaultMember> Members { get; init; } = [];

    public WriterState? Writer { get; init; }

    /// <summary>Keyed hash of all current rows.</summary>
    public Bytes32 StateHash { get; init; }

    /// <summary>The newest checkpoint that the log names.</summary>
    public CheckpointRef? LastCheckpoint { get; init; }

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

    public byte[] Encode()
    {
        using var writer = new ByteWriter();
        writer.Byte(Version);
        writer.Raw(VaultId);
        writer.Count(Gen);
        writer.Count(Seq);
        writer.Raw(Head);
        writer.Count(Floor);
        writer.Count(KeyEpoch);
        writer.Count(Members.Count);
        foreach (VaultMember member in Members)
        {
            RefCodec.Write(writer, member);
            writer.Bool(member.Active);
            writer.Count(member.Incarnation);
            writer.Count(member.LastOpSeq);
        }

        writer.Bool(Writer is not null);
        if (Writer is not null)
        {
            writer.Device(Writer.Device);
            writer.Count(Writer.Since);
            writer.Bool(Writer.IsOpen);
        }

        writer.Raw(StateHash);
        writer.Bool(LastCheckpoint is not null);
        if (LastCheckpoint is not null)
        {
            RefCodec.Write(writer, LastCheckpoint);
        }

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
        if (reader.Byte() != Version)
        {
            throw reader.Malformed("a state of another version");
        }

        var state = new VaultState
        {
            VaultId = reader.Raw32(),
            Gen = reader.Count32(1, int.MaxValue),
            Seq = reader.Count(),
            Head = reader.Raw32(),
            Floor = reader.Count(),
            KeyEpoch = reader.Count32(1, int.MaxValue),
        };
        var members = new VaultMember[reader.Items(16 + SigningKey.PublicKeyBytes)];
        for (int i = 0; i < members.Length; i++)
        {
            members[i] = RefCodec.ReadMember(ref reader) with { Active = reader.Bool(), Incarnation = reader.Count(), LastOpSeq = reader.Count() };
        }

        return state with
        {
            Members = members,
            Writer = reader.Bool() ? new WriterState(reader.Device(), reader.Count(), reader.Bool()) : null,
            StateHash = reader.Raw32(),
            LastCheckpoint = reader.Bool() ? RefCodec.ReadCheckpoint(ref reader) : null,
        };
    }
}
