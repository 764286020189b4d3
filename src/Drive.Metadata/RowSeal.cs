using System.Buffers.Binary;
using System.Security.Cryptography;

using Drive.Core.Volumes;

namespace Drive.Metadata;

/// <summary>What a sealed column holds; part of every hash and seal, so that none stands for another.</summary>
internal enum SealKind : byte
{
    KeyCheck = 1,
    Entry = 2,
    LinkTarget = 3,
    XattrName = 4,
    Xattr = 5,
    Setting = 6,
}

/// <summary>
/// Seals text columns and hashes names for look-up. One 32-byte key gives two by HKDF: one for HMAC-SHA256, one for AES-256-GCM.
/// Seals are deterministic, after the idea of SIV (RFC 5297): the nonce is an HMAC over kind, row id and plaintext, cut to 96 bits. So
/// a nonce repeats only with the very same plaintext, which gives the very same bytes: it needs neither a counter that
/// survives a crash nor random numbers (two of 2^32 different texts share a nonce with a chance of 2^-33). Equal texts in one row look equal; nothing more shows.
/// Not for several threads.
/// </summary>
internal sealed class RowSeal : IDisposable
{
    /// <summary>Bytes of a look-up hash.</summary>
    public const int HashSize = 16;

    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int Overhead = NonceSize + TagSize;
    private const int HeaderSize = 9;

    private readonly AesGcm _cipher;
    private readonly IncrementalHash _mac;

    public RowSeal(ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, 32);
        Span<byte> derived = stackalloc byte[32];
        HKDF.Expand(HashAlgorithmName.SHA256, key, derived, "drive/metadata/seal"u8);
        _cipher = new AesGcm(derived, TagSize);
        HKDF.Expand(HashAlgorithmName.SHA256, key, derived, "drive/metadata/hash"u8);
        _mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, derived);
        CryptographicOperations.ZeroMemory(derived);
    }

    /// <summary>The look-up hash of a name in a row's key.</summary>
    public void Hash(SealKind kind, NodeId id, ReadOnlySpan<byte> name, Span<byte> hash)
    {
        Span<byte> digest = stackalloc byte[32];
        Digest(kind, id, name, digest);
        digest[..HashSize].CopyTo(hash);
    }

    /// <summary>nonce ‖ ciphertext ‖ tag.</summary>
    public byte[] Seal(SealKind kind, NodeId id, ReadOnlySpan<byte> plain)
    {
        Span<byte> digest = stackalloc byte[32];
        Digest(kind, id, plain, digest);
        var box = new byte[Overhead + plain.Length];
        Seal(kind, id, digest, plain, box);
        return box;
    }

    /// <summary>
    /// Hash and seal of one text with one HMAC: its first half is the look-up hash, the nonce comes from the second, which is not stored elsewhere.
    /// Returns the sealed length.
    /// </summary>
    public int SealWithHash(SealKind kind, NodeId id, ReadOnlySpan<byte> plain, Span<byte> hash, Span<byte> box)
    {
        Span<byte> digest = stackalloc byte[32];
        Digest(kind, id, plain, digest);
        digest[..HashSize].CopyTo(hash);
        return Seal(kind, id, digest, plain, box);
    }

    /// <summary>The plaintext; <see cref="MetadataCorruptException"/> when the bytes are not what was sealed here.</summary>
    public byte[] Open(SealKind kind, NodeId id, ReadOnlySpan<byte> box) =>
        TryOpen(kind, id, box) ?? throw new MetadataCorruptException($"A sealed {kind} column of {id} is damaged..");

    /// <summary>The plaintext, or null when it does not authenticate.</summary>
    public byte[]? TryOpen(SealKind kind, NodeId id, ReadOnlySpan<byte> box)
    {
        if (box.Length < Overhead)
        {
            return null;
        }

        Span<byte> header = stackalloc byte[HeaderSize];
        WriteHeader(kind, id, header);
        var plain = new byte[box.Length - Overhead];
        try
        {
            _cipher.Decrypt(box[..NonceSize], box[NonceSize..^TagSize], box[^TagSize..], plain, header);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    /// <summary>The most that a seal of so many bytes takes.</summary>
    public static int SealedSize(int plainBytes) => plainBytes + Overhead;

    public void Dispose()
    {
        _cipher.Dispose();
        _mac.Dispose();
    }

    private static void WriteHeader(SealKind kind, NodeId id, Span<byte> header)
    {
        header[0] = (byte)kind;
        BinaryPrimitives.WriteUInt64LittleEndian(header[1..], id.Value);
    }

    private int Seal(SealKind kind, NodeId id, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> plain, Span<byte> box)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        WriteHeader(kind, id, header);
        int length = Overhead + plain.Length;
        box = box[..length];
        digest.Slice(HashSize, NonceSize).CopyTo(box);
        _cipher.Encrypt(box[..NonceSize], plain, box[NonceSize..^TagSize], box[^TagSize..], header);
        return length;
    }

    private void Digest(SealKind kind, NodeId id, ReadOnlySpan<byte> plain, Span<byte> digest)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        WriteHeader(kind, id, header);
        _mac.AppendData(header);
        _mac.AppendData(plain);
        _mac.GetHashAndReset(digest);
    }
}
