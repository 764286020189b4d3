using Drive.Core.Rows;

namespace Drive.Cache.Blocks;

/// <summary>A pack of which parts are cached. Guarded by the cache's gate, except the journal's length, which is guarded by <see cref="JournalGate"/>.</summary>
internal sealed class CachedPack
{
    public CachedPack(PackId id, string path)
    {
        Id = id;
        Path = path;
        Node = new LinkedListNode<CachedPack>(this);
    }

    public PackId Id { get; }

    public string Path { get; }

    public string JournalPath => Path + BlockCache.JournalSuffix;

    public RangeSet Ranges { get; init; } = new();

    /// <summary>Its place in the order of use.</summary>
    public LinkedListNode<CachedPack> Node { get; }

    /// <summary>Bytes counted for it. Never shrinks while it is cached: an invalidated range stays allocated.</summary>
    public long ChargedBytes { get; set; }

    /// <summary>Not evicted.</summary>
    public bool IsPinned { get; set; }

    /// <summary>Reads and writes under way: it is not evicted under them.</summary>
    public int Users { get; set; }

    /// <summary>Being deleted, or broken and to be deleted with its last user: nothing is found in it or added to it.</summary>
    public bool IsLeaving { get; set; }

    public Lock JournalGate { get; } = new();

    public long JournalBytes { get; set; }
}
