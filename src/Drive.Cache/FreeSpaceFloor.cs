using Drive.Core.Platform;

namespace Drive.Cache;

/// <summary>How much of the disk is left to others: the larger of the two.</summary>
public sealed record FreeSpaceOptions
{
    public long FloorBytes { get; init; } = 256L << 20;

    public double FloorShare { get; init; } = 0.01;
}

/// <summary>
/// Keeps room free on the disk, so that a refusal comes early and never between a write and its fsync. Asks the disk only now and then:
/// after every 16 MiB that it allowed, and always when it gets tight. Threads: all calls may run at once.
/// </summary>
public sealed class FreeSpaceFloor(IDisk disk, string path, FreeSpaceOptions options)
{
    private const long MeasureEveryBytes = 16L << 20;
    private const long TightBytes = 64L << 20;

    private readonly Lock _gate = new();

    // Guarded by _gate: bytes above the floor at the last look, and what was allowed since.
    private long _room;
    private long _allowed = long.MaxValue;

    /// <summary>Whether this much more may be written now.</summary>
    public bool Allows(long bytes)
    {
        lock (_gate)
        {
            if (_allowed >= MeasureEveryBytes || _room - _allowed - bytes < TightBytes)
            {
                (long total, long free) = disk.GetSpace(path);
                _room = free - Math.Max(options.FloorBytes, (long)(total * options.FloorShare));
                _allowed = 0;
            }

            if (_room - _allowed < bytes)
            {
                return false;
            }

            _allowed += bytes;
            return true;
        }
    }
}
