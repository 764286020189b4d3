using Drive.Control;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Engine.History;
using Drive.Fuse;
using Drive.Service.Backups;
using Drive.Service.Linux;
using Drive.Service.Logs;
using Drive.Service.Settings;
using Drive.Service.Setup;
using Drive.Stores;
using Drive.Stores.Calls;
using Drive.Stores.Wrappers;
using Drive.Vault;
using Drive.Vault.Keys;
using Microsoft.Extensions.Logging;

namespace Drive.Service.Hosting;

/// <summary>Puts one drive together: store, volume, kernel mount. The only place that knows them all.</summary>
internal sealed class DriveWiring(DrivePaths paths, StoreOpener stores, IDisk disk, TimeProvider time, IRandomSource random)
{
    // Arbitrary: room for a working set, on a disk of today.
    private const long CacheBytesDefault = 20L << 30;

    // A folder answers at once or is away; the uploader comes back later by itself, and a mount must not wait for it.
    private static readonly RetryOptions LocalRetry = new() { AttemptsMax = 3, FirstDelay = TimeSpan.FromMilliseconds(50), Deadline = TimeSpan.FromSeconds(1) };

    // For three tries that hear nothing (15, 30 and 60 s). Bytes that move and waits for the user's limit come on top, so a pack on a slow line is not given up on the way.
    private static readonly RetryOptions DistantRetry = LocalRetry with { Deadline = TimeSpan.FromMinutes(2) };

    // What another device did shows after this time at the latest, where the store does not tell: two requests each time.
    private static readonly TimeSpan LookNear = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookFar = TimeSpan.FromSeconds(3);

    // Four of the largest requests: they are opened side by side, and reading in order gains a third. From a far store the engine reads ahead itself, and what the kernel asks for besides may be fetched in vain.
    private const int ReadAheadLocalKiB = 4096;
    private const int ReadAheadFarKiB = 1024;

    private static readonly TimeSpan GarbageDaily = TimeSpan.FromDays(1);
    private static readonly TimeSpan BackupEndTime = TimeSpan.FromSeconds(1.5);

    // Below class A a commit counts when it is still there after this. Arbitrary: longer than a put takes that was on its way.
    private static readonly TimeSpan SecondLook = TimeSpan.FromSeconds(2);

    // A few segments, or the pack of a small document. Arbitrary.
    private const long SmallBytes = 256 << 10;

    private bool _isStoreLocal;

    /// <summary>Opens the volume of a vault. Without its store it opens from what this machine has, when it was mounted here before.</summary>
    public async Task<OpenDrive> OpenAsync(VaultEntry entry, MountRequest request, VaultKeys keys, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        Volume? volume = null;
        LateStore log = stores.Late(entry.LogStore ?? entry.Store, store => (store as IWatchedStore)?.Watch(VaultNames.LogPrefix, () => Volatile.Read(ref volume)?.LookSoon()));
        LateStore? packs = entry.LogStore is null ? null : stores.Late(entry.Store, static _ => null);
        IObjectStore place = packs is null ? log : new SplitStore(packs, log);
        _isStoreLocal = place.Description.IsLocal;
        try
        {
            string? notice = await ReachAsync(place, [log, .. packs is null ? [] : new[] { packs }], entry, loggers.CreateLogger<DriveWiring>(), cancellationToken);
            VolumeSettings settings = new()
            {
                StateDirectory = paths.StateOf(entry.VaultId),
                CacheDirectory = paths.CacheOf(entry.VaultId),
                CacheLimitBytes = request.CacheLimitBytes ?? entry.CacheLimitBytes ?? CacheBytesDefault,
                ReadOnly = request.ReadOnly || request.At is not null,
                RehearseReads = true,
                GarbageInterval = GarbageDaily,
                SecondLook = StoreProbe.GivesNamesByAnotherStep(log.Description) ? SecondLook : null,
                LookInterval = request.Poll ?? entry.Poll ?? (place.Description.IsLocal ? LookNear : LookFar),
            };
            StoreTraffic traffic = new();
            StoreLimits limits = new(time)
            {
                Up = request.LimitUp ?? entry.LimitUp ?? RateSchedule.None,
                Down = request.LimitDown ?? entry.LimitDown ?? RateSchedule.None,
            };
            CallsUnderWay calls = new(time);
            RetryOptions retry = (place.Description.IsLocal ? LocalRetry : DistantRetry) with { UnderWay = calls };
            IObjectStore store = place.Retried(retry, time, random).Throttled(limits, IsUrgent).Traced(loggers.CreateLogger<StoreTraffic>(), traffic);
            volume = await Volume.OpenAsync(settings, keys, store, disk, time, random, loggers.CreateLogger<Volume>(), cancellationToken);
            BackgroundProbe? probe = place.Description.IsLocal || request.ReadOnly ? null : BackgroundProbe.Start(place.Throttled(limits, IsUrgent), volume.Head.SingleWriter is null ? ProbeUse.Vault : ProbeUse.Packs, volume.StopSending, time, random, loggers.CreateLogger<BackgroundProbe>());
            BackupDesk? backups = settings.ReadOnly ? null : new BackupWiring(paths, disk, time, random).Open(entry, request.Mountpoint, volume, keys, place.Description.IsLocal, loggers.CreateLogger<BackupDesk>());
            return new OpenDrive
            {
                Volume = new HistoryVolume(volume, request.ShowSnapshots),
                Store = place.Description.Url,
                GetStatus = volume.GetStatus,
                Devices = new DeviceDesk(volume, keys, store, entry.Where, time, random),
                Health = new HealthDesk(volume, entry.Where, loggers.CreateLogger<HealthDesk>()),
                Backups = backups,
                Traffic = traffic,
                Limits = limits,
                GetTrouble = () => calls.Trouble(place.Description.Url),
                Engine = volume,
                WaitUploadedAsync = volume.WaitUploadedAsync,
                StopAsync = async _ =>
                {
                    await (backups is null ? Task.CompletedTask : EndBackupsAsync(backups));
                    bool isKept = await volume.StopAsync();
                    await (probe?.DisposeAsync() ?? ValueTask.CompletedTask);
                    if (!isKept)
                    {
                        throw new IOException("the local disk refused the last changes");
                    }
                },
                Notice = notice ?? (volume.GetStatus() is { Store: StoreCondition.Stopped } status ? status.LastError : null),
            };
        }
        catch (Exception exception)
        {
            await place.DisposeAsync();
            if (exception is not DriveException && StateRepair.Translate(exception, entry) is { } known)
            {
                throw known;
            }

            throw;
        }
    }

    /// <summary>Shows a volume to the kernel.</summary>
    public async Task<KernelMount> MountAsync(MountRequest request, IVolume volume, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        FuseMountOptions options = new()
        {
            MountPoint = request.Mountpoint,
            FsName = request.FsName ?? request.Name,
            ReadOnly = request.ReadOnly,
            AllowOther = request.AllowOther,
            Options = request.KernelOptions,
            ReadAheadKiB = _isStoreLocal ? ReadAheadLocalKiB : ReadAheadFarKiB,
        };
        try
        {
            FuseSession session = await FuseSession.MountAsync(options, volume, time, loggers.CreateLogger<FuseSession>(), cancellationToken);
            return new KernelMount(session.Completion, cancellation =>
            {
                // A busy mount is detached, and what the kernel still holds for it would not come any more.
                Native.SyncFileSystem(session.MountPoint);
                return session.UnmountAsync(lazyIfBusy: true, cancellation);
            });
        }
        catch (FuseException exception)
        {
            // The helper tells what failed; what people can do about it is seen from the surroundings.
            string said = FuseAccess.Find(request.AllowOther) is { } obstacle ? $"{obstacle.Finding} {obstacle.Advice}" : exception.Message;
            throw new DriveException(DriveError.NoFuse, said, exception);
        }
    }

    // A run that does not end at once may not take the time that keeping the last changes needs: it ends with the volume, and what it did stays done.
    private async Task EndBackupsAsync(BackupDesk backups)
    {
        try
        {
            await backups.DisposeAsync().AsTask().WaitAsync(BackupEndTime, time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
        }
    }

    // Commits and the little that others wait for do not queue behind packs.
    private static bool IsUrgent(ObjectName name, long bytes) =>
        bytes <= SmallBytes || !(name.Value.StartsWith(VaultNames.PackPrefix, StringComparison.Ordinal) || name.Value.StartsWith(VaultNames.CheckpointPrefix, StringComparison.Ordinal));

    // A store that is away is no reason not to mount; one with something else in it is.
    private async Task<string?> ReachAsync(IObjectStore place, LateStore[] parts, VaultEntry entry, ILogger logger, CancellationToken cancellationToken)
    {
        try
        {
            Array.ForEach(parts, static part => part.Open());
            VaultInfo info = await VaultSetup.ProbeAsync(place, cancellationToken);
            await (place is SplitStore ? SplitMark.RequireAsync(place, cancellationToken) : Task.CompletedTask);
            return info.Presence switch
            {
                VaultPresence.Present when info.VaultId?.ToString() == entry.VaultId => null,
                VaultPresence.NewerFormat => throw new VaultException(VaultErrorKind.NewerFormat, ""),
                _ => throw new DriveException(DriveError.BadVault, $"'{entry.Where}' does not hold the vault '{entry.Name}': bring the right folder or disk back; what is only on this machine is kept."),
            };
        }
        catch (StoreException exception) when (disk.List(paths.StateOf(entry.VaultId)).Count > 0)
        {
            logger.StoreAway(exception);
            return $"{exception.Message} Working from what is on this machine; changes are sent when it is back.";
        }
    }
}
