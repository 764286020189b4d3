using Drive.Core;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Tree;
using Drive.Engine.Upload;
using Drive.Vault.Log;

namespace Drive.Engine;

/// <content>
/// Landing: an epoch became a commit. The database changes in one transaction; then, under the gate, what the commit holds leaves the overlays.
/// In between a read sees both, and both show the same bytes. No local commit runs meanwhile.
/// </content>
public sealed partial class Volume
{
    /// <summary>Lands, as soon as the local disk has room for it.</summary>
    /// <param name="capture">The epoch.</param>
    /// <param name="attempt">The commit, or null when the epoch turned out to change nothing.</param>
    /// <param name="note">What is kept of the commit besides its rows; null without one.</param>
    /// <param name="rows">Its rows, extents and blocks among them.</param>
    /// <param name="hasPacks">
    /// Whether the store still has the packs that the commit names. Between their put and the commit may lie a restart, and a store that lost what it had shown:
    /// then the content, which this machine still has, stays a change.
    /// </param>
    /// <param name="cancellationToken">Ends the waiting; the next start lands it then.</param>
    private async Task LandAsync(Capture capture, Attempt? attempt, CommitNote? note, RowChanges rows, bool hasPacks, CancellationToken cancellationToken)
    {
        while (!TryLand(capture, attempt, note, rows, hasPacks))
        {
            await WaitAsync(PatienceMin, cancellationToken);
        }
    }

    private bool TryLand(Capture capture, Attempt? attempt, CommitNote? note, RowChanges rows, bool hasPacks)
    {
        lock (_saveLock)
        {
            ApplyRest();
            // A save point that waits for room has rows of items that a landing settles. Written after it, they would come back from the dead.
            if (_stuck is { } stuck && Save(stuck) != FsStatus.Ok)
            {
                return false;
            }

            List<DirtyRow> superfluous;
            List<SentHoles> holes;
            lock (_gate)
            {
                PinExtentsOfUnlinked(rows);
                superfluous = hasPacks ? [.. CoveredRows(capture)] : [];
                holes = hasPacks ? [.. SentHolesOf(capture)] : [];
            }

            try
            {
                LandInDatabase(
                    capture.Epoch, attempt, note, rows, [.. superfluous, .. holes.SelectMany(static file => file.Before)], [.. holes.SelectMany(static file => file.Left)]);
            }
            catch (DiskFullException error)
            {
                NoteWriteError(FsStatus.NoSpace, error);
                return false;
            }

            ReleaseRecords();
            _blocks.Forget(rows.Blocks);
            lock (_gate)
            {
                if (attempt is not null)
                {
                    NoteCheckpointLanded(attempt);
                    _state = attempt.Next;
                }

                holes.ForEach(NoteSent);
                foreach (CapturedFile file in capture.Files)
                {
                    if (hasPacks)
                    {
                        Settle(file);
                    }
                    else
                    {
                        Keep(file);
                    }
                }

                _sending = null;
                _landedChange = capture.IsPartial || !hasPacks ? _landedChange : capture.Change;
                _early.KeepOnly(_late.Keys.ToHashSet());
            }

            _journal.ReleaseThrough(_landedChange);
            DropEmptySegment();
        }

        _checkpointWanted.Ring();
        EngineLog.LogLanded(_logger, _state.Seq, capture.Nodes.Count, capture.DataBytes);
        Landed?.Invoke();
        return true;
    }

    /// <summary>Raised after each landing and each commit from elsewhere, on the uploader's thread, with no lock held.</summary>
    internal event Action? Landed;

    private void LandInDatabase(long epoch, Attempt? attempt, CommitNote? note, RowChanges rows, IReadOnlyList<DirtyRow> superfluous, IReadOnlyList<DirtyRow> remaining)
    {
        List<(string, byte[]?)> settings = [(AttemptSetting, null), (CapturedSetting, null), (FrozenSetting, null)];
        if (attempt is null || note is null)
        {
            // Nothing to commit: what is left of the epoch (access times, link counts of directories) becomes part of the next.
            _metadata.CollapseEpoch(epoch);
            Metadata.MetadataBatch batch = new() { Epoch = _epoch };
            settings.ForEach(setting => batch.PutSetting(setting.Item1, setting.Item2));
            foreach (DirtyRow row in superfluous)
            {
                batch.RemoveDirty(row.Node, row.Offset);
            }

            foreach (DirtyRow row in remaining)
            {
                batch.PutDirty(row);
            }

            _metadata.Apply(batch);
            return;
        }

        settings.Add((StateSetting, attempt.Next.Encode()));
        settings.AddRange(CheckpointSettingsAfter(attempt));
        _metadata.Land(epoch, note, rows, [], superfluous, remaining, settings);
    }

    private IEnumerable<DirtyRow> CoveredRows(Capture capture)
    {
        foreach (CapturedFile file in capture.Files)
        {
            if (_overlays.GetValueOrDefault(file.Node) is not { } overlay)
            {
                continue;
            }

            foreach (OverlayItem item in CoveredItems(file, overlay))
            {
                if (item.IsSaved)
                {
                    yield return new DirtyRow(file.Node, item.Offset, item.Length, DirtyKind.Data, 0, 0, 0, 0, default);
                }
            }
        }
    }

    /// <summary>Items of the overlay that show just what the commit holds. Items are only ever cut, so each lies wholly inside a captured one or not at all.</summary>
    private static IEnumerable<OverlayItem> CoveredItems(CapturedFile file, Overlay overlay)
    {
        foreach (OverlayItem captured in file.Items)
        {
            for (OverlayItem? item = overlay.FindAtOrAfter(captured.Offset, captured.End);
                item is not null;
                item = item.End < captured.End ? overlay.FindAtOrAfter(item.End, captured.End) : null)
            {
                if ((item.IsOfSameSource(captured) || Mistakes.Has(Mistake.LandedTooMuch)) && item.Offset >= captured.Offset && item.End <= captured.End)
                {
                    yield return item;
                }
            }
        }
    }

    /// <summary>
    /// What becomes of the rows of holes that the commit holds. They go with the landing itself: left for the next local commit, they would make a file that was sent look like one that
    /// was changed here after a crash between the two, and a merge would bring it back where another device has removed it.
    /// </summary>
    private IEnumerable<SentHoles> SentHolesOf(Capture capture)
    {
        foreach (CapturedFile file in capture.Files)
        {
            if (file.Holes.Count == 0 || _overlays.GetValueOrDefault(file.Node) is not { SavedHoles.Count: > 0 } overlay)
            {
                continue;
            }

            RangeList left = new();
            overlay.SavedHoles.ForEach(hole => left.Add(hole.Start, hole.End));
            foreach (ByteRange hole in file.Holes)
            {
                left.Remove(hole.Start, hole.End);
            }

            yield return new SentHoles(overlay, [.. overlay.SavedHoles.Select(hole => ToDirtyRow(file.Node, hole))], [.. left.Ranges.Select(hole => ToDirtyRow(file.Node, hole))]);
        }
    }

    private void NoteSent(SentHoles file)
    {
        if (file.Overlay.SavedHoles.Count > 0)
        {
            file.Overlay.SavedHoles.Clear();
            file.Overlay.SavedHoles.AddRange(file.Left.Select(static row => new ByteRange(row.Offset, row.Offset + row.Length)));
            return;
        }

        // Meanwhile the file lost its last name (ForgetDirtyRows), so what the landing put goes as well.
        file.Left.ToList().ForEach(row => _pending.RemovedDirtyRows.Add((row.Node, row.Offset)));
    }

    /// <summary>The rows of a file's holes before a landing, and those that it leaves.</summary>
    private sealed record SentHoles(Overlay Overlay, IReadOnlyList<DirtyRow> Before, IReadOnlyList<DirtyRow> Left);

    private void Settle(CapturedFile file)
    {
        Node? node = _nodes.GetValueOrDefault(file.Node);
        if (_overlays.GetValueOrDefault(file.Node) is { } overlay)
        {
            foreach (OverlayItem item in CoveredItems(file, overlay).ToList())
            {
                Displace(overlay.Settle(item));
            }

            foreach (ByteRange hole in file.Holes)
            {
                overlay.Holes.Remove(hole.Start, hole.End);
            }

            if (overlay.IsEmpty && !overlay.IsChanged)
            {
                _overlays.Remove(file.Node);
                _dirtyFiles.Remove(file.Node);
                if (node is not null)
                {
                    node.Overlay = null;
                }
            }
            else if (FindNode(file.Node) is { LinkCount: > 0 } found)
            {
                _pending.Contents.Add(found);
                if (!overlay.IsEmpty)
                {
                    // After a restart nothing else knows that the file changed again while its commit was on its way.
                    _unsent.Add(file.Node);
                    _openSince ??= _time.GetUtcNow();
                }
            }
        }

        if (node is not null)
        {
            node.Windows = null;
            node.AllocatedKnown = -1;
        }

        Unpin(file);
    }

    /// <summary>What a commit was to hold is sent with the next: the overlay stays over the extents of the commit.</summary>
    private void Keep(CapturedFile file)
    {
        if (_overlays.ContainsKey(file.Node))
        {
            _unsent.Add(file.Node);
            _openSince ??= _time.GetUtcNow();
        }

        if (_nodes.GetValueOrDefault(file.Node) is { } node)
        {
            node.Windows = null;
            node.AllocatedKnown = -1;
        }

        Unpin(file);
    }

    /// <summary>A file that is unlinked but open keeps its extents in memory when the commit that removes it lands.</summary>
    private void PinExtentsOfUnlinked(RowChanges rows)
    {
        HashSet<NodeId> kept = [.. rows.Opened.Nodes.Select(static row => row.Node)];
        foreach (NodeRow row in rows.Closed.Nodes)
        {
            if (!kept.Contains(row.Node) && _nodes.TryGetValue(row.Node, out Node? node) && node is { LinkCount: 0, IsRegular: true, PinnedExtents: null })
            {
                node.PinnedExtents = _metadata.ReadExtents(node.Id, 0, long.MaxValue);
            }
        }
    }
}
