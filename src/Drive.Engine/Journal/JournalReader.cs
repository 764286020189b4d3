using Drive.Cache.Dirty;
using Drive.Core.Volumes;
using Drive.Metadata;

namespace Drive.Engine.Journal;

/// <summary>Finds the journal's records in the dirty log.</summary>
internal static class JournalReader
{
    /// <summary>
    /// Whole records after a mark, by number. One that is there twice (a flush failed, it was written anew) counts once; one that was torn, as the last one
    /// of a crash may be, is left out, and <paramref name="torn"/> is told.
    /// </summary>
    public static IReadOnlyList<JournalRecord> ReadAfter(DirtyLog log, JournalMark mark, Action<Exception>? torn = null)
    {
        SortedDictionary<long, JournalRecord> found = [];
        using MemoryStream gathered = new();
        int length = -1;
        LogPosition start = default;
        foreach (DirtyLogRecord part in log.ScanHeaders(NodeId.None, mark.Position, torn))
        {
            if ((long)part.Sequence <= mark.Number)
            {
                continue;
            }

            try
            {
                byte[] bytes = new byte[part.Length];
                log.Read(part.Position, part.Length, 0, bytes);
                if (part.Offset == 0)
                {
                    start = part.Position;
                    gathered.SetLength(0);
                    length = JournalRecord.LengthOf(bytes);
                }

                if (part.Offset != gathered.Length)
                {
                    length = -1;
                    continue;
                }

                gathered.Write(bytes);
                if (gathered.Length == length)
                {
                    long number = (long)part.Sequence;
                    found[number] = JournalRecord.Decode(number, start, gathered.GetBuffer().AsSpan(0, length));
                }
            }
            catch (Exception error) when (error is CorruptLogException or MetadataCorruptException)
            {
                length = -1;
                torn?.Invoke(error);
            }
        }

        return [.. found.Values];
    }
}
