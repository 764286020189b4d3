using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>
/// Another recovery key for a vault. First its slot is put (<see cref="PutAsync"/>), so that its owner can write it down before anything depends on it; then, with the key as it was written down
/// (<see cref="OpenAsync"/>), one commit enrols its identity, revokes the old ones and begins a new master key (<see cref="Changes"/>); then the old slots go
/// (<see cref="RemoveOldSlotsAsync"/>). A crash before the commit leaves the old key in force and a slot that lets nobody in; one after it leaves an old slot that lets nobody in.
/// </summary>
public sealed class RecoveryKeyChange : IDisposable
{
    private readonly SlotPayload _payload;
    private readonly ObjectName _slot;

    private RecoveryKeyChange(SlotPayload payload, ObjectName slot)
    {
        _payload = payload;
        _slot = slot;
    }

    /// <summary>Draws a key and puts its slot, which pins a head that the vault has.</summary>
    /// <returns>The key, to be written down.</returns>
    public static async Task<string> PutAsync(IObjectStore store, VaultKeys keys, VaultState head, IRandomSource random, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(head);
        using JoinIdentity identity = JoinIdentity.ForRecovery(random);
        using SecretBytes secret = VaultMaker.Draw(random);
        byte[] slot = identity.Seal(keys, SlotKind.Recovery, [], secret.Span, 0, new LogPin(head.Seq, head.Head), head.Floor, random);
        await VaultMaker.PutExactlyAsync(store, VaultJoin.SlotName(SlotKind.Recovery, secret, new VaultHeader(keys.VaultId)), slot, cancellationToken);
        return SecretText.Recovery.Format(secret.Span);
    }

    /// <summary>Opens the slot with the key as somebody wrote it down: what opens here opens later.</summary>
    /// <exception cref="VaultException">It is mistyped, or the store has no such slot.</exception>
    public static async Task<RecoveryKeyChange> OpenAsync(IObjectStore store, VaultKeys keys, string recoveryKey, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        VaultHeader header = new(keys.VaultId);
        using SecretBytes secret = SecretText.Recovery.Parse(recoveryKey);
        SlotPayload payload = await VaultJoin.OpenNamedAsync(store, SlotKind.Recovery, secret, header, "That is not the new recovery key: nothing was changed.", cancellationToken);
        return new RecoveryKeyChange(payload, VaultJoin.SlotName(SlotKind.Recovery, secret, header));
    }

    /// <summary>The commit that puts it in force. Also a master key that the old ones are not told.</summary>
    /// <exception cref="VaultException">It is in force already, or another master key began since the slot was put.</exception>
    public IReadOnlyList<MemberChange> Changes(VaultState state, VaultKeys keys, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(keys);
        SigningKey identity = _payload.Identity!;
        if (state.FindMember(identity.Device) is not null)
        {
            throw new VaultException(VaultErrorKind.NotReady, "That recovery key is in force already, or was replaced.");
        }

        if (_payload.MasterKeys.Keys[^1] != state.KeyEpoch)
        {
            throw new VaultException(VaultErrorKind.NotReady, "The vault has got a new key since this recovery key was shown: discard it and begin again.");
        }

        List<MemberChange> changes =
        [
            new Enrol(new VaultMember { Id = identity.Device, Kind = MemberKind.Recovery, Number = 0, Name = JoinIdentity.RecoveryName, SigningPublicKey = identity.PublicKey }),
            new Announce(identity.Device, identity.Wrapping.PublicKey),
            .. OldOnes(state),
        ];
        changes.Add(keys.MakeRotation(state, changes, random));
        return changes;
    }

    /// <summary>What ends with it.</summary>
    public static IEnumerable<Revoke> OldOnes(VaultState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Members
            .Where(static member => member is { Active: true, Kind: MemberKind.Recovery, Name: JoinIdentity.RecoveryName })
            .Select(static member => new Revoke(member.Id));
    }

    /// <summary>Takes the slots of all other recovery keys away, after the commit. Found by listing: one that a listing misses stays, and lets nobody in.</summary>
    public Task RemoveOldSlotsAsync(IObjectStore store, CancellationToken cancellationToken) =>
        VaultSetup.RemoveSlotsAsync(store, (name, slot) => name != _slot && Slot.LooksLike(slot, SlotKind.Recovery), cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _payload.Dispose();
}
