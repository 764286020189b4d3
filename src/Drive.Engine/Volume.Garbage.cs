using Drive.Core;
using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Garbage;
using Drive.Engine.Tree;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Log;

namespace Drive.Engine;

/// <content>
/// Giving space back: history is forgotten by the vault's rule, packs that it does not need are condemned in the log, swept in the log once every device is above that, and deleted then. A crash
/// anywhere leaves what the next round finds. <c>docs/decisions/0020-garbage.md</c> says why nothing that is needed goes.
/// </content>
public sealed partial class Volume
{
    private const string DaySetting = "garbage-day";
    private const int ForgetPageRows = 2048; // a few milliseconds under the database's lock

    private static readonly TimeSpan GarbageFirst = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan GarbageRetry = TimeSpan.FromHours(1);
    private static readonly TimeSpan ForgetPause = TimeSpan.FromMilliseconds(20);

    private readonly Turn _collecting = new();

    /// <summary>Held while rows of the past are read that must not be forgotten meanwhile, and while rows are forgotten.</summary>
    private readonly Turn _past = new();

    private readonly Bell _forgetPause = new();
    private readonly Bell _garbagePause = new();

    /// <summary>This device, as the vault's members name it.</summary>
    public DeviceId DeviceId => _keys.DeviceId;

    /// <summary>
    /// One round: forgets by the vault's rule, condemns what is not needed, moves what is needed out of wasteful packs, sweeps what every device is above, deletes what was swept, and
    /// what nobody can name any more. With <see cref="GarbageOptions.IsTrial"/> only counts.
    /// </summary>
    /// <exception cref="VaultException">This volume sends nothing; the message says why.</exception>
    /// <exception cref="StoreException">The store is away; what was done stays done, and the next round goes on.</exception>
    public async Task<GarbageReport> CollectGarbageAsync(GarbageOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        RequireSending(isForFollower: options.IsTrial);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        await _collecting.TakeAsync(either.Token);
        try
        {
            return await CollectAsync(options, either.Token);
        }
        finally
        {
            _collecting.GiveBack();
        }
    }

    /// <summary>A round after each interval of the clock, kept across restarts; not more often, however the clock jumps.</summary>
    private async Task GarbageLoopAsync(TimeSpan interval, CancellationToken cancellationToken)
    {
        try
        {
            TimeSpan wait = GarbageFirst;
            while (_stopReason is null)
            {
                await _garbagePause.WaitAsync(wait, _time, cancellationToken);
                wait = GarbageRetry;
                DateTimeOffset now = _time.GetUtcNow();
                DateTimeOffset last = new(Numbers.Decode(_metadata.ReadSetting(DaySetting), absent: 0), TimeSpan.Zero);
                if (now - last < interval && now >= last)
                {
                    continue;
                }

                try
                {
                    if (IsFollower)
                    {
                        // The vault's writer gives space back; what was forgotten goes here too.
                        await ForgetAsync(cancellationToken);
                    }
                    else
                    {
                        GarbageReport report = await CollectGarbageAsync(new GarbageOptions(), cancellationToken);
                        EngineLog.LogCollected(_logger, report.DeletedPacks, report.DeletedBytes, report.CondemnedPacks);
                    }

                    SaveSettings((DaySetting, Numbers.Encode(now.UtcTicks)));
                }
                catch (Exception error) when (error is StoreException or VaultException or VaultIntegrityException or IOException or FsException)
                {
                    EngineLog.LogCollectDelayed(_logger, wait, error);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopping: the next run goes on where this one is.
        }
        catch (Exception error)
        {
            // Without it the store only grows. What failed its proof the upload loop says too.
            EngineLog.LogLoopFailed(_logger, error);
        }
    }

    private async Task<GarbageReport> CollectAsync(GarbageOptions options, CancellationToken cancellationToken)
    {
        GarbageReport report = new();
        bool mayForget = _state.History.Freeze is null && !options.IsTrial;
        if (mayForget)
        {
            await ChangeHistoryAsync(PlanForgetting, cancellationToken);
        }

        if (!options.IsTrial)
        {
            report.ForgottenRows = await ForgetAsync(cancellationToken);
        }

        PackUse? use = null;
        await RunInUploadLoopAsync(
            async token => use = mayForget ? await CondemnUnneededAsync(report, token) : CountUse(options.IsTrial ? KeptAfterForgetting() : _state.History.Kept, [], token), cancellationToken);
        IReadOnlyList<PackId> wasteful = CompactionRule.Choose(use!.Packs);
        report.Count(use.Packs, wasteful);
        report.FrozenReason = _state.History.Freeze?.Reason;
        report.IsPastUnknown = !KnowsPast(_state);
        if (mayForget && KnowsPast(_state))
        {
            await CompactAsync(use, wasteful, report, cancellationToken);
        }

        if (mayForget)
        {
            await RunInUploadLoopAsync(token => SweepAsync(report, token), cancellationToken);
        }

        report.WaitsFor = [.. WaitingDevices()];
        report.Seq = _state.Seq;
        report.CondemnedPacks = _state.History.Condemned.Count;
        if (!options.IsTrial)
        {
            await DeleteSweptAsync(report, cancellationToken);
        }

        await CutLogAsync(options, report, cancellationToken);
        await LookIntoStoreAsync(options, report, cancellationToken);

        return report;
    }

    /// <summary>Whether this device knows all of the past that the vault keeps. One that began at a checkpoint does only once the vault has forgotten what lies before.</summary>
    private bool KnowsPast(VaultState state) => IsAllKept(_metadata.KnownFrom, state);

    /// <summary>Whether what is known from a commit on is all of the past that the vault keeps.</summary>
    private static bool IsAllKept(long from, VaultState state) =>
        from <= 1 || (state.History.Kept is var kept && kept.Below >= from && (kept.Seqs.Count == 0 || kept.Seqs[0] >= from));

    /// <summary>What the vault's rule forgets by now; nothing where this device does not know when every commit was made.</summary>
    private IReadOnlyList<HistoryChange> PlanForgetting(VaultState state)
    {
        VaultHistory history = state.History;
        if (history.Freeze is not null || !KnowsPast(state))
        {
            return [];
        }

        List<MomentRow> rows = [.. ReadMoments(1, state.Seq, int.MaxValue)];
        long first = Math.Max(1, history.PrunedBelow);
        if (rows.Count(row => row.Seq >= first) != state.Seq - first + 1)
        {
            return [];
        }

        IReadOnlySet<long> kept = Retention.Keep(
            history.Retention ?? RetentionRule.Default, [.. rows.Select(static row => new Moment(row.Seq, TimeOf(row.Time)))], _time.GetUtcNow());
        long below = state.Seq;
        while (below > first && kept.Contains(below - 1))
        {
            below--;
        }

        long[] stay = [.. rows.Select(static row => row.Seq).Where(seq => seq < below && kept.Contains(seq)).Order()];
        bool forgets = below > first || stay.Length < history.KeptSeqs.Count;
        return forgets && stay.Length <= VaultHistory.KeptMax ? [new Prune(below, stay)] : [];
    }

    private static DateTimeOffset TimeOf(long nanoseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(Math.Clamp(nanoseconds / 100, (DateTimeOffset.MinValue - DateTimeOffset.UnixEpoch).Ticks, (DateTimeOffset.MaxValue - DateTimeOffset.UnixEpoch).Ticks));

    /// <summary>Forgets here what the vault has forgotten, in small steps.</summary>
    private async Task<long> ForgetAsync(CancellationToken cancellationToken)
    {
        await _past.TakeAsync(cancellationToken);
        try
        {
            long rows = 0;
            foreach (int deleted in _metadata.Forget(_state.History.Kept, ForgetPageRows))
            {
                rows += deleted;
                if (deleted > 0)
                {
                    await _forgetPause.WaitAsync(ForgetPause, _time, cancellationToken);
                }

                cancellationToken.ThrowIfCancellationRequested();
            }

            return rows;
        }
        finally
        {
            _past.GiveBack();
        }
    }

    /// <summary>
    /// Before another device's commit is taken over: whether this one's rows need something of what it condemns. Then the log is not gone on with here, so that no word of this device lets the packs go.
    /// </summary>
    private void RequireUnneeded(ObjectName name, CommitContent commit, VaultState next, CancellationToken cancellationToken)
    {
        HashSet<PackId> condemned = [.. commit.History.OfType<Condemn>().SelectMany(static condemn => condemn.Packs)];
        if (condemned.Count > 0 && PackUse.Count(_metadata, next.History.Kept, [], commit.Rows.Blocks, cancellationToken) is var use && condemned.Any(use.IsNeeded))
        {
            throw new VaultIntegrityException(name.Value, IntegrityKind.Rule, "condemns a pack that the tree or its past needs");
        }
    }

    /// <summary>What history would have after the next round.</summary>
    private KeptHistory KeptAfterForgetting() => PlanForgetting(_state).OfType<Prune>().FirstOrDefault() is { } prune
        ? new KeptHistory(prune.Below, prune.Kept.Concat(_state.History.Snapshots.Select(static snapshot => snapshot.Seq)))
        : _state.History.Kept;

    private PackUse CountUse(KeptHistory kept, IEnumerable<BlockRow> moved, CancellationToken cancellationToken)
    {
        List<BlockId> own;
        lock (_gate)
        {
            own = [.. _overlays.Values.SelectMany(static overlay => overlay.Items).Where(static item => item.Chunk is null).Select(static item => item.Block),
                .. _nodes.Values.SelectMany(static node => node.PinnedExtents ?? []).Select(static extent => extent.Block), .. _imports.Claimed];
        }

        return PackUse.Count(_metadata, kept, Mistakes.Has(Mistake.OwnContentNotCounted) ? [] : own, moved, cancellationToken);
    }

    /// <summary>In the upload loop. Condemns the packs that nothing needs; the use is counted anew when another device commits first.</summary>
    private async Task<PackUse> CondemnUnneededAsync(GarbageReport report, CancellationToken cancellationToken)
    {
        while (true)
        {
            PackUse use = CountUse(_state.History.Kept, [], cancellationToken);
            List<PackShare> unneeded = [.. use.Packs.Where(static pack => pack.NeededBytes == 0).Take(VaultHistory.CondemnedMax - _state.History.Condemned.Count)];
            if (unneeded.Count == 0 || !KnowsPast(_state) || _state.History.Freeze is not null || _stopReason is not null)
            {
                return use;
            }

            if (await CommitAloneAsync(new CommitDraft { History = [new Condemn([.. unneeded.Select(static pack => pack.Pack)])], Time = Now() }, cancellationToken))
            {
                report.UnneededPacks += unneeded.Count;
                report.UnneededBytes += unneeded.Sum(static pack => pack.Length);
            }
        }
    }

    /// <summary>In the upload loop. Sweeps what no device needs any more; this one sees to it here that it needs nothing itself.</summary>
    private async Task SweepAsync(GarbageReport report, CancellationToken cancellationToken)
    {
        while (_stopReason is null && _state.History.Freeze is null)
        {
            VaultState state = _state;
            PackId[] swept = [.. state.History.Condemned.Where(pack => state.WaitsFor(pack.Seq, _keys.DeviceId).Count == 0 || Mistakes.Has(Mistake.SweptBeforeAllKnow)).Select(static pack => pack.Pack)];
            if (swept.Length == 0)
            {
                return;
            }

            await RescueAsync(cancellationToken);
            if (await CommitAloneAsync(new CommitDraft { History = [new Swept(swept)], Time = Now() }, cancellationToken))
            {
                report.SweptPacks += swept.Length;
                return;
            }
        }
    }

    /// <summary>Devices whose word is waited for before condemned packs are deleted.</summary>
    private IEnumerable<VaultMember> WaitingDevices() =>
        _state.History.Condemned.SelectMany(pack => _state.WaitsFor(pack.Seq, _keys.DeviceId)).DistinctBy(static member => member.Id);

    private async Task DeleteSweptAsync(GarbageReport report, CancellationToken cancellationToken)
    {
        foreach (PackFate pack in _metadata.ReadPacks().Where(static pack => pack.IsToDelete || (Mistakes.Has(Mistake.DeletedBeforeSwept) && pack.CondemnedAt > 0)).ToList())
        {
            if (!await TryDeletePackAsync(pack.Pack, pack.Length, report, cancellationToken))
            {
                return;
            }

            _metadata.SetPackDeleted(pack.Pack);
        }
    }

    private async Task<bool> TryDeletePackAsync(PackId pack, long length, GarbageReport report, CancellationToken cancellationToken)
    {
        if (!await TryDeleteAsync(VaultNames.Pack(pack), report, cancellationToken))
        {
            return false;
        }

        report.DeletedPacks++;
        report.DeletedBytes += length;
        return true;
    }

    /// <summary>False when the store refuses to delete: what could go stays, and is tried again with the next round.</summary>
    private async Task<bool> TryDeleteAsync(ObjectName name, GarbageReport report, CancellationToken cancellationToken)
    {
        try
        {
            await _store.DeleteAsync(name, cancellationToken);
            if (await _store.GetLengthAsync(name, cancellationToken) is not null)
            {
                report.RefusedReason = $"The store says that it deleted {name}, and still has it.";
                return false;
            }
        }
        catch (StoreException error) when (error.Kind is StoreErrorKind.Denied)
        {
            report.RefusedReason = error.Message;
            return false;
        }

        return true;
    }
}
