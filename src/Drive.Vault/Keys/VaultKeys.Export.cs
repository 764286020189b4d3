using System.Security.Cryptography;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Vault.Codec;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>The keys as bytes, for a system keyring or a file that only their owner may read.</summary>
public sealed partial class VaultKeys
{
    internal const int DeviceNameBytesMax = 200;
    private const string ExportName = "device keys";

    private static ReadOnlySpan<byte> ExportMagic => "DRVKEYS1"u8;

    /// <summary>What a new device needs beside the passphrase: for its owner's eyes.</summary>
    public string FormatAccountKey() => SecretText.Account.Format(AccountSecret);

    /// <summary>Every secret in the clear: zero the array after use.</summary>
    public byte[] Export()
    {
        using var writer = new ByteWriter(1024);
        writer.Raw(ExportMagic);
        writer.Raw(VaultId);
        writer.Raw(GenesisHash);
        WriteMasterKeys(writer);
        writer.Count(DeviceNumber);
        writer.Text(DeviceName);
        writer.Device(DeviceId);
        writer.Raw(Signer.PublicKey);
        writer.Raw(Signer.Scalar);
        writer.Raw(_deviceSecret.Span);
        writer.Raw(_accountSecret.Span);
        writer.Raw(SHA256.HashData(writer.Written));
        byte[] result = GC.AllocateUninitializedArray<byte>(writer.Length, pinned: true);
        writer.Written.CopyTo(result);
        return result;
    }

    /// <summary>Reads what <see cref="Export"/> gave; <see cref="VaultErrorKind.MalformedKeys"/> when it was cut or changed.</summary>
    public static VaultKeys Import(ReadOnlySpan<byte> source)
    {
        try
        {
            return Decode(source);
        }
        catch (Exception e) when (e is VaultIntegrityException or CryptographicException)
        {
            throw new VaultException(VaultErrorKind.MalformedKeys, "This device's keys are damaged. Recover the vault with its recovery key.", e);
        }
    }

    /// <summary>The same behind a passphrase (PBKDF2-HMAC-SHA512): for the disk of a device whose owner types one.</summary>
    public byte[] ExportSealed(ReadOnlySpan<byte> passphraseUtf8, IRandomSource random, int iterations = PassphraseCost.IterationsMin)
    {
        byte[] plain = Export();
        try
        {
            return Slot.Seal(SlotKind.DeviceKeys, new VaultHeader(VaultId), passphraseUtf8, [], iterations, plain, random);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    /// <summary>Opens what <see cref="ExportSealed"/> gave; a wrong passphrase is <see cref="VaultErrorKind.WrongSecret"/>.</summary>
    public static VaultKeys ImportSealed(ReadOnlySpan<byte> source, ReadOnlySpan<byte> passphraseUtf8)
    {
        byte[] plain;
        try
        {
            plain = Slot.Open(source, SlotKind.DeviceKeys, null, passphraseUtf8, [], ExportName);
        }
        catch (VaultIntegrityException e)
        {
            throw new VaultException(VaultErrorKind.MalformedKeys, "This device's sealed keys are damaged. Recover the vault with its recovery key.", e);
        }

        try
        {
            return Import(plain);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    private static VaultKeys Decode(ReadOnlySpan<byte> source)
    {
        if (source.Length < ExportMagic.Length + Bytes32.Size || !source.StartsWith(ExportMagic))
        {
            throw new VaultIntegrityException(ExportName, IntegrityKind.Malformed, "not an export of keys");
        }

        ReadOnlySpan<byte> body = source[..^Bytes32.Size];
        if (!CryptographicOperations.FixedTimeEquals(SHA256.HashData(body), source[^Bytes32.Size..]))
        {
            throw new VaultIntegrityException(ExportName, IntegrityKind.Malformed, "the checksum is wrong");
        }

        var reader = new ByteReader(body[ExportMagic.Length..], ExportName);
        var header = new VaultHeader(reader.Raw32());
        Bytes32 genesis = reader.Raw32();
        SortedList<int, SecretBytes> masterKeys = ReadMasterKeys(ref reader);
        int number = reader.Count32(1, int.MaxValue);
        string name = reader.Text(DeviceNameBytesMax);
        DeviceId device = reader.Device();
        ReadOnlySpan<byte> publicKey = reader.Raw(SigningKey.PublicKeyBytes);
        SigningKey signer = SigningKey.Import(device, reader.Raw(Bytes32.Size), publicKey);
        var deviceSecret = new SecretBytes(reader.Raw(Bytes32.Size));
        var accountSecret = new SecretBytes(reader.Raw(Bytes32.Size));
        reader.ExpectEnd();
        return new VaultKeys(header, genesis, masterKeys, number, name, signer, deviceSecret, accountSecret);
    }
}
