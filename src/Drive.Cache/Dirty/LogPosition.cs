using Drive.Core.Volumes;

namespace Drive.Cache.Dirty;

/// <summary>Where a record starts: the segment's number and the byte offset in its file.</summary>
public readonly record struct LogPosition(long Segment, long Position);

/// <summary>A record as a scan finds it. <see cref="Length"/> counts plain bytes.</summary>
public readonly record struct DirtyLogRecord(ulong Sequence, NodeId Node, long Offset, int Length, LogPosition Position);

/// <summary>A segment's size and how much of it is still wanted, for deciding what to append again so that its room can be freed.</summary>
public readonly record struct SegmentUsage(long Segment, long BytesOnDisk, long LiveBytes, bool IsClosed);

/// <summary>How a dirty log is laid out.</summary>
public sealed record DirtyLogOptions
{
    /// <summary>A segment is closed when the next record would make it larger. 64 MiB: few files, and room is freed in small enough steps.</summary>
    public long SegmentBytes { get; init; } = 64L << 20;

    /// <summary>Sealed bytes are gathered in memory up to this, then written in one call.</summary>
    public int WriteBytes { get; init; } = 1 << 20;
}
