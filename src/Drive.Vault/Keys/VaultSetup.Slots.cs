using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Vault.Log;

namespace Drive.Vault.Keys;

public static partial class VaultSetup
{
    /// <summary>
    /// Puts a slot for the new passphrase (fresh salt), reads it back, and only then removes the older ones. Old slots are found by
    /// listing: where a listing misses one, it stays until the next change. A store may keep an old slot for itself: its identity is revoked by the commit that enrols the new
    /// one, and the account secret still keeps others out.
    /// </summary>
    public static async Task ChangePassphraseAsync(
        IObjectStore store, VaultKeys keys, VaultState state, JoinIdentity identity, byte[] newPassphrase, bool isAlone, int iterations, IRandomSource random, CancellationToken cancellationToken)
    {
        (ObjectName kept, byte[] bytes) = PassphraseSlot.Seal(keys, identity, new LogPin(state.Seq, state.Head), state.Floor, newPassphrase, isAlone, iterations, random);
        await VaultMaker.PutExactlyAsync(store, kept, bytes, cancellationToken);
        byte[] found = await store.GetProvableAsync(kept, Slot.BytesMax, cancellationToken)
            ?? throw new VaultIntegrityException(kept.Value, IntegrityKind.Missing, "is not there, though it was just put");
        if (!found.AsSpan().SequenceEqual(bytes))
        {
            throw new VaultIntegrityException(kept.Value, IntegrityKind.Seal, "is not what was just put");
        }

        await RemoveSlotsAsync(store, (name, slot) => name != kept && PassphraseSlot.IsOne(slot), cancellationToken);
    }

    /// <summary>
    /// Takes the slots of pairing codes away, once none is good any more: each still opens the master keys that it was made with, though it lets nobody in. Which slot is which code's cannot be
    /// told, so while another code waits to be used they stay. A code that another device makes at this very moment may go with them; then it has to be made anew.
    /// </summary>
    public static Task RemovePairingSlotsAsync(IObjectStore store, VaultState state, CancellationToken cancellationToken) =>
        state.Members.Any(static member => member is { Active: true, Kind: MemberKind.Pairing })
            ? Task.CompletedTask
            : RemoveSlotsAsync(store, static (_, slot) => Slot.LooksLike(slot, SlotKind.Pairing) || Slot.LooksLike(slot, SlotKind.PairingRequest), cancellationToken);

    internal static async Task RemoveSlotsAsync(IObjectStore store, Func<ObjectName, byte[], bool> isUnwanted, CancellationToken cancellationToken)
    {
        foreach (ObjectName name in await ListSlotsAsync(store, cancellationToken))
        {
            if (await store.GetProvableAsync(name, Slot.BytesMax, cancellationToken) is { } slot && isUnwanted(name, slot))
            {
                await store.DeleteAsync(name, cancellationToken);
            }
        }
    }

    private static async Task<List<ObjectName>> ListSlotsAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        List<ObjectName> names = [];
        await foreach (ObjectInfo info in store.ListAsync(VaultNames.SlotPrefix, cancellationToken))
        {
            names.Add(info.Name);
        }

        return names;
    }

    /// <summary>What makes an identity the one that stands for the passphrase: those before it end.</summary>
    public static IReadOnlyList<MemberChange> PassphraseChanges(VaultState state, JoinIdentity identity) =>
    [
        .. identity.Changes,
        .. state.Members
            .Where(static member => member is { Active: true, Kind: MemberKind.Recovery, Name: JoinIdentity.PassphraseName })
            .Select(static member => new Revoke(member.Id)),
    ];

    /// <summary>Refuses where a vault is; clears away what an interrupted making left, when that was asked for and there is no first commit.</summary>
    private static async Task RefuseOrClearAsync(IObjectStore store, CreateVaultOptions options, CancellationToken cancellationToken)
    {
        VaultInfo info = await ProbeAsync(store, cancellationToken);
        switch (info.Presence)
        {
            case VaultPresence.None:
                // A log without its vault object was damaged, not interrupted: the vault object comes first.
                if (await store.GetLengthAsync(VaultNames.Commit(1, 1), cancellationToken) is not null)
                {
                    throw new VaultException(VaultErrorKind.AlreadyExists, "The store holds the log of a vault whose object 'vault' is missing. Nothing was changed.");
                }

                return;
            case VaultPresence.Interrupted when options.ReplaceInterrupted:
                await ClearAsync(store, cancellationToken);
                return;
            case VaultPresence.Interrupted:
                throw new VaultException(VaultErrorKind.Interrupted, "Making a vault here was interrupted before it held anything. Ask to replace it to start afresh.");
            case VaultPresence.Present:
            case VaultPresence.NewerFormat:
            default:
                throw new VaultException(VaultErrorKind.AlreadyExists, "The store already holds a vault. Open that one, or choose an empty place.");
        }
    }

    /// <summary>Slots first: while <c>vault</c> stands, a second failure leaves things as interrupted as they were.</summary>
    private static async Task ClearAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        foreach (ObjectName name in (await ListSlotsAsync(store, cancellationToken)).Append(VaultNames.Vault))
        {
            await store.DeleteAsync(name, cancellationToken);
        }
    }
}
