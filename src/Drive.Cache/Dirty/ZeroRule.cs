namespace Drive.Cache.Dirty;

/// <summary>
/// When a segment is filled with zeros ahead of its records, and how far. A flush of a file that grew waits for a commit of the file system's own journal; one that only
/// put bytes over zeros does not, and takes less than half the time (docs/decisions/0014-zeros-ahead.md).
/// </summary>
internal static class ZeroRule
{
    /// <summary>The first flush of a segment makes its name durable and is dear anyhow; who comes again may come often.</summary>
    public const int SmallSyncsMin = 2;

    /// <summary>Most bytes since the last flush for a flush to be small: with more, the bytes and not the file's length are what it waits for.</summary>
    public const int SmallSyncBytesMax = 128 << 10;

    /// <summary>Zeros at first, twice as many each time, at most (arbitrary): so few flushes are unneeded waste, and of many few have to write them.</summary>
    public const int ZerosMin = 256 << 10;

    public const int ZerosMax = 1 << 20;

    /// <summary>Zeros never take more than this part of the room that the disk has left.</summary>
    public const int RoomShare = 64;

    // Whole pages, so that none has to be read from the disk later.
    private const int PageBytes = 4 << 10;

    /// <summary>How many zeros follow those of last time.</summary>
    public static int NextZeros(int lastZeros) => lastZeros == 0 ? ZerosMin : Math.Min(2 * lastZeros, ZerosMax);

    /// <summary>Where the zeros end that begin at a segment's end; that end itself when there is no place for any.</summary>
    public static long End(long lengthBytes, int zeros, long segmentBytes)
    {
        long end = Math.Min((lengthBytes + zeros + PageBytes - 1) / PageBytes * PageBytes, segmentBytes);
        return Math.Max(end, lengthBytes);
    }
}
