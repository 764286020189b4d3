using Drive.Core.Volumes;
using Drive.Fuse.Mounting;
using Drive.Fuse.Native;
using Drive.Fuse.Protocol;
using Drive.Fuse.Serving;
using Drive.Fuse.Transport;
using Microsoft.Extensions.Logging;

namespace Drive.Fuse;

/// <summary>
/// A volume mounted in a directory. Serves on threads of its own until it is unmounted, from here or from
/// outside. The volume is the caller's and outlives the session.
/// </summary>
public sealed class FuseSession : IAsyncDisposable
{
    /// <summary>How long disposing waits for the last users of a detached mount before they get errors: arbitrary.</summary>
    private static readonly TimeSpan GraceTime = TimeSpan.FromSeconds(5);

    private readonly IMounter _mounter;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FuseTransport _transport;
    private readonly Connection _connection;
    private string? _connectionNumber;

    private FuseSession(string mountPoint, IMounter mounter, int descriptor, FuseTransport transport, IVolume volume, TimeProvider time, ILogger logger)
    {
        MountPoint = mountPoint;
        _mounter = mounter;
        _time = time;
        _logger = logger;
        _transport = transport;
        _connection = new(volume, new DescriptorTransport(descriptor, isDevice: true), time, logger, mountPoint, transport, Abandon);
        Completion = Task.CompletedTask;
    }

    /// <summary>Where, without symbolic links.</summary>
    public string MountPoint { get; }

    /// <summary>Ends when the mount has ended, for whatever reason, and the volume is no longer used by it.</summary>
    public Task Completion { get; private set; }

    internal Connection Connection => _connection;

    /// <summary>Whether what is mounted there is ours: after a detachment it may already be another session's.</summary>
    private bool IsMounted => _connectionNumber is not null && MountTable.Find(MountPoint)?.ConnectionNumber == _connectionNumber;

    /// <summary>Mounts; done when the kernel and we agreed on terms, so that the first access finds it working. Refusals are <see cref="FuseException"/>.</summary>
    public static Task<FuseSession> MountAsync(
        FuseMountOptions options,
        IVolume volume,
        TimeProvider time,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        IMounter mounter = Libc.EffectiveUserId() == 0 ? new RootMounter() : new FusermountMounter();
        return MountAsync(options, mounter, volume, time, logger, cancellationToken);
    }

    internal static async Task<FuseSession> MountAsync(
        FuseMountOptions options,
        IMounter mounter,
        IVolume volume,
        TimeProvider time,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        // Looking at the mount point may wait for another file system.
        await Task.Yield();
        MountFlags flags = MountFlags.From(volume.IsReadOnly ? options with { ReadOnly = true } : options);
        string path = await MountPointCheck.PrepareAsync(options.MountPoint, flags.AllowNonEmpty, mounter, logger);
        cancellationToken.ThrowIfCancellationRequested();
        if (flags.AllowUring)
        {
            UringParameter.Allow(logger);
        }

        int descriptor = await mounter.MountAsync(path, options, flags, cancellationToken);
        FuseSession session = new(path, mounter, descriptor, flags.Transport, volume, time, logger);
        try
        {
            await session.StartAsync(options.ReadAheadKiB, cancellationToken);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Unmounts. When it is in use: with <paramref name="lazyIfBusy"/> it vanishes from the tree, is served on for those who use it, and
    /// <see cref="Completion"/> tells when the last one is done; otherwise <see cref="FuseException"/>. Once begun, cancelling only ends the waiting.
    /// </summary>
    public async Task UnmountAsync(bool lazyIfBusy, CancellationToken cancellationToken)
    {
        if (Completion.IsCompleted)
        {
            return;
        }

        if (!IsMounted)
        {
            // Detached before. Those who still use it decide when it ends.
            await (lazyIfBusy ? Task.CompletedTask : Completion.WaitAsync(cancellationToken));
            return;
        }

        // The kernel says goodbye first and frees what it cached afterwards, which takes seconds when that is many gigabytes; nobody needs to wait for it.
        Task<UnmountOutcome> unmounting = _mounter.UnmountAsync(MountPoint, lazy: false);
        if (await Task.WhenAny(unmounting, Completion).WaitAsync(cancellationToken) == Completion && !IsMounted)
        {
            return;
        }

        if (await unmounting.WaitAsync(cancellationToken) == UnmountOutcome.Done)
        {
            await Completion.WaitAsync(cancellationToken);
            return;
        }

        if (!lazyIfBusy)
        {
            throw new FuseException($"{MountPoint} is in use: close the programs that work in it, or detach it (umount --lazy {MountPoint}).");
        }

        await _mounter.UnmountAsync(MountPoint, lazy: true).WaitAsync(cancellationToken);
        if (!Completion.IsCompleted)
        {
            FuseLog.Detached(_logger, MountPoint);
        }
    }

    /// <summary>Unmounts; who still uses the mount after a short while gets errors.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Completion.IsCompleted)
        {
            return;
        }

        if (IsMounted)
        {
            await _mounter.UnmountAsync(MountPoint, lazy: true);
        }

        if (!await EndsAsync())
        {
            FuseLog.Aborting(_logger, MountPoint);
            Abort();
            await EndsAsync();
        }
    }

    private async Task StartAsync(int readAheadKiB, CancellationToken cancellationToken)
    {
        Task begun = _connection.StartAsync();
        Completion = CompleteAsync();
        _connectionNumber = MountTable.Find(MountPoint)?.ConnectionNumber;
        await begun.WaitAsync(cancellationToken);
        if (_transport == FuseTransport.Uring && !_connection.IsOverRings)
        {
            throw new FuseException($"Requests cannot go over io_uring here: {UringParameter.Describe()}. Mount with transport=auto to do without.");
        }

        if (MountTable.Find(MountPoint) is Mount mount)
        {
            KernelTuning.RaiseReadAhead(mount, readAheadKiB, _logger);
        }

        FuseLog.Mounted(_logger, MountPoint, _connection.Minor, (ulong)_connection.Agreed, _connection.IsOverRings ? "over io_uring" : "over /dev/fuse");
    }

    private async Task CompleteAsync()
    {
        await _connection.Completion;
        FuseLog.Unmounted(_logger, MountPoint);
    }

    private async Task<bool> EndsAsync()
    {
        Task first = await Task.WhenAny(Completion, Task.Delay(GraceTime, _time, CancellationToken.None));
        return first == Completion;
    }

    private void Abort()
    {
        if (_connectionNumber is not null)
        {
            KernelTuning.TryAbort(_connectionNumber);
        }
    }

    /// <summary>A thread of ours failed: a mount that half works is worse than none.</summary>
    private void Abandon()
    {
        Abort();
        if (IsMounted)
        {
            _ = _mounter.UnmountAsync(MountPoint, lazy: true);
        }
    }
}
