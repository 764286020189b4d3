using Drive.Control;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Disk;
using Drive.Service.Checks;
using Drive.Service.Hosting;
using Drive.Service.Keys;
using Drive.Service.Linux;
using Drive.Service.Logs;
using Drive.Service.Settings;
using Drive.Service.Setup;
using Drive.Stores;
using Drive.Stores.Wrappers;
using Drive.Vault;
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
        Book = new VaultBook(paths, disk);
        Keys = new KeyStorage(paths, disk, time, Environment.GetEnvironmentVariable);
        _stores = new StoreOpener(disk, time, random, Keys.Logins);
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

    /// <summary>Whether the kernel shows a drive there.</summary>
    public static bool IsMounted(string mountpoint) => MountTable.At(mountpoint)?.Type == MountTable.DriveType;

    /// <summary>Whether two ways to write a store mean the same place.</summary>
    public static bool IsSameStore(string store, string other) => StoreOpener.IsSame(store, other);

    /// <summary>Keeps limits for a vault's next mounts; null leaves one as it is.</summary>
    public void KeepLimits(string name, RateSchedule? up, RateSchedule? down)
    {
        VaultEntry entry = Book.Get(name);
        Book.Put(entry with { LimitUp = Kept(up ?? entry.LimitUp), LimitDown = Kept(down ?? entry.LimitDown) });
    }

    /// <summary>The limits that a vault is mounted with.</summary>
    public TransferLimits LimitsOf(string name)
    {
        VaultEntry entry = Book.Get(name);
        return DriveDaemon.Limits(new StoreLimits(_time) { Up = entry.LimitUp ?? RateSchedule.None, Down = entry.LimitDown ?? RateSchedule.None });
    }

    /// <summary>What the doctor finds.</summary>
    public Task<IReadOnlyList<Check>> CheckAsync(CancellationToken cancellationToken) =>
        new Doctor(Paths, Book, Keys, _stores, _disk, _time).RunAsync(cancellationToken);

    /// <summary>
    /// Looks closely at a store, over two connections, and says of which class it is. One that is not there is made: what init would do. A folder with other things in it is refused.
    /// </summary>
    public async Task<StoreReport> CheckStoreAsync(string store, bool isQuick, CancellationToken cancellationToken)
    {
        string place = StoreOpener.Normalize(store);
        if (StoreOpener.FolderOf(place) is not null)
        {
            await Enrolment.RefuseStrangeFolderAsync(place);
        }

        await using IObjectStore first = _stores.Create(place);
        await using IObjectStore second = _stores.Create(place);
        ProbeSize size = isQuick ? ProbeSize.Quick : ProbeSize.Full;
        ProbeResult result = await new StoreProbe([first, second], size, SystemRandomSource.Instance).RunAsync(cancellationToken);
        bool isForPacks = result.Class != StoreClass.C
            || (await new StoreProbe([first, second], size, SystemRandomSource.Instance, ProbeUse.Packs).RunAsync(cancellationToken)).Class != StoreClass.C;
        return new StoreReport
        {
            Store = first.Description.Url,
            Class = result.Class.ToString(),
            HoldsPacks = isForPacks,
            Rounds = result.Rounds,
            Findings = [.. result.Findings.OrderBy(static found => found.Key).Select(static found => $"{found.Key}: {found.Value}")],
        };
    }

    /// <summary>What a store asks of who signs in; a refusal for one that nobody signs in to.</summary>
    public static LoginForm LoginOf(string store) => StoreOpener.LoginOf(StoreOpener.Normalize(store));

    /// <summary>Keeps a login for a store, unless the store refuses it: a drive that is mounted goes on with it by itself. Says where it is, and why it was not tried where the store is away.</summary>
    public async Task<(KeyPlace Place, string? NotTried)> LoginAsync(string store, StoreLogin login, CancellationToken cancellationToken)
    {
        string place = StoreOpener.Normalize(store);
        string? notTried = null;
        try
        {
            await using IObjectStore opened = _stores.Open(place, login);
            await opened.GetLengthAsync(VaultNames.Vault, cancellationToken);
        }
        catch (StoreException exception) when (exception.Kind == StoreErrorKind.Denied)
        {
            throw new DriveException(DriveError.WrongSecret, exception.Message, exception);
        }
        catch (StoreException exception)
        {
            // No vault there yet, or no network: the login may be right.
            notTried = exception.Message;
        }

        return (await Keys.Logins.SaveAsync(StoreOpener.LoginOf(place), login, cancellationToken), notTried);
    }

    /// <summary>Forgets a store's login; false when none was kept.</summary>
    public Task<bool> LogoutAsync(string store, CancellationToken cancellationToken) => Keys.Logins.RemoveAsync(LoginOf(store), cancellationToken);

    /// <summary>Builds a vault's local state anew from its store and its dirty log. Refused while it is mounted.</summary>
    public async Task<RepairResult> RepairAsync(VaultEntry entry, string? passphrase, bool withHistory, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        using VaultKeys keys = await Enrolment.UnlockAsync(entry, passphrase, cancellationToken);
        using LogFile log = new(Paths.LogOf(entry.Name), _time, alsoErrors: false);
        using LoggerFactory loggers = new([log]);
        return await new StateRepair(Paths, _stores, _disk, _time, SystemRandomSource.Instance).RunAsync(entry, keys, withHistory, loggers, cancellationToken);
    }

    /// <summary>Opens a vault that is not mounted, to change who belongs to it. What it has not sent yet is sent meanwhile.</summary>
    public async Task<OpenedDevices> OpenDevicesAsync(VaultEntry entry, string? passphrase, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        VaultKeys keys = await Enrolment.UnlockAsync(entry, passphrase, cancellationToken);
        string lockPath = Paths.StateOf(entry.VaultId) + ".lock";
        _disk.CreateDirectory(Path.GetDirectoryName(lockPath)!);
        IDisposable held = _disk.TryLock(lockPath, $"process {Environment.ProcessId}", out _)
            ?? throw new DriveException(DriveError.InUse, $"'{entry.Name}' is being mounted or unmounted: try again in a moment.");
        LogFile log = new(Paths.LogOf(entry.Name), _time, alsoErrors: false);
        LoggerFactory loggers = new([log]);
        try
        {
            MountRequest request = new() { Name = entry.Name, Mountpoint = "" };
            OpenDrive drive = await _wiring.OpenAsync(entry, request, keys, loggers, cancellationToken);
            return new OpenedDevices(drive.Devices!, drive.Health!, drive.Backups!, async () =>
            {
                try
                {
                    await drive.StopAsync(CancellationToken.None);
                    await drive.Volume.DisposeAsync();
                }
                finally
                {
                    loggers.Dispose();
                    held.Dispose();
                }
            });
        }
        catch
        {
            loggers.Dispose();
            held.Dispose();
            throw;
        }
    }

    /// <summary>What a new device needs beside the passphrase.</summary>
    public async Task<string> ReadAccountKeyAsync(VaultEntry entry, string? passphrase, CancellationToken cancellationToken)
    {
        using VaultKeys keys = await Enrolment.UnlockAsync(entry, passphrase, cancellationToken);
        return keys.FormatAccountKey();
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
            _wiring.MountAsync,
            line =>
            {
                if (request.At is null)
                {
                    Remember(entry, request);
                }

                ready(line);
            },
            log,
            Environment.GetEnvironmentVariable("NOTIFY_SOCKET"),
            _time,
            cancellationToken);
    }

    private void Remember(VaultEntry entry, MountRequest request)
    {
        VaultEntry mounted = entry with
        {
            Mountpoint = request.Mountpoint,
            CacheLimitBytes = request.CacheLimitBytes ?? entry.CacheLimitBytes,
            LimitUp = Kept(request.LimitUp ?? entry.LimitUp),
            LimitDown = Kept(request.LimitDown ?? entry.LimitDown),
            Poll = request.Poll ?? entry.Poll,
        };
        if (mounted != entry)
        {
            Book.Put(mounted);
        }
    }

    private static RateSchedule? Kept(RateSchedule? limit) => limit is { IsNone: false } ? limit : null;
}
