using System.Buffers;
using System.Globalization;
using Drive.Core.Platform;

namespace Drive.Cache.Dirty;

public sealed partial class DirtyLog
{
    /// <summary>
    /// Bytes of a record, from its <paramref name="innerOffset"/>-th on; authentic, or a <see cref="CorruptLogException"/>.
    /// Opens only the 64 KiB pieces that it needs.
    /// </summary>
    /// <param name="position">Where the record starts.</param>
    /// <param name="recordLength">Plain bytes of the whole record.</param>
    /// <param name="innerOffset">First plain byte wanted.</param>
    /// <param name="destination">Filled whole.</param>
    public void Read(LogPosition position, int recordLength, int innerOffset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(recordLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(recordLength, LogLayout.RecordBytesMax);
        ArgumentOutOfRangeException.ThrowIfNegative(innerOffset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, recordLength - innerOffset);
        Segment segment = Pin(position);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(LogLayout.SealedPieceBytes + LogLayout.PieceBytes);
        try
        {
            while (!destination.IsEmpty)
            {
                int piece = innerOffset / LogLayout.PieceBytes;
                int start = innerOffset % LogLayout.PieceBytes;
                int pieceLength = LogLayout.PieceLength(recordLength, piece);
                int count = Math.Min(destination.Length, pieceLength - start);
                if (count == pieceLength)
                {
                    OpenPiece(segment, position, recordLength, piece, buffer, destination[..count]);
                }
                else
                {
                    Span<byte> plain = buffer.AsSpan(LogLayout.SealedPieceBytes, pieceLength);
                    OpenPiece(segment, position, recordLength, piece, buffer, plain);
                    plain.Slice(start, count).CopyTo(destination);
                    plain.Clear();
                }

                innerOffset += count;
                destination = destination[count..];
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            lock (_gate)
            {
                Unpin(segment);
            }
        }
    }

    private DirtyLogRecord? ReadHeader(LogPosition position)
    {
        Segment segment = Pin(position);
        try
        {
            lock (_gate)
            {
                if (segment.Cipher is not null && position.Position >= segment.Length)
                {
                    return null;
                }
            }

            Span<byte> header = stackalloc byte[LogLayout.RecordHeaderBytes];
            Span<byte> present = header[..(int)(segment.IsFromBefore ? Math.Clamp(segment.Length - position.Position, 0, header.Length) : header.Length)];
            Fetch(segment, position, position.Position, present);
            if (segment.IsFromBefore && !present.ContainsAnyExcept((byte)0) && IsZeroToEnd(segment, position.Position + present.Length))
            {
                // What its process wrote ahead, and put nothing over.
                return null;
            }

            return present.Length == header.Length
                && LogLayout.TryReadFields(header, out int length, out var node, out long offset, out ulong sequence)
                && segment.Cipher!.IsHeaderAuthentic(header, position.Position)
                ? new DirtyLogRecord(sequence, node, offset, length, position)
                : throw new CorruptLogException(position, "the record's header is not authentic");
        }
        finally
        {
            lock (_gate)
            {
                Unpin(segment);
            }
        }
    }

    private void OpenPiece(Segment segment, LogPosition position, int recordLength, int piece, byte[] buffer, Span<byte> plain)
    {
        Span<byte> sealedPiece = buffer.AsSpan(0, plain.Length + LogLayout.TagBytes);
        Fetch(segment, position, LogLayout.PiecePosition(position.Position, piece), sealedPiece);
        if (!segment.Cipher!.TryOpenPiece(sealedPiece, position.Position, recordLength, piece, plain))
        {
            throw new CorruptLogException(position, $"piece {piece} of the record is not authentic");
        }
    }

    /// <summary>Sealed bytes from the file, or from the buffer when they are not written yet.</summary>
    private void Fetch(Segment segment, LogPosition record, long position, Span<byte> destination)
    {
        if (segment.Cipher is null)
        {
            throw new CorruptLogException(record, "the segment's header is torn");
        }

        if (record.Position < LogLayout.SegmentHeaderBytes)
        {
            throw new CorruptLogException(record, "no record can start there");
        }

        if (position + destination.Length > segment.Written)
        {
            lock (_gate)
            {
                if (position + destination.Length > segment.Length)
                {
                    throw new CorruptLogException(record, $"the segment ends at byte {segment.Length}");
                }

                if (position >= segment.Written)
                {
                    segment.Buffer.AsSpan((int)(position - segment.Written), destination.Length).CopyTo(destination);
                    return;
                }
            }
        }

        int count = segment.File.Read(position, destination);
        if (count < destination.Length)
        {
            throw new CorruptLogException(record, $"the segment's file ends at byte {position + count}");
        }
    }

    private Segment Pin(LogPosition position)
    {
        lock (_gate)
        {
            Segment segment = Find(position);
            segment.Users++;
            return segment;
        }
    }

    private void LoadSegments()
    {
        Span<byte> header = stackalloc byte[LogLayout.SegmentHeaderBytes];
        foreach (string name in _disk.List(_directory))
        {
            if (!name.EndsWith(Suffix, StringComparison.Ordinal)
                || !long.TryParse(name.AsSpan(0, name.Length - Suffix.Length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long number))
            {
                continue;
            }

            string path = Path.Combine(_directory, name);
            if (_disk.Open(path, DiskOpenMode.Read) is not { } file)
            {
                continue;
            }

            header.Clear();
            bool isWhole = file.Read(0, header) == header.Length && header.StartsWith(LogLayout.SegmentMagic);
            SegmentCipher? cipher = isWhole ? new SegmentCipher(_key, header[LogLayout.SegmentMagic.Length..], number) : null;
            long length = file.Length;
            _segments.Add(number, new Segment(number, path, file, cipher)
            {
                Length = length,
                Written = length,
                IsNameDurable = true,
                IsFromBefore = true,
                IsClosed = true,
            });
            _lastNumber = Math.Max(_lastNumber, number);
        }
    }
}
