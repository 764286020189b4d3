using Drive.Core.Volumes;

namespace Drive.Cache.Dirty;

/// <content>Finding records without the database: they describe themselves.</content>
public sealed partial class DirtyLog
{
    /// <summary>
    /// Every whole record, segment by segment in the order of appending, for a rebuild when the database is lost. A segment ends at its first torn
    /// record, of which <paramref name="torn"/> is told; a record that was released may still be seen. Records from before the start are made durable
    /// before they are shown: the process that wrote them may have died before its sync.
    /// </summary>
    public IEnumerable<DirtyLogRecord> Scan(Action<CorruptLogException>? torn = null)
    {
        long[] numbers;
        lock (_gate)
        {
            numbers = [.. _segments.Keys];
        }

        byte[] data = new byte[LogLayout.RecordBytesMax];
        foreach (long number in numbers)
        {
            var position = new LogPosition(number, LogLayout.SegmentHeaderBytes);
            MakeOldDurable(position);
            while (TryScanRecord(position, data, torn) is { } record)
            {
                yield return record;
                position = position with { Position = position.Position + LogLayout.SealedLength(record.Length) };
            }
        }
    }

    /// <summary>
    /// Numbers the next segments above one that there was. A log that was empty at its start does not know of the segments before; who remembers a place in one of them and
    /// asks <see cref="ScanHeaders"/> for what came later does.
    /// </summary>
    public void ContinueAfter(long segment)
    {
        lock (_gate)
        {
            _lastNumber = Math.Max(_lastNumber, segment);
        }
    }

    /// <summary>
    /// Records by their headers alone, of one node or (null) of all: in the order of appending, and only those that lie after a place in the log, whether or not its
    /// segment is still there. Made durable before they are shown, as by <see cref="Scan"/>. What else a segment holds is passed over without reading it; behind
    /// a header that is damaged the next one is looked for, byte by byte.
    /// </summary>
    public IEnumerable<DirtyLogRecord> ScanHeaders(NodeId? node, LogPosition after, Action<CorruptLogException>? torn = null)
    {
        long[] numbers;
        lock (_gate)
        {
            numbers = [.. _segments.Keys.Where(number => number >= after.Segment)];
        }

        foreach (long number in numbers)
        {
            var position = new LogPosition(number, LogLayout.SegmentHeaderBytes);
            MakeOldDurable(position);
            if (number == after.Segment && after.Position > position.Position)
            {
                position = after;
            }

            while (true)
            {
                DirtyLogRecord? found = TryReadHeader(position, torn, out bool isTorn);
                if (isTorn)
                {
                    found = FindHeader(position with { Position = position.Position + 1 });
                }

                if (found is not { } record)
                {
                    break;
                }

                if ((node is null || record.Node == node) && record.Position != after)
                {
                    yield return record;
                }

                position = record.Position with { Position = record.Position.Position + LogLayout.SealedLength(record.Length) };
            }
        }
    }

    /// <summary>The first place from here on where an authentic header stands.</summary>
    private DirtyLogRecord? FindHeader(LogPosition place)
    {
        byte[] window = new byte[LogLayout.PieceBytes];
        while (true)
        {
            int count;
            Segment segment = Pin(place);
            try
            {
                if (segment.Cipher is null)
                {
                    return null;
                }

                count = segment.File.Read(place.Position, window);
            }
            finally
            {
                lock (_gate)
                {
                    Unpin(segment);
                }
            }

            if (count < LogLayout.RecordHeaderBytes)
            {
                return null;
            }

            int end = count - LogLayout.RecordHeaderBytes + 1;
            for (int at = 0; at < end; at++)
            {
                int next = window.AsSpan(at, end - at + sizeof(uint) - 1).IndexOf(LogLayout.RecordMagicBytes);
                if (next < 0)
                {
                    break;
                }

                at += next;
                if (TryReadHeader(place with { Position = place.Position + at }, null, out _) is { } found)
                {
                    return found;
                }
            }

            place = place with { Position = place.Position + end };
        }
    }

    private DirtyLogRecord? TryReadHeader(LogPosition position, Action<CorruptLogException>? torn, out bool isTorn)
    {
        isTorn = false;
        try
        {
            return ReadHeader(position);
        }
        catch (CorruptLogException exception)
        {
            if (!exception.IsSegmentMissing)
            {
                isTorn = true;
                torn?.Invoke(exception);
            }

            return null;
        }
    }

    /// <summary>Whether a whole record of this length starts there, by its header.</summary>
    public bool Has(LogPosition position, int recordLength)
    {
        try
        {
            return ReadHeader(position) is { Length: var length } && length == recordLength;
        }
        catch (CorruptLogException)
        {
            return false;
        }
    }

    /// <summary>The record, when it is whole and authentic; null at the segment's end and at a torn one.</summary>
    private DirtyLogRecord? TryScanRecord(LogPosition position, byte[] data, Action<CorruptLogException>? torn)
    {
        try
        {
            DirtyLogRecord? record = ReadHeader(position);
            if (record is { Length: var length })
            {
                Read(position, length, 0, data.AsSpan(0, length));
            }

            return record;
        }
        catch (CorruptLogException exception)
        {
            // Gone since the scan began means released: nothing was lost.
            if (!exception.IsSegmentMissing)
            {
                torn?.Invoke(exception);
            }

            return null;
        }
    }

    private void MakeOldDurable(LogPosition position)
    {
        Segment segment;
        lock (_gate)
        {
            if (!_segments.TryGetValue(position.Segment, out Segment? found) || !found.IsFromBefore || found.DurableUpTo == found.Length)
            {
                return;
            }

            segment = Pin(position);
        }

        try
        {
            segment.File.Sync();
            _disk.SyncDirectory(_directory);
            segment.DurableUpTo = segment.Length;
        }
        finally
        {
            lock (_gate)
            {
                Unpin(segment);
            }
        }
    }
}
