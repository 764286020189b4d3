using Drive.Core;
using Drive.Core.History;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Engine.Upload;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Checkpoints;
using Drive.Vault.Log;

namespace Drive.Engine;

/// <content>
/// Checkpoints, written beside everything else: the tree at one commit is read page by page while saves and uploads go on, sent, read back whole, and named by the
/// next commit. Until then nothing depends on it: a crash or a failure in between leaves objects that nobody names.
/// </content>
public sealed partial class Volume
{
    private const string CheckpointSetting = "checkpoint-progress";
    private const string WrittenCheckpointSetting = "checkpoint-written";

    /// <summary>Rows read under the database's lock at once: a few milliseconds.</summary>
    private const int CheckpointPageRows = 512;

    private static readonly TimeSpan CheckpointPatienceMin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan CheckpointPatienceMax = TimeSpan.FromHours(1);

    private readonly Bell _checkpointWanted = new();
    private readonly Bell _checkpointPause = new();
    private CheckpointProgress _checkpointProgress;
    private WrittenCheckpoint? _writtenCheckpoint;
    private volatile bool _isTidyDue;
    private volatile bool _isRenewalDue;

    /// <summary>Whether a checkpoint waits for the next commit: for tests.</summary>
    internal bool HasWrittenCheckpoint => FindWrittenCheckpoint() is not null;

    private void RestoreCheckpoint()
    {
        _checkpointProgress = CheckpointProgress.Decode(_metadata.ReadSetting(CheckpointSetting));
        _writtenCheckpoint = WrittenCheckpoint.Decode(_metadata.ReadSetting(WrittenCheckpointSetting));
    }

    private async Task CheckpointLoopAsync(CancellationToken cancellationToken)
    {
        TimeSpan patience = CheckpointPatienceMin;
        try
        {
            while (_stopReason is null)
            {
                if (!IsCheckpointDue())
                {
                    await TidyCheckpointsAsync(cancellationToken);
                    await _checkpointWanted.WaitAsync(Timeout.InfiniteTimeSpan, _time, cancellationToken);
                    continue;
                }

                TimeSpan? failure = null;
                await _past.TakeAsync(cancellationToken);
                try
                {
                    await WriteCheckpointAsync(cancellationToken);
                    patience = CheckpointPatienceMin;
                }
                catch (Exception error) when (error is StoreException or VaultIntegrityException { Kind: IntegrityKind.Missing } or DiskFullException)
                {
                    // It only comes later. What was put is garbage, so tries get rarer.
                    EngineLog.LogCheckpointDelayed(_logger, patience, error);
                    failure = patience;
                    patience = patience * 2 < CheckpointPatienceMax ? patience * 2 : CheckpointPatienceMax;
                }
                finally
                {
                    _past.GiveBack();
                }

                if (failure is { } pause)
                {
                    await _checkpointPause.WaitAsync(pause, _time, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopping: the next run writes one.
        }
        catch (VaultIntegrityException error)
        {
            StopForFailedProof(error);
        }
        catch (Exception error)
        {
            // Without checkpoints the drive is as safe as with them.
            EngineLog.LogLoopFailed(_logger, error);
        }
    }

    /// <summary>Writes one though none is due: the one that is there is damaged. A follower cannot.</summary>
    private void RenewCheckpoint()
    {
        _isRenewalDue = true;
        _checkpointWanted.Ring();
    }

    /// <summary>Who named a checkpoint deletes those that it made needless. What fails here a round of garbage collection does.</summary>
    private async Task TidyCheckpointsAsync(CancellationToken cancellationToken)
    {
        if (!_isTidyDue)
        {
            return;
        }

        _isTidyDue = false;
        try
        {
            await DeleteDroppedCheckpointsAsync(new GarbageReport(), cancellationToken);
        }
        catch (StoreException error)
        {
            EngineLog.LogCollectDelayed(_logger, GarbageRetry, error);
        }
    }

    /// <summary>Only who commits writes one: a device that looks on has nothing to name it with.</summary>
    private bool IsCheckpointDue()
    {
        lock (_gate)
        {
            return _opened && !IsFollower && _writtenCheckpoint is null
                && (_isRenewalDue || _settings.Checkpoints.IsDue(_state.Seq - (_state.LastCheckpoint?.Seq ?? 0), _checkpointProgress.ReplayBytes, _checkpointProgress.CheckpointBytes));
        }
    }

    private async Task WriteCheckpointAsync(CancellationToken cancellationToken)
    {
        VaultState state;
        long replayBytes;
        lock (_gate)
        {
            state = _state;
            replayBytes = _checkpointProgress.ReplayBytes;
        }

        using CheckpointWriter writer = new(_store, _keys, state, _random) { KnownFrom = Math.Clamp(_metadata.KnownFrom, 1, state.Seq) };
        foreach (HeldRows rows in _metadata.ReadHeld(state.Seq, CheckpointPageRows))
        {
            await writer.AddAsync(rows, [], cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
        }

        // Where blocks of swept packs lay nobody may learn again. Those that are only condemned a reader tells by the state, and may have to rescue.
        IReadOnlyList<PackFate> packs = _metadata.ReadPacks();
        HashSet<PackId> swept = [.. packs.Where(pack => pack.SweptAt > 0 && pack.SweptAt <= state.Seq).Select(static pack => pack.Pack)];
        foreach (IReadOnlyList<BlockRow> blocks in _metadata.ReadAllBlocks(CheckpointPageRows))
        {
            await writer.AddAsync(new HeldRows(), [.. blocks.Where(block => !swept.Contains(block.Pack))], cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
        }

        await AddPastAsync(writer, state, [.. packs.Where(pack => !swept.Contains(pack.Pack)).Select(static pack => new PackRow(pack.Pack, pack.Length))], cancellationToken);

        CheckpointRef written;
        try
        {
            written = await writer.FinishAsync(cancellationToken);
        }
        catch (VaultIntegrityException error) when (error.Kind == IntegrityKind.StateHash)
        {
            StopForForeignRows(state.Seq, error);
            return;
        }

        // What the next commit names, every device relies on: the store gives it back whole, or it is not named.
        if (!Mistakes.Has(Mistake.CheckpointNotReadBack))
        {
            CheckpointReader reader = await CheckpointReader.OpenAsync(_store, _keys, written, cancellationToken);
            await reader.ProveAsync(cancellationToken);
        }

        WrittenCheckpoint kept = new(written, writer.BytesPut, replayBytes);
        MetadataBatch batch = new() { Epoch = state.Seq };
        batch.PutSetting(WrittenCheckpointSetting, kept.Encode());
        _metadata.Apply(batch);
        lock (_gate)
        {
            _writtenCheckpoint = kept;
        }

        _isRenewalDue = false;
        EngineLog.LogCheckpointWritten(_logger, written.Seq, writer.BytesPut);
    }

    /// <summary>What history keeps of before, so that a device that starts here shows it too. Nothing is forgotten meanwhile.</summary>
    private async Task AddPastAsync(CheckpointWriter writer, VaultState state, IReadOnlyList<PackRow> packs, CancellationToken cancellationToken)
    {
        KeptHistory kept = state.History.Kept;
        foreach (HeldRows rows in Mistakes.Has(Mistake.CheckpointPastLeftOut) ? [] : _metadata.ReadEnded(state.Seq, kept, CheckpointPageRows))
        {
            await writer.AddAsync(new PastRows { Ended = rows }, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
        }

        for (long last = state.Seq; _metadata.ReadMoments(1, last, CheckpointPageRows) is { Count: > 0 } moments; last = moments[^1].Seq - 1)
        {
            PastRows past = new();
            past.Moments.AddRange(moments.Where(moment => kept.Keeps(moment.Seq)));
            await writer.AddAsync(past, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
        }

        PastRows named = new();
        named.Packs.AddRange(packs);
        await writer.AddAsync(named, cancellationToken);
    }

    /// <summary>The checkpoint that the next commit is to name.</summary>
    private CheckpointRef? FindWrittenCheckpoint()
    {
        lock (_gate)
        {
            return _writtenCheckpoint?.Ref;
        }
    }

    /// <summary>How things stand once an attempt has landed.</summary>
    private CheckpointProgress ProgressAfter(Attempt attempt)
    {
        CheckpointProgress now = _checkpointProgress with { ReplayBytes = _checkpointProgress.ReplayBytes + attempt.Bytes.Length };
        if (attempt.Next.LastCheckpoint == _state.LastCheckpoint)
        {
            return now;
        }

        return _writtenCheckpoint is { } written && written.Ref == attempt.Next.LastCheckpoint
            ? new CheckpointProgress(now.ReplayBytes - written.ReplayBytes, written.Bytes)
            : now with { ReplayBytes = 0 };
    }

    /// <summary>What changes together with a landing.</summary>
    private IEnumerable<(string Key, byte[]? Value)> CheckpointSettingsAfter(Attempt attempt)
    {
        yield return (CheckpointSetting, ProgressAfter(attempt).Encode());
        if (IsPast(attempt))
        {
            yield return (WrittenCheckpointSetting, null);
        }
    }

    /// <summary>Under the gate, before the attempt's state becomes the volume's.</summary>
    private void NoteCheckpointLanded(Attempt attempt)
    {
        _checkpointProgress = ProgressAfter(attempt);
        _isTidyDue |= _writtenCheckpoint is { } written && written.Ref == attempt.Next.LastCheckpoint;
        _writtenCheckpoint = IsPast(attempt) ? null : _writtenCheckpoint;
    }

    /// <summary>Whether the written checkpoint is named once an attempt has landed, or a later one is.</summary>
    private bool IsPast(Attempt attempt) => _writtenCheckpoint?.Ref.Seq <= attempt.Next.LastCheckpoint?.Seq;

    /// <summary>Every later commit would be made of rows that nobody else has, and would stop all other devices.</summary>
    private void StopForForeignRows(long seq, VaultIntegrityException error)
    {
        _readOnlyReason = $"The local database is not the tree of the vault's commit {seq}: it was damaged on this machine. Nothing more is sent from it. "
            + "Unmount, and run 'drive repair'; what is not sent yet is kept.";
        Stop(_readOnlyReason, error);
    }
}
