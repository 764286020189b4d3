using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Merging;
using Drive.Engine.Tree;
using Drive.Engine.Upload;
using Drive.Metadata;
using Drive.Vault.Log;

namespace Drive.Engine;

/// <content>
/// Taking over another device's commit, one at a time: what was done here and is in no commit yet is put onto it. Everything is saved first; then one transaction of the
/// database takes this machine's epoch back, makes the commit the tree, and writes the epoch anew; then, still under the gate, memory follows. No call sees a state in between.
/// </content>
public sealed partial class Volume
{
    /// <summary>Files up to this size are compared before two become two (arbitrary: some 20 ms under the gate).</summary>
    private const long ComparedBytesMax = 16 << 20;

    /// <summary>Takes a commit over, as soon as the local disk has room for it. <see cref="IOException"/> when the disk failed.</summary>
    private async Task TakeOverAsync(ObjectName name, CommitContent commit, VaultState next, CancellationToken cancellationToken)
    {
        MergePlan? plan;
        while ((plan = TryTakeOver(name, commit, next)) is null)
        {
            await WaitAsync(PatienceMin, cancellationToken);
        }

        EngineLog.LogTakenOver(_logger, next.Seq, plan.Conflicts.Count);
        Tell(commit, plan);
    }

    /// <summary>Null: the local disk has no room.</summary>
    private MergePlan? TryTakeOver(ObjectName name, CommitContent commit, VaultState next)
    {
        lock (_saveLock)
        {
            ApplyRest();
            MergePlan plan;
            lock (_gate)
            {
                if (!TrySaveAll())
                {
                    return _failure is null ? null : throw new IOException(_failure);
                }

                try
                {
                    AbandonCapture();
                    plan = Merge(name, commit, next);
                }
                catch (DiskFullException error)
                {
                    NoteWriteError(FsStatus.NoSpace, error);
                    return null;
                }
                catch (IOException error)
                {
                    NoteDiskFailed(error);
                    throw;
                }
            }

            GatherJournalAfterMerge();
            return plan;
        }
    }

    /// <summary>Under both locks: the database has all that memory has.</summary>
    private bool TrySaveAll() =>
        _failure is null && (_stuck is not { } stuck || Save(stuck) == FsStatus.Ok)
        && ((_pending.IsEmpty && _savedChange >= _change) || Save(TakeChanges()) == FsStatus.Ok);

    /// <summary>An upload that lost its slot, or was interrupted: its epoch becomes part of the open one.</summary>
    private void AbandonCapture()
    {
        if (_sending is not { } capture)
        {
            return;
        }

        _metadata.CollapseEpoch(capture.Epoch);
        MetadataBatch batch = new() { Epoch = _epoch };
        batch.PutSetting(AttemptSetting, null);
        batch.PutSetting(CapturedSetting, null);
        batch.PutSetting(FrozenSetting, null);
        _metadata.Apply(batch);
        capture.Files.ForEach(Unpin);
        _unsent.UnionWith(capture.Nodes);
        _openSince = _openSince is { } since && since < capture.OldestChange ? since : capture.OldestChange;
        _sending = null;
        _interrupted = null;
    }

    private MergePlan Merge(ObjectName name, CommitContent commit, VaultState next)
    {
        RowChanges rows = commit.Rows;
        RowChanges own = _metadata.ReadEpoch(_epoch);
        List<NodeId> written = [.. _dirtyFiles.Where(node => _overlays.GetValueOrDefault(node) is { IsEmpty: false })];
        AddWrittenOnly(own, written);
        ChangeIndex mine = new(own, written);
        ChangeIndex theirs = new(rows, rows.Opened.Extents.Concat(rows.Closed.Extents).Select(static row => row.Node));
        string device = next.FindMember(_keys.DeviceId)?.Name ?? "";
        MergePlan plan = new TreeMerge(
            new BaseTree(_metadata, _state.Seq), mine, theirs, new ConflictName(device, _time.GetUtcNow()), () => NodeId.Compose(_deviceNumber, _nextNodeCounter++),
            (here, there) => HasSameContent(here, there, rows)).Run();

        MetadataBatch rest = new() { Epoch = _epoch };
        List<(NodeId From, NodeId To, Overlay Overlay)> moved = [.. plan.Copies.Concat(plan.Revived.Select(static node => (From: node, To: node)))
            .Where(pair => IsFile(pair.From, own)).Select(pair => (pair.From, pair.To, MoveContent(pair.From, pair.To, SizeOf(pair.From, own), rest)))];
        List<NodeId> dropped = [.. plan.Dropped.Concat(plan.Settled).Where(_overlays.ContainsKey)];
        dropped.ForEach(node => RemoveDirtyRows(node, rest));
        HoldRemoved(plan, rows);
        rest.PutSetting(StateSetting, next.Encode());
        rest.PutSetting(CounterSetting, Numbers.Encode((long)_nextNodeCounter));
        try
        {
            _metadata.Rebase(_epoch, CommitRows.NoteOf(commit, _keys.DeviceId), rows, plan.Rows, rest);
        }
        catch (Exception error) when (CommitRows.IsMisfit(error))
        {
            throw new Vault.VaultIntegrityException(name.Value, Vault.IntegrityKind.Rule, "is signed, and does not fit the tree that it follows", error);
        }

        _blocks.Forget(rows.Blocks);
        _early.Forget([.. commit.History.OfType<Condemn>().SelectMany(static condemn => condemn.Packs)]);
        _state = next;
        _nextEntryId = _metadata.NextEntryId;
        _nodeCount = _metadata.CountFiles().Nodes + 1;
        foreach ((NodeId from, NodeId to, Overlay overlay) in moved)
        {
            _overlays.Remove(from);
            _dirtyFiles.Remove(from);
            if (!overlay.IsEmpty)
            {
                _overlays[to] = overlay;
                _dirtyFiles.Add(to);
            }
        }

        foreach (NodeId node in dropped)
        {
            _dirtyFiles.Remove(node);
            if (plan.Settled.Contains(node) || !_nodes.ContainsKey(node))
            {
                Displace(_overlays[node].Cut(0, long.MaxValue, asHole: false));
                _overlays.Remove(node);
            }
        }

        FollowInMemory(plan, rows, own);
        CountUnsent();
        return plan;
    }

    /// <summary>A write that changed neither length nor times left a node's row as it was: for a merge it is a change all the same.</summary>
    private void AddWrittenOnly(RowChanges own, IEnumerable<NodeId> written)
    {
        HashSet<NodeId> known = [.. own.Opened.Nodes.Select(static row => row.Node), .. own.Closed.Nodes.Select(static row => row.Node)];
        foreach (NodeId node in written.Where(node => !known.Contains(node)))
        {
            if (_metadata.FindNode(node) is { } row)
            {
                own.Closed.Nodes.Add(row);
                own.Opened.Nodes.Add(row);
            }
        }
    }

    private bool IsFile(NodeId node, RowChanges own) => FindOwnRow(node, own) is { } row && FileMode.IsRegular(row.Mode);

    private long SizeOf(NodeId node, RowChanges own) => FindOwnRow(node, own)?.Size ?? 0;

    /// <summary>As it is here, before the commit.</summary>
    private NodeRow? FindOwnRow(NodeId node, RowChanges own) => _metadata.FindNode(node) ?? own.Closed.Nodes.Find(row => row.Node == node) ?? _metadata.FindNode(node, _state.Seq);

    /// <summary>
    /// All content of a file as it is here, as an overlay of its own that needs no extents below: for a node that has none. Its rows are in <paramref name="rest"/>, and the old ones' end.
    /// </summary>
    private Overlay MoveContent(NodeId from, NodeId to, long size, MetadataBatch rest)
    {
        Overlay content = new();
        Overlay? old = _overlays.GetValueOrDefault(from);
        foreach (ExtentRow extent in _metadata.ReadExtents(from, 0, size))
        {
            RangeList parts = new();
            parts.Add(extent.Offset, Math.Min(extent.End, size));
            foreach (ByteRange hole in old?.Holes.Ranges ?? [])
            {
                parts.Remove(hole.Start, hole.End);
            }

            foreach (ByteRange part in parts.Ranges)
            {
                for (long start = part.Start; start < part.End;)
                {
                    long end = Math.Min(part.End, Overlay.BlockEnd(start / Overlay.BlockBytes));
                    content.Put(new OverlayItem(start, (int)(end - start), null, extent.Block, extent.BlockOffset + (int)(start - extent.Offset)));
                    start = end;
                }
            }
        }

        foreach (OverlayItem item in old?.Items ?? [])
        {
            content.Put(new OverlayItem(item.Offset, item.Length, item.Chunk, item.Block, item.InnerOffset));
        }

        RemoveDirtyRows(from, rest);
        List<OverlayItem> items = [];
        content.TakeUnsaved(items);
        items.ForEach(item => rest.PutDirty(ToDirtyRow(to, item)));
        content.HolesChanged = false;
        content.RemovedRows.Clear();
        return content;
    }

    private void RemoveDirtyRows(NodeId node, MetadataBatch rest)
    {
        foreach (DirtyRow row in _metadata.ReadDirty(node))
        {
            rest.RemoveDirty(node, row.Offset);
        }
    }

    /// <summary>Files that the commit removes and somebody here may have open keep what the database is about to forget.</summary>
    private void HoldRemoved(MergePlan plan, RowChanges rows)
    {
        HashSet<NodeId> kept = [.. rows.Opened.Nodes.Select(static row => row.Node), .. plan.Revived];
        foreach (NodeRow row in rows.Closed.Nodes)
        {
            if (kept.Contains(row.Node) || !_nodes.TryGetValue(row.Node, out Node? node))
            {
                continue;
            }

            if (node.LinkCount > 0)
            {
                // One that was unlinked here keeps them since then.
                LoadXattrs(node);
            }

            if (node.IsRegular)
            {
                node.PinnedExtents ??= _metadata.ReadExtents(node.Id, 0, long.MaxValue);
            }
        }
    }

    /// <summary>What memory knows of nodes and names that the commit or the merge changed becomes what the database has.</summary>
    private void FollowInMemory(MergePlan plan, RowChanges rows, RowChanges own)
    {
        HashSet<NodeId> touched = [.. plan.Revived, .. plan.Dropped, .. plan.Settled, .. plan.Copies.Select(static copy => copy.From)];
        foreach (RowSet set in (RowSet[])[rows.Closed, rows.Opened, own.Closed, own.Opened, plan.Rows.Closed, plan.Rows.Opened])
        {
            touched.UnionWith(set.Nodes.Select(static row => row.Node));
            touched.UnionWith(set.Extents.Select(static row => row.Node));
            touched.UnionWith(set.Xattrs.Select(static row => row.Node));
        }

        foreach (NameKey key in plan.Names)
        {
            touched.Add(key.Node);
            if (_metadata.FindEntry(key.Node, key.Name) is { } entry && _parents.ContainsKey(entry.Node))
            {
                _parents[entry.Node] = key.Node;
            }
        }

        foreach (NodeId id in touched)
        {
            if (_nodes.TryGetValue(id, out Node? node))
            {
                Follow(node, _metadata.FindNode(id));
            }
        }

        _droppedNodes++;
    }

    private void Follow(Node node, NodeRow? row)
    {
        node.Windows = null;
        node.AllocatedKnown = -1;
        node.Entries = null;
        node.LastChange = _change;
        if (row is null)
        {
            // Like a file that was unlinked here: who has it open goes on with what it held.
            node.LinkCount = 0;
            _parents.Remove(node.Id);
            TryDrop(node);
            return;
        }

        node.Overlay = _overlays.GetValueOrDefault(node.Id);
        if (!_dirtyFiles.Contains(node.Id))
        {
            // Removed here, and kept by the other's edit: what was written to it after that, by who had it open, is nobody's.
            DropContent(node);
        }

        node.Mode = row.Mode;
        node.LinkCount = row.LinkCount;
        node.Uid = row.Uid;
        node.Gid = row.Gid;
        node.Size = row.Size;
        node.ModifyTime = row.ModifyTime;
        node.ChangeTime = row.ChangeTime;
        node.Xattrs = null;
        node.IsNew = false;
        node.PinnedExtents = null;
        node.MayHaveExtents = node.IsRegular;
        node.MaySparse = node.IsRegular;
        node.Parent = _parents.GetValueOrDefault(node.Id, node.Parent);
    }

    /// <summary>What is left to send. Nothing: then whoever waits for the store waits no longer.</summary>
    private void CountUnsent()
    {
        RowChanges left = _metadata.ReadEpoch(_epoch);
        _unsent = [.. left.Opened.Nodes.Select(static row => row.Node), .. left.Closed.Nodes.Select(static row => row.Node), .. _dirtyFiles];
        foreach (NodeId gone in _late.Keys.Where(node => !_overlays.ContainsKey(node)).ToList())
        {
            _late.Remove(gone);
        }

        _leftBehind.IntersectWith(_unsent);
        if (_unsent.Count == 0 && left.IsEmpty)
        {
            _openSince = null;
            _landedChange = _change;
            _journal.ReleaseThrough(_landedChange);
            return;
        }

        _unsent.Add(NodeId.Root);
        _openSince ??= _time.GetUtcNow();
        _journal.NeedsSnapshot = true;
    }

    /// <summary>The records of the journal are of rows over an older commit: one record of all rows takes their place. A disk that takes nothing now is asked again by the next local commit.</summary>
    private void GatherJournalAfterMerge()
    {
        try
        {
            GatherJournal();
        }
        catch (DiskFullException error)
        {
            NoteWriteError(FsStatus.NoSpace, error);
        }
        catch (IOException error)
        {
            NoteDiskFailed(error);
        }
    }

    /// <summary>Whether a file that was wholly written here has the bytes that the commit gives another (or the same) one. Blocks are named by what is in them, so nothing is fetched.</summary>
    private bool HasSameContent(NodeId here, NodeId there, RowChanges rows)
    {
        NodeRow? row = rows.Opened.Nodes.Find(row => row.Node == there);
        if (row is null || !FileMode.IsRegular(row.Mode) || _metadata.FindNode(here) is not { } own || !FileMode.IsRegular(own.Mode) || own.Size != row.Size || own.Size > ComparedBytesMax)
        {
            return false;
        }

        if (own.Size == 0)
        {
            return true;
        }

        if (_overlays.GetValueOrDefault(here) is not { } overlay)
        {
            return false;
        }

        byte[] buffer = new byte[Overlay.BlockBytes];
        foreach (IGrouping<long, ExtentRow> block in rows.Opened.Extents.Where(extent => extent.Node == there).GroupBy(static extent => extent.Offset / Overlay.BlockBytes))
        {
            ExtentRow extent = block.First();
            int length = (int)Math.Min(Overlay.BlockBytes, own.Size - (block.Key * Overlay.BlockBytes));
            if (block.Count() > 1 || extent.Offset % Overlay.BlockBytes != 0 || extent.Length != length || extent.BlockOffset != 0
                || !TryReadWritten(overlay, extent.Offset, buffer.AsSpan(0, length)) || _keys.IdentifyBlock(buffer.AsSpan(0, length)) != extent.Block)
            {
                return false;
            }
        }

        return rows.Opened.Extents.Where(extent => extent.Node == there).Sum(static extent => (long)extent.Length) == own.Size;
    }

    private bool TryReadWritten(Overlay overlay, long start, Span<byte> destination)
    {
        long at = start;
        long end = start + destination.Length;
        while (at < end)
        {
            if (overlay.FindAtOrAfter(at, end) is not { Chunk: { IsLogged: true } chunk } item || item.Offset > at)
            {
                return false;
            }

            int length = (int)(Math.Min(item.End, end) - at);
            _log.Read(chunk.Position, chunk.Length, item.InnerOffset + (int)(at - item.Offset), destination.Slice((int)(at - start), length));
            at += length;
        }

        return true;
    }

    /// <summary>Tells whoever caches. Outside the locks: it may wait.</summary>
    private void Tell(CommitContent commit, MergePlan plan)
    {
        Landed?.Invoke();
        if (_observer is not { } observer)
        {
            return;
        }

        foreach (NameKey key in plan.Names)
        {
            observer.EntryChanged(key.Node, key.Name);
        }

        HashSet<NodeId> content = [.. commit.Rows.Opened.Extents.Concat(commit.Rows.Closed.Extents).Select(static row => row.Node), .. plan.Copies.Select(static copy => copy.From), .. plan.Dropped];
        HashSet<NodeId> nodes = [.. content, .. plan.Revived, .. plan.Names.Select(static key => key.Node)];
        foreach (RowSet set in (RowSet[])[commit.Rows.Closed, commit.Rows.Opened, plan.Rows.Closed, plan.Rows.Opened])
        {
            nodes.UnionWith(set.Nodes.Select(static row => row.Node));
            nodes.UnionWith(set.Xattrs.Select(static row => row.Node));
        }

        // A listing that the kernel keeps is the content of its folder.
        HashSet<NodeId> folders = [.. plan.Names.Select(static key => key.Node)];
        foreach (NodeId node in nodes)
        {
            observer.NodeChanged(node, content.Contains(node) || folders.Contains(node));
        }
    }
}
