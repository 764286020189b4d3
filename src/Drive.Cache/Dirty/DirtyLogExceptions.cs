namespace Drive.Cache.Dirty;

/// <summary>
/// Bytes of a segment are not what was appended: torn by a crash, damaged or tampered with. Never handed out.
/// </summary>
public sealed class CorruptLogException : Exception
{
    public CorruptLogException(LogPosition position, string reason, Exception? innerException = null)
        : base($"Dirty log segment {position.Segment:x16}, byte {position.Position}: {reason}", innerException) => Position = position;

    /// <summary>Where.</summary>
    public LogPosition Position { get; }

    /// <summary>The whole segment is not there: deleted after the last of it was released, or lost.</summary>
    public bool IsSegmentMissing { get; init; }
}

/// <summary>
/// The disk failed to make a segment durable. What was appended to it from <see cref="DurableUpTo"/> on may be lost, now or at the next power cut,
/// and no later fdatasync can tell. The way out: read those records (they may still be readable), append them again, call
/// <see cref="DirtyLog.MarkRewritten"/>, then <see cref="DirtyLog.Sync"/> once more. If that fails too, stop writing.
/// </summary>
public sealed class DirtyLogSyncException : IOException
{
    public DirtyLogSyncException(long segment, long durableUpTo, Exception? innerException)
        : base($"Dirty log segment {segment:x16} is not durable from byte {durableUpTo} on", innerException)
    {
        Segment = segment;
        DurableUpTo = durableUpTo;
    }

    /// <summary>The segment that failed.</summary>
    public long Segment { get; }

    /// <summary>Records that start before this are durable.</summary>
    public long DurableUpTo { get; }
}
