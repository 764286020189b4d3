using Drive.Core;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Vault.Keys;

namespace Drive.Vault.Sealing;

/// <summary>
/// A sealed body whose content starts with its signer's id, so that the signature over all bytes before it can be checked
/// before anything is decompressed or parsed.
/// </summary>
internal sealed class SignedObject
{
    private const int SignerBytes = 16;
    private readonly ReadOnlyMemory<byte> _packed;

    private SignedObject(DeviceId signer, ObjectHeader header, ReadOnlyMemory<byte> packed)
    {
        Signer = signer;
        Header = header;
        _packed = packed;
    }

    public DeviceId Signer { get; }

    public ObjectHeader Header { get; }

    public static byte[] Seal(VaultKeys keys, int epoch, SigningKey signer, ObjectClass objectClass, IRandomSource random, ReadOnlySpan<byte> body, out Bytes32 id)
    {
        byte[] result = SealedBody.Seal(keys, epoch, objectClass, random, Convert.FromHexString(signer.Device.Value), body, SigningKey.SignatureBytes, out id);
        signer.Sign(LabelOf(objectClass), result.AsSpan(0, result.Length - SigningKey.SignatureBytes), result.AsSpan(result.Length - SigningKey.SignatureBytes));
        return result;
    }

    /// <summary>Opens the seal. What it holds is only to be believed after <see cref="VerifySignature"/>.</summary>
    public static SignedObject Open(VaultKeys keys, ObjectClass expectedClass, ReadOnlySpan<byte> sealedObject, string objectName)
    {
        if (sealedObject.Length < ObjectCipher.PreambleBytes + SigningKey.SignatureBytes)
        {
            // The header tells more than "short" would, where there is one.
            _ = ObjectHeader.Read(sealedObject, expectedClass, keys.VaultId, objectName);
            throw new VaultIntegrityException(objectName, IntegrityKind.Malformed, "cut short");
        }

        byte[] content = SealedBody.Open(keys, expectedClass, sealedObject[..^SigningKey.SignatureBytes], objectName, out ObjectHeader header);
        return content.Length >= SignerBytes
            ? new SignedObject(new DeviceId(Convert.ToHexStringLower(content.AsSpan(0, SignerBytes))), header, content.AsMemory(SignerBytes))
            : throw new VaultIntegrityException(objectName, IntegrityKind.Malformed, "cut short");
    }

    public ReadOnlyMemory<byte> Unpack(string objectName) => SealedBody.Unpack(_packed, objectName);

    /// <summary>
    /// Who was revoked has the keys of before, and may name any signer where its reader knows of none. So what tells of a state is sealed under the key epoch that the state is of, or a later one.
    /// </summary>
    public void RequireEpoch(int least, string objectName)
    {
        if (Header.Epoch < least && !Mistakes.Has(Mistake.FloorEpochNotChecked))
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.KeyEpoch, "is sealed under an older key epoch than the log has come to");
        }
    }

    public void VerifySignature(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> sealedObject, string objectName)
    {
        if (!SigningKey.Verify(publicKey, LabelOf(Header.Class), sealedObject[..^SigningKey.SignatureBytes], sealedObject[^SigningKey.SignatureBytes..])
            && !Mistakes.Has(Mistake.SignatureIgnored))
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.Signature, "the signature is not its signer's");
        }
    }

    private static string LabelOf(ObjectClass objectClass) => objectClass switch
    {
        ObjectClass.Commit => Labels.SignCommit,
        ObjectClass.Floor => Labels.SignFloor,
        ObjectClass.CheckpointManifest => Labels.SignCheckpoint,
        _ => throw new ArgumentOutOfRangeException(nameof(objectClass)),
    };
}
