using Drive.Core.Rows;
using Drive.Vault.Sealing;

namespace Drive.Vault.Log;

/// <summary>Who may sign after a commit, or why its changes of members may not stand. Pure, like <see cref="CommitRules"/>.</summary>
internal sealed class MemberRules
{
    private readonly List<VaultMember> _members;
    private readonly List<KeyRotation> _rotations;
    private readonly CommitContent _commit;
    private readonly string _objectName;
    private int _keyEpoch;

    private MemberRules(VaultState state, CommitContent commit, string objectName)
    {
        _members = [.. state.Members];
        _rotations = [.. state.Rotations];
        _keyEpoch = state.KeyEpoch;
        _commit = commit;
        _objectName = objectName;
    }

    /// <summary>The state with its members, rotations and key epoch changed; everything else is the caller's.</summary>
    public static VaultState Apply(VaultState state, CommitContent commit, string objectName)
    {
        if (commit.Members.Count == 0)
        {
            return state;
        }

        MemberRules rules = new(state, commit, objectName);
        foreach (MemberChange change in commit.Members)
        {
            rules.Apply(change);
        }

        rules.CheckWriter(state);
        return state with { Members = [.. rules._members], Rotations = [.. rules._rotations], KeyEpoch = rules._keyEpoch };
    }

    /// <summary>Identities that are no devices may let devices in, and nothing else.</summary>
    public static void CheckRights(VaultMember author, CommitContent commit, string objectName)
    {
        if (author.Kind == MemberKind.Device)
        {
            return;
        }

        bool isOnlyAboutMembers = commit.Rows.IsEmpty && commit.Packs.Count == 0 && commit.Writer == WriterChange.None && commit.Checkpoint is null && commit.Floor is null
            && commit.History.Count == 0;
        bool onlyLetsIn = commit.Members.All(change => change is Enrol { Member.Kind: MemberKind.Device } or Announce
            || (change is Appoint { Device: var appointed } && commit.Members.Any(other => other is Enrol { Member: var let } && let.Id == appointed))
            || (change is Revoke { Device: var revoked } && revoked == author.Id && author.Kind == MemberKind.Pairing));
        if (!isOnlyAboutMembers || !onlyLetsIn)
        {
            throw Fail(objectName, IntegrityKind.Signer, author.Kind == MemberKind.Pairing ? "a pairing code may only enrol a device" : "the recovery identity may only enrol devices");
        }

        if (author.Kind == MemberKind.Pairing && (commit.Members.OfType<Enrol>().Count() != 1 || !commit.Members.OfType<Revoke>().Any()))
        {
            throw Fail(objectName, IntegrityKind.Rule, "a pairing code enrols one device and ends with that");
        }
    }

    private void Apply(MemberChange change)
    {
        switch (change)
        {
            case Enrol { Member: var member }:
                Enrol(member);
                break;
            case Revoke { Device: var device }:
                Change(device, static member => member with { Active = false }, "revokes what is no active member");
                break;
            case Rename { Device: var device, Name: var name }:
                Require(!string.IsNullOrWhiteSpace(name), "gives a device no name");
                Change(device, member => member with { Name = name }, "names what is no active member");
                break;
            case Announce { Device: var device, PublicKey: var key }:
                bool isOwn = device == _commit.Device || _commit.Members.OfType<Enrol>().Any(enrol => enrol.Member.Id == device);
                Require(isOwn && WrappingKey.IsPoint(key), "announces a key that is not its own, or is none");
                Change(
                    device,
                    member => member.WrappingPublicKey is null ? member with { WrappingPublicKey = key } : throw Fail(_objectName, IntegrityKind.Rule, "announces a second key"),
                    "announces a key of what is no active member");
                break;
            case Rotate { Rotation: var rotation }:
                Rotate(rotation);
                break;
            case Appoint:
                // Looked at when all members are known.
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(change));
        }
    }

    private void CheckWriter(VaultState before)
    {
        Appoint[] appointed = [.. _commit.Members.OfType<Appoint>()];
        Require(appointed.Length == 0 || (appointed.Length == 1 && (before.Seq == 0 || before.SingleWriter is not null)), "appoints a writer in a vault of many, or two");
        if ((appointed.Length == 1 ? appointed[0].Device : before.SingleWriter) is { } writer)
        {
            Require(_members.Exists(member => member.Id == writer && member is { Active: true, Kind: MemberKind.Device }), "leaves the vault without its single writer");
        }

        if (appointed.Length == 1)
        {
            // Who hands over has sent everything first; who is replaced was not asked.
            NoteReplaced(appointed[0].Device, false);
            if (before.SingleWriter is { } old && old != appointed[0].Device && old != _commit.Device)
            {
                NoteReplaced(old, true);
            }
        }
    }

    private void NoteReplaced(DeviceId device, bool wasReplaced)
    {
        int index = _members.FindIndex(member => member.Id == device);
        _members[index] = _members[index] with { WasReplaced = wasReplaced };
    }

    private void Enrol(VaultMember member)
    {
        int number = member.Kind != MemberKind.Device ? 0 : _members.Select(static other => other.Number).DefaultIfEmpty().Max() + 1;
        Require(member.Number == number && !_members.Exists(other => other.Id == member.Id), "enrols under a number or id that is not free");
        _members.Add(member with { Active = true, Incarnation = 0, LastOpSeq = 0, LastTime = 0, LastSeq = _commit.Seq, IsLapsed = false, WrappingPublicKey = null });
    }

    private void Rotate(KeyRotation rotation)
    {
        Require(_commit.Members[^1] is Rotate last && ReferenceEquals(last.Rotation, rotation), "rotates before all members are known");
        Require(rotation.Epoch == _keyEpoch + 1, "rotates to a key epoch out of turn");
        IEnumerable<DeviceId> active = _members.Where(static member => member.Active).Select(static member => member.Id);
        Require(
            rotation.Wrapped.Select(static wrapped => wrapped.Member.Value).Order(StringComparer.Ordinal).SequenceEqual(active.Select(static id => id.Value).Order(StringComparer.Ordinal)),
            "wraps the new key for others than the active members");
        _rotations.Add(rotation);
        _keyEpoch = rotation.Epoch;
    }

    private void Change(DeviceId device, Func<VaultMember, VaultMember> change, string refusal)
    {
        int index = _members.FindIndex(member => member.Id == device && member.Active);
        Require(index >= 0, refusal);
        _members[index] = change(_members[index]);
    }

    private void Require(bool holds, string refusal)
    {
        if (!holds)
        {
            throw Fail(_objectName, IntegrityKind.Rule, refusal);
        }
    }

    private static VaultIntegrityException Fail(string objectName, IntegrityKind kind, string what) => new(objectName, kind, what);
}
