using System.Buffers;
using System.Security.Cryptography;
using Drive.Core.Rows;
using Drive.Vault.Keys;
using Drive.Vault.Sealing;

namespace Drive.Vault.Packs;

/// <summary>
/// Opens segments of packs. Hands out exact plaintext or throws <see cref="VaultIntegrityException"/>, never other bytes. Any number of threads
/// may use it; the derived ciphers of the packs read last are kept.
/// </summary>
public sealed class PackReader : IDisposable
{
    /// <summary>The largest pack that is read whole.</summary>
    public const int PackBytesMax = 128 * 1024 * 1024;

    private readonly VaultKeys _keys;
    private readonly PackCipherCache _ciphers;

    /// <param name="keys">Outlive the reader.</param>
    /// <param name="packsMax">Packs whose ciphers are kept: about 1 KiB each.</param>
    public PackReader(VaultKeys keys, int packsMax = 1024)
    {
        _keys = keys;
        _ciphers = new PackCipherCache(keys, packsMax);
    }

    /// <summary>
    /// Opens one segment as it lies in the pack (<see cref="BlockSegments.OffsetOf"/>, <see cref="BlockSegments.StoredLengthOf(BlockRow, int)"/>) into
    /// the first <see cref="BlockSegments.PlainLengthOf"/> bytes of <paramref name="plain"/>. On failure those bytes are zero.
    /// </summary>
    public void OpenSegment(BlockRow block, int segment, ReadOnlySpan<byte> sealedBytes, Span<byte> plain)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(segment);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(segment, block.Segments.Length);
        Span<byte> destination = plain[..BlockSegments.PlainLengthOf(block.PlainLength, segment)];
        if (sealedBytes.Length != BlockSegments.StoredLengthOf(block, segment) || !BlockSegments.IsPlausible(block.Segments[segment], destination.Length))
        {
            destination.Clear();
            throw new VaultIntegrityException(VaultNames.Pack(block.Pack).Value, IntegrityKind.Malformed, "a segment of another length than the metadata says");
        }

        if (!TryOpen(block, segment, sealedBytes, destination))
        {
            destination.Clear();
            throw new VaultIntegrityException(
                VaultNames.Pack(block.Pack).Value, IntegrityKind.Seal, $"segment {block.FirstSegment + segment} is not what was sealed");
        }
    }

    /// <summary>
    /// Checks a pack's first <see cref="PreambleBytes"/> bytes: class, suite, vault, id and key commitment. Range reads don't need it, since every
    /// segment is bound to the header; it tells a swapped or damaged object early.
    /// </summary>
    public void VerifyPreamble(PackId pack, ReadOnlySpan<byte> preamble) => OpenWhole(pack, preamble).Dispose();

    /// <summary>Bytes before a pack's first segment.</summary>
    public static int PreambleBytes => ObjectCipher.PreambleBytes;

    /// <summary>The blocks of a whole pack, from its own directory.</summary>
    public IReadOnlyList<BlockRow> ReadDirectory(PackId pack, ReadOnlySpan<byte> whole)
    {
        using ObjectCipher cipher = OpenWhole(pack, whole);
        return PackDirectory.Open(cipher, pack, whole, VaultNames.Pack(pack).Value);
    }

    /// <summary>Opens everything in a whole pack and compares each block with its id: the check of <c>drive verify</c>.</summary>
    public IReadOnlyList<BlockRow> VerifyPack(PackId pack, ReadOnlySpan<byte> whole)
    {
        IReadOnlyList<BlockRow> rows = ReadDirectory(pack, whole);
        byte[] plain = ArrayPool<byte>.Shared.Rent(BlockSegments.BlockBytesMax);
        try
        {
            foreach (BlockRow row in rows)
            {
                if (!IsBlock(row, whole, plain.AsSpan(0, row.PlainLength)))
                {
                    throw new VaultIntegrityException(VaultNames.Pack(pack).Value, IntegrityKind.WrongObject, "a block is not the one its id names");
                }
            }

            return rows;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
            ArrayPool<byte>.Shared.Return(plain);
        }
    }

    /// <summary>Opens one block of a pack, or of what is left of one; false when it is not there, or is not what it was.</summary>
    public bool TryOpenBlock(BlockRow row, ReadOnlySpan<byte> whole, Span<byte> plain)
    {
        try
        {
            return row.PackOffset + BlockSegments.StoredLengthOf(row) <= whole.Length && IsBlock(row, whole, plain);
        }
        catch (VaultIntegrityException)
        {
            return false;
        }
    }

    public void Dispose() => _ciphers.Dispose();

    private bool IsBlock(BlockRow row, ReadOnlySpan<byte> whole, Span<byte> plain)
    {
        for (int i = 0; i < row.Segments.Length; i++)
        {
            ReadOnlySpan<byte> stored = whole.Slice((int)BlockSegments.OffsetOf(row, i), BlockSegments.StoredLengthOf(row, i));
            OpenSegment(row, i, stored, plain[(i * BlockSegments.SegmentBytes)..]);
        }

        return _keys.IdentifyBlock(plain) == row.Block;
    }

    private bool TryOpen(BlockRow block, int segment, ReadOnlySpan<byte> sealedBytes, Span<byte> plain)
    {
        if (!BlockSegments.IsCompressed(block, segment))
        {
            return TryOpenContent(block, segment, sealedBytes, plain, plain.Length);
        }

        int length = sealedBytes.Length - ObjectCipher.TagBytes;
        byte[] scratch = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            // The output can't grow beyond the segment's own length: that is the whole of the destination.
            return TryOpenContent(block, segment, sealedBytes, scratch.AsSpan(0, length), plain.Length)
                && BlockCompressor.TryDecompress(scratch.AsSpan(0, length), plain);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(scratch.AsSpan(0, length));
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    /// <summary>The metadata does not say under which key epoch a pack was sealed: the first that opens it is remembered.</summary>
    private bool TryOpenContent(BlockRow block, int segment, ReadOnlySpan<byte> sealedBytes, Span<byte> content, int plainLength)
    {
        if (_ciphers.Rent(block.Pack) is { } known)
        {
            return TryOpenWith(known, block, segment, sealedBytes, content, plainLength);
        }

        foreach (int epoch in _keys.EpochsNewestFirst)
        {
            var cipher = new ObjectCipher(_keys, new ObjectHeader(ObjectClass.Pack, _keys.VaultId, epoch, block.Pack.Value));
            if (TryOpenWith(cipher, block, segment, sealedBytes, content, plainLength))
            {
                return true;
            }
        }

        return false;
    }

    private bool TryOpenWith(ObjectCipher cipher, BlockRow block, int segment, ReadOnlySpan<byte> sealedBytes, Span<byte> content, int plainLength)
    {
        bool opened = cipher.TryOpen((long)block.FirstSegment + segment, last: false, BlockSegments.IsCompressed(block, segment), plainLength, sealedBytes, content);
        _ciphers.Return(cipher, opened);
        return opened;
    }

    private ObjectCipher OpenWhole(PackId pack, ReadOnlySpan<byte> whole)
    {
        string name = VaultNames.Pack(pack).Value;
        ObjectCipher cipher = ObjectCipher.Open(_keys, ObjectClass.Pack, whole, name);
        if (cipher.Header.ObjectId != pack.Value)
        {
            cipher.Dispose();
            throw new VaultIntegrityException(name, IntegrityKind.WrongObject, "another pack under this name");
        }

        return cipher;
    }
}
