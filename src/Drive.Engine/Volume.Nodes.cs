using Drive.Core;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Tree;
using Drive.Metadata;

namespace Drive.Engine;

/// <content>Finding nodes and entries in memory or the database, and marking changes. All of it under the gate.</content>
public sealed partial class Volume
{
    private const string CapabilityXattr = "security.capability";
    private const long RelatimeNanoseconds = 24L * 3600 * 1_000_000_000;

    /// <summary>More nodes than any one call works on: those found last may be in the caller's hands, and a node just made has no mark of change yet.</summary>
    private const long UsesInHand = 64;

    /// <summary>Names that a listing reads at once, with their nodes: a millisecond or two.</summary>
    private const int EntriesPage = 256;

    /// <summary>Names read to see that a directory is not empty.</summary>
    private const int FirstEntries = 16;

    private readonly Dictionary<NodeId, Node> _nodes = [];
    private readonly Dictionary<NodeId, long> _removedNodes = [];
    private readonly Dictionary<NodeId, NodeId> _parents = [];
    private long _useCounter;
    private long _droppedNodes;
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

        return _removedNodes.ContainsKey(id) || _metadata.FindNode(id) is not { } row ? null : AddRow(row);
    }

    /// <summary>Takes in a node that was read along with its name.</summary>
    private void AddFound(NodeRow row)
    {
        if (!_nodes.ContainsKey(row.Node) && !_removedNodes.ContainsKey(row.Node))
        {
            AddRow(row);
        }
    }

    private Node AddRow(NodeRow row)
    {
        Node node = Node.FromRow(row);
        node.Parent = _parents.GetValueOrDefault(row.Node);
        node.Overlay = _overlays.GetValueOrDefault(row.Node);
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
        Node[] candidates = [.. _nodes.Values.Where(IsEvictable)];
        long[] uses = Array.ConvertAll(candidates, static node => node.LastUse);
        Array.Sort(uses, candidates);
        foreach (Node node in candidates.AsSpan(0, Math.Min(candidates.Length, _settings.NodesCachedMax / 4)))
        {
            _nodes.Remove(node.Id);
        }

        _droppedNodes++;

        // Where little could go, the next look waits until a good deal more came. Access times alone start no local commit, so one is asked for here:
        // else a walk over many files would hold all of them.
        _evictAbove = _nodes.Count + (_settings.NodesCachedMax / 8);
        if (_pending.AccessTimes.Count > 0)
        {
            _change++;
        }
    }

    /// <summary>
    /// Not one whose content waits to be saved, as after a landing: the next look-up would make a second node of the same overlay, and what is written there
    /// after the save dropped the overlay would be nobody's.
    /// </summary>
    private bool IsEvictable(Node node) =>
        node.OpenCount == 0 && node.LinkCount > 0
        && ((node.LastChange <= _savedChange && !node.IsChanged && !node.IsAccessTimeChanged && !_pending.Contents.Contains(node)) || Mistakes.Has(Mistake.DirtyNodeEvicted))
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
            if (_metadata.FindChild(directory.Id, name) is not { } child)
            {
                entries.NoteMissed(name);
                return null;
            }

            // Whoever asks for a name wants its node next.
            entry = ToEntry(child.Entry);
            entries.NoteFound(entry);
            if (child.Node is not null)
            {
                AddFound(child.Node);
            }
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

    /// <summary>
    /// The next page of names of a directory that is open, so that its node stays, if a listing that goes on after <paramref name="entryId"/> comes to it. Read from the database
    /// without the gate: what changes meanwhile is known to the entries, and stands over what is read.
    /// </summary>
    private void ReadAhead(HandleId handle, long entryId)
    {
        NodeId directory;
        DirectoryEntries listed;
        long after;
        long dropped;
        lock (_gate)
        {
            if (!_handles.TryGetValue(handle, out Handle? open)
                || (open.Node.Entries ??= new DirectoryEntries(open.Node.IsNew)) is var known
                && (known.IsComplete || known.Ordered.Count - known.IndexAfter(entryId) >= ListedMax))
            {
                return;
            }

            (directory, listed, after, dropped) = (open.Node.Id, known, known.ReadThrough, _droppedNodes);
        }

        List<ChildRow> page = [];
        _metadata.ReadChildren(directory, after, EntriesPage, page);
        lock (_gate)
        {
            // Other entries than those it was read for: another device's commit came between, and the page may be older than they are.
            if (_handles.TryGetValue(handle, out Handle? open) && ReferenceEquals(open.Node.Entries, listed) && listed.ReadThrough == after)
            {
                listed.AddPage(page.ConvertAll(static child => ToEntry(child.Entry)), isLast: page.Count < EntriesPage);
                foreach (ChildRow child in page)
                {
                    // A row that was read before its node left memory may be older than what the database has now.
                    if (child.Node is not null && _droppedNodes == dropped)
                    {
                        AddFound(child.Node);
                    }
                }
            }
        }
    }

    private static Entry ToEntry(EntryRow row) => new(row.Name, row.Node, row.EntryId);

    private bool IsEmptyDirectory(Node directory)
    {
        DirectoryEntries entries = directory.Entries ??= new DirectoryEntries(directory.IsNew);
        if (!entries.IsComplete && entries.Count == 0)
        {
            // Names of which nothing is known here are names that are there: then the others need not be read.
            List<EntryRow> first = [];
            _metadata.ReadEntries(directory.Id, entries.ReadThrough, FirstEntries, first);
            if (first.Exists(row => entries.Find(row.Name) is null))
            {
                return false;
            }
        }

        // Without the nodes: those in the caller's hands must not be pushed out of memory.
        while (!entries.IsComplete && entries.Count == 0)
        {
            List<EntryRow> page = [];
            _metadata.ReadEntries(directory.Id, entries.ReadThrough, EntriesPage, page);
            entries.AddPage(page.ConvertAll(ToEntry), isLast: page.Count < EntriesPage);
        }

        return entries.Count == 0;
    }

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
            if (RefusesChanges)
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
        if (!node.IsDirectory && LoadXattrs(node).Remove(System.Text.Encoding.ASCII.GetBytes(CapabilityXattr)))
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
            _droppedNodes++;
        }
    }

    private FsStatus CheckWritable(ReadOnlySpan<byte> name)
    {
        FsStatus status = FileName.Validate(name);
        return status != FsStatus.Ok ? status : RefusesChanges ? FsStatus.ReadOnly : FsStatus.Ok;
    }
}
