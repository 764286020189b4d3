using System.Security.Cryptography;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Vault.Codec;
using Drive.Vault.Log;

namespace Drive.Vault.Keys;

/// <summary>The slot that opens with passphrase and account secret together.</summary>
internal static class PassphraseSlot
{
    public static (ObjectName Name, byte[] Bytes) Seal(
        VaultKeys keys, LogPin leastHead, long leastFloor, ReadOnlySpan<byte> passphrase, int iterations, IRandomSource random)
    {
        using var payload = new ByteWriter(1024);
        SlotPayload.Write(payload, keys, leastHead, leastFloor, recovery: null);
        byte[] slot = Slot.Seal(SlotKind.Passphrase, new VaultHeader(keys.VaultId), passphrase, keys.AccountSecret, iterations, payload.Written, random);
        Span<byte> id = stackalloc byte[16];
        random.Fill(id);
        return (VaultNames.Slot(id), slot);
    }

    public static SlotPayload Open(VaultKeys keys, ReadOnlySpan<byte> slot, ReadOnlySpan<byte> passphrase, string objectName)
    {
        byte[] plain = Slot.Open(slot, SlotKind.Passphrase, keys.VaultId, passphrase, keys.AccountSecret, objectName);
        try
        {
            return SlotPayload.Read(plain, objectName);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }
}
