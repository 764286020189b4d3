using Drive.Control;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Fuse;
using Drive.Service.Linux;
using Drive.Service.Logs;
using Drive.Service.Settings;
using Drive.Service.Setup;
using Drive.Stores;
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

    /// <summary>Opens the volume of a vault. Without its store it opens from what this machine has, when it was mounted here before.</summary>
    public async Task<OpenDrive> OpenAsync(VaultEntry entry, MountRequest request, VaultKeys keys, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        LateStore place = new(
            new StoreDescription(entry.Store, IsLocal: true), () => stores.Open(entry.Store), store => request.ReadOnly ? null : StoreLock.Take(store, entry.Name));
        try
        {
            string? notice = await ReachAsync(place, entry, loggers.CreateLogger<DriveWiring>(), cancellationToken);
            VolumeSettings settings = new()
            {
                StateDirectory = paths.StateOf(entry.VaultId),
                CacheDirectory = paths.CacheOf(entry.VaultId),
                CacheLimitBytes = request.CacheLimitBytes ?? entry.CacheLimitBytes ?? CacheBytesDefault,
                ReadOnly = request.ReadOnly,
            };
            IObjectStore store = place.Retried(LocalRetry, time, random).Traced(loggers.CreateLogger<StoreTraffic>(), new StoreTraffic());
            Volume volume = await Volume.OpenAsync(settings, keys, store, disk, time, random, loggers.CreateLogger<Volume>(), cancellationToken);
            return new OpenDrive
            {
                Volume = volume,
                Store = entry.Store,
                GetStatus = volume.GetStatus,
                WaitUploadedAsync = volume.WaitUploadedAsync,
                StopAsync = async _ =>
                {
                    if (!await volume.StopAsync())
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

    // A store that is away is no reason not to mount; one with something else in it is.
    private async Task<string?> ReachAsync(LateStore place, VaultEntry entry, ILogger logger, CancellationToken cancellationToken)
    {
        try
        {
            place.Open();
            VaultInfo info = await VaultSetup.ProbeAsync(place, cancellationToken);
            return info.Presence switch
            {
                VaultPresence.Present when info.VaultId?.ToString() == entry.VaultId => null,
                VaultPresence.NewerFormat => throw new VaultException(VaultErrorKind.NewerFormat, ""),
                _ => throw new DriveException(DriveError.BadVault, $"'{entry.Store}' does not hold the vault '{entry.Name}': bring the right folder or disk back; what is only on this machine is kept."),
            };
        }
        catch (StoreException exception) when (disk.List(paths.StateOf(entry.VaultId)).Count > 0)
        {
            logger.StoreAway(exception);
            return $"{exception.Message} Working from what is on this machine; changes are sent when it is back.";
        }
    }
}
