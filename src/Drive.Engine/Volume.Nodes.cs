using Drive.Core;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Tree;

namespace Drive.Engine;

/// <content>Finding nodes and entries in memory or the database, and marking changes. All of it under the gate.</content>
public sealed partial class Volume
{
    private const string CapabilityXattr = "security.capability";
    private const long RelatimeNanoseconds = 24L * 3600 * 1_000_000_000;

    /// <summary>More nodes than any one call works on: those found last may be in the caller's hands, and a node just made has no mark of change yet.</summary>
    private const long UsesInHand = 64;

    private readonly Dictionary<NodeId, Node> _nodes = [];
    private readonly Dictionary<NodeId, long> _removedNodes = [];
    private readonly Dictionary<NodeId, NodeId> _parents = [];
    private long _useCounter;
    private int _evictAbove;
    private long _nodeCount;

    private long Now()
    {
        long ticks = _time.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks;
        return ticks * 100;
    }

    private Node? FindNode(NodeId id)
    {
        if (_nodes.TryGetValue(id, out Node? node))
        {
            node.LastUse = ++_useCounter;
            return node;
        }

        if (_removedNodes.ContainsKey(id) || _metadata.FindNode(id) is not { } row)
        {
            return null;
        }

        node = Node.FromRow(row);
        node.Parent = _parents.GetValueOrDefault(id);
        node.Overlay = _overlays.GetValueOrDefault(id);
        AddToCache(node);
        return node;
    }

    private void AddToCache(Node node)
    {
        node.LastUse = ++_useCounter;
        _nodes.Add(node.Id, node);
        if (_nodes.Count > Math.Max(_evictAbove, _settings.NodesCachedMax))
        {
            EvictNodes();
        }
    }

    /// <summary>Drops the least used quarter of what the database has as well. Linear in the cache, once per quarter of it.</summary>
    private void EvictNodes()
    {
        List<Node> candidates = [.. _nodes.Values.Where(IsEvictable)];
        candidates.Sort(static (x, y) => x.LastUse.CompareTo(y.LastUse));
        foreach (Node node in candidates.Take(_settings.NodesCachedMax / 4))
        {
            _nodes.Remove(node.Id);
        }

        // Where little could go, the next look waits until a good deal more came. Access times alone start no local commit, so one is asked for here:
        // else a walk over many files would hold all of them.
        _evictAbove = _nodes.Count + (_settings.NodesCachedMax / 8);
        if (_pending.AccessTimes.Count > 0)
        {
            _change++;
        }
    }

    private bool IsEvictable(Node node) =>
        node.OpenCount == 0 && node.LinkCount > 0
        && ((node.LastChange <= _savedChange && !node.IsChanged && !node.IsAccessTimeChanged) || Mistakes.Has(Mistake.DirtyNodeEvicted))
        && node.LastUse <= _useCounter - UsesInHand && node.Id != NodeId.Root;

    private FsStatus FindDirectory(NodeId id, out Node directory)
    {
        directory = FindNode(id)!;
        return directory is null ? FsStatus.NotFound : directory.IsDirectory ? FsStatus.Ok : FsStatus.NotDirectory;
    }

    /// <summary>The entry, or null when the name is absent.</summary>
    private Entry? FindEntry(Node directory, ReadOnlySpan<byte> name)
    {
        DirectoryEntries entries = directory.Entries ??= new DirectoryEntries(directory.IsNew);
        Entry? entry = entries.Find(name);
        if (entry is null)
        {
            entry = _metadata.FindEntry(directory.Id, name) is { } row
                ? new Entry(row.Name, row.Node, row.EntryId)
                : new Entry(name.ToArray(), NodeId.None, 0);
            entries.Set(entry);
        }

        return entry.Node == NodeId.None ? null : entry;
    }

    private Node? FindChild(Node directory, Entry entry)
    {
        Node? child = FindNode(entry.Node);
        if (child is { IsDirectory: true })
        {
            child.Parent = directory.Id;
            _parents[child.Id] = directory.Id;
        }

        return child;
    }

    private DirectoryEntries CompleteEntries(Node directory)
    {
        DirectoryEntries entries = directory.Entries ??= new DirectoryEntries(directory.IsNew);
        if (!entries.IsComplete)
        {
            List<EntryRow> rows = [];
            long after = 0;
            while (_metadata.ReadEntries(directory.Id, after, 4096, rows) > 0)
            {
                after = rows[^1].EntryId;
            }

            entries.Complete(rows.Select(row => new Entry(row.Name, row.Node, row.EntryId)));
        }

        return entries;
    }

    private bool IsEmptyDirectory(Node directory) =>
        directory.Entries is { IsComplete: true } entries ? entries.Count == 0 : CompleteEntries(directory).Count == 0;

    /// <summary>Sets what a name means. A name that is replaced keeps its place in listings, so that one under way gives it once.</summary>
    private void SetEntry(Node directory, byte[] name, NodeId node, Entry? replaced = null)
    {
        Entry entry = new(name, node, node == NodeId.None ? 0 : replaced?.EntryId ?? _nextEntryId++);
        (directory.Entries ??= new DirectoryEntries(directory.IsNew)).Set(entry);
        directory.LastChange = _change;
        if (directory.LinkCount > 0)
        {
            _pending.Entries[new NameKey(directory.Id, name)] = entry;
        }
    }

    /// <summary>Starts a change of the volume: every mutating call does, before it changes anything.</summary>
    private void BeginChange()
    {
        _change++;
        _openSince ??= _time.GetUtcNow();
        _lastChangeAt = _time.GetUtcNow();
    }

    private void MarkChanged(Node node)
    {
        node.LastChange = _change;
        if (node.LinkCount == 0)
        {
            return;
        }

        _unsent.Add(node.Id);
        if (!node.IsChanged)
        {
            node.IsChanged = true;
            _pending.Nodes.Add(node);
        }
    }

    private void TouchAccess(Node node)
    {
        long now = Now();
        if (node.AccessTime <= node.ModifyTime || node.AccessTime <= node.ChangeTime || now - node.AccessTime > RelatimeNanoseconds)
        {
            if (IsReadOnly)
            {
                return;
            }

            node.AccessTime = now;
            if (!node.IsAccessTimeChanged && node.LinkCount > 0)
            {
                node.IsAccessTimeChanged = true;
                _pending.AccessTimes.Add(node);
            }
        }
    }

    private void TouchContent(Node node, long now)
    {
        node.ModifyTime = now;
        node.ChangeTime = now;
        MarkChanged(node);
    }

    private void KillPrivileges(Node node)
    {
        node.Mode = FileMode.WithoutPrivileges(node.Mode);
        if (node.IsRegular && LoadXattrs(node).Remove(System.Text.Encoding.ASCII.GetBytes(CapabilityXattr)))
        {
            RecordXattr(node, System.Text.Encoding.ASCII.GetBytes(CapabilityXattr), null);
        }
    }

    private void RemoveLink(Node node, long now)
    {
        node.LinkCount = node.IsDirectory ? 0 : node.LinkCount - 1;
        node.ChangeTime = now;
        _unsent.Add(node.Id);
        if (node.LinkCount > 0)
        {
            MarkChanged(node);
            return;
        }

        if (node.OpenCount > 0)
        {
            // Who has it open may still ask for them when the database has forgotten them.
            LoadXattrs(node);
        }

        _nodeCount--;
        node.LastChange = _change;
        _removedNodes[node.Id] = _change;
        _pending.RemovedNodes.Add(node.Id);
        _parents.Remove(node.Id);
        ForgetDirtyRows(node);
        TryDrop(node);
    }

    /// <summary>Forgets a node without a link that nobody holds.</summary>
    private void TryDrop(Node node)
    {
        if (node.LinkCount == 0 && node.OpenCount == 0 && node.IsForgotten)
        {
            DropContent(node);
            _nodes.Remove(node.Id);
        }
    }

    private FsStatus CheckWritable(ReadOnlySpan<byte> name)
    {
        FsStatus status = FileName.Validate(name);
        return status != FsStatus.Ok ? status : IsReadOnly ? FsStatus.ReadOnly : FsStatus.Ok;
    }
}
