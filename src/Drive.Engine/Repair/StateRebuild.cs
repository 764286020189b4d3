using Drive.Cache.Dirty;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Journal;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Microsoft.Extensions.Logging;

namespace Drive.Engine.Repair;

/// <summary>
/// Builds the local database anew without believing the old one: the committed tree from the store (<see cref="CommittedTree"/>); what is not committed from the
/// journal in the dirty log. The old files are renamed, never deleted, and only when the new database is complete and durable. Nobody else may have the state open.
/// </summary>
/// <remarks>
/// Where the journal does not reach back to the last landing, what can still be read of the old database comes first, and records of the log that nothing leads to get a
/// folder. An <see cref="RebuildMode.Automatic"/> rebuild refuses then. A crash at any point leaves either the old files, or no database beside a dirty log: both are rebuilt
/// at the next start.
/// </remarks>
public sealed class StateRebuild
{
    private const long Epoch = 1;

    private readonly VolumeSettings _settings;
    private readonly VaultKeys _keys;
    private readonly IObjectStore _store;
    private readonly TimeProvider _time;
    private readonly IRandomSource _random;
    private readonly ILogger _logger;
    private readonly VaultLog _vaultLog;
    private readonly StateFiles _files;
    private long _nodeCounter = 2;
    private long _lastOwnSeq;

    private StateRebuild(
        VolumeSettings settings, VaultKeys keys, IObjectStore store, IDisk disk, TimeProvider time, IRandomSource random, ILogger logger)
    {
        _settings = settings;
        _keys = keys;
        _store = store;
        _time = time;
        _random = random;
        _logger = logger;
        _vaultLog = new VaultLog(store, keys, random);
        _files = new StateFiles(disk, settings.StateDirectory);
    }

    /// <summary>
    /// Rebuilds. <see cref="LocalStateException"/> when it may not (see <see cref="RebuildMode"/>), <see cref="StoreException"/> when the store is away,
    /// <see cref="VaultIntegrityException"/> when it is not what this device has seen; then everything is as it was.
    /// </summary>
    public static async Task<RebuildReport> RunAsync(
        VolumeSettings settings,
        VaultKeys keys,
        IObjectStore store,
        IDisk disk,
        TimeProvider time,
        IRandomSource random,
        ILogger logger,
        RebuildMode mode,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(keys);
        disk.CreateDirectory(settings.StateDirectory);
        using DirtyLog log = DirtyLog.Open(disk, Path.Combine(settings.StateDirectory, StateFiles.DirtyLog), keys.DeriveLocalKey("dirty-log"), settings.DirtyLog, random);
        return await new StateRebuild(settings, keys, store, disk, time, random, logger).RunAsync(log, mode, cancellationToken);
    }

    private async Task<RebuildReport> RunAsync(DirtyLog log, RebuildMode mode, CancellationToken cancellationToken)
    {
        JournalEvidence journal = JournalEvidence.Read(log, NoteTorn);
        MetadataSalvage? salvage = _files.Salvage(_keys.DeriveLocalKey("metadata"));
        using CommittedTree tree = new(_settings, _keys, _store, _vaultLog, _files, _logger);
        VaultState state = await BuildAsync(tree, mode == RebuildMode.AskedForHistory, journal, salvage, cancellationToken);
        MetadataStore metadata = tree.Metadata;

        // Records before the journal's first one are needed no more if a commit of this device came after its last one.
        bool isProven = journal.Records.Count > 0
            ? !journal.IsPrefixMissing || _lastOwnSeq > journal.PinSeq
            : log.GetUsage().Count == 0 && (salvage is null || !BatchCodec.HasRows(salvage.Uncommitted));
        UncommittedState uncommitted = new();
        if (!isProven && salvage is not null)
        {
            uncommitted.Add(salvage.Uncommitted);
        }

        journal.AddTo(uncommitted);
        List<DirtyRow> missing = [.. uncommitted.Dirty.Where(row => row.Kind == DirtyKind.Data && !log.Has(new LogPosition(row.Segment, row.Position), row.RecordLength))];
        List<DirtyRow> lost = [.. missing.Where(row => _lastOwnSeq <= journal.PinOf(row))];
        if (mode == RebuildMode.Automatic && (!isProven || lost.Count > 0))
        {
            throw new LocalStateException(isProven
                ? "Records of the dirty log are missing, so bytes that were written here would be lost."
                : "The dirty log alone does not tell what was changed here.");
        }

        HashSet<DirtyRow> gone = [.. missing];
        _nodeCounter = Math.Max(_nodeCounter, journal.Records.Count == 0 ? 0 : journal.Records.Max(static record => record.NodeCounter));
        metadata.Apply(uncommitted.ToBatch(metadata, Epoch, row => !gone.Contains(row)));
        FoundContent found = isProven ? new FoundContent() : FoundContent.Gather(log, uncommitted.Dirty, NoteTorn);
        string? folder = PutFound(metadata, found);
        SaveSettings(metadata, state, journal, salvage);
        foreach (NodeId pinned in salvage?.Pins ?? [])
        {
            metadata.PutPin(pinned);
        }

        RebuildReport report = new()
        {
            Seq = state.Seq,
            SavePoints = journal.Records.Count,
            UnsentBytes = metadata.ReadAllDirty().Where(static row => row.Kind == DirtyKind.Data).Sum(static row => row.Length),
            IsComplete = isProven && lost.Count == 0,
            Lost = [.. lost.Select(row => new LostRange(StatePaths.Find(metadata, row.Node), row.Offset, row.Length))],
            FoundFolder = folder,
            FoundFiles = found.Count,
            ArePinsKnown = salvage?.Pins is not null,
        };
        tree.Dispose();
        return report with { Aside = _files.Swap(_time.GetUtcNow()) };
    }

    /// <summary>
    /// The committed tree. With changes of our own to put over it, only our own commits are taken beyond what those changes were made on: what others wrote meanwhile
    /// is for the volume to meet, as at any start. And no checkpoint above that: which of our own commits came after the changes must be seen.
    /// </summary>
    private async Task<VaultState> BuildAsync(CommittedTree tree, bool withHistory, JournalEvidence journal, MetadataSalvage? salvage, CancellationToken cancellationToken)
    {
        VaultState? seen = salvage is null ? null : Volume.FindProven(key => salvage.Settings.GetValueOrDefault(key));
        bool hasChanges = journal.Records.Count > 0;
        await tree.BuildAsync(
            withHistory,
            seen,
            hasChanges ? journal.Records.Min(static record => record.PinSeq) : long.MaxValue,
            commit => !hasChanges || commit.Seq <= journal.PinSeq || commit.Device == _keys.DeviceId,
            state =>
            {
                CheckSeen(state, journal.PinSeq, journal.PinHash);
                if (seen is not null)
                {
                    CheckSeen(state, seen.Seq, seen.Head);
                }
            },
            cancellationToken);
        VaultState state = tree.State;
        if (state.Seq < journal.PinSeq || (state.Seq < seen?.Seq && !hasChanges))
        {
            throw new VaultIntegrityException("log", IntegrityKind.RolledBack, "ends before a commit that this device has seen");
        }

        if (state.Seq == 0)
        {
            throw new FsException(FsStatus.Unreachable, "The vault has no log: the store lost it, or it is not the store of this vault.");
        }

        _lastOwnSeq = tree.LastOwnSeq;
        _nodeCounter = tree.NodeCounterAbove(salvage?.Settings.GetValueOrDefault(Volume.CounterSetting) is { } kept ? Numbers.Decode(kept, 0) : null);
        return state;
    }

    private static void CheckSeen(VaultState state, long seq, Bytes32 hash)
    {
        if (state.Seq == seq && state.Head != hash)
        {
            throw new VaultIntegrityException("log", IntegrityKind.RolledBack, $"holds another commit {seq} than this device has seen");
        }
    }

    private string? PutFound(MetadataStore metadata, FoundContent found)
    {
        if (found.Count == 0)
        {
            return null;
        }

        DateTimeOffset now = _time.GetUtcNow();
        string name = $"lost+found {now:yyyy-MM-dd HH-mm-ss}";
        byte[] bytes = System.Text.Encoding.ASCII.GetBytes(name);
        metadata.Apply(found.ToBatch(
            metadata, Epoch, bytes, (now.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * 100, () => NodeId.Compose(_keys.DeviceNumber, (ulong)_nodeCounter++)));
        return name;
    }

    private void SaveSettings(MetadataStore metadata, VaultState state, JournalEvidence journal, MetadataSalvage? salvage)
    {
        // Numbers of the journal go on above all that were ever used.
        JournalMark old = JournalMark.Decode(salvage?.Settings.GetValueOrDefault(Volume.JournalSetting));
        JournalMark mark = old.Number > journal.Mark.Number ? old : journal.Mark;
        MetadataBatch batch = new() { Epoch = Epoch };
        batch.PutSetting(Volume.StateSetting, state.Encode());
        batch.PutSetting(Volume.CounterSetting, Numbers.Encode(_nodeCounter));
        batch.PutSetting(Volume.EpochSetting, Numbers.Encode(Epoch));
        batch.PutSetting(Volume.JournalSetting, mark.Encode());
        metadata.Apply(batch);
    }

    private void NoteTorn(Exception error) => EngineLog.LogJournalTorn(_logger, error);
}
