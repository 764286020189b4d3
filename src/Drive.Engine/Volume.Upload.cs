using Drive.Core;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Tree;
using Drive.Engine.Upload;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Log;
using Drive.Vault.Packs;

namespace Drive.Engine;

/// <content>
/// The uploader: one loop that ends epochs, sends their content in packs, appends the commit, and lands it. Order (invariant I5): packs are in the
/// store before the commit that names them; the attempt is in the database before it is first sent; only a landed commit lets dirty bytes go.
/// </content>
public sealed partial class Volume
{
    internal const string StateSetting = "vault-state";
    private const string AttemptSetting = "attempt";
    private const string CapturedSetting = "captured";

    private static readonly TimeSpan UploadTick = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PatienceMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(15);

    private readonly Bell _uploadWanted = new();
    private readonly PromptCommits _prompt;
    private HashSet<NodeId> _unsent = [];
    private Capture? _sending;
    private long _forceThrough;
    private long _landedChange;
    private DateTimeOffset? _openSince;
    private DateTimeOffset _lastChangeAt;
    private bool _opened;

    private async Task UploadLoopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CatchUpPatientlyAsync(cancellationToken);
            await LandFoundImportsAsync(cancellationToken);
            while (!cancellationToken.IsCancellationRequested && _stopReason is null)
            {
                if (IsLookDue())
                {
                    await LookAsync(cancellationToken);
                }
                else if (IsLoopWorkDue())
                {
                    await DoLoopWorkAsync(cancellationToken);
                }
                else if (_settings.ReadOnly || (IsFollower && !HasVaultRequests()))
                {
                    await WaitAsync(UploadTick, cancellationToken);
                }
                else if (IsUploadDue())
                {
                    await SendEpochAsync(cancellationToken);
                }
                else if (IsWordDue())
                {
                    await SayWordAsync(cancellationToken);
                }
                else if (IsSendAheadDue())
                {
                    await SendAheadAsync(cancellationToken);
                }
                else
                {
                    await WaitAsync(UploadTick, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopping: the epoch stays in the database, and the next start goes on with it.
        }
        catch (VaultIntegrityException error)
        {
            StopForFailedProof(error);
        }
        catch (Exception error)
        {
            Stop($"Sending to the store ended by an error: {error.Message}", error);
        }
        finally
        {
            RefuseVaultRequests();
            RefuseLoopWork();
        }
    }

    private async Task SendEpochAsync(CancellationToken cancellationToken)
    {
        await RescueAsync(cancellationToken);
        CommitLocally(freeze: true, isJournalEnough: false, out Capture? capture);
        if (capture is null)
        {
            // The local disk took nothing: asking it at once again would only burn the processor.
            await WaitAsync(PatienceMin, cancellationToken);
            return;
        }

        await SendAsync(capture, cancellationToken);
    }

    private bool IsUploadDue()
    {
        lock (_gate)
        {
            if (HasVaultRequests())
            {
                return true;
            }

            if (_unsent.Count == 0)
            {
                return false;
            }

            bool isBatchFull = (_late.Count == 0 && _dirtyBytes >= _settings.UploadBatchBytes) || _unsent.Count - _leftBehind.Count >= _settings.UploadBatchNodes;
            return _forceThrough > _landedChange || _lateReady || (_openSince is { } since && (isBatchFull || HasRestedOrWaited(since, _prompt.Rest)));
        }
    }

    private bool IsSendAheadDue()
    {
        lock (_gate)
        {
            return _late.Count > 0 && HasRestedOrWaited(_late.Values.Min(), _settings.UploadRest);
        }
    }

    private bool HasRestedOrWaited(DateTimeOffset since, TimeSpan rest)
    {
        // A moment in the future says that the clock was set back since: how long it really was nobody knows, so it was long enough.
        DateTimeOffset now = _time.GetUtcNow();
        return now - _lastChangeAt >= rest || now - since >= _settings.UploadDeadline || now < since || now < _lastChangeAt;
    }

    /// <summary>Ends the epoch: called under the gate, by the local commit that saves its last changes.</summary>
    private Capture? TakeCapture(MetadataBatch batch)
    {
        if (_unsent.Count == 0 && !HasVaultRequests())
        {
            return null;
        }

        Capture capture = new() { Epoch = _epoch, Change = _change, Nodes = _unsent, OldestChange = _openSince ?? _time.GetUtcNow() };
        foreach (NodeId id in _dirtyFiles.ToList())
        {
            if (_overlays.GetValueOrDefault(id) is not { IsEmpty: false } overlay || FindNode(id) is not { LinkCount: > 0 } node)
            {
                _dirtyFiles.Remove(id);
                continue;
            }

            // Until now a cut could simply drop data; from here on extents may come to lie below.
            node.MayHaveExtents = true;
            CapturedFile file = new(id, node.Size, [.. overlay.Items], [.. overlay.Holes.Ranges]);
            Pin(file);
            capture.Files.Add(file);
        }

        batch.PutSetting(FrozenSetting, Numbers.Encode(_epoch));
        batch.PutSetting(EpochSetting, Numbers.Encode(_epoch + 1));
        _epoch++;
        _unsent = [];
        _openSince = null;
        _prompt.Take();
        _sending = capture;
        return capture;
    }

    private async Task SendAsync(Capture capture, CancellationToken cancellationToken)
    {
        // A full disk may have kept the epoch's last changes from being saved: nothing of it is sent before they are.
        while (CommitLocally() != FsStatus.Ok)
        {
            await WaitAsync(PatienceMin, cancellationToken);
        }

        // A store that was rolled back while the drive was mounted is found before anything is put there; the first pack is sealed meanwhile.
        Task pin = PatientlyAsync(token => _vaultLog.VerifyPinAsync(_state, token), cancellationToken);
        ContentUpload content = NewContentUpload(pin);
        await content.SendAsync(capture, cancellationToken);
        await pin;
        RowChanges rows = _metadata.ReadEpoch(capture.Epoch);
        content.CloseExtentsOfRemoved(rows);
        rows.Closed.Extents.AddRange(content.Closed);
        rows.Opened.Extents.AddRange(content.Opened);
        rows.Blocks.AddRange(content.Blocks);
        if (CommitRows.FindMissingBlock(_metadata, rows) is { } missing)
        {
            throw new FsException(FsStatus.Corrupt, $"content of {missing.Node} shares a block that the vault has forgotten. Write the file anew.");
        }

        (VaultRequest? request, VaultChanges changes) = NextVaultChanges();
        if (rows.IsEmpty && changes.IsEmpty)
        {
            await LandAsync(capture, null, null, rows, hasPacks: true, cancellationToken);
            return;
        }

        CommitDraft draft = new()
        {
            Rows = rows,
            Packs = content.Packs,
            Members = changes.Members,
            History = changes.History,
            Checkpoint = FindWrittenCheckpoint(),
            Time = Now(),
            Writer = _state.SingleWriter is not null || (_state.Writer?.Device == _keys.DeviceId && _opened) ? WriterChange.None : WriterChange.Open,
            Incarnation = _incarnation,
        };
        Attempt attempt = _vaultLog.Prepare(_state, draft);
        while (!TrySaveAttempt(attempt.Encode(), CaptureCodec.Encode([.. CaptureCodec.Rows(capture)])))
        {
            await WaitAsync(PatienceMin, cancellationToken);
        }

        if (await SubmitAsync(attempt, draft, cancellationToken))
        {
            bool hasPacks = await PatientlyAsync(token => PackCheck.HoldsAllAsync(_store, content.Packs, token), cancellationToken);
            await LandAsync(capture, attempt, CommitRows.NoteOf(attempt, draft, _keys.DeviceId), rows, hasPacks, cancellationToken);
            Complete(request, attempt.Next);
            return;
        }

        // Another device was first. What was put is used by the next attempt, which is made on top of the other's commit.
        _early.Add(content.Blocks, content.Packs);
        await FollowPatientlyAsync(cancellationToken);
    }

    /// <summary>For one upload, whose packs go out when what comes before them is done.</summary>
    private ContentUpload NewContentUpload(Task before)
    {
        PackCheck check = new(_store);
        return new(
            _metadata,
            _log,
            ReadBlockAsync,
            () => new PackWriter(_keys, _random),
            _keys,
            PutPackAsync,
            (block, token) => IsKeptAsync(check, block, token),
            _early,
            before,
            _store.Description.IsLocal ? ContentUpload.PutsMaxNear : ContentUpload.PutsMaxFar);
    }

    /// <summary>Whether content may be left out of a commit because the vault has it: not when its pack is gone, or failed a read.</summary>
    private async Task<bool> IsKeptAsync(PackCheck check, BlockRow block, CancellationToken cancellationToken) =>
        !_blocks.HasFailed(block.Pack) && await PatientlyAsync(token => check.HoldsAsync(block, token).AsTask(), cancellationToken);

    private bool TrySaveAttempt(byte[] attempt, byte[] captured) =>
        Mistakes.Has(Mistake.AttemptNotSaved) || TrySaveSettings((AttemptSetting, attempt), (CapturedSetting, captured));

    /// <summary>False: there is no room on the local disk.</summary>
    private bool TrySaveSettings(params (string Key, byte[]? Value)[] settings)
    {
        try
        {
            SaveSettings(settings);
            return true;
        }
        catch (DiskFullException error)
        {
            NoteWriteError(FsStatus.NoSpace, error);
            return false;
        }
    }

    /// <summary>Puts settings into the database; they are durable when it returns.</summary>
    private void SaveSettings(params (string Key, byte[]? Value)[] settings)
    {
        MetadataBatch batch = new() { Epoch = _epoch };
        foreach ((string key, byte[]? value) in settings)
        {
            batch.PutSetting(key, value);
        }

        _metadata.Apply(batch);
    }

    /// <summary>Sends an attempt, the same bytes each time, until its fate is known. False: another device has the slot.</summary>
    private async Task<bool> SubmitAsync(Attempt attempt, CommitDraft draft, CancellationToken cancellationToken)
    {
        AppendOutcome outcome = Mistakes.Has(Mistake.CommitNotSent)
            ? new AppendOutcome.Committed(attempt.Next)
            : await PatientlyAsync(token => AppendAsync(Mistakes.Has(Mistake.AttemptRebuilt) ? _vaultLog.Prepare(_state, draft) : attempt, token), cancellationToken);
        bool isOurs = outcome is AppendOutcome.Committed || Mistakes.Has(Mistake.TakenSlotIsOurs);
        _opened |= isOurs;
        return isOurs;
    }

    /// <summary>For a block that is sealed anew from old bytes and new ones.</summary>
    private Task<bool> ReadBlockAsync(BlockId block, int offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        PatientlyAsync(
            async token =>
            {
                await _blocks.ReadAsync(block, offset, destination, token);
                return true;
            },
            cancellationToken);

    private Task<bool> PutPackAsync(PackId pack, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        PatientlyAsync(
            async token =>
            {
                await PutPackOnceAsync(pack, bytes, token);
                return true;
            },
            cancellationToken);

    private async Task PutPackOnceAsync(PackId pack, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (!Mistakes.Has(Mistake.PackNotSent))
        {
            bool isMade = await _store.PutIfAbsentAsync(VaultNames.Pack(pack), bytes, cancellationToken);
            await PackCheck.RequireKeptAsync(_store, pack, bytes, isMade, cancellationToken);
        }

        _uploadMeter.Add(bytes.Length);
        if (!_store.Description.IsLocal)
        {
            _cache.Write(pack, 0, bytes.Span);
        }
    }

    /// <summary>Does a call to the store again and again while the store is away, and tells so in the status. Unreachable is a state, not an end.</summary>
    private async Task<T> PatientlyAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        TimeSpan patience = PatienceMin;
        while (true)
        {
            try
            {
                T result = await call(cancellationToken);
                NoteStoreReachable();
                return result;
            }
            catch (StoreException error)
            {
                NoteStoreUnreachable(error, patience);
            }

            await WaitAsync(patience, cancellationToken);
            patience = patience * 2 < PatienceMax ? patience * 2 : PatienceMax;
        }
    }

    private void NoteStoreReachable()
    {
        if (_condition == StoreCondition.Unreachable)
        {
            EngineLog.LogStoreBack(_logger);
        }

        lock (_gate)
        {
            if (_condition != StoreCondition.Stopped)
            {
                _condition = StoreCondition.Reachable;
                _storeError = null;
            }
        }
    }

    private void NoteStoreUnreachable(StoreException error, TimeSpan patience)
    {
        EngineLog.LogStoreUnreachable(_logger, patience, error);
        _condition = StoreCondition.Unreachable;
        _storeError = error.Message;
    }

    /// <summary>Sends nothing more, for a reason that the status tells: what is not in the store then stays on this machine.</summary>
    public void StopSending(string reason) => Stop(reason, null);

    private void Stop(string reason, Exception? error)
    {
        EngineLog.LogStopped(_logger, reason, error);
        lock (_gate)
        {
            _stopReason ??= reason;
            _condition = StoreCondition.Stopped;
        }
    }

    /// <summary>Waits, but not on when somebody asks for an upload.</summary>
    private Task WaitAsync(TimeSpan time, CancellationToken cancellationToken) => _uploadWanted.WaitAsync(time, _time, cancellationToken);
}
