using Drive.Core.Platform;
using Drive.Core.Rows;
using Microsoft.Extensions.Logging;

namespace Drive.Cache.Blocks;

/// <summary>
/// Partial copies of packs: sparse files with the sealed bytes that were fetched or uploaded. It proves nothing: the reader checks tags, and calls
/// <see cref="Invalidate"/> when they are wrong. Nothing is synced and no failure of the disk is thrown: a cache that fails only misses.
/// </summary>
/// <remarks>
/// <para><b>Threads.</b> All calls may run at once; no lock is held while files are read, written or deleted.</para>
/// <para><b>Limit.</b> Room is made before bytes are written; where none can be made they are not cached. The pack unused longest goes first, whole, and
/// never while it is read.</para>
/// </remarks>
public sealed partial class BlockCache : IDisposable
{
    internal const string JournalSuffix = ".map";
    private const string PacksName = "packs";
    internal const string IndexName = "index";

    // A pack's journal: one allocation of a file system.
    private const long PackOverheadBytes = 4096;

    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly FreeSpaceFloor _floor;
    private readonly ILogger _logger;
    private readonly OpenFiles _files;
    private readonly Lock _gate = new();

    // All guarded by _gate. The list runs from the pack used last to the one used longest ago; packs that leave are not in it.
    private readonly Dictionary<PackId, CachedPack> _packs = [];
    private readonly LinkedList<CachedPack> _byUse = [];
    private IReadOnlySet<PackId> _pinned = new HashSet<PackId>();
    private long _usedBytes;
    private long _pinnedBytes;
    private long _limitBytes;

    private BlockCache(IDisk disk, string directory, BlockCacheOptions options, FreeSpaceFloor floor, ILogger logger)
    {
        _disk = disk;
        _directory = directory;
        _floor = floor;
        _logger = logger;
        _limitBytes = options.LimitBytes;
        _files = new OpenFiles(path => disk.Open(path, DiskOpenMode.OpenOrCreate), options.OpenFilesMax);
    }

    /// <summary>The cache in a directory, with what is there from before. After a clean end one file tells of all packs; else it costs one small read for each.</summary>
    public static BlockCache Open(IDisk disk, string directory, BlockCacheOptions options, FreeSpaceFloor floor, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentNullException.ThrowIfNull(options);
        var cache = new BlockCache(disk, directory, options, floor, logger);
        disk.CreateDirectory(Path.Combine(directory, PacksName));
        cache.Load();
        cache.Trim();
        return cache;
    }

    /// <summary>Bytes on disk, rounded up to what a file system gives out.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_gate)
            {
                return _usedBytes;
            }
        }
    }

    /// <summary>Those of them that are pinned.</summary>
    public long PinnedBytes
    {
        get
        {
            lock (_gate)
            {
                return _pinnedBytes;
            }
        }
    }

    /// <summary>The limit. Lowering it evicts at once; packs in use follow when their users are done. What is pinned stays all the same.</summary>
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
            lock (_gate)
            {
                _limitBytes = value;
            }

            Trim();
        }
    }

    /// <summary>Fills the destination when all of the range is cached; otherwise false, and the destination may hold anything.</summary>
    public bool TryRead(PackId pack, long offset, Span<byte> destination)
    {
        CachedPack? cached;
        lock (_gate)
        {
            if (!_packs.TryGetValue(pack, out cached) || cached.IsLeaving || !cached.Ranges.Contains(offset, destination.Length))
            {
                return false;
            }

            Use(cached);
        }

        try
        {
            using OpenFiles.Lease lease = _files.Rent(cached.Path);
            if (lease.File!.Read(offset, destination) == destination.Length)
            {
                return true;
            }

            Break(cached, "its file is shorter than its map says");
            return false;
        }
        catch (IOException exception)
        {
            Break(cached, exception.Message);
            return false;
        }
        finally
        {
            EndUse(cached);
        }
    }

    /// <summary>The parts of a range that would have to be fetched, in order; end exclusive. What is there now may be evicted the next moment.</summary>
    public IReadOnlyList<(long Start, long End)> FindMissing(PackId pack, long offset, long length)
    {
        lock (_gate)
        {
            return _packs.TryGetValue(pack, out CachedPack? cached) && !cached.IsLeaving
                ? [.. cached.Ranges.Missing(offset, length)]
                : [(offset, offset + length)];
        }
    }

    /// <summary>Caches a range, if there is room for it or room can be made.</summary>
    public void Write(PackId pack, long offset, ReadOnlySpan<byte> data)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (data.IsEmpty || Begin(pack, offset, data.Length) is not { } cached)
        {
            return;
        }

        long reserved = RangeSet.AllocatedBytesOf(offset, data.Length);
        bool isReserved = false, isWritten = false;
        try
        {
            isReserved = MakeRoom(reserved);
            if (isReserved)
            {
                WriteFiles(cached, offset, data);
                isWritten = true;
            }
        }
        catch (IOException exception)
        {
            Break(cached, exception.Message);
        }
        finally
        {
            FinishWrite(cached, offset, data.Length, isWritten, isReserved ? reserved : 0);
            EndUse(cached);
        }
    }

    /// <summary>Forgets a range whose bytes turned out to be wrong; it is fetched again.</summary>
    public void Invalidate(PackId pack, long offset, long length)
    {
        if (length > int.MaxValue)
        {
            Remove(pack);
            return;
        }

        CachedPack? cached;
        lock (_gate)
        {
            if (length <= 0 || !_packs.TryGetValue(pack, out cached) || cached.IsLeaving)
            {
                return;
            }

            cached.Ranges.Remove(offset, length);
            cached.Users++;
        }

        try
        {
            WriteJournal(cached, offset, (int)length, isThere: false);
        }
        catch (IOException exception)
        {
            Break(cached, exception.Message);
        }
        finally
        {
            EndUse(cached);
        }
    }

    /// <summary>Drops a pack, for instance one that the vault deleted.</summary>
    public void Remove(PackId pack)
    {
        CachedPack? cached;
        lock (_gate)
        {
            if (!_packs.TryGetValue(pack, out cached) || cached.IsLeaving)
            {
                return;
            }

            cached.Users++;
            Leave(cached);
        }

        EndUse(cached);
    }

    /// <summary>Drops a pack, unless it is pinned.</summary>
    public void RemoveUnpinned(PackId pack)
    {
        lock (_gate)
        {
            if (_pinned.Contains(pack))
            {
                return;
            }
        }

        Remove(pack);
    }

    /// <summary>From now on these packs, whether they are here or not, are not evicted, and all others may be. The set is the cache's from then on.</summary>
    public void SetPinned(IReadOnlySet<PackId> packs)
    {
        ArgumentNullException.ThrowIfNull(packs);
        lock (_gate)
        {
            _pinned = packs;
            _pinnedBytes = 0;
            foreach (CachedPack cached in _packs.Values)
            {
                cached.IsPinned = packs.Contains(cached.Id);
                _pinnedBytes += cached.IsPinned ? cached.ChargedBytes : 0;
            }
        }

        Trim();
    }

    /// <summary>Drops all packs; those in use follow when their users are done.</summary>
    public void Clear()
    {
        PackId[] all;
        lock (_gate)
        {
            all = [.. _packs.Keys];
        }

        foreach (PackId pack in all)
        {
            Remove(pack);
        }
    }

    /// <summary>Evicts the pack unused longest; false when none can go.</summary>
    public bool EvictOne()
    {
        CachedPack? victim = null;
        lock (_gate)
        {
            for (LinkedListNode<CachedPack>? node = _byUse.Last; node is not null && victim is null; node = node.Previous)
            {
                victim = node.Value is { Users: 0, IsPinned: false } ? node.Value : null;
            }

            if (victim is null)
            {
                return false;
            }

            Leave(victim);
        }

        DeleteFiles(victim);
        return true;
    }

    /// <summary>Closes the files, and keeps the maps and the order of use for the next start.</summary>
    public void Dispose()
    {
        _files.Dispose();
        SaveIndex();
    }

    /// <summary>The pack, taken into use; null when the range is cached already, or the pack is just leaving.</summary>
    private CachedPack? Begin(PackId pack, long offset, int length)
    {
        lock (_gate)
        {
            if (_packs.TryGetValue(pack, out CachedPack? cached))
            {
                if (cached.IsLeaving || cached.Ranges.Contains(offset, length))
                {
                    return null;
                }
            }
            else
            {
                cached = new CachedPack(pack, PathOf(pack)) { IsPinned = _pinned.Contains(pack) };
                _packs.Add(pack, cached);
                _byUse.AddFirst(cached.Node);
                Charge(cached, PackOverheadBytes);
            }

            Use(cached);
            return cached;
        }
    }

    private void FinishWrite(CachedPack cached, long offset, int length, bool isWritten, long reserved)
    {
        lock (_gate)
        {
            if (isWritten)
            {
                cached.Ranges.Add(offset, length);
            }

            // The reservation gives way to what all ranges take, which neighbours and overlaps may make less.
            long charge = Math.Max(cached.ChargedBytes, cached.Ranges.AllocatedBytes + PackOverheadBytes);
            Charge(cached, charge - cached.ChargedBytes);
            _usedBytes -= reserved;
            if (cached is { Ranges.Count: 0, IsLeaving: false, Users: 1 })
            {
                Leave(cached);
            }
        }
    }

    private void Charge(CachedPack cached, long bytes)
    {
        cached.ChargedBytes += bytes;
        _usedBytes += bytes;
        _pinnedBytes += cached.IsPinned ? bytes : 0;
    }

    private void Use(CachedPack cached)
    {
        cached.Users++;
        _byUse.Remove(cached.Node);
        _byUse.AddFirst(cached.Node);
    }

    private void EndUse(CachedPack cached)
    {
        bool isGone, isOver;
        lock (_gate)
        {
            cached.Users--;
            isGone = cached is { Users: 0, IsLeaving: true };
            isOver = _usedBytes > _limitBytes;
        }

        if (isGone)
        {
            DeleteFiles(cached);
        }

        if (isOver)
        {
            Trim();
        }
    }

    private void Leave(CachedPack cached)
    {
        cached.IsLeaving = true;
        _byUse.Remove(cached.Node);
    }

    private void Break(CachedPack cached, string reason)
    {
        CacheLog.Dropped(_logger, cached.Id.Value.ToString(), reason);
        lock (_gate)
        {
            if (!cached.IsLeaving)
            {
                Leave(cached);
            }
        }
    }

    private void Trim()
    {
        while (UsedBytes > LimitBytes && EvictOne())
        {
        }
    }

    /// <summary>Takes room for bytes, evicting as needed; false when there is none.</summary>
    private bool MakeRoom(long bytes)
    {
        while (!_floor.Allows(bytes))
        {
            if (!EvictOne())
            {
                return false;
            }
        }

        while (true)
        {
            lock (_gate)
            {
                if (_usedBytes + bytes <= _limitBytes)
                {
                    _usedBytes += bytes;
                    return true;
                }

                if (bytes > _limitBytes)
                {
                    return false;
                }
            }

            if (!EvictOne())
            {
                return false;
            }
        }
    }
}
