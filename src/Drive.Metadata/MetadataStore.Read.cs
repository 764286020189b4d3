using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Metadata;

/// <summary>Look-ups: current rows, and rows as of a seq.</summary>
public sealed partial class MetadataStore
{
    public NodeRow? FindNode(NodeId node)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _nodes.Find(node);
        }
    }

    public EntryRow? FindEntry(NodeId parent, ReadOnlySpan<byte> name)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _entries.Find(parent, name);
        }
    }

    /// <summary>Appends up to <paramref name="countMax"/> entries with larger ids, by id; how many there were.</summary>
    public int ReadEntries(NodeId parent, long afterEntryId, int countMax, List<EntryRow> into)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _entries.List(parent, afterEntryId, countMax, into);
        }
    }

    /// <summary>An entry and its node at once.</summary>
    public ChildRow? FindChild(NodeId parent, ReadOnlySpan<byte> name)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _children.Find(parent, name);
        }
    }

    /// <summary><see cref="ReadEntries(NodeId, long, int, List{EntryRow})"/> with the nodes.</summary>
    public int ReadChildren(NodeId parent, long afterEntryId, int countMax, List<ChildRow> into)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _children.List(parent, afterEntryId, countMax, into);
        }
    }

    /// <summary>Extents that overlap [start, end), by offset.</summary>
    public IReadOnlyList<ExtentRow> ReadExtents(NodeId node, long start, long end)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _extents.Read(node, start, end, int.MaxValue);
        }
    }

    /// <summary>The first extents that end after <paramref name="start"/>, by offset, however wide the holes between them.</summary>
    public IReadOnlyList<ExtentRow> ReadFirstExtents(NodeId node, long start, int countMax)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _extents.Read(node, start, long.MaxValue, countMax);
        }
    }

    public IReadOnlyList<XattrRow> ReadXattrs(NodeId node)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _xattrs.Read(node);
        }
    }

    /// <summary>Dirty ranges of a file, by offset.</summary>
    public IReadOnlyList<DirtyRow> ReadDirty(NodeId node)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _dirty.Read(node);
        }
    }

    /// <summary>All dirty ranges by node and offset, read in parts: a change meanwhile may or may not show.</summary>
    public IEnumerable<DirtyRow> ReadAllDirty()
    {
        const int partRows = 4096; // arbitrary: some ms under the lock
        NodeId node = NodeId.None;
        long offset = -1;
        while (true)
        {
            List<DirtyRow> part = Read(() => _dirty.ReadPage(node, offset, partRows));
            foreach (DirtyRow row in part)
            {
                yield return row;
            }

            if (part.Count < partRows)
            {
                yield break;
            }

            (node, offset) = (part[^1].Node, part[^1].Offset);
        }
    }

    public IReadOnlyList<NodeId> ReadDirtyNodes()
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _dirty.ReadNodes();
        }
    }

    /// <summary>Where a block lies that the vault has: not in a pack that is condemned.</summary>
    public BlockRow? FindBlock(BlockId block)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return FindUsableBlock(block);
        }
    }

    /// <summary>Those of the blocks that the vault has.</summary>
    public IReadOnlyDictionary<BlockId, BlockRow> FindBlocks(IReadOnlyCollection<BlockId> blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        lock (_gate)
        {
            ThrowIfDisposed();
            var found = new Dictionary<BlockId, BlockRow>(blocks.Count);
            foreach (BlockId block in blocks)
            {
                if (FindUsableBlock(block) is { } row)
                {
                    found[block] = row;
                }
            }

            return found;
        }
    }

    /// <summary>Current nodes without links: unlinked while open, or never named.</summary>
    public IReadOnlyList<NodeId> ReadOrphans()
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _nodes.ReadOrphans();
        }
    }

    public byte[]? ReadSetting(string key)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _settings.Read(key);
        }
    }

    /// <summary>The node as it was after commit <paramref name="asOf"/>; a provisional seq gives the state after that epoch.</summary>
    public NodeRow? FindNode(NodeId node, long asOf)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _nodes.FindAt(node, asOf);
        }
    }

    public EntryRow? FindEntry(NodeId parent, ReadOnlySpan<byte> name, long asOf)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _entries.FindAt(parent, name, asOf);
        }
    }

    /// <summary>One of the names that a node had after commit <paramref name="asOf"/>, or null. Reads up to all entries of the vault: for what is rare.</summary>
    public EntryRow? FindNameOf(NodeId node, long asOf) => Read(() => _entries.FindNameAt(node, asOf));

    public int ReadEntries(NodeId parent, long afterEntryId, int countMax, List<EntryRow> into, long asOf)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _entries.ListAt(parent, afterEntryId, countMax, into, asOf);
        }
    }

    public IReadOnlyList<ExtentRow> ReadExtents(NodeId node, long start, long end, long asOf)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _extents.ReadAt(node, start, end, asOf);
        }
    }

    public IReadOnlyList<XattrRow> ReadXattrs(NodeId node, long asOf)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            return _xattrs.ReadAt(node, asOf);
        }
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_isDisposed, this);
}
