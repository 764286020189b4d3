using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Vault.Log;

namespace Drive.Vault.Keys;

public static partial class VaultSetup
{
    /// <summary>
    /// Puts a slot for the new passphrase (fresh salt), reads it back, and only then removes the older ones; null removes them only. Old slots are found by
    /// listing: where a listing misses one, it stays until the next change. A store may keep an old slot for itself: when the old passphrase
    /// is known to others, the account secret is what still keeps them out.
    /// </summary>
    public static async Task ChangePassphraseAsync(
        IObjectStore store, VaultKeys keys, VaultState state, byte[]? newPassphrase, int iterations, IRandomSource random, CancellationToken cancellationToken)
    {
        ObjectName? kept = null;
        if (newPassphrase is not null)
        {
            (ObjectName name, byte[] bytes) = PassphraseSlot.Seal(keys, new LogPin(state.Seq, state.Head), state.Floor, newPassphrase, iterations, random);
            await VaultMaker.PutExactlyAsync(store, name, bytes, cancellationToken);
            byte[] found = await store.GetProvableAsync(name, Slot.BytesMax, cancellationToken)
                ?? throw new VaultIntegrityException(name.Value, IntegrityKind.Missing, "is not there, though it was just put");
            if (!found.AsSpan().SequenceEqual(bytes))
            {
                throw new VaultIntegrityException(name.Value, IntegrityKind.Seal, "is not what was just put");
            }

            kept = name;
        }

        List<ObjectName> names = [];
        await foreach (ObjectInfo info in store.ListAsync(VaultNames.SlotPrefix, cancellationToken))
        {
            names.Add(info.Name);
        }

        foreach (ObjectName name in names.Where(name => name != kept))
        {
            if (await store.GetProvableAsync(name, Slot.BytesMax, cancellationToken) is { } slot && Slot.LooksLike(slot, SlotKind.Passphrase))
            {
                await store.DeleteAsync(name, cancellationToken);
            }
        }
    }

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
        List<ObjectName> names = [];
        await foreach (ObjectInfo info in store.ListAsync(VaultNames.SlotPrefix, cancellationToken))
        {
            names.Add(info.Name);
        }

        foreach (ObjectName name in names.Append(VaultNames.Vault))
        {
            await store.DeleteAsync(name, cancellationToken);
        }
    }
}
