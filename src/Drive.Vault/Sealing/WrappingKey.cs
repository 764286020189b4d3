using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Vault.Codec;

namespace Drive.Vault.Sealing;

/// <summary>
/// An identity's key for being told a new master key: P-256, ephemeral-static Diffie-Hellman (NIST SP 800-56A, C(1e, 1s)), HKDF-SHA256, AES-256-GCM. A member's
/// follows from the number that it signs with, so nothing more has to be kept; the two are different keys.
/// </summary>
internal sealed class WrappingKey : IDisposable
{
    public const int PublicKeyBytes = 64;

    /// <summary>A master key and its tag.</summary>
    public const int WrappedBytes = Bytes32.Size + TagBytes;

    private const int TagBytes = 16;
    private const int CoordinateBytes = 32;
    private static readonly BigInteger Order = new(Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"), isUnsigned: true, isBigEndian: true);

    private readonly Lock _lock = new();
    private readonly ECDiffieHellman _key;

    private WrappingKey(ReadOnlySpan<byte> seed)
    {
        // Sixteen bytes more than a number has make every number as likely (FIPS 186-5, A.2.1).
        BigInteger number = (new BigInteger(seed, isUnsigned: true, isBigEndian: true) % (Order - 1)) + 1;
        byte[] scalar = GC.AllocateArray<byte>(CoordinateBytes, pinned: true);
        number.TryWriteBytes(scalar.AsSpan(CoordinateBytes - number.GetByteCount(isUnsigned: true)), out _, isUnsigned: true, isBigEndian: true);
        try
        {
            _key = ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = scalar });
        }
        finally
        {
            CryptographicOperations.ZeroMemory(scalar);
        }

        ECPoint point = _key.ExportParameters(includePrivateParameters: false).Q;
        PublicKey = [.. point.X!, .. point.Y!];
    }

    /// <summary>X ‖ Y.</summary>
    public byte[] PublicKey { get; }

    /// <summary>The one that belongs to a signing key: its seed is Expand(Extract(salt = device id, signing number), "drive/1/wrapping-key", 48).</summary>
    public static WrappingKey Of(SigningKey signer)
    {
        Span<byte> seed = stackalloc byte[CoordinateBytes + 16];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, signer.Scalar, seed, Convert.FromHexString(signer.Device.Value), Encoding.ASCII.GetBytes(Labels.WrappingKey));
        return Make(seed);
    }

    /// <summary>Whether X ‖ Y is a point of the curve.</summary>
    public static bool IsPoint(ReadOnlySpan<byte> publicKey)
    {
        try
        {
            using ECDiffieHellman _ = ImportPoint(publicKey);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>One for a single rotation.</summary>
    public static WrappingKey Draw(IRandomSource random)
    {
        Span<byte> seed = stackalloc byte[CoordinateBytes + 16];
        random.Fill(seed);
        return Make(seed);
    }

    /// <summary>Seals a master key for the owner of another key. This key may wrap one master key only, once for each owner.</summary>
    /// <param name="owner">Public key of the member.</param>
    /// <param name="context">The rotation: what both sides know.</param>
    /// <param name="masterKey">32 bytes.</param>
    public byte[] Wrap(ReadOnlySpan<byte> owner, in WrapContext context, ReadOnlySpan<byte> masterKey)
    {
        var wrapped = new byte[WrappedBytes];
        using AesGcm cipher = Agree(owner, context, PublicKey, owner);
        cipher.Encrypt(Nonce, masterKey, wrapped.AsSpan(0, Bytes32.Size), wrapped.AsSpan(Bytes32.Size), context.HeaderHash.AsSpan());
        return wrapped;
    }

    /// <summary>What was wrapped for this key; null when it was not.</summary>
    public SecretBytes? Unwrap(ReadOnlySpan<byte> ephemeral, in WrapContext context, ReadOnlySpan<byte> wrapped)
    {
        var masterKey = new SecretBytes(Bytes32.Size);
        try
        {
            using AesGcm cipher = Agree(ephemeral, context, ephemeral, PublicKey);
            cipher.Decrypt(Nonce, wrapped[..Bytes32.Size], wrapped[Bytes32.Size..], masterKey.Span, context.HeaderHash.AsSpan());
            return masterKey;
        }
        catch (CryptographicException)
        {
            masterKey.Dispose();
            return null;
        }
    }

    public void Dispose() => _key.Dispose();

    private static ReadOnlySpan<byte> Nonce => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

    private static WrappingKey Make(Span<byte> seed)
    {
        try
        {
            return new WrappingKey(seed);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    private static ECDiffieHellman ImportPoint(ReadOnlySpan<byte> publicKey) => ECDiffieHellman.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new ECPoint { X = publicKey[..CoordinateBytes].ToArray(), Y = publicKey[CoordinateBytes..].ToArray() },
    });

    /// <summary>Key = Expand(Extract(salt = vault id, shared ‖ sub(e, rotate)), "drive/1/wrap" ‖ u32 new epoch ‖ member ‖ ephemeral ‖ owner).</summary>
    private AesGcm Agree(ReadOnlySpan<byte> other, in WrapContext context, ReadOnlySpan<byte> ephemeral, ReadOnlySpan<byte> owner)
    {
        using ECDiffieHellman point = ImportPoint(other);
        byte[] shared;
        lock (_lock)
        {
            shared = _key.DeriveRawSecretAgreement(point.PublicKey);
        }

        using var material = new SecretBytes(shared.Length + Bytes32.Size);
        shared.CopyTo(material.Span);
        context.OldKey.CopyTo(material.Span[shared.Length..]);
        CryptographicOperations.ZeroMemory(shared);
        using var info = new ByteWriter();
        info.Raw(Encoding.ASCII.GetBytes(Labels.Wrap));
        info.Fixed32((uint)context.Epoch);
        info.Device(context.Member);
        info.Raw(ephemeral);
        info.Raw(owner);
        using var key = new SecretBytes(Bytes32.Size);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, material.Span, key.Span, context.VaultId.AsSpan(), info.Written);
        return new AesGcm(key.Span, TagBytes);
    }
}

/// <summary>What a wrapped key is bound to. A key of the epoch before is mixed in, so that who only sees the store has neither half.</summary>
internal readonly ref struct WrapContext
{
    public required Bytes32 VaultId { get; init; }

    public required Bytes32 HeaderHash { get; init; }

    /// <summary>The epoch that begins.</summary>
    public required int Epoch { get; init; }

    public required DeviceId Member { get; init; }

    /// <summary>sub(epoch before, "rotate").</summary>
    public required ReadOnlySpan<byte> OldKey { get; init; }
}
