using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Drive.Core;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Sealing;

namespace Drive.Vault.Packs;

/// <summary>
/// Seals blocks into one pack: preamble, segments, directory, footer. For one pack and one thread; the id is drawn here and the key is never
/// used again, so no nonce repeats. The buffer goes back to its pool on dispose.
/// </summary>
public sealed class PackWriter : IDisposable
{
    /// <summary>Enough to make requests cheap, small enough to repeat one, and to have several on their way.</summary>
    public const int TargetBytes = 8 * 1024 * 1024;

    private readonly ObjectCipher _cipher;
    private readonly ByteWriter _directory = new(4096);
    private readonly int _targetBytes;
    private byte[] _buffer;
    private int _written;
    private int _segments;
    private bool _finished;
    private bool _disposed;

    public PackWriter(VaultKeys keys, IRandomSource random, int targetBytes = TargetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(targetBytes, PackReader.PackBytesMax / 2);
        Span<byte> id = stackalloc byte[Bytes32.Size];
        random.Fill(id);
        if (Mistakes.Has(Mistake.ObjectIdRepeated))
        {
            id.Clear();
        }

        Id = new PackId(new Bytes32(id));
        _targetBytes = targetBytes;
        _cipher = new ObjectCipher(keys, new ObjectHeader(ObjectClass.Pack, keys.VaultId, keys.KeyEpoch, Id.Value));

        // One block more than the target, so that a pack seldom grows.
        _buffer = PackBuffers.Rent(targetBytes + BlockSegments.BlockBytesMax + BlockSegments.SegmentBytes);
        _cipher.WritePreamble(_buffer);
        _written = ObjectCipher.PreambleBytes;
    }

    public PackId Id { get; }

    /// <summary>Bytes so far, the directory included.</summary>
    public int Length => _finished ? _written : _written + _directory.Length + PackDirectory.FixedBytes;

    public int BlockCount { get; private set; }

    /// <summary>Time for the next pack.</summary>
    public bool IsFull => Length >= _targetBytes;

    /// <summary>Compresses a block of 1 byte to 1 MiB, and seals it.</summary>
    public BlockRow Add(BlockId id, ReadOnlySpan<byte> plain, Effort effort)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plain.Length, BlockSegments.BlockBytesMax);
        if (effort == Effort.None)
        {
            return Add(id, plain, [], []);
        }

        byte[] scratch = ArrayPool<byte>.Shared.Rent(plain.Length);
        try
        {
            Span<int> lengths = stackalloc int[BlockSegments.CountOf(plain.Length)];
            int filled = BlockCompressor.Compress(plain, effort, scratch, lengths);
            return Add(id, plain, scratch.AsSpan(0, filled), lengths);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(scratch.AsSpan(0, plain.Length));
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    /// <summary>Seals a block of 1 byte to 1 MiB that <see cref="BlockCompressor"/> has compressed; without lengths, as it is.</summary>
    public BlockRow Add(BlockId id, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> packed, ReadOnlySpan<int> lengths)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfZero(plain.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plain.Length, BlockSegments.BlockBytesMax);
        if (_finished)
        {
            throw new InvalidOperationException("The pack is finished.");
        }

        var segments = new int[BlockSegments.CountOf(plain.Length)];
        Reserve(plain.Length + (segments.Length * ObjectCipher.TagBytes));
        long offset = _written;
        int first = _segments;
        for (int i = 0; i < segments.Length; i++)
        {
            ReadOnlySpan<byte> segment = plain.Slice(i * BlockSegments.SegmentBytes, BlockSegments.PlainLengthOf(plain.Length, i));
            int compressed = lengths.IsEmpty ? 0 : lengths[i];
            ReadOnlySpan<byte> content = compressed > 0 ? packed[..compressed] : segment;
            packed = packed[compressed..];
            _cipher.Seal(_segments++, last: false, compressed > 0, segment.Length, content, _buffer.AsSpan(_written));
            int stored = content.Length + ObjectCipher.TagBytes;
            _written += stored;
            segments[i] = (stored << 1) | (compressed > 0 ? 1 : 0);
        }

        var row = new BlockRow(id, Id, offset, first, plain.Length, segments);
        PackDirectory.Append(_directory, row);
        BlockCount++;
        return row;
    }

    /// <summary>The whole object, valid until disposed. Calling it again gives the same bytes.</summary>
    public ReadOnlyMemory<byte> Finish()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!_finished)
        {
            Reserve(_directory.Length + PackDirectory.FixedBytes);
            _finished = true;
            _written += PackDirectory.Seal(_cipher, _segments++, _directory.Written, _buffer.AsSpan(_written));
        }

        return _buffer.AsMemory(0, _written);
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _cipher.Dispose();
        _directory.Dispose();
        PackBuffers.Return(_buffer);
    }

    private void Reserve(int bytes)
    {
        int wanted = checked(_written + bytes);
        if (wanted > PackReader.PackBytesMax)
        {
            throw new InvalidOperationException("The pack is full: its writer should have been asked.");
        }

        if (wanted > _buffer.Length)
        {
            byte[] larger = PackBuffers.Rent(Math.Max(wanted, Math.Min(PackReader.PackBytesMax, _buffer.Length * 2)));
            _buffer.AsSpan(0, _written).CopyTo(larger);
            PackBuffers.Return(_buffer);
            _buffer = larger;
        }
    }
}
