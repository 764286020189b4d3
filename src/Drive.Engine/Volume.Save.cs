using Drive.Core;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Tree;
using Drive.Engine.Upload;
using Drive.Metadata;

namespace Drive.Engine;

/// <content>
/// The local commit: what was done so far becomes durable on this machine, as a whole and in order. First the bytes and the journal of the rows that point to them
/// (dirty log, flushed), then the rows themselves (one SQLite transaction). The journal is what makes it durable: the database is flushed behind it, at the latest after
/// <see cref="VolumeSettings.SaveInterval"/>, and a start redoes what a power cut took from it. Whoever needs a commit does it; others that wait meanwhile find their change saved.
/// </content>
public sealed partial class Volume
{
    internal const string EpochSetting = "epoch";
    private const string FrozenSetting = "frozen";
    internal const string CounterSetting = "node-counter";
    private const int AccessTimesWaitingMax = 10_000;

    private readonly Lock _saveLock = new();
    private readonly MetadataBatch _batch = new();
    private readonly List<DirtyChunk> _releases = [];
    private PendingChanges _pending = new();
    private SavePoint? _stuck;

    /// <summary>Durable in the journal, and not in the database yet; guarded by the save lock. Whoever takes that lock to work with the database applies it first.</summary>
    private SavePoint? _unapplied;
    private long _change;
    private long _savedChange;
    private long _errorCount;
    private FsStatus _lastWriteError;

    /// <summary>
    /// Whether there is something to save that is no change: rows of holes and records of the log that may go, which a landing leaves; and access
    /// times, which wait for the next change unless they are many or the volume stops.
    /// </summary>
    private bool HasLeftovers =>
        _pending.Releases.Count + _pending.Contents.Count > 0
        || _pending.AccessTimes.Count > (_stopping.IsCancellationRequested ? 0 : AccessTimesWaitingMax);

    private FsStatus CommitLocally() => CommitLocally(freeze: false, isJournalEnough: false, out _);

    /// <summary>
    /// Makes all changes made before the call durable. Where the journal does that, it returns as soon as the journal is flushed, and the database gets the rows behind it: nobody who waits for an fsync waits
    /// for SQLite too. A crash in between is one between two flushes: the next start redoes what the journal has.
    /// </summary>
    private FsStatus CommitToJournal() => CommitLocally(freeze: false, isJournalEnough: true, out _);

    /// <summary>
    /// Saves all changes made before the call. With <paramref name="freeze"/> the epoch ends at that moment and is handed out for upload. With <paramref name="isJournalEnough"/> the database may follow later.
    /// </summary>
    private FsStatus CommitLocally(bool freeze, bool isJournalEnough, out Capture? capture)
    {
        capture = null;
        long wanted = Volatile.Read(ref _change);
        lock (_saveLock)
        {
            ApplyRest();
            if (_stuck is { } stuck)
            {
                FsStatus status = Save(stuck);
                if (status != FsStatus.Ok)
                {
                    return status;
                }
            }

            SavePoint point;
            lock (_gate)
            {
                if (_failure is not null)
                {
                    return FsStatus.IoError;
                }

                if (!freeze && _savedChange >= wanted && !HasLeftovers)
                {
                    return FsStatus.Ok;
                }

                point = TakeChanges();
                if (freeze)
                {
                    capture = TakeCapture(point.Batch);
                    point.EndsEpoch = true;
                }
            }

            FsStatus saved = Save(point, isJournalEnough);
            if (saved == FsStatus.Ok && capture is not null)
            {
                LeaveLateBehind(capture);
            }

            return saved;
        }
    }

    /// <summary>
    /// Who still has an unlinked file open may ask for its extended attributes when the database has forgotten them. Where the database cannot be read the changes
    /// are saved all the same, and who asks is told.
    /// </summary>
    private void KeepXattrsOfRemoved()
    {
        foreach (NodeId removed in _pending.RemovedNodes)
        {
            if (_nodes.TryGetValue(removed, out Node? held) && held.LinkCount == 0)
            {
                try
                {
                    LoadXattrs(held);
                }
                catch (Exception error)
                {
                    Fail("keep the extended attributes of an unlinked file", error);
                    held.AreXattrsLost = true;
                }
            }
        }
    }

    private SavePoint TakeChanges()
    {
        KeepXattrsOfRemoved();
        PendingChanges pending = _pending;
        _pending = new PendingChanges();
        MetadataBatch batch = _batch;
        batch.Clear();
        batch.Epoch = _epoch;
        SavePoint point = new() { Change = _change, Batch = batch, Pin = _state, NodeCounter = (long)_nextNodeCounter };
        foreach (NodeId node in pending.RemovedNodes)
        {
            batch.RemoveNode(node);
        }

        foreach (Node node in pending.Nodes)
        {
            node.IsChanged = false;
            node.IsAccessTimeChanged = false;
            if (node.LinkCount > 0)
            {
                batch.PutNode(node.ToRow(), node.IsNew);
                node.IsNew = false;
            }
        }

        foreach (Node node in pending.AccessTimes)
        {
            if (node.IsAccessTimeChanged && node.LinkCount > 0 && !node.IsNew)
            {
                batch.PutNodeAccessTime(node.Id, node.AccessTime);
            }

            node.IsAccessTimeChanged = false;
        }

        foreach ((NameKey key, Entry entry) in pending.Entries)
        {
            if (entry.Node == NodeId.None)
            {
                if (Mistakes.Has(Mistake.RemovedNameNotSaved))
                {
                    continue;
                }

                batch.RemoveEntry(key.Node, key.Name);
            }
            else
            {
                batch.PutEntry(new EntryRow(key.Node, key.Name, entry.Node, entry.EntryId));
            }
        }

        HashSet<NodeId> removed = [.. pending.RemovedNodes];
        foreach ((NameKey key, byte[]? value) in pending.Xattrs)
        {
            if (removed.Contains(key.Node))
            {
                continue;
            }

            if (value is null)
            {
                if (Mistakes.Has(Mistake.RemovedXattrNotSaved))
                {
                    continue;
                }

                batch.RemoveXattr(key.Node, key.Name);
            }
            else
            {
                batch.PutXattr(new XattrRow(key.Node, key.Name, value));
            }
        }

        foreach ((NodeId node, long offset) in pending.RemovedDirtyRows)
        {
            batch.RemoveDirty(node, offset);
        }

        foreach (Node node in pending.Contents)
        {
            TakeContent(node, point);
        }

        TakeChunks(pending.Chunks, point.Chunks);
        point.Releases.AddRange(pending.Releases);
        if (!Mistakes.Has(Mistake.NodeNumbersNotSaved))
        {
            batch.PutSetting(CounterSetting, Numbers.Encode((long)_nextNodeCounter));
        }

        return point;
    }

    private void TakeContent(Node node, SavePoint point)
    {
        if (node.LinkCount == 0 || node.Overlay is not { } overlay)
        {
            return;
        }

        foreach (long offset in Mistakes.Has(Mistake.OverwrittenRowKept) ? [] : overlay.RemovedRows)
        {
            point.Batch.RemoveDirty(node.Id, offset);
        }

        overlay.RemovedRows.Clear();
        List<OverlayItem> unsaved = [];
        overlay.TakeUnsaved(unsaved);
        foreach (OverlayItem item in unsaved)
        {
            point.Items.Add((node.Id, item));
        }

        if (overlay.HolesChanged && !Mistakes.Has(Mistake.HoleNotSaved))
        {
            foreach (ByteRange hole in overlay.SavedHoles)
            {
                point.Batch.RemoveDirty(node.Id, hole.Start);
            }

            overlay.SavedHoles.Clear();
            foreach (ByteRange hole in overlay.Holes.Ranges)
            {
                overlay.SavedHoles.Add(hole);
                point.Batch.PutDirty(ToDirtyRow(node.Id, hole));
            }

            overlay.HolesChanged = false;
        }

        if (overlay.IsEmpty)
        {
            _overlays.Remove(node.Id);
            _dirtyFiles.Remove(node.Id);
            node.Overlay = null;
        }
    }

    /// <summary>Writes a save point. No space: it is kept and tried again. Any other failure of the disk makes the volume read-only.</summary>
    private FsStatus Save(SavePoint point, bool isJournalEnough = false)
    {
        try
        {
            GatherJournal();
            LogChunks(point.Chunks, point.Change, point);
            if (isJournalEnough && point.IsCovered)
            {
                _unapplied = point;
                RunBehind(ApplyBehindAsync);
                return FsStatus.Ok;
            }

            _metadata.Apply(point.Batch, flush: !point.IsCovered);
        }
        catch (Exception error)
        {
            return NoteStuck(point, error);
        }

        FinishSave(point);
        return FsStatus.Ok;
    }

    private FsStatus NoteStuck(SavePoint point, Exception error)
    {
        bool isFull = error is DiskFullException;
        _stuck = isFull && Mistakes.Has(Mistake.StuckSaveDropped) ? null : point;
        return !isFull ? NoteDiskFailed(error) : Mistakes.Has(Mistake.FullDiskIsSuccess) ? FsStatus.Ok : NoteWriteError(FsStatus.NoSpace, error);
    }

    private Task ApplyBehindAsync()
    {
        lock (_saveLock)
        {
            ApplyRest();
        }

        return Task.CompletedTask;
    }

    /// <summary>Under the save lock: brings the database up to the journal. Where it fails the save point is stuck, as one that failed at once.</summary>
    private void ApplyRest()
    {
        if (_unapplied is not { } point)
        {
            return;
        }

        _unapplied = null;
        try
        {
            _metadata.Apply(point.Batch, flush: false);
        }
        catch (Exception error)
        {
            NoteStuck(point, error);
            return;
        }

        FinishSave(point);
    }

    private void FinishSave(SavePoint point)
    {
        _stuck = null;
        FinishJournal(point);
        lock (_gate)
        {
            FinishChunks(point.Chunks);
            _savedChange = Math.Max(_savedChange, point.Change);
            foreach (NodeId node in _removedNodes.Where(pair => pair.Value <= point.Change).Select(pair => pair.Key).ToList())
            {
                _removedNodes.Remove(node);
            }
        }

        _releases.AddRange(point.Releases);
        if (!point.IsCovered)
        {
            ReleaseRecords();
        }
    }

    /// <summary>
    /// Makes durable what the database has, so that the log may let go of what it no longer needs. Under the save lock. No room: later, with the next local commit;
    /// the journal has it all.
    /// </summary>
    private void FlushDatabase()
    {
        lock (_gate)
        {
            if (_failure is not null)
            {
                return;
            }
        }

        try
        {
            _metadata.Flush();
            ReleaseRecords();
        }
        catch (DiskFullException error)
        {
            NoteWriteError(FsStatus.NoSpace, error);
        }
        catch (Exception error)
        {
            NoteDiskFailed(error);
        }
    }

    /// <summary>
    /// Lets go of records of the log that no row points to any more. Only when the database that says so is durable: an older one still points to them, and what the journal
    /// would have to be redone on it needs them too.
    /// </summary>
    private void ReleaseRecords()
    {
        foreach (DirtyChunk chunk in _releases)
        {
            _log.Release(chunk.Position, chunk.Length);
        }

        if (_releases.Count > 0)
        {
            _releases.Clear();
            DropEmptySegment();
        }
    }

    private FsStatus NoteDiskFailed(Exception error)
    {
        lock (_gate)
        {
            _failure ??= $"The local disk failed ({error.Message}); nothing that was synced is lost. Check the disk that holds {_settings.StateDirectory}, then mount again.";
        }

        return NoteWriteError(FsStatus.IoError, error);
    }

    /// <summary>When nothing is dirty the segment that is appended to goes as well, with the room it takes.</summary>
    private void DropEmptySegment()
    {
        if (_log.LiveBytes == 0)
        {
            _log.StartNewSegment();
        }
    }

    private static void AddDirtyRows(SavePoint point)
    {
        if (point.HasDirtyRows)
        {
            return;
        }

        foreach ((NodeId node, OverlayItem item) in point.Items)
        {
            point.Batch.PutDirty(ToDirtyRow(node, item));
        }

        point.HasDirtyRows = true;
    }

    /// <summary>The row of an item whose chunk, if it has one, has its place in the log.</summary>
    private static DirtyRow ToDirtyRow(NodeId node, OverlayItem item) => item.Chunk is { } chunk
        ? new DirtyRow(node, item.Offset, item.Length, DirtyKind.Data, chunk.Position.Segment, chunk.Position.Position, chunk.Length, item.InnerOffset, default)
        : new DirtyRow(node, item.Offset, item.Length, DirtyKind.Block, 0, 0, 0, item.InnerOffset, item.Block);

    private static DirtyRow ToDirtyRow(NodeId node, ByteRange hole) => new(node, hole.Start, hole.Length, DirtyKind.Hole, 0, 0, 0, 0, default);

    private FsStatus NoteWriteError(FsStatus status, Exception error)
    {
        EngineLog.LogSaveFailed(_logger, status, error);
        lock (_gate)
        {
            _errorCount++;
            _lastWriteError = status;
            _lastError = status == FsStatus.NoSpace
                ? $"No space on the disk that holds {_settings.StateDirectory}: free some, nothing that was synced is lost."
                : _failure;
        }

        return status;
    }
}
