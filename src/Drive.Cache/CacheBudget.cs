using Drive.Cache.Blocks;

namespace Drive.Cache;

/// <summary>
/// One limit for all that Drive keeps on the local disk. What is dirty may push out what is cached, never the other way round, and what is dirty
/// is never pushed out: when there is no room left a write is refused before it is taken. Threads: all calls may run at once.
/// </summary>
public sealed class CacheBudget
{
    private readonly BlockCache _cache;
    private readonly FreeSpaceFloor _floor;
    private readonly Lock _gate = new();

    // Guarded by _gate.
    private long _limitBytes;
    private long _dirtyBytes;

    public CacheBudget(BlockCache cache, FreeSpaceFloor floor, long limitBytes)
    {
        ArgumentNullException.ThrowIfNull(cache);
        ArgumentOutOfRangeException.ThrowIfNegative(limitBytes);
        _cache = cache;
        _floor = floor;
        _limitBytes = limitBytes;
        _cache.LimitBytes = limitBytes;
    }

    /// <summary>The limit; lowering it below what is dirty only refuses new writes.</summary>
    public long LimitBytes
    {
        get
        {
            lock (_gate)
            {
                return _limitBytes;
            }
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            lock (_gate)
            {
                _limitBytes = value;
                _cache.LimitBytes = Math.Max(0, value - _dirtyBytes);
            }
        }
    }

    public long DirtyBytes
    {
        get
        {
            lock (_gate)
            {
                return _dirtyBytes;
            }
        }
    }

    public long UsedBytes => DirtyBytes + _cache.UsedBytes;

    /// <summary>
    /// Takes room for bytes that will be dirty, pushing cached packs out if need be. False: no room, take nothing (ENOSPC).
    /// </summary>
    public bool TryReserveDirty(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        lock (_gate)
        {
            if (bytes > _limitBytes - _dirtyBytes - _cache.PinnedBytes)
            {
                return false;
            }

            while (!_floor.Allows(bytes))
            {
                if (!_cache.EvictOne())
                {
                    return false;
                }
            }

            _dirtyBytes += bytes;
            _cache.LimitBytes = _limitBytes - _dirtyBytes;
            return true;
        }
    }

    /// <summary>
    /// Counts bytes that are dirty already and cannot be refused: those found at the start.
    /// </summary>
    public void AddDirty(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        lock (_gate)
        {
            _dirtyBytes += bytes;
            _cache.LimitBytes = Math.Max(0, _limitBytes - _dirtyBytes);
        }
    }

    /// <summary>Gives room back: the bytes are in the cloud, or were overwritten.</summary>
    public void ReleaseDirty(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        lock (_gate)
        {
            if (bytes > _dirtyBytes)
            {
                throw new InvalidOperationException($"{bytes} bytes were given back of {_dirtyBytes} that were dirty.");
            }

            _dirtyBytes -= bytes;
            _cache.LimitBytes = Math.Max(0, _limitBytes - _dirtyBytes);
        }
    }
}
