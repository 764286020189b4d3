using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Drive.Core;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Vault.Codec;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>What a slot opens with.</summary>
internal enum SlotKind : byte
{
    /// <summary>PBKDF2 of the passphrase, and the account secret that the store never sees.</summary>
    Passphrase = 1,

    /// <summary>The recovery key: 256 random bits, so no rounds.</summary>
    Recovery = 2,

    /// <summary>A device's exported keys behind a passphrase; lies on that device's disk.</summary>
    DeviceKeys = 3,

    /// <summary>A pairing code: 256 random bits, so no rounds.</summary>
    Pairing = 4,

    /// <summary>PBKDF2 of the passphrase alone, where the owner wants to join with nothing else.</summary>
    PassphraseAlone = 5,

    /// <summary>What a device that has a pairing code asks the single writer of a vault, under that code; holds no secret.</summary>
    PairingRequest = 6,
}

/// <summary>
/// Keys sealed under a secret: <c>"DRVS" | suite u8 | kind u8 | vault id 32 | iterations u32 | salt 32 | C 32 | ciphertext and tag</c>.
/// Each has a fresh salt, so its key seals once; C commits to the key, and a wrong secret is told from damage by nobody: both fail at C.
/// </summary>
internal static class Slot
{
    public const int BytesMax = 64 * 1024;
    private const int HeaderBytes = 74;
    private const int SaltOffset = 42;
    private const int TagBytes = 16;

    private static ReadOnlySpan<byte> Magic => "DRVS"u8;

    /// <summary>Seals under passphrase rounds (iterations above 0) and the plain secret (may be empty).</summary>
    public static byte[] Seal(
        SlotKind kind, VaultHeader vault, ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> secret, int iterations, ReadOnlySpan<byte> plain, IRandomSource random)
    {
        CheckIterations(kind, iterations, "slot");
        var slot = new byte[HeaderBytes + Bytes32.Size + plain.Length + TagBytes];
        Span<byte> header = slot.AsSpan(0, HeaderBytes);
        Magic.CopyTo(header);
        header[4] = ObjectHeader.Suite;
        header[5] = (byte)kind;
        vault.VaultId.AsSpan().CopyTo(header[6..]);
        BinaryPrimitives.WriteUInt32BigEndian(header[38..], (uint)iterations);
        random.Fill(header[SaltOffset..]);
        using SlotCipher cipher = Derive(header, vault, passphrase, secret, iterations);
        cipher.Commitment.Span.CopyTo(slot.AsSpan(HeaderBytes));
        Span<byte> sealedPart = slot.AsSpan(HeaderBytes + Bytes32.Size);
        cipher.Aes.Encrypt(Nonce, plain, sealedPart[..plain.Length], sealedPart[plain.Length..], SHA256.HashData(header));
        return slot;
    }

    /// <summary>
    /// The plain bytes, in a pinned array that the caller zeroes. A slot that can't be right is an integrity error; one that this secret
    /// does not open is <see cref="VaultErrorKind.WrongSecret"/>.
    /// </summary>
    public static byte[] Open(
        ReadOnlySpan<byte> slot, SlotKind expectedKind, Bytes32? expectedVault, ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> secret, string objectName)
    {
        if (slot.Length is < HeaderBytes + 32 + TagBytes or > BytesMax || !slot[..4].SequenceEqual(Magic))
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.Malformed, "not a slot");
        }

        ReadOnlySpan<byte> header = slot[..HeaderBytes];
        if (header[4] != ObjectHeader.Suite)
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.UnsupportedSuite, $"suite {header[4]} is not accepted");
        }

        if (header[5] != (byte)expectedKind)
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.WrongClass, "a slot of another kind");
        }

        var vault = new VaultHeader(new Bytes32(header.Slice(6, Bytes32.Size)));
        if (expectedVault is { } expected && vault.VaultId != expected)
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.WrongVault, "a slot of another vault");
        }

        uint iterations = BinaryPrimitives.ReadUInt32BigEndian(header[38..]);
        CheckIterations(expectedKind, iterations, objectName);
        using SlotCipher cipher = Derive(header, vault, passphrase, secret, (int)iterations);
        if (!CryptographicOperations.FixedTimeEquals(cipher.Commitment.Span, slot.Slice(HeaderBytes, Bytes32.Size)))
        {
            throw WrongSecret(expectedKind);
        }

        ReadOnlySpan<byte> sealedPart = slot[(HeaderBytes + Bytes32.Size)..];
        byte[] plain = GC.AllocateArray<byte>(sealedPart.Length - TagBytes, pinned: true);
        try
        {
            cipher.Aes.Decrypt(Nonce, sealedPart[..plain.Length], sealedPart[plain.Length..], plain, SHA256.HashData(header));
            return plain;
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.Seal, "the slot was changed", e);
        }
    }

    /// <summary>Whether this looks like a slot of the kind; for choosing among listed slots, proves nothing.</summary>
    public static bool LooksLike(ReadOnlySpan<byte> slot, SlotKind kind) =>
        slot.Length > HeaderBytes && slot[..4].SequenceEqual(Magic) && slot[5] == (byte)kind;

    private static ReadOnlySpan<byte> Nonce => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

    private static VaultException WrongSecret(SlotKind kind) => new(
        VaultErrorKind.WrongSecret, kind switch
        {
            SlotKind.Recovery => "This recovery key does not open this vault.",
            SlotKind.Pairing or SlotKind.PairingRequest => "This pairing code does not open this vault.",
            _ => "Wrong passphrase.",
        });

    private static void CheckIterations(SlotKind kind, long iterations, string objectName)
    {
        bool valid = kind is SlotKind.Recovery or SlotKind.Pairing or SlotKind.PairingRequest ? iterations == 0 : iterations is >= PassphraseCost.IterationsMin and <= PassphraseCost.IterationsMax;
        if (!valid && !Mistakes.Has(Mistake.PassphraseCostNotChecked))
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.UnsupportedSuite, "the passphrase's cost is outside what is accepted");
        }
    }

    /// <summary>ikm = PBKDF2(passphrase, salt) ‖ secret; prk = Extract(salt, ikm); key and commitment by label ‖ H(vault header).</summary>
    private static SlotCipher Derive(ReadOnlySpan<byte> header, VaultHeader vault, ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> secret, int iterations)
    {
        ReadOnlySpan<byte> salt = header[SaltOffset..];
        int stretched = iterations > 0 ? 64 : 0;
        using var material = new SecretBytes(stretched + secret.Length);
        if (stretched > 0)
        {
            Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, material.Span[..stretched], iterations, HashAlgorithmName.SHA512);
        }

        secret.CopyTo(material.Span[stretched..]);
        using var prk = new SecretBytes(Bytes32.Size);
        using var key = new SecretBytes(Bytes32.Size);
        HKDF.Extract(HashAlgorithmName.SHA256, material.Span, salt, prk.Span);
        Expand(prk, Labels.SlotKey, vault, key.Span);
        var commitment = new SecretBytes(Bytes32.Size);
        Expand(prk, Labels.SlotCommitment, vault, commitment.Span);
        return new SlotCipher(new AesGcm(key.Span, TagBytes), commitment);
    }

    private static void Expand(SecretBytes prk, string label, VaultHeader vault, Span<byte> output)
    {
        using var info = new ByteWriter();
        info.Raw(Encoding.ASCII.GetBytes(label));
        info.Raw(vault.Hash());
        HKDF.Expand(HashAlgorithmName.SHA256, prk.Span, output, info.Written);
    }

    private sealed record SlotCipher(AesGcm Aes, SecretBytes Commitment) : IDisposable
    {
        public void Dispose()
        {
            Aes.Dispose();
            Commitment.Dispose();
        }
    }
}
