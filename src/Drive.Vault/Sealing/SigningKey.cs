using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Drive.Core.Rows;

namespace Drive.Vault.Sealing;

/// <summary>
/// An identity that signs: a device, or the vault's recovery identity. ECDSA P-256 over SHA-256, r ‖ s, with s in the lower half,
/// so that nobody can turn one valid signature into another.
/// </summary>
internal sealed class SigningKey : IDisposable
{
    public const int SignatureBytes = 64;
    public const int PublicKeyBytes = 64;
    private const int ScalarBytes = 32;

    private static readonly byte[] Order = Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
    private static readonly byte[] HalfOrder = Convert.FromHexString("7FFFFFFF800000007FFFFFFFFFFFFFFFDE737D56D38BCF4279DCE5617E3192A8");
    private readonly Lock _lock = new();
    private readonly ECDsa _key;
    private readonly SecretBytes _scalar;
    private readonly Lazy<WrappingKey> _wrapping;

    private SigningKey(DeviceId device, ECDsa key, SecretBytes scalar, byte[] publicKey)
    {
        Device = device;
        _key = key;
        _scalar = scalar;
        PublicKey = publicKey;
        _wrapping = new Lazy<WrappingKey>(() => WrappingKey.Of(this));
    }

    public DeviceId Device { get; }

    /// <summary>X ‖ Y.</summary>
    public byte[] PublicKey { get; }

    /// <summary>The key that new master keys are wrapped for.</summary>
    public WrappingKey Wrapping => _wrapping.Value;

    /// <summary>The private number, for export.</summary>
    public ReadOnlySpan<byte> Scalar => _scalar.Span;

    public static SigningKey Create(DeviceId device)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ECParameters parameters = key.ExportParameters(includePrivateParameters: true);
        try
        {
            return Import(device, parameters.D, [.. parameters.Q.X!, .. parameters.Q.Y!]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(parameters.D);
        }
    }

    /// <summary><see cref="CryptographicException"/> when the numbers are no key.</summary>
    public static SigningKey Import(DeviceId device, ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> publicKey)
    {
        ECParameters parameters = PublicParameters(publicKey);
        parameters.D = scalar.ToArray();
        try
        {
            return new SigningKey(device, ECDsa.Create(parameters), new SecretBytes(scalar), publicKey.ToArray());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(parameters.D);
        }
    }

    /// <summary>Signs label ‖ content.</summary>
    public void Sign(string label, ReadOnlySpan<byte> content, Span<byte> signature)
    {
        Span<byte> digest = stackalloc byte[Bytes32.Size];
        Digest(label, content, digest);
        lock (_lock)
        {
            _key.SignHash(digest, signature, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }

        Span<byte> s = signature.Slice(ScalarBytes, ScalarBytes);
        if (s.SequenceCompareTo(HalfOrder) > 0)
        {
            BigInteger low = new BigInteger(Order, isUnsigned: true, isBigEndian: true) - new BigInteger(s, isUnsigned: true, isBigEndian: true);
            s.Clear();
            int bytes = low.GetByteCount(isUnsigned: true);
            low.TryWriteBytes(s[(ScalarBytes - bytes)..], out _, isUnsigned: true, isBigEndian: true);
        }
    }

    public static bool Verify(ReadOnlySpan<byte> publicKey, string label, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != SignatureBytes || signature[ScalarBytes..].SequenceCompareTo(HalfOrder) > 0)
        {
            return false;
        }

        Span<byte> digest = stackalloc byte[Bytes32.Size];
        Digest(label, content, digest);
        try
        {
            using var key = ECDsa.Create(PublicParameters(publicKey));
            return key.VerifyHash(digest, signature, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _key.Dispose();
        _scalar.Dispose();
        if (_wrapping.IsValueCreated)
        {
            _wrapping.Value.Dispose();
        }
    }

    private static ECParameters PublicParameters(ReadOnlySpan<byte> publicKey) => new()
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new ECPoint { X = publicKey[..ScalarBytes].ToArray(), Y = publicKey[ScalarBytes..].ToArray() },
    };

    private static void Digest(string label, ReadOnlySpan<byte> content, Span<byte> digest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.ASCII.GetBytes(label));
        hash.AppendData(content);
        hash.GetHashAndReset(digest);
    }
}
