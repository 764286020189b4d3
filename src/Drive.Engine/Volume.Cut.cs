using Drive.Core;
using Drive.Core.Stores;
using Drive.Vault;
using Drive.Vault.Checkpoints;
using Drive.Vault.Log;

namespace Drive.Engine;

/// <content>
/// Cutting the log: a commit decides on a floor at a checkpoint that every device is above, the floor is published, and only then the commits up to it are deleted, all but the first. Checkpoints that
/// nothing needs any more go as well. A crash anywhere leaves what the next round of any device finds. <c>docs/decisions/0028-cutting-the-log.md</c> says why nobody is left behind.
/// </content>
public sealed partial class Volume
{
    /// <summary>The floor up to which this device has seen the log deleted.</summary>
    private const string CutSetting = "log-cut";

    /// <summary>Set while the store lacks something of the log: then the next floor comes as soon as there is a checkpoint for it, however little it lets go.</summary>
    private const string FloorWantedSetting = "floor-wanted";

    /// <summary>The last floor that this device met, and when.</summary>
    private const string FloorSeenSetting = "floor-seen";
    private const string FloorSeenAtSetting = "floor-seen-at";

    /// <summary>Commits that are deleted side by side.</summary>
    private const int CutWidth = 16;

    private bool IsFloorWanted => _metadata.ReadSetting(FloorWantedSetting) is not null;

    private int LeastToCut => IsFloorWanted ? 1 : _settings.CutCommitsMin;

    private async Task CutLogAsync(GarbageOptions options, GarbageReport report, CancellationToken cancellationToken)
    {
        if (options.IsTrial)
        {
            report.CommitsToCut = Math.Max(0, (ChooseFloor(_state)?.Seq ?? 0) - (_state.LastFloor?.Seq ?? 1));
            return;
        }

        // A floor that another device decided on, and did not come to publish, comes before the next. What it lets go does as well, but where the log lacks something nobody waits for that.
        if ((await FollowFloorAsync(report, cancellationToken) || IsFloorWanted) && await DecideOnFloorAsync(report, cancellationToken))
        {
            await FollowFloorAsync(report, cancellationToken);
        }

        await DeleteDroppedCheckpointsAsync(report, cancellationToken);
        report.LogWaitsFor = [.. LaggingDevices()];
        if (IsFloorWanted)
        {
            report.LogProblem ??= "The store lacks a part of the log. It is cut above that once every machine that writes to the vault was mounted again"
                + (report.LogWaitsFor.Count == 0 ? "." : $": {string.Join(", ", report.LogWaitsFor.Select(static member => $"'{member.Name}'"))}.");
        }
    }

    /// <summary>The floor that is to be next, or null while it would spare too little.</summary>
    private FloorRef? ChooseFloor(VaultState state)
    {
        long from = state.LastFloor?.Seq ?? 1;
        CheckpointRef? checkpoint = state.OlderCheckpoints.Append(state.LastCheckpoint).LastOrDefault(checkpoint => checkpoint?.Seq <= (Mistakes.Has(Mistake.CutBeforeAllAreAbove) ? state.Seq : state.FloorMax));
        return checkpoint is not null && checkpoint.Seq - from >= LeastToCut ? new FloorRef(state.Floor + 1, checkpoint.Seq, checkpoint) : null;
    }

    /// <summary>
    /// What the store lost of the log this device has in its rows: a new checkpoint says it, which a commit names at once. The next round of giving space back that finds every device above it cuts the log there, so that
    /// nobody asks for what is gone any more.
    /// </summary>
    private async Task ReplaceLogAsync(CancellationToken cancellationToken)
    {
        RequireSending();
        await _past.TakeAsync(cancellationToken);
        try
        {
            await WriteCheckpointAsync(cancellationToken);
        }
        finally
        {
            _past.GiveBack();
        }

        SaveSettings((FloorWantedSetting, [1]));

        // One that names it, and two more, above which it may be a floor.
        for (int commits = 0; commits < 3; commits++)
        {
            await RunInUploadLoopAsync(
                async token =>
                {
                    while (_stopReason is null && !await CommitAloneAsync(new CommitDraft { Time = Now() }, token))
                    {
                        // Another device was first, and what it did is taken over.
                    }
                },
                cancellationToken);
        }
    }

    /// <summary>Devices that commit and are not above the last checkpoint: where they are is as far as the log can be cut.</summary>
    private IEnumerable<VaultMember> LaggingDevices() => _state.LastCheckpoint is { } last && last.Seq - (_state.LastFloor?.Seq ?? 1) >= LeastToCut
        ? _state.Committers.Where(member => member.LastSeq < last.Seq && member.Id != _keys.DeviceId)
        : [];

    /// <summary>False: there is nothing to cut, or the checkpoint would not do for what goes.</summary>
    private async Task<bool> DecideOnFloorAsync(GarbageReport report, CancellationToken cancellationToken)
    {
        while (_stopReason is null && ChooseFloor(_state) is { } floor)
        {
            // It is what is left of what the commits below it say: the store gives it back whole, and it has all of the past that history keeps.
            try
            {
                CheckpointReader reader = await CheckpointReader.OpenAsync(_store, _keys, floor.Checkpoint, cancellationToken);
                await reader.ProveAsync(cancellationToken);
                if (!IsAllKept(reader.KnownFrom, _state))
                {
                    return false;
                }
            }
            catch (VaultIntegrityException error)
            {
                report.LogProblem = $"{error.Message} Another checkpoint is written, and the next round uses that.";
                if (floor.Checkpoint == _state.LastCheckpoint)
                {
                    RenewCheckpoint();
                }

                return false;
            }

            bool isDecided = false;
            await RunInUploadLoopAsync(
                async token => isDecided = ChooseFloor(_state) == floor && await CommitAloneAsync(new CommitDraft { Floor = floor, Time = Now() }, token), cancellationToken);
            if (isDecided)
            {
                SaveSettings((FloorWantedSetting, null));
                return true;
            }
        }

        return false;
    }

    /// <summary>Publishes the last floor and deletes what it lets go, unless this device knows that it was done. False: the store does not delete, or it is not time yet.</summary>
    private async Task<bool> FollowFloorAsync(GarbageReport report, CancellationToken cancellationToken)
    {
        VaultState state = _state;
        report.LogFrom = (state.LastFloor?.Seq ?? 0) + 1;
        if (state.LastFloor is not { } floor || Numbers.Decode(_metadata.ReadSetting(CutSetting), absent: 0) >= floor.Number)
        {
            return true;
        }

        if (!Mistakes.Has(Mistake.CutBeforeFloor))
        {
            await _vaultLog.PublishFloorAsync(state, floor, cancellationToken);
        }

        if (!HadFollowersTime(state, floor))
        {
            return false;
        }

        long left = await FindFirstCommitAsync(state.Gen, floor.Seq, cancellationToken);
        for (long first = Math.Max(2, left - CutWidth); first <= floor.Seq; first += CutWidth)
        {
            ObjectName[] names = [.. Enumerable.Range(0, (int)Math.Min(CutWidth, floor.Seq - first + 1)).Select(i => VaultNames.Commit(state.Gen, first + i))];
            bool[] deleted = await Task.WhenAll(names.Select(name => TryDeleteAsync(name, report, cancellationToken)));
            if (deleted.Contains(false))
            {
                return false;
            }

            report.DeletedCommits += Math.Clamp(first + names.Length - left, 0, names.Length);
        }

        SaveSettings((CutSetting, Numbers.Encode(floor.Number)));
        return true;
    }

    /// <summary>By this device's clock: where it is wrong, somebody starts at the checkpoint, and nothing is lost.</summary>
    private bool HadFollowersTime(VaultState state, FloorRef floor)
    {
        if (state.SingleWriter is null || !state.Members.Any(member => member is { Active: true, Kind: MemberKind.Device } && member.Id != _keys.DeviceId))
        {
            return true;
        }

        DateTimeOffset now = _time.GetUtcNow();
        if (Numbers.Decode(_metadata.ReadSetting(FloorSeenSetting), absent: 0) != floor.Number)
        {
            SaveSettings((FloorSeenSetting, Numbers.Encode(floor.Number)), (FloorSeenAtSetting, Numbers.Encode(now.UtcTicks)));
        }

        TimeSpan since = now - new DateTimeOffset(Numbers.Decode(_metadata.ReadSetting(FloorSeenAtSetting), absent: 0), TimeSpan.Zero);
        return since >= _settings.FollowersAway || since < TimeSpan.Zero;
    }

    /// <summary>
    /// The first commit after the vault's very first, which stays, that is still there; one past the last where all are gone. They are deleted in order, some at a time, so halving finds it, and of those right
    /// before it some may be there.
    /// </summary>
    private async Task<long> FindFirstCommitAsync(int gen, long last, CancellationToken cancellationToken)
    {
        long low = 2;
        long high = last + 1;
        while (low < high)
        {
            long middle = low + ((high - low) / 2);
            if (await _store.GetLengthAsync(VaultNames.Commit(gen, middle), cancellationToken) is null)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>Deletes the checkpoints that the log has given up: the parts, then the manifest, which names them.</summary>
    private async Task DeleteDroppedCheckpointsAsync(GarbageReport report, CancellationToken cancellationToken)
    {
        foreach (CheckpointRef dropped in _state.DroppedCheckpoints)
        {
            CheckpointReader reader;
            try
            {
                reader = await CheckpointReader.OpenAsync(_store, _keys, dropped, cancellationToken);
            }
            catch (VaultIntegrityException)
            {
                // It is gone already, or is not what it was: nobody needs it either way.
                continue;
            }

            foreach (ObjectName name in reader.ObjectNames)
            {
                if (!await TryDeleteAsync(name, report, cancellationToken))
                {
                    return;
                }
            }

            report.DeletedCheckpoints++;
        }
    }
}
