using System.Buffers;
using Drive.Core.Platform;

namespace Drive.Cache.Dirty;

/// <content>
/// Zeros ahead of the records, so that most flushes need not make a new length of the file durable. They are written as bytes, not allocated: what is allocated and unwritten
/// needs the same commit of the file system as what is new. Nobody counts on them: they are there or not, and a place that holds only zeros up to the segment's end is its end.
/// </content>
public sealed partial class DirtyLog
{
    private static readonly byte[] Zeros = new byte[64 << 10];

    /// <summary>Under the gate, before the flush that makes them durable as well. False when the segment failed and was closed.</summary>
    private bool TryWriteZeros(Segment segment)
    {
        bool isSmall = segment.Length - segment.DurableUpTo <= ZeroRule.SmallSyncBytesMax;
        segment.SmallSyncs = isSmall ? segment.SmallSyncs + 1 : 0;
        if (segment.SmallSyncs < ZeroRule.SmallSyncsMin || segment.Length <= segment.ZerosEnd)
        {
            return true;
        }

        segment.LastZeros = ZeroRule.NextZeros(segment.LastZeros);
        long end = ZeroRule.End(segment.Length, segment.LastZeros, _options.SegmentBytes);
        try
        {
            if (_disk.GetSpace(_directory).FreeBytes / ZeroRule.RoomShare < end - segment.Length)
            {
                return true;
            }

            // Counted first: what a failed write left of them is cut off with the rest.
            segment.ZerosEnd = end;
            for (long position = segment.Length; position < end; position += Zeros.Length)
            {
                segment.File.Write(position, Zeros.AsSpan(0, (int)Math.Min(Zeros.Length, end - position)));
            }

            return true;
        }
        catch (DiskFullException)
        {
            CutZeros(segment);
            return true;
        }
        catch (IOException exception)
        {
            Fail(segment, exception);
            return false;
        }
    }

    /// <summary>Gives the room of the zeros back. A failure costs only that room: the zeros mean nothing.</summary>
    private static void CutZeros(Segment? segment)
    {
        if (segment is null or { IsDeleted: true } || segment.ZerosEnd <= segment.Written)
        {
            return;
        }

        try
        {
            segment.File.SetLength(segment.Written);
            segment.ZerosEnd = 0;
        }
        catch (IOException)
        {
            // They stay until the segment goes.
        }
    }

    /// <summary>Whether nothing but zeros lies from here to the end of a segment that another process wrote.</summary>
    private static bool IsZeroToEnd(Segment segment, long position)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(LogLayout.PieceBytes);
        try
        {
            while (position < segment.Length)
            {
                int count = segment.File.Read(position, buffer.AsSpan(0, (int)Math.Min(LogLayout.PieceBytes, segment.Length - position)));
                if (count == 0)
                {
                    return true;
                }

                if (buffer.AsSpan(0, count).ContainsAnyExcept((byte)0))
                {
                    return false;
                }

                position += count;
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
