using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>The slot that opens with a passphrase: together with the account secret, or, where its owner chose that, alone.</summary>
internal static class PassphraseSlot
{
    /// <summary>A vault has one; a store that shows very many wants to keep this machine busy.</summary>
    private const int SlotsMax = 8;

    public static (ObjectName Name, byte[] Bytes) Seal(
        VaultKeys keys, JoinIdentity identity, LogPin leastHead, long leastFloor, ReadOnlySpan<byte> passphrase, bool isAlone, int iterations, IRandomSource random)
    {
        byte[] slot = identity.Seal(
            keys, isAlone ? SlotKind.PassphraseAlone : SlotKind.Passphrase, passphrase, isAlone ? [] : keys.AccountSecret, iterations, leastHead, leastFloor, random);
        Span<byte> id = stackalloc byte[16];
        random.Fill(id);
        return (VaultNames.Slot(id), slot);
    }

    public static bool IsOne(ReadOnlySpan<byte> slot) => Slot.LooksLike(slot, SlotKind.Passphrase) || Slot.LooksLike(slot, SlotKind.PassphraseAlone);

    /// <summary>The newest of the listed slots that the passphrase opens. Each that it does not open costs as many rounds as it says.</summary>
    public static async Task<SlotPayload> FindAsync(IObjectStore store, JoinSecret.Passphrase passphrase, VaultHeader header, CancellationToken cancellationToken)
    {
        using SecretBytes? account = passphrase.AccountKey is { } text ? SecretText.Account.Parse(text) : null;
        SlotPayload? best = null;
        VaultIntegrityException? damage = null;
        (int opened, bool needsAccountKey) = (0, false);
        await foreach (ObjectInfo info in store.ListAsync(VaultNames.SlotPrefix, cancellationToken))
        {
            if (await store.GetProvableAsync(info.Name, Slot.BytesMax, cancellationToken) is not { } slot || !IsOne(slot))
            {
                continue;
            }

            bool isAlone = Slot.LooksLike(slot, SlotKind.PassphraseAlone);
            if (!isAlone && account is null)
            {
                needsAccountKey = true;
                continue;
            }

            if (opened++ == SlotsMax)
            {
                break;
            }

            try
            {
                best = Better(best, TryOpen(slot, isAlone ? SlotKind.PassphraseAlone : SlotKind.Passphrase, header, passphrase.Utf8, isAlone ? [] : account!.Span, info.Name.Value));
            }
            catch (VaultIntegrityException error)
            {
                // One that somebody put there must not keep the right one from being found.
                damage ??= error;
            }
        }

        return best ?? throw (damage ?? (Exception)(needsAccountKey
            ? new VaultException(VaultErrorKind.NeedsAccountKey, "The passphrase alone does not open this vault: the account key is needed too. 'drive device account-key' on an enrolled machine shows it.")
            : opened > 0
            ? new VaultException(VaultErrorKind.WrongSecret, account is null ? "Wrong passphrase." : "Wrong passphrase or account key.")
            : new VaultException(VaultErrorKind.WrongSecret, "This vault has no passphrase: join with its recovery key, or with a pairing code from 'drive device add'.")));
    }

    private static SlotPayload? TryOpen(ReadOnlySpan<byte> slot, SlotKind kind, VaultHeader header, ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> secret, string name)
    {
        try
        {
            return SlotPayload.RequireIdentity(SlotPayload.Open(slot, kind, header, passphrase, secret, name), name);
        }
        catch (VaultException wrong) when (wrong.Kind == VaultErrorKind.WrongSecret)
        {
            return null;
        }
    }

    private static SlotPayload? Better(SlotPayload? one, SlotPayload? other)
    {
        if (one is null || other is null)
        {
            return one ?? other;
        }

        (SlotPayload better, SlotPayload worse) = other.LeastHead.Seq > one.LeastHead.Seq ? (other, one) : (one, other);
        worse.Dispose();
        return better;
    }
}
