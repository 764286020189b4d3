using Drive.Control;
using Drive.Core.Platform;
using Drive.Disk;
using Drive.Service.Checks;
using Drive.Service.Hosting;
using Drive.Service.Keys;
using Drive.Service.Linux;
using Drive.Service.Logs;
using Drive.Service.Settings;
using Drive.Service.Setup;
using Drive.Vault.Keys;
using Microsoft.Extensions.Logging;

namespace Drive.Service;

/// <summary>
/// What the command uses of the service: the settings, making and recovering vaults, the doctor, and running a daemon in this process.
/// The hosting libraries are only loaded by <see cref="RunDaemonAsync"/>.
/// </summary>
public sealed class DriveService
{
    private readonly IDisk _disk;
    private readonly TimeProvider _time;
    private readonly StoreOpener _stores;
    private readonly DriveWiring _wiring;

    private DriveService(DrivePaths paths, IDisk disk, TimeProvider time, IRandomSource random)
    {
        Paths = paths;
        _disk = disk;
        _time = time;
        _stores = new StoreOpener(disk, random);
        Book = new VaultBook(paths, disk);
        Keys = new KeyStorage(paths, disk, time, Environment.GetEnvironmentVariable);
        Enrolment = new Enrolment(paths, Book, Keys, disk, time, random);
        _wiring = new DriveWiring(paths, _stores, disk, time, random);
    }

    /// <summary>Where things lie.</summary>
    public DrivePaths Paths { get; }

    /// <summary>The vaults that this machine knows.</summary>
    public VaultBook Book { get; }

    /// <summary>Where keys are kept.</summary>
    public KeyStorage Keys { get; }

    /// <summary>Making, recovering and protecting vaults.</summary>
    public Enrolment Enrolment { get; }

    /// <summary>The service of this user on this machine.</summary>
    public static DriveService Create() => new(DrivePaths.FromEnvironment(), new LocalDisk(), TimeProvider.System, SystemRandomSource.Instance);

    /// <summary>Takes away what a killed daemon left mounted; false when there is no such thing.</summary>
    public static bool DetachDeadMount(string path) => MountPoint.DetachDead(path);

    /// <summary>Whether two ways to write a store mean the same place.</summary>
    public static bool IsSameStore(string store, string other) => StoreOpener.Normalize(store) == StoreOpener.Normalize(other);

    /// <summary>What the doctor finds.</summary>
    public Task<IReadOnlyList<Check>> CheckAsync(CancellationToken cancellationToken) =>
        new Doctor(Paths, Book, Keys, _stores, _disk, _time).RunAsync(cancellationToken);

    /// <summary>Builds a vault's local state anew from its store and its dirty log. Refused while it is mounted.</summary>
    public async Task<RepairResult> RepairAsync(VaultEntry entry, string? passphrase, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        using VaultKeys keys = await Enrolment.UnlockAsync(entry, passphrase, cancellationToken);
        using LogFile log = new(Paths.LogOf(entry.Name), _time, alsoErrors: false);
        using LoggerFactory loggers = new([log]);
        return await new StateRepair(Paths, _stores, _disk, _time, SystemRandomSource.Instance).RunAsync(entry, keys, loggers, cancellationToken);
    }

    /// <summary>Mounts in this process, and returns when the drive was unmounted, however that came about.</summary>
    public async Task<StopReply> RunDaemonAsync(DaemonStart start, bool isForeground, Action<StartLine> ready, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(start);
        VaultEntry entry = Book.Get(start.Request.Name);
        using VaultKeys keys = await Enrolment.UnlockAsync(entry, start.Passphrase, cancellationToken);
        using LogFile log = new(Paths.LogOf(entry.Name), _time, isForeground);
        using DaemonHold hold = await DaemonHold.TakeAsync(Paths, entry, start.Request.Mountpoint, _disk, _time, cancellationToken);
        MountRequest request = start.Request with { Mountpoint = MountPoint.Check(start.Request.Mountpoint) };
        return await DaemonHost.RunAsync(
            request,
            hold,
            (loggers, cancellation) => _wiring.OpenAsync(entry, request, keys, loggers, cancellation),
            (volume, loggers, cancellation) => _wiring.MountAsync(request, volume, loggers, cancellation),
            line =>
            {
                Remember(entry, request);
                ready(line);
            },
            log,
            Environment.GetEnvironmentVariable("NOTIFY_SOCKET"),
            _time,
            cancellationToken);
    }

    private void Remember(VaultEntry entry, MountRequest request)
    {
        VaultEntry mounted = entry with { Mountpoint = request.Mountpoint, CacheLimitBytes = request.CacheLimitBytes ?? entry.CacheLimitBytes };
        if (mounted != entry)
        {
            Book.Put(mounted);
        }
    }
}
