using Drive.Cache.Dirty;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Tree;
using Drive.Engine.Upload;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Log;

namespace Drive.Engine;

/// <content>Coming back: local state after a stop or a crash, an append that was interrupted, and commits that this device has not seen.</content>
public sealed partial class Volume
{
    private (Attempt Attempt, Capture Capture)? _interrupted;
    private bool _hasCaughtUp;

    private void Restore()
    {
        _epoch = Numbers.Decode(_metadata.ReadSetting(EpochSetting), absent: 1);
        RestoreJournal();
        _nextNodeCounter = (ulong)Numbers.Decode(_metadata.ReadSetting(CounterSetting), absent: 2);
        _nextEntryId = _metadata.NextEntryId;
        Dictionary<LogPosition, DirtyChunk> chunks = RestoreOverlays();
        long frozen = Numbers.Decode(_metadata.ReadSetting(FrozenSetting), absent: -1);
        if (frozen >= 0 && _metadata.ReadSetting(AttemptSetting) is { } attempt)
        {
            _interrupted = (Attempt.Decode(attempt), RestoreCapture(frozen, chunks));
            _sending = _interrupted.Value.Capture;
        }
        else if (frozen >= 0)
        {
            _metadata.CollapseEpoch(frozen);
            MetadataBatch batch = new() { Epoch = _epoch };
            batch.PutSetting(FrozenSetting, null);
            _metadata.Apply(batch);
        }

        _imports.Restore(_metadata.ReadSetting(ImportSetting));
        _interruptedAlone = _metadata.ReadSetting(AloneSetting) is { } alone ? Attempt.Decode(alone) : null;
        RowChanges open = _metadata.ReadEpoch(_epoch);
        _unsent = [.. open.Opened.Nodes.Select(row => row.Node), .. open.Closed.Nodes.Select(row => row.Node)];
        foreach (NodeId file in _dirtyFiles)
        {
            if (_sending?.Nodes.Contains(file) != true)
            {
                _unsent.Add(file);
            }
        }

        if (_unsent.Count > 0 || !open.IsEmpty)
        {
            _unsent.Add(NodeId.Root);
            _openSince = _time.GetUtcNow();
        }

        if (_unsent.Count > 0 || _interrupted is not null)
        {
            // What the run before left is a change of this one, saved and not landed: whoever waits for the store waits for it too.
            _change = 1;
            _savedChange = 1;
        }

        RestoreCheckpoint();
        StartJournal();
    }

    private Dictionary<LogPosition, DirtyChunk> RestoreOverlays()
    {
        Dictionary<LogPosition, DirtyChunk> chunks = [];
        foreach (DirtyRow row in _metadata.ReadAllDirty())
        {
            if (!_overlays.TryGetValue(row.Node, out Overlay? overlay))
            {
                _overlays.Add(row.Node, overlay = new Overlay());
                _dirtyFiles.Add(row.Node);
            }

            if (row.Kind == DirtyKind.Hole)
            {
                overlay.Holes.Add(row.Offset, row.Offset + row.Length);
                overlay.SavedHoles.Add(new ByteRange(row.Offset, row.Offset + row.Length));
                continue;
            }

            DirtyChunk? chunk = null;
            if (row.Kind == DirtyKind.Data)
            {
                LogPosition position = new(row.Segment, row.Position);
                if (!chunks.TryGetValue(position, out chunk))
                {
                    chunk = new DirtyChunk
                    {
                        Node = row.Node,
                        Offset = row.Offset - row.InnerOffset,
                        Length = row.RecordLength,
                        Position = position,
                        IsLogged = true,
                        IsAppendable = false,
                        ReservedBytes = row.RecordLength,
                    };
                    chunks.Add(position, chunk);
                    _log.Retain(position, row.RecordLength);
                    _budget.AddDirty(row.RecordLength);
                }

                chunk.LiveBytes += row.Length;
                _dirtyBytes += row.Length;
            }

            overlay.Put(new OverlayItem(row.Offset, (int)row.Length, chunk, row.Block, row.InnerOffset) { IsSaved = true });
        }

        return chunks;
    }

    private Capture RestoreCapture(long frozen, Dictionary<LogPosition, DirtyChunk> chunks)
    {
        List<DirtyRow> rows = CaptureCodec.Decode(_metadata.ReadSetting(CapturedSetting));
        RowChanges changes = _metadata.ReadEpoch(frozen);
        Capture capture = new()
        {
            Epoch = frozen,
            Change = 0,
            Nodes = [.. changes.Opened.Nodes.Select(static row => row.Node), .. changes.Closed.Nodes.Select(static row => row.Node)],
            OldestChange = _time.GetUtcNow(),
        };
        foreach (IGrouping<NodeId, DirtyRow> file in rows.GroupBy(static row => row.Node))
        {
            List<OverlayItem> items = [];
            foreach (DirtyRow row in file.Where(static row => row.Kind != DirtyKind.Hole))
            {
                DirtyChunk? chunk = null;
                if (row.Kind == DirtyKind.Data && !chunks.TryGetValue(new LogPosition(row.Segment, row.Position), out chunk))
                {
                    // Nothing of it is left to settle.
                    continue;
                }

                if (chunk is not null)
                {
                    chunk.Pins++;
                }

                items.Add(new OverlayItem(row.Offset, (int)row.Length, chunk, row.Block, row.InnerOffset));
            }

            ByteRange[] holes = [.. file.Where(static row => row.Kind == DirtyKind.Hole).Select(static row => new ByteRange(row.Offset, row.Offset + row.Length))];
            capture.Files.Add(new CapturedFile(file.Key, 0, items, holes));
            capture.Nodes.Add(file.Key);
        }

        return capture;
    }

    private async Task CatchUpAtStartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ResumeAsync(cancellationToken);
            await RefreshSpaceAsync(cancellationToken);
            _hasCaughtUp = true;
        }
        catch (StoreException error) when (_state.Seq > 0)
        {
            NoteStoreUnreachable(error, TimeSpan.Zero);
        }
        catch (VaultIntegrityException error) when (_state.Seq > 0)
        {
            StopForFailedProof(error);
        }

        if (_state.Seq == 0 && !CanLeaveState())
        {
            throw new FsException(FsStatus.Unreachable, "The vault has no log: the store lost it, or it is not the store of this vault.");
        }
    }

    /// <summary>What the upload loop does first where the store was away when the volume was opened.</summary>
    private async Task CatchUpPatientlyAsync(CancellationToken cancellationToken)
    {
        if (_hasCaughtUp || _stopReason is not null)
        {
            return;
        }

        try
        {
            await PatientlyAsync(
                async token =>
                {
                    await ResumeAsync(token);
                    return true;
                },
                cancellationToken);
        }
        catch (VaultIntegrityException error)
        {
            StopForFailedProof(error);
        }
    }

    private async Task ResumeAsync(CancellationToken cancellationToken)
    {
        if (_state.Seq > 0)
        {
            // A store that no longer has the pinned commit was rolled back, or is another one: that is found here, before anything is believed or sent.
            await _vaultLog.VerifyPinAsync(_state, cancellationToken);
        }

        if ((_interrupted is not null || _interruptedAlone is not null) && _settings.ReadOnly)
        {
            // Whether that commit is in the log is for a mount that may write to find out; what it holds is shown from this machine.
            return;
        }

        await ResumeAloneAsync(cancellationToken);
        if (_interrupted is { } interrupted)
        {
            AppendOutcome outcome = await AppendAsync(interrupted.Attempt, cancellationToken);
            if (outcome is AppendOutcome.Committed)
            {
                await LandInterruptedAsync(interrupted, cancellationToken);
            }
        }

        await FollowAsync(cancellationToken);
        VaultMember? self = _state.FindMember(_keys.DeviceId);
        if (_stopReason is null && _state.Seq > 0 && self is null)
        {
            // All that a new device knows of the log is that it is a member: a log in which it is none is older than that.
            throw new VaultIntegrityException(
                VaultNames.Commit(_state.Gen, _state.Seq + 1).Value, IntegrityKind.RolledBack, "is gone: the log that the store shows ends before this device was enrolled");
        }

        _incarnation = (self?.Incarnation ?? 0) + 1;
        EngineLog.LogCaughtUp(_logger, _state.Seq);
    }

    /// <summary>The commit that was on its way when the run before ended is in the log: the epoch lands as its rows there.</summary>
    private async Task LandInterruptedAsync((Attempt Attempt, Capture Capture) interrupted, CancellationToken cancellationToken)
    {
        ReadResult own = await _vaultLog.ReadNextAsync(_state, rows => CommitRows.Resolve(_metadata, rows, interrupted.Attempt.Name), cancellationToken);
        if (own is not ReadResult.Next(var content, _))
        {
            throw new StoreException(StoreErrorKind.Malformed, isTransient: true, "The store took a commit and does not give it back yet.");
        }

        bool hasPacks = await PackCheck.HoldsAllAsync(_store, content.Packs, cancellationToken);
        await LandAsync(interrupted.Capture, interrupted.Attempt, CommitRows.NoteOf(content, _keys.DeviceId), content.Rows, hasPacks, cancellationToken);
        _interrupted = null;
        if (_unsent.Count == 0 && !_started)
        {
            lock (_saveLock)
            {
                ApplyRest();
                _journal.ReleaseThrough(long.MaxValue);
                DropEmptySegment();
            }
        }
    }

    private void StopForFailedProof(VaultIntegrityException error)
    {
        _readOnlyReason = $"The store failed its proof: {error.Message} The last good state is shown, read-only.";
        Stop(_readOnlyReason, error);
    }
}
