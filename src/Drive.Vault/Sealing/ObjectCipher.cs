using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Drive.Core;
using Drive.Core.Rows;
using Drive.Vault.Keys;

namespace Drive.Vault.Sealing;

/// <summary>
/// The cipher of one sealed object: key and commitment tag come from the class's key and the object's id, and the segment's number is the nonce.
/// One key seals one object once, so no pair of key and nonce repeats. Not for several threads.
/// </summary>
internal sealed class ObjectCipher : IDisposable
{
    public const int TagBytes = 16;

    /// <summary>Header and commitment tag: where the first segment starts.</summary>
    public const int PreambleBytes = ObjectHeader.Bytes + Bytes32.Size;

    private const int NonceBytes = 12;
    private const int AssociatedBytes = Bytes32.Size + 8 + 4 + 1;
    private static readonly byte[] KeyLabel = Encoding.ASCII.GetBytes(Labels.ObjectKey);
    private static readonly byte[] CommitmentLabel = Encoding.ASCII.GetBytes(Labels.ObjectCommitment);
    private readonly AesGcm _aes;
    private readonly Bytes32 _headerHash;
    private readonly byte[] _commitment = new byte[Bytes32.Size];

    public ObjectCipher(VaultKeys keys, ObjectHeader header)
    {
        Header = header;
        _headerHash = header.Hash();
        Span<byte> secrets = stackalloc byte[2 * Bytes32.Size];
        Span<byte> prk = secrets[..Bytes32.Size];
        Span<byte> key = secrets[Bytes32.Size..];
        HKDF.Extract(HashAlgorithmName.SHA256, keys.SubKey(header.Epoch, LabelOf(header.Class)), header.ObjectId.AsSpan(), prk);
        HKDF.Expand(HashAlgorithmName.SHA256, prk, key, KeyLabel);
        HKDF.Expand(HashAlgorithmName.SHA256, prk, _commitment, CommitmentLabel);
        _aes = new AesGcm(key, TagBytes);
        CryptographicOperations.ZeroMemory(secrets);
    }

    public ObjectHeader Header { get; }

    public void WritePreamble(Span<byte> destination)
    {
        Header.Write(destination);
        _commitment.CopyTo(destination[ObjectHeader.Bytes..]);
    }

    /// <summary>Reads the header, derives the keys and compares the commitment tag, all before any decryption.</summary>
    public static ObjectCipher Open(VaultKeys keys, ObjectClass expectedClass, ReadOnlySpan<byte> sealedObject, string objectName)
    {
        ObjectHeader header = ObjectHeader.Read(sealedObject, expectedClass, keys.VaultId, objectName);
        if (sealedObject.Length < PreambleBytes)
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.Malformed, "cut short");
        }

        if (!keys.HasEpoch(header.Epoch))
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.KeyEpoch, $"this device has no key of epoch {header.Epoch}");
        }

        var cipher = new ObjectCipher(keys, header);
        if (!CryptographicOperations.FixedTimeEquals(cipher._commitment, sealedObject.Slice(ObjectHeader.Bytes, Bytes32.Size))
            && !Mistakes.Has(Mistake.CommitmentIgnored))
        {
            cipher.Dispose();
            throw new VaultIntegrityException(objectName, IntegrityKind.CommitTag, "the key commitment does not match");
        }

        return cipher;
    }

    /// <summary>Seals into <paramref name="destination"/>: ciphertext, then tag. The caller gives each number once.</summary>
    public void Seal(long number, bool last, bool compressed, int plainLength, ReadOnlySpan<byte> content, Span<byte> destination)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Span<byte> associated = stackalloc byte[AssociatedBytes];
        Bind(number, last, compressed, plainLength, nonce, associated);
        _aes.Encrypt(nonce, content, destination[..content.Length], destination.Slice(content.Length, TagBytes), associated);
    }

    /// <summary>False, with nothing in <paramref name="content"/>, when the tag does not fit.</summary>
    public bool TryOpen(long number, bool last, bool compressed, int plainLength, ReadOnlySpan<byte> segment, Span<byte> content)
    {
        if (segment.Length != content.Length + TagBytes)
        {
            return false;
        }

        Span<byte> nonce = stackalloc byte[NonceBytes];
        Span<byte> associated = stackalloc byte[AssociatedBytes];
        Bind(number, last, compressed, plainLength, nonce, associated);
        try
        {
            _aes.Decrypt(nonce, segment[..content.Length], segment[content.Length..], content, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            content.Clear();
            return Mistakes.Has(Mistake.SealIgnored);
        }
    }

    public void Dispose() => _aes.Dispose();

    private static string LabelOf(ObjectClass objectClass) => objectClass switch
    {
        ObjectClass.Commit => Labels.Commit,
        ObjectClass.Pack => Labels.Pack,
        ObjectClass.CheckpointPart => Labels.CheckpointPart,
        ObjectClass.CheckpointManifest => Labels.CheckpointManifest,
        ObjectClass.Floor => Labels.Floor,
        ObjectClass.KeyLink => Labels.KeyLink,
        _ => throw new ArgumentOutOfRangeException(nameof(objectClass)),
    };

    /// <summary>Nonce: u32 0, u56 number, u8 last. Associated data: H(header), u64 number, u32 plain length, u8 flags.</summary>
    private void Bind(long number, bool last, bool compressed, int plainLength, Span<byte> nonce, Span<byte> associated)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)number, 1UL << 56);
        number = Mistakes.Has(Mistake.SegmentNotBound) ? 0 : number;
        nonce[..4].Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[4..], ((ulong)number << 8) | (last ? 1UL : 0UL));
        _headerHash.AsSpan().CopyTo(associated);
        BinaryPrimitives.WriteUInt64BigEndian(associated[32..], (ulong)number);
        BinaryPrimitives.WriteUInt32BigEndian(associated[40..], (uint)plainLength);
        associated[44] = (byte)((last ? 1 : 0) | (compressed ? 2 : 0));
    }
}
