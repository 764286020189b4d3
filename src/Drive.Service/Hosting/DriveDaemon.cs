using Drive.Control;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Service.Linux;
using Drive.Service.Logs;
using Drive.Stores.Wrappers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Drive.Service.Hosting;

/// <summary>A volume that the kernel shows.</summary>
/// <param name="Completion">Completes when the kernel ended it, whoever asked for that.</param>
/// <param name="UnmountAsync">Unmounts; a busy mount is detached and goes when its last user does.</param>
internal sealed record KernelMount(Task Completion, Func<CancellationToken, Task> UnmountAsync);

/// <summary>
/// One mounted drive, from opening the vault to the orderly stop. There is one stop, whoever asks first: a signal, <c>drive umount</c>, or an
/// unmount from outside; all others wait for the same one. Each of its steps has a limit, so it always ends within ten seconds.
/// </summary>
internal sealed class DriveDaemon : IHostedService
{
    // Together under nine seconds. Unmounting waits for the kernel to hand over what it still has to write.
    private static readonly TimeSpan UnmountTime = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan KeepTime = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(0.75);

    private readonly MountRequest _request;
    private readonly DaemonHold _hold;
    private readonly Func<CancellationToken, Task<OpenDrive>> _open;
    private readonly Func<MountRequest, IVolume, CancellationToken, Task<KernelMount>> _mount;
    private readonly Action<StartLine> _ready;
    private readonly ServiceManager _serviceManager;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly PastMounts _pasts;
    private OpenDrive? _drive;
    private KernelMount? _kernel;
    private StateInfo? _shown;
    private Task? _start;
    private Task _watch = Task.CompletedTask;
    private Task<StopReply>? _stop;

    public DriveDaemon(
        MountRequest request,
        DaemonHold hold,
        Func<CancellationToken, Task<OpenDrive>> open,
        Func<MountRequest, IVolume, CancellationToken, Task<KernelMount>> mount,
        Action<StartLine> ready,
        ServiceManager serviceManager,
        ILogger<DriveDaemon> logger,
        TimeProvider time)
    {
        _request = request;
        _hold = hold;
        _open = open;
        _mount = mount;
        _ready = ready;
        _serviceManager = serviceManager;
        _logger = logger;
        _time = time;
        _pasts = new PastMounts(mount);
    }

    /// <summary>Completes when a drive that was started is mounted no more and everything is kept on this machine.</summary>
    public Task Ended => _watch;

    /// <summary>Opens and mounts, once. When this returns the drive can be used.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => _start ??= OpenAndMountAsync(cancellationToken);

    private async Task OpenAndMountAsync(CancellationToken cancellationToken)
    {
        _drive = await _open(cancellationToken);
        try
        {
            _shown = _request.At is { } at ? History.Find(at) : null;
            _kernel = await _mount(_request with { ReadOnly = _request.ReadOnly || _shown is not null }, _shown is null ? _drive.Volume : _drive.Engine!.OpenPast(_shown.Seq), cancellationToken);
        }
        catch
        {
            await StopOnceAsync("mounting failed");
            throw;
        }

        _watch = WatchAsync(_kernel.Completion);
        _drive.Backups?.Start();
        _logger.Mounted(_request.Name, Environment.ProcessId);
        _serviceManager.Ready($"{_request.Name} at {_request.Mountpoint}");
        _ready(new StartLine(_request.Mountpoint, null, ShownText ?? _drive.Notice));
    }

    /// <summary>The host stops: a signal, or the end of a stop that was asked for.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await StopOnceAsync("a signal");

        // A busy mount that was detached ends when its last user does, or with this process: nothing to wait for.
        if (_kernel is { Completion.IsCompleted: true })
        {
            await _watch;
        }
    }

    /// <summary>How the drive stands.</summary>
    public DriveStatus GetStatus()
    {
        OpenDrive drive = Drive();
        VolumeStatus status = drive.GetStatus();
        return new DriveStatus
        {
            Name = _request.Name,
            Mountpoint = _request.Mountpoint,
            Store = drive.Store,
            Pid = Environment.ProcessId,
            Seq = status.Seq,
            LocalOnly = Amount(status.LocalOnly),
            Uploading = Amount(status.Uploading),
            InCloud = Amount(status.InCloud),
            OldestUnsent = status.OldestUnsent,
            Cache = new CacheUse(status.CacheUsedBytes, status.CacheLimitBytes),
            Rates = new TransferRates(status.UploadBytesPerSecond, status.DownloadBytesPerSecond),
            Traffic = drive.Traffic is { } traffic ? new TrafficTotals(traffic.Calls, traffic.Failures, traffic.BytesUp, traffic.BytesDown) : default,
            Pins = Pins(status.Pins),
            Limits = drive.Limits is { } limits ? Limits(limits) : default,
            Backups = drive.Backups?.StandAll() ?? [],
            StoreState = status.Store switch
            {
                StoreCondition.Reachable => "reachable",
                StoreCondition.Unreachable => "unreachable",
                StoreCondition.Stopped => "stopped",
                _ => throw new System.Diagnostics.UnreachableException(),
            },
            ReadOnly = drive.Volume.IsReadOnly || status.ReadOnlyReason is not null,
            ReadOnlyReason = ShownText ?? status.ReadOnlyReason,

            // What was said at the start is true until the store answers.
            LastError = status.LastError ?? (status.Store == StoreCondition.Reachable ? drive.GetTrouble() : drive.Notice),
        };
    }

    /// <summary>Keeps a path on this machine, or lets it go.</summary>
    public PinnedContent SetPinned(string path, bool isPinned) => WithPath(path, (engine, node) =>
    {
        if (!isPinned && !engine.Unpin(node))
        {
            throw new DriveException(DriveError.NotFound, $"'{path}' is not pinned by itself: 'drive status FILE' says what is pinned; a pinned folder is unpinned as a whole.");
        }

        return Pins(isPinned ? engine.Pin(node) : engine.GetStatus().Pins);
    });

    /// <summary>Frees the local space of a path.</summary>
    public EvictReply Evict(string path) => WithPath(path, static (engine, node) => engine.Evict(node) is var result ? new EvictReply(result.FreedBytes, Amount(result.Kept)) : null!);

    /// <summary>Gives space in the store back.</summary>
    public Task<GarbageReply> CollectGarbageAsync(GarbageRequest request, CancellationToken cancellationToken) =>
        Drive() is { Engine: { } engine, Store: var store }
            ? GarbageDesk.CollectAsync(engine, store, request, cancellationToken)
            : throw new DriveException(DriveError.Failed, $"'{_request.Name}' has no store to give space back to.");

    /// <summary>Sets limits for the time of this mount; null leaves one as it is.</summary>
    public TransferLimits SetLimits(LimitRequest request)
    {
        StoreLimits limits = Drive().Limits ?? throw new DriveException(DriveError.Failed, $"'{_request.Name}' has no store to limit.");
        limits.Up = Parse(request.Up) ?? limits.Up;
        limits.Down = Parse(request.Down) ?? limits.Down;
        return Limits(limits);

        static RateSchedule? Parse(string? text)
        {
            try
            {
                return text is null ? null : RateSchedule.ParseWritten(text);
            }
            catch (FormatException exception)
            {
                throw new DriveException(DriveError.Usage, exception.Message, exception);
            }
        }
    }

    /// <summary>Completes when everything done before the call is in the store; tells what is left meanwhile.</summary>
    public async Task<WaitLine> WaitAsync(Action<WaitLine> progress, CancellationToken cancellationToken) =>
        Line(await Drive().WaitUploadedAsync(left => progress(Line(left)), cancellationToken));

    /// <summary>Hands the vault over to another device, with what programs have mapped and changed here.</summary>
    public async Task<DeviceList> HandOverAsync(DeviceRequest request, CancellationToken cancellationToken)
    {
        await Task.Run(() => Native.SyncFileSystem(_request.Mountpoint), cancellationToken);
        return await Devices.HandOverAsync(request, cancellationToken);
    }

    /// <summary>Looks at the vault.</summary>
    public IHealth Health => Drive().Health ?? throw new DriveException(DriveError.NotFound, "This drive has no vault.");

    /// <summary>The members of the vault.</summary>
    public IDevices Devices => Drive().Devices ?? throw new DriveException(DriveError.NotFound, "This drive has no vault.");

    /// <summary>The backup sets.</summary>
    public IBackups Backups => Drive().Backups ?? throw new DriveException(DriveError.Failed, $"'{_request.Name}' is mounted read-only: unmount it, and mount it without --read-only or --at, to back up into it.");

    /// <summary>The past of the vault.</summary>
    public HistoryDesk History => new(_request.Name, Drive().Engine ?? throw new DriveException(DriveError.NotFound, "This drive has no history."));

    /// <summary>Shows a state beside the drive.</summary>
    public async Task<StateInfo> MountPastAsync(PastMountRequest request, CancellationToken cancellationToken)
    {
        StateInfo state = History.Find(request.When ?? "");
        MountRequest shown = _request with { Mountpoint = MountPoint.Check(request.Mountpoint), ReadOnly = true, AllowOther = request.AllowOther, FsName = $"{_request.Name}@{state.Seq}" };
        await _pasts.AddAsync(shown, Drive().Engine!.OpenPast(state.Seq), state, cancellationToken);
        return state;
    }

    /// <summary>Ends that.</summary>
    public Task<StateInfo> UnmountPastAsync(string mountpoint, CancellationToken cancellationToken) => _pasts.RemoveAsync(mountpoint, cancellationToken);

    private string? ShownText => _shown is { } state ? $"It is shown as it was at commit {state.Seq}{(state.Time is { } time ? $", of {time.ToLocalTime():yyyy-MM-dd HH:mm:ss}" : "")}." : null;

    /// <summary>The one stop of this daemon. When it completes nothing is mounted and everything is kept on this machine.</summary>
    public Task<StopReply> StopOnceAsync(string reason)
    {
        lock (_gate)
        {
            return _stop ??= StopNowAsync(reason);
        }
    }

    private async Task<StopReply> StopNowAsync(string reason)
    {
        _logger.Stopping(reason);
        _serviceManager.Stopping();
        string? problem = null;
        FileAmount left = default;
        if (_kernel is { } kernel)
        {
            await StepAsync("unmounting", UnmountTime, cancellation => Task.WhenAll(kernel.UnmountAsync(cancellation), _pasts.RemoveAllAsync(cancellation)));
        }

        if (_drive is { } drive)
        {
            await StepAsync("keeping the last changes on this machine", KeepTime, drive.StopAsync);
            await StepAsync("counting what is left", CloseTime, _ =>
            {
                VolumeStatus status = drive.GetStatus();
                left = new FileAmount(status.LocalOnly.Files + status.Uploading.Files, status.LocalOnly.Bytes + status.Uploading.Bytes);
                problem ??= status.Store == StoreCondition.Stopped ? status.LastError : null;
                return Task.CompletedTask;
            });
            await StepAsync("closing", CloseTime, _ => drive.Volume.DisposeAsync().AsTask());
        }

        _hold.Dispose();
        _logger.Stopped(left.Files, left.Bytes);
        return new StopReply(left, problem);

        async Task StepAsync(string what, TimeSpan limit, Func<CancellationToken, Task> step)
        {
            using CancellationTokenSource time = new(limit, _time);
            try
            {
                // A step that blocks, or does not look at its token, may not hold up the rest.
                await Task.Run(() => step(time.Token), CancellationToken.None).WaitAsync(limit + TimeSpan.FromMilliseconds(100), _time, CancellationToken.None);
            }
            catch (Exception exception)
            {
                bool late = exception is TimeoutException or OperationCanceledException;
                string said = $"{what} {(late ? "took too long" : "failed: " + exception.Message)}; what was fsynced is kept, the next mount continues from it";
                problem ??= said;
                _logger.StopProblem(said, exception);
            }
        }
    }

    // The kernel ended the mount: umount(8), fusermount3 -u, or an abort. Its end is the daemon's.
    private async Task WatchAsync(Task completion)
    {
        try
        {
            await completion;
        }
        catch (Exception exception)
        {
            _logger.ConnectionFailed(exception);
        }

        await StopOnceAsync("it was unmounted");
    }

    private OpenDrive Drive() => _drive is { } drive && _stop is null
        ? drive
        : throw new DriveException(DriveError.NotFound, $"'{_request.Name}' is being unmounted.");

    private T WithPath<T>(string path, Func<Volume, NodeId, T> work)
    {
        Volume engine = Drive().Engine ?? throw new DriveException(DriveError.Failed, $"'{_request.Name}' has no store to fetch from.");
        try
        {
            return work(engine, engine.FindPath(path) ?? throw new DriveException(DriveError.NotFound, $"'{path}' is not on '{_request.Name}'."));
        }
        catch (FsException refusal)
        {
            throw new DriveException(refusal.Status == FsStatus.NoSpace ? DriveError.LocalDisk : DriveError.Failed, refusal.Message, refusal);
        }
    }

    private static PinnedContent Pins(PinStatus pins) => new(Amount(pins.Pinned), Amount(pins.ToFetch), pins.Problem);

    /// <summary>Limits as they are told.</summary>
    internal static TransferLimits Limits(StoreLimits limits) =>
        new(limits.Up.IsNone ? null : limits.Up.ToString(), limits.Down.IsNone ? null : limits.Down.ToString(), limits.Now.Up, limits.Now.Down);

    private static FileAmount Amount(Amount amount) => new(amount.Files, amount.Bytes);

    private static WaitLine Line(UploadProgress progress) => new(progress.Done, Amount(progress.Left), progress.LastError);
}
