using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Vault.Keys;

namespace Drive.Vault.Sealing;

/// <summary>
/// A small object sealed as one segment: preamble, then the seal over <c>form u8 | plain length u32 | body</c>.
/// The body is compressed where that pays. Commits, floors and manifests carry a signature after it (<see cref="SignedObject"/>).
/// </summary>
internal static class SealedBody
{
    public const int BodyBytesMax = 256 * 1024 * 1024;
    public const int ObjectBytesMax = BodyBytesMax + 4096;
    private const int PrefixBytes = 5;
    private const byte Plain = 0;
    private const byte Brotli = 1;

    /// <summary>Brotli's level for commits, which every device reads and a store keeps: a quarter smaller than at level 1, for 30 µs (300 bytes) to 12 ms (300 KB) of time.</summary>
    private const int CommitQuality = 5;

    /// <summary>For the others: a checkpoint is two orders larger, and the next one replaces it.</summary>
    private const int OtherQuality = 1;

    /// <summary>Seals with a fresh id, and leaves <paramref name="tailBytes"/> free at the end.</summary>
    public static byte[] Seal(
        VaultKeys keys, int epoch, ObjectClass objectClass, IRandomSource random, ReadOnlySpan<byte> lead, ReadOnlySpan<byte> body, int tailBytes, out Bytes32 id)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, BodyBytesMax);
        Span<byte> idBytes = stackalloc byte[Bytes32.Size];
        random.Fill(idBytes);
        id = new Bytes32(idBytes);
        byte[] content = ArrayPool<byte>.Shared.Rent(lead.Length + PrefixBytes + body.Length);
        try
        {
            lead.CopyTo(content);
            int length = lead.Length + Pack(body, objectClass == ObjectClass.Commit ? CommitQuality : OtherQuality, content.AsSpan(lead.Length));
            var result = new byte[ObjectCipher.PreambleBytes + length + ObjectCipher.TagBytes + tailBytes];
            using var cipher = new ObjectCipher(keys, new ObjectHeader(objectClass, keys.VaultId, epoch, id));
            cipher.WritePreamble(result);
            cipher.Seal(0, last: true, compressed: false, length, content.AsSpan(0, length), result.AsSpan(ObjectCipher.PreambleBytes));
            return result;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
            ArrayPool<byte>.Shared.Return(content);
        }
    }

    /// <summary>The content (lead, form, body) after commitment and tag have held; still to be unpacked.</summary>
    public static byte[] Open(VaultKeys keys, ObjectClass expectedClass, ReadOnlySpan<byte> sealedObject, string objectName, out ObjectHeader header)
    {
        using ObjectCipher cipher = ObjectCipher.Open(keys, expectedClass, sealedObject, objectName);
        header = cipher.Header;
        ReadOnlySpan<byte> segment = sealedObject[ObjectCipher.PreambleBytes..];
        if (segment.Length < ObjectCipher.TagBytes + PrefixBytes)
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.Malformed, "cut short");
        }

        var content = new byte[segment.Length - ObjectCipher.TagBytes];
        return cipher.TryOpen(0, last: true, compressed: false, content.Length, segment, content)
            ? content
            : throw new VaultIntegrityException(objectName, IntegrityKind.Seal, "its seal does not hold");
    }

    /// <summary>The body out of its form; never more than it declares, nor than <see cref="BodyBytesMax"/>.</summary>
    public static ReadOnlyMemory<byte> Unpack(ReadOnlyMemory<byte> packed, string objectName)
    {
        ReadOnlySpan<byte> source = packed.Span;
        if (source.Length < PrefixBytes)
        {
            throw new VaultIntegrityException(objectName, IntegrityKind.Malformed, "cut short");
        }

        uint length = BinaryPrimitives.ReadUInt32BigEndian(source[1..]);
        if (source[0] == Plain && length == source.Length - PrefixBytes)
        {
            return packed[PrefixBytes..];
        }

        return source[0] == Brotli && length <= BodyBytesMax && Decompress(source[PrefixBytes..], (int)length) is { } body
            ? body
            : throw new VaultIntegrityException(objectName, IntegrityKind.Malformed, "its body can't be unpacked");
    }

    /// <summary>Exactly so many bytes, or null. Room grows with what comes out: a length that lies costs no memory.</summary>
    private static byte[]? Decompress(ReadOnlySpan<byte> source, int length)
    {
        byte[] body = new byte[(int)Math.Min(length, Math.Max(4096, 16L * source.Length))];
        int filled = 0;
        using BrotliDecoder decoder = new();
        while (true)
        {
            OperationStatus status = decoder.Decompress(source, body.AsSpan(filled), out int consumed, out int written);
            source = source[consumed..];
            filled += written;
            if (status == OperationStatus.Done)
            {
                return filled == length ? body : null;
            }

            if (status != OperationStatus.DestinationTooSmall || body.Length == length)
            {
                return null;
            }

            Array.Resize(ref body, (int)Math.Min(length, 4L * body.Length));
        }
    }

    private static int Pack(ReadOnlySpan<byte> body, int quality, Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], (uint)body.Length);
        int worthwhile = body.Length - (body.Length / 16) - 1;
        if (worthwhile > 0 && BrotliEncoder.TryCompress(body, destination.Slice(PrefixBytes, worthwhile), out int written, quality, window: 22))
        {
            destination[0] = Brotli;
            return PrefixBytes + written;
        }

        destination[0] = Plain;
        body.CopyTo(destination[PrefixBytes..]);
        return PrefixBytes + body.Length;
    }
}
