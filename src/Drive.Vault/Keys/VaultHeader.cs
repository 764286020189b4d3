using System.Buffers.Binary;
using System.Security.Cryptography;
using Drive.Core.Rows;
using Drive.Vault.Sealing;

namespace Drive.Vault.Keys;

/// <summary>
/// The object <c>vault</c>: <c>"DRVVAULT" | version u16 | suite u8 | flags u8 | vault id 32 | SHA-256 of all before</c>.
/// The checksum only tells damage from another version early; what holds is that the hash of all 76 bytes is in every key's derivation.
/// </summary>
internal readonly record struct VaultHeader(Bytes32 VaultId)
{
    public const int Bytes = 76;
    public const int Version = 1;
    private const int CheckedBytes = 44;

    private static ReadOnlySpan<byte> Magic => "DRVVAULT"u8;

    public byte[] Encode()
    {
        var header = new byte[Bytes];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(8), Version);
        header[10] = ObjectHeader.Suite;
        VaultId.AsSpan().CopyTo(header.AsSpan(12));
        SHA256.HashData(header.AsSpan(0, CheckedBytes), header.AsSpan(CheckedBytes));
        return header;
    }

    public Bytes32 Hash() => new(SHA256.HashData(Encode()));

    /// <summary>Reads the object; <see cref="VaultErrorKind.NewerFormat"/> for a version or suite that this program does not know.</summary>
    public static VaultHeader Decode(ReadOnlySpan<byte> source)
    {
        if (source.Length < 12 || !source[..8].SequenceEqual(Magic))
        {
            throw Malformed("not a vault");
        }

        int version = BinaryPrimitives.ReadUInt16BigEndian(source[8..]);
        if (version > Version)
        {
            throw new VaultException(VaultErrorKind.NewerFormat, $"This vault has format {version}; this program knows formats up to {Version}. Use a newer version of Drive.");
        }

        if (version != Version || source.Length != Bytes || source[11] != 0)
        {
            throw Malformed("no such format");
        }

        if (source[10] != ObjectHeader.Suite)
        {
            throw new VaultIntegrityException(VaultNames.Vault.Value, IntegrityKind.UnsupportedSuite, $"suite {source[10]} is not accepted");
        }

        Span<byte> sum = stackalloc byte[Bytes32.Size];
        SHA256.HashData(source[..CheckedBytes], sum);
        return sum.SequenceEqual(source[CheckedBytes..]) ? new(new Bytes32(source.Slice(12, Bytes32.Size))) : throw Malformed("its checksum is wrong");
    }

    private static VaultIntegrityException Malformed(string what) => new(VaultNames.Vault.Value, IntegrityKind.Malformed, what);
}
