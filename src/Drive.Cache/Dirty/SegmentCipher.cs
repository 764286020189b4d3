using System.Buffers.Binary;
using System.Security.Cryptography;
using Drive.Core;
using Drive.Core.Volumes;

namespace Drive.Cache.Dirty;

/// <summary>
/// Seals and opens the parts of one segment. The key comes from the log's key, the segment's random id and its number, so neither a
/// segment's bytes nor its file can stand in for another's. Threads: all calls may run at once; each borrows its own AES instance.
/// </summary>
internal sealed class SegmentCipher : IDisposable
{
    private const int KeyBytes = 32;
    private readonly Lock _gate = new();
    private readonly byte[] _key = new byte[KeyBytes];

    // Guarded by _gate.
    private readonly Stack<AesGcm> _idle = new();
    private bool _isDisposed;

    public SegmentCipher(ReadOnlySpan<byte> logKey, ReadOnlySpan<byte> segmentId, long segment)
    {
        Span<byte> info = stackalloc byte[LogLayout.SegmentMagic.Length + 8];
        LogLayout.SegmentMagic.CopyTo(info);
        BinaryPrimitives.WriteInt64LittleEndian(info[LogLayout.SegmentMagic.Length..], segment);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, logKey, _key, segmentId, info);
    }

    /// <summary>Writes the whole sealed record; <paramref name="destination"/> has exactly its sealed length.</summary>
    public void SealRecord(Span<byte> destination, long position, NodeId node, long offset, ulong sequence, ReadOnlySpan<byte> data)
    {
        AesGcm aes = Rent();
        Span<byte> nonce = stackalloc byte[LogLayout.NonceBytes];
        Span<byte> binding = stackalloc byte[LogLayout.PieceBindingBytes];
        Span<byte> fields = destination[..LogLayout.RecordFieldsBytes];
        LogLayout.WriteFields(fields, data.Length, node, offset, sequence);
        LogLayout.WriteNonce(nonce, position);
        aes.Encrypt(nonce, [], [], destination[LogLayout.RecordFieldsBytes..LogLayout.RecordHeaderBytes], fields);
        for (int piece = 0; piece < LogLayout.PieceCount(data.Length); piece++)
        {
            int length = LogLayout.PieceLength(data.Length, piece);
            long piecePosition = LogLayout.PiecePosition(position, piece);
            Span<byte> sealedPiece = destination.Slice((int)(piecePosition - position), length + LogLayout.TagBytes);
            LogLayout.WriteNonce(nonce, piecePosition);
            LogLayout.WritePieceBinding(binding, position, data.Length, piece);
            aes.Encrypt(nonce, data.Slice(piece * LogLayout.PieceBytes, length), sealedPiece[..length], sealedPiece[length..], binding);
        }

        Return(aes);
    }

    /// <summary>Whether the record header's tag is right for its place.</summary>
    public bool IsHeaderAuthentic(ReadOnlySpan<byte> header, long position)
    {
        Span<byte> nonce = stackalloc byte[LogLayout.NonceBytes];
        LogLayout.WriteNonce(nonce, position);
        AesGcm aes = Rent();
        try
        {
            aes.Decrypt(nonce, [], header[LogLayout.RecordFieldsBytes..LogLayout.RecordHeaderBytes], [], header[..LogLayout.RecordFieldsBytes]);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        finally
        {
            Return(aes);
        }
    }

    /// <summary>Opens a piece; false, and nothing but zeros in <paramref name="destination"/>, when it is not authentic.</summary>
    public bool TryOpenPiece(ReadOnlySpan<byte> sealedPiece, long recordPosition, int recordLength, int piece, Span<byte> destination)
    {
        Span<byte> nonce = stackalloc byte[LogLayout.NonceBytes];
        Span<byte> binding = stackalloc byte[LogLayout.PieceBindingBytes];
        LogLayout.WriteNonce(nonce, LogLayout.PiecePosition(recordPosition, piece));
        LogLayout.WritePieceBinding(binding, recordPosition, recordLength, piece);
        AesGcm aes = Rent();
        try
        {
            aes.Decrypt(nonce, sealedPiece[..destination.Length], sealedPiece[destination.Length..], destination, binding);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            destination.Clear();
            return Mistakes.Has(Mistake.LogSealIgnored);
        }
        finally
        {
            Return(aes);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            CryptographicOperations.ZeroMemory(_key);
            while (_idle.TryPop(out AesGcm? aes))
            {
                aes.Dispose();
            }
        }
    }

    private AesGcm Rent()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _idle.TryPop(out AesGcm? aes) ? aes : new AesGcm(_key, LogLayout.TagBytes);
        }
    }

    private void Return(AesGcm aes)
    {
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _idle.Push(aes);
                return;
            }
        }

        aes.Dispose();
    }
}
