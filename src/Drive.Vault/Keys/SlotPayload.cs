using System.Security.Cryptography;
using Drive.Core.Rows;
using Drive.Vault.Codec;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>
/// What a slot in the store holds: the master keys, what the one who opens it must find in the log at the least, the account secret, and the identity that may
/// enrol a device. (Passphrase slots of before November 2026 lack the last two.)
/// </summary>
internal sealed class SlotPayload : IDisposable
{
    private const byte Version = 1;

    public required Bytes32 GenesisHash { get; init; }

    public required LogPin LeastHead { get; init; }

    public required long LeastFloor { get; init; }

    public required SortedList<int, SecretBytes> MasterKeys { get; init; }

    public SecretBytes? AccountSecret { get; init; }

    public SigningKey? Identity { get; init; }

    /// <summary>The payload for keys that are in use; secrets go straight into the writer.</summary>
    public static void Write(ByteWriter writer, VaultKeys keys, LogPin leastHead, long leastFloor, SigningKey identity)
    {
        writer.Byte(Version);
        writer.Raw(keys.GenesisHash);
        writer.Count(leastHead.Seq);
        writer.Raw(leastHead.Hash);
        writer.Count(leastFloor);
        keys.WriteMasterKeys(writer);
        writer.Bool(true);
        writer.Raw(keys.AccountSecret);
        writer.Device(identity.Device);
        writer.Raw(identity.PublicKey);
        writer.Raw(identity.Scalar);
    }

    /// <summary>Opens a slot; see <see cref="Slot.Open"/>.</summary>
    public static SlotPayload Open(ReadOnlySpan<byte> slot, SlotKind kind, VaultHeader header, ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> secret, string objectName)
    {
        byte[] plain = Slot.Open(slot, kind, header.VaultId, passphrase, secret, objectName);
        try
        {
            return Read(plain, objectName);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    /// <summary>A slot that nobody can be enrolled with is refused.</summary>
    public static SlotPayload RequireIdentity(SlotPayload payload, string objectName)
    {
        if (payload.Identity is not null)
        {
            return payload;
        }

        payload.Dispose();
        throw new VaultIntegrityException(objectName, IntegrityKind.Malformed, "a slot without an identity that may enrol a device");
    }

    public static SlotPayload Read(ReadOnlySpan<byte> source, string objectName)
    {
        var reader = new ByteReader(source, objectName);
        if (reader.Byte() != Version)
        {
            throw reader.Malformed("a slot of another version");
        }

        Bytes32 genesis = reader.Raw32();
        var leastHead = new LogPin(reader.Count(), reader.Raw32());
        long leastFloor = reader.Count();
        SortedList<int, SecretBytes> masterKeys = VaultKeys.ReadMasterKeys(ref reader);
        SecretBytes? account = null;
        SigningKey? identity = null;
        if (reader.Bool())
        {
            account = new SecretBytes(reader.Raw(Bytes32.Size));
            DeviceId device = reader.Device();
            ReadOnlySpan<byte> publicKey = reader.Raw(SigningKey.PublicKeyBytes);
            identity = Import(device, reader.Raw(Bytes32.Size), publicKey, reader);
        }

        reader.ExpectEnd();
        return new SlotPayload
        {
            GenesisHash = genesis,
            LeastHead = leastHead,
            LeastFloor = leastFloor,
            MasterKeys = masterKeys,
            AccountSecret = account,
            Identity = identity,
        };
    }

    /// <summary>For an owner that took none of the secrets over.</summary>
    private static SigningKey Import(DeviceId device, ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> publicKey, in ByteReader reader)
    {
        try
        {
            return SigningKey.Import(device, scalar, publicKey);
        }
        catch (CryptographicException)
        {
            throw reader.Malformed("a recovery identity that is no key");
        }
    }

    public void Dispose()
    {
        foreach (SecretBytes key in MasterKeys.Values)
        {
            key.Dispose();
        }

        AccountSecret?.Dispose();
        Identity?.Dispose();
    }
}
