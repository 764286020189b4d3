using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Tree;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Log;

namespace Drive.Engine;

/// <content>
/// Commits that change nothing of the tree: packs that are condemned or swept, and the word of a device that it has followed the log above a condemnation. They are made by the upload loop between its
/// epochs, and leave the open epoch as it is. Like any attempt, each is saved before it is sent and sent unchanged until its fate is known.
/// </content>
public sealed partial class Volume
{
    internal const string AloneSetting = "attempt-alone";

    private readonly Queue<LoopWork> _loopWork = [];
    private Attempt? _interruptedAlone;

    /// <summary>
    /// Runs something in the upload loop, where no commit lands meanwhile and the tree of the log stands still. Once it runs, a cancellation ends the waiting and not the work: a commit that was begun
    /// goes on until its fate is known.
    /// </summary>
    private async Task RunInUploadLoopAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        LoopWork item = new(work);
        lock (_gate)
        {
            if (_stopReason is not null || _stopping.IsCancellationRequested || !_started)
            {
                throw Refusal(_stopReason);
            }

            _loopWork.Enqueue(item);
        }

        _uploadWanted.Ring();
        await using CancellationTokenRegistration givingUp = cancellationToken.Register(() => item.Done.TrySetCanceled(cancellationToken));
        await item.Done.Task;
    }

    private bool IsLoopWorkDue()
    {
        lock (_gate)
        {
            return _loopWork.Count > 0;
        }
    }

    private async Task DoLoopWorkAsync(CancellationToken cancellationToken)
    {
        LoopWork? item;
        lock (_gate)
        {
            _loopWork.TryDequeue(out item);
        }

        if (item is null || item.Done.Task.IsCompleted)
        {
            return;
        }

        try
        {
            await item.Work(cancellationToken);
            item.Done.TrySetResult();
        }
        catch (Exception error)
        {
            item.Done.TrySetException(error);
            if (error is not (StoreException or VaultException or FsException or OperationCanceledException) || cancellationToken.IsCancellationRequested)
            {
                throw;
            }
        }
    }

    private void RefuseLoopWork()
    {
        lock (_gate)
        {
            while (_loopWork.TryDequeue(out LoopWork? item))
            {
                item.Done.TrySetException(Refusal(_stopReason));
            }
        }
    }

    /// <summary>Commits without an epoch. False: another device has the slot, and what it did is taken over; what the commit said is to be thought over again.</summary>
    /// <exception cref="VaultException">Another device is, or became meanwhile, the vault's single writer.</exception>
    private async Task<bool> CommitAloneAsync(CommitDraft draft, CancellationToken cancellationToken)
    {
        RequireNoFollower();
        draft = draft with { Incarnation = _incarnation, Time = Now(), Checkpoint = FindWrittenCheckpoint() };
        Attempt attempt = _vaultLog.Prepare(_state, draft);
        while (!TrySaveAlone(attempt.Encode()))
        {
            await WaitAsync(PatienceMin, cancellationToken);
        }

        if (await SubmitAsync(attempt, draft, cancellationToken))
        {
            await LandAloneAsync(attempt, CommitRows.NoteOf(attempt, draft, _keys.DeviceId), draft.Rows.Blocks, cancellationToken);
            return true;
        }

        while (!TrySaveAlone(null))
        {
            await WaitAsync(PatienceMin, cancellationToken);
        }

        await FollowPatientlyAsync(cancellationToken);
        return false;
    }

    private async Task FollowPatientlyAsync(CancellationToken cancellationToken) => await PatientlyAsync(
        async token =>
        {
            await FollowAsync(token);
            return true;
        },
        cancellationToken);

    private bool TrySaveAlone(byte[]? attempt) => TrySaveSettings((AloneSetting, attempt));

    private async Task LandAloneAsync(Attempt attempt, CommitNote note, IReadOnlyList<BlockRow> blocks, CancellationToken cancellationToken)
    {
        while (!TryLandAlone(attempt, note, blocks))
        {
            await WaitAsync(PatienceMin, cancellationToken);
        }

        _checkpointWanted.Ring();
        EngineLog.LogLandedAlone(_logger, _state.Seq);
    }

    private bool TryLandAlone(Attempt attempt, CommitNote note, IReadOnlyList<BlockRow> blocks)
    {
        lock (_saveLock)
        {
            ApplyRest();
            try
            {
                _metadata.LandAlone(note, blocks, [(AloneSetting, null), (StateSetting, attempt.Next.Encode()), .. CheckpointSettingsAfter(attempt)]);
            }
            catch (DiskFullException error)
            {
                NoteWriteError(FsStatus.NoSpace, error);
                return false;
            }

            _blocks.Forget(blocks);
            lock (_gate)
            {
                NoteCheckpointLanded(attempt);
                _state = attempt.Next;
                _early.Forget(note.Condemned);
            }
        }

        return true;
    }

    /// <summary>The fate of such a commit that was on its way when the run before ended.</summary>
    private async Task ResumeAloneAsync(CancellationToken cancellationToken)
    {
        if (_interruptedAlone is not { } attempt)
        {
            return;
        }

        if (await AppendAsync(attempt, cancellationToken) is AppendOutcome.Committed)
        {
            if (await _vaultLog.ReadNextAsync(_state, rows => CommitRows.Resolve(_metadata, rows, attempt.Name), cancellationToken) is not ReadResult.Next(var content, _))
            {
                throw new StoreException(StoreErrorKind.Malformed, isTransient: true, "The store took a commit and does not give it back yet.");
            }

            await LandAloneAsync(attempt, CommitRows.NoteOf(content, _keys.DeviceId), content.Rows.Blocks, cancellationToken);
        }
        else
        {
            while (!TrySaveAlone(null))
            {
                await WaitAsync(PatienceMin, cancellationToken);
            }
        }

        _interruptedAlone = null;
    }

    /// <summary>
    /// Whether other devices may wait for this one's word: that it needs nothing of a condemned pack (who condemned gives none: it sweeps), or no commit below a checkpoint that has another one above it.
    /// </summary>
    private bool IsWordDue() =>
        !_settings.ReadOnly && _state.FindMember(_keys.DeviceId) is { Active: true } self
        && (_state.History.Condemned.Any(pack => pack.Seq > self.LastSeq) || _state.OlderCheckpoints.Any(checkpoint => checkpoint.Seq > self.LastSeq));

    private async Task SayWordAsync(CancellationToken cancellationToken)
    {
        await RescueAsync(cancellationToken);
        await CommitAloneAsync(new CommitDraft { Time = Now() }, cancellationToken);
    }

    private sealed record LoopWork(Func<CancellationToken, Task> Work)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
