using Drive.Cache;
using Drive.Cache.Blocks;
using Drive.Cache.Dirty;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Reading;
using Drive.Engine.Repair;
using Drive.Engine.Upload;
using Drive.Metadata;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Packs;
using Microsoft.Extensions.Logging;

namespace Drive.Engine;

/// <summary>
/// The volume of one vault on one device: the tree in memory over the database, content in the dirty log and in packs, and the loops that save and
/// upload. It is <see cref="IVolume"/> to the adapters and tells <see cref="VolumeStatus"/> to the service.
/// </summary>
/// <remarks>
/// <para><b>Locks,</b> taken in this order only: <c>_saveLock</c> (one local commit or landing at a time), <c>_gate</c> (everything in memory), then the locks
/// inside metadata, log and cache. Nothing waits for the store under any of them.</para>
/// <para><b>Invariants.</b> (1) Rows point only to log records that are flushed. (2) A log record goes only after the local commit that drops its last row, once the database is flushed.
/// (3) The database holds the state after a prefix of the calls. (4) Extents change only by landing; between the end of an epoch and its landing
/// its content is in overlays. (5) An attempt is saved before it is sent, and sent unchanged until its fate is known.</para>
/// </remarks>
public sealed partial class Volume : IVolume
{
    private readonly Lock _gate = new();
    private readonly VolumeSettings _settings;
    private readonly VaultKeys _keys;
    private readonly IObjectStore _store;
    private readonly TimeProvider _time;
    private readonly IRandomSource _random;
    private readonly ILogger _logger;
    private readonly MetadataStore _metadata;
    private readonly DirtyLog _log;
    private readonly BlockCache _cache;
    private readonly CacheBudget _budget;
    private readonly BlockReader _blocks;
    private readonly VaultLog _vaultLog;
    private readonly CancellationTokenSource _stopping = new();
    private readonly RateMeter _uploadMeter;
    private readonly int _deviceNumber;
    private VaultState _state;
    private IVolumeObserver? _observer;
    private Task _loops = Task.CompletedTask;
    private long _epoch;
    private long _incarnation;
    private ulong _nextNodeCounter;
    private long _nextEntryId;
    private string? _failure;
    private string? _readOnlyReason;
    private string? _stopReason;
    private string? _lastError;
    private string? _storeError;
    private StoreCondition _condition;
    private bool _started;
    private int _disposed;

    private Volume(
        VolumeSettings settings, VaultKeys keys, IObjectStore store, IDisk disk, TimeProvider time, IRandomSource random, ILogger logger)
    {
        _settings = settings;
        _keys = keys;
        _store = store;
        _time = time;
        _random = random;
        _logger = logger;
        _uploadMeter = new RateMeter(time);
        _deviceNumber = keys.DeviceNumber;
        DurableDirectory.Create(disk, settings.StateDirectory);
        disk.CreateDirectory(settings.CacheDirectory);
        if (new StateFiles(disk, settings.StateDirectory).FindMissing() is { } missing)
        {
            throw new LocalStateException(missing);
        }

        _metadata = MetadataStore.Open(new StateFiles(disk, settings.StateDirectory).Database, keys.DeriveLocalKey("metadata"), settings.Database);
        try
        {
            _log = DirtyLog.Open(disk, Path.Combine(settings.StateDirectory, StateFiles.DirtyLog), keys.DeriveLocalKey("dirty-log"), settings.DirtyLog, random);
            FreeSpaceFloor floor = new(disk, settings.StateDirectory, new FreeSpaceOptions());
            _cache = BlockCache.Open(disk, settings.CacheDirectory, new BlockCacheOptions { LimitBytes = settings.CacheLimitBytes }, floor, logger);
            _budget = new CacheBudget(_cache, floor, settings.CacheLimitBytes);
        }
        catch
        {
            _log?.Dispose();
            _metadata.Dispose();
            throw;
        }

        _vaultLog = new VaultLog(store, keys, random);
        _blocks = new BlockReader(_metadata, store, _cache, new PackReader(keys), new RateMeter(time), time);
        _state = _metadata.ReadSetting(StateSetting) is { } saved ? VaultState.Decode(saved) : VaultState.BeforeGenesis(keys);
        keys.Learn(_state);
        _lastChangeAt = time.GetUtcNow();
        _prompt = new PromptCommits(settings.UploadRest, time);
    }

    /// <inheritdoc/>
    public bool IsReadOnly => _settings.ReadOnly || _failure is not null || _readOnlyReason is not null;

    /// <summary>
    /// Opens the volume: local state first, then what the store has that this device has not seen. A device that has no local state yet needs the
    /// store; later a store that is away is no hindrance. The volume owns the store and the keys from now on.
    /// </summary>
    public static async Task<Volume> OpenAsync(
        VolumeSettings settings,
        VaultKeys keys,
        IObjectStore store,
        IDisk disk,
        TimeProvider time,
        IRandomSource random,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        try
        {
            return await OpenOnceAsync();
        }
        catch (Exception damage) when (!settings.ReadOnly && IsDamage(damage))
        {
            EngineLog.LogRebuilding(logger, damage.Message);
            try
            {
                await StateRebuild.RunAsync(settings, keys, store, disk, time, random, logger, RebuildMode.Automatic, cancellationToken);
            }
            catch (Exception error) when (error is LocalStateException or StoreException)
            {
                throw new LocalStateException($"{damage.Message} It was not rebuilt: {error.Message}", error);
            }
        }

        return await OpenOnceAsync();

        Task<Volume> OpenOnceAsync() => OpenHereAsync(
            () => new Volume(settings, keys, store, disk, time, random, logger),
            start => start.RunAsync(settings, keys, store, disk, random, logger, cancellationToken),
            AbandonAsync,
            logger,
            cancellationToken);

        async ValueTask AbandonAsync()
        {
            await store.DisposeAsync();
            keys.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Observe(IVolumeObserver? observer) => _observer = observer;

    /// <summary>
    /// Ends the loops and saves everything on this machine. What is not in the store yet stays here and is sent after the next start. Returns
    /// whether all is saved.
    /// </summary>
    public async Task<bool> StopAsync()
    {
        _stopping.Cancel();

        // First what is here already: a store that hangs may hold up the loops.
        CommitLocally();
        await _loops;
        FsStatus status = CommitLocally();
        lock (_saveLock)
        {
            ApplyRest();
            FlushDatabase();
        }

        return status == FsStatus.Ok;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await StopAsync();
        await _blocks.DisposeAsync();
        CloseLocalState();
        await _store.DisposeAsync();
        _keys.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Whether the state on this machine cannot be gone on with, as far as a start can tell.</summary>
    private static bool IsDamage(Exception error) =>
        error is LocalStateException or MetadataCorruptException or MetadataKeyException or CorruptLogException { IsSegmentMissing: true };

    private void CloseLocalState()
    {
        _metadata.Dispose();
        _log.Dispose();
        _cache.Dispose();
    }

    private void Start()
    {
        _started = true;
        _nodeCount = _metadata.CountFiles().Nodes + 1;
        _loops = Task.WhenAll(
            RunBehind(() => UploadLoopAsync(_stopping.Token)),
            RunBehind(() => SaveLoopAsync(_stopping.Token)),
            RunBehind(() => SpaceLoopAsync(_stopping.Token)),
            RunBehind(() => CheckpointLoopAsync(_stopping.Token)),
            _settings is { ReadOnly: false, GarbageInterval: { } interval } ? RunBehind(() => GarbageLoopAsync(interval, _stopping.Token)) : Task.CompletedTask,
            _blocks.IsLocal ? Task.CompletedTask : RunBehind(() => PinLoopAsync(_stopping.Token)),
            _settings.RehearseReads && !_blocks.IsLocal ? RunBehind(() => Rehearsal.RunAsync(_metadata, _blocks, _time, _stopping.Token)) : Task.CompletedTask);
    }

    private Task RunBehind(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _settings.Background).Unwrap();

    /// <summary>Saves at least every <see cref="VolumeSettings.SaveInterval"/> while something is not saved.</summary>
    private async Task SaveLoopAsync(CancellationToken cancellationToken)
    {
        try
        {
            using PeriodicTimer timer = new(_settings.SaveInterval, _time);
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                if (IsSaveDue())
                {
                    CommitLocally();
                }

                lock (_saveLock)
                {
                    ApplyRest();
                    FlushDatabase();
                }

                CompactLog();
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping; StopAsync saves once more.
        }
        catch (Exception error)
        {
            EngineLog.LogLoopFailed(_logger, error);
            lock (_gate)
            {
                _failure ??= "Saving ended by an error, see the log; mount again.";
            }
        }
    }

    private bool IsSaveDue()
    {
        lock (_gate)
        {
            return _change > _savedChange || _stuck is not null || HasLeftovers;
        }
    }

    /// <summary>The one funnel for failures of a call: logged, remembered, and turned into a status.</summary>
    private FsStatus Fail(string call, Exception error)
    {
        FsStatus status = error switch
        {
            FsException refusal => refusal.Status,
            VaultIntegrityException => FsStatus.Corrupt,
            CorruptLogException => FsStatus.Corrupt,
            MetadataCorruptException => FsStatus.Corrupt,
            StoreException { Kind: StoreErrorKind.Unreachable or StoreErrorKind.Throttled } => FsStatus.Unreachable,
            StoreException { Kind: StoreErrorKind.Denied or StoreErrorKind.SignInRefused } => FsStatus.AccessDenied,
            DiskFullException or StoreException { Kind: StoreErrorKind.Full } => FsStatus.NoSpace,
            _ => FsStatus.IoError,
        };
        EngineLog.LogCallFailed(_logger, call, error);
        if (error is StoreException { Kind: StoreErrorKind.Unreachable } away && _condition == StoreCondition.Reachable)
        {
            // The next reader need not wait as long to hear the same. A look says when it is back.
            NoteStoreUnreachable(away, TimeSpan.Zero);
            LookSoon();
        }

        lock (_gate)
        {
            _lastError = error.Message;
        }

        return status;
    }
}
