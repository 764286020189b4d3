using System.Buffers.Binary;
using System.Security.Cryptography;
using Drive.Core.Rows;

namespace Drive.Vault.Sealing;

/// <summary>What kind of sealed object: decides its key and is part of all that is authenticated.</summary>
internal enum ObjectClass : byte
{
    Commit = 1,
    Pack = 2,
    CheckpointPart = 3,
    CheckpointManifest = 4,
    Floor = 5,
    KeyLink = 6,
}

/// <summary>
/// The 74 bytes that open every sealed object: <c>"DRVO" | suite u8 | class u8 | vault id 32 | key epoch u32 | object id 32</c>.
/// Its hash is in the associated data of every segment, so nothing in it can change.
/// </summary>
internal readonly record struct ObjectHeader(ObjectClass Class, Bytes32 VaultId, int Epoch, Bytes32 ObjectId)
{
    public const int Bytes = 74;

    /// <summary>AES-256-GCM, HKDF-SHA256, ECDSA P-256. The only suite; another number is refused.</summary>
    public const byte Suite = 1;

    private static ReadOnlySpan<byte> Magic => "DRVO"u8;

    public void Write(Span<byte> destination)
    {
        Magic.CopyTo(destination);
        destination[4] = Suite;
        destination[5] = (byte)Class;
        VaultId.AsSpan().CopyTo(destination[6..]);
        BinaryPrimitives.WriteUInt32BigEndian(destination[38..], (uint)Epoch);
        ObjectId.AsSpan().CopyTo(destination[42..]);
    }

    /// <summary>Reads a header that must be of this class and vault.</summary>
    public static ObjectHeader Read(ReadOnlySpan<byte> source, ObjectClass expectedClass, Bytes32 expectedVault, string objectName)
    {
        if (source.Length < Bytes || !source[..4].SequenceEqual(Magic))
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.Malformed, "not a sealed object");
        }

        if (source[4] != Suite)
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.UnsupportedSuite, $"suite {source[4]} is not accepted");
        }

        if (source[5] != (byte)expectedClass)
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.WrongClass, $"class {source[5]} in place of {expectedClass}");
        }

        if (!source.Slice(6, Bytes32.Size).SequenceEqual(expectedVault.AsSpan()))
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.WrongVault, "an object of another vault");
        }

        uint epoch = BinaryPrimitives.ReadUInt32BigEndian(source[38..]);
        if (epoch is 0 or > int.MaxValue)
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.KeyEpoch, "no such key epoch");
        }

        return new(expectedClass, expectedVault, (int)epoch, new Bytes32(source.Slice(42, Bytes32.Size)));
    }

    public Bytes32 Hash()
    {
        Span<byte> header = stackalloc byte[Bytes];
        Write(header);
        Span<byte> hash = stackalloc byte[Bytes32.Size];
        SHA256.HashData(header, hash);
        return new Bytes32(hash);
    }
}
