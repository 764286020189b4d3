using Drive.Fuse.Protocol;
using Microsoft.Extensions.Logging;

namespace Drive.Fuse;

/// <summary>All that this project logs. Event ids are never reused.</summary>
internal static partial class FuseLog
{
    [LoggerMessage(4001, LogLevel.Error, "Request {Opcode} of node {NodeId} failed unexpectedly; the caller got EIO.")]
    public static partial void HandlerFailed(ILogger logger, Exception exception, Opcode opcode, ulong nodeId);

    [LoggerMessage(4002, LogLevel.Error, "The kernel refused our reply to {Opcode} (errno {Errno}).")]
    public static partial void ReplyRefused(ILogger logger, Opcode opcode, int errno);

    [LoggerMessage(4003, LogLevel.Error, "A reader of requests ended unexpectedly; the mount is shut down.")]
    public static partial void ReaderFailed(ILogger logger, Exception exception);

    [LoggerMessage(4004, LogLevel.Information, "Mounted at {MountPoint}, FUSE 7.{Minor}, flags 0x{Flags:x}, {Transport}.")]
    public static partial void Mounted(ILogger logger, string mountPoint, uint minor, ulong flags, string transport);

    [LoggerMessage(4005, LogLevel.Information, "Unmounted from {MountPoint}.")]
    public static partial void Unmounted(ILogger logger, string mountPoint);

    [LoggerMessage(4006, LogLevel.Warning, "A dead mount at {MountPoint} was cleared away.")]
    public static partial void StaleMountCleared(ILogger logger, string mountPoint);

    [LoggerMessage(4007, LogLevel.Warning, "{MountPoint} is in use: it is detached now and ends when its last file is closed.")]
    public static partial void Detached(ILogger logger, string mountPoint);

    [LoggerMessage(4008, LogLevel.Warning, "The connection of {MountPoint} did not end; it is aborted.")]
    public static partial void Aborting(ILogger logger, string mountPoint);

    [LoggerMessage(4009, LogLevel.Debug, "Read-ahead of {MountPoint} stays at the kernel's default.")]
    public static partial void ReadAheadUnchanged(ILogger logger, Exception exception, string mountPoint);

    [LoggerMessage(4010, LogLevel.Debug, "All readers were busy; now there are {Count}.")]
    public static partial void ReaderAdded(ILogger logger, int count);

    [LoggerMessage(4011, LogLevel.Warning, "The kernel refused notification {Code} (errno {Errno}).")]
    public static partial void NotificationRefused(ILogger logger, NotifyCode code, int errno);

    [LoggerMessage(4012, LogLevel.Warning, "Too many changes from elsewhere at once: the kernel was told to ask everything again.")]
    public static partial void EverythingInvalidated(ILogger logger);

    [LoggerMessage(4013, LogLevel.Error, "The notifier ended unexpectedly; the mount is shut down, because changes from elsewhere would not be seen.")]
    public static partial void NotifierFailed(ILogger logger, Exception exception);

    [LoggerMessage(4014, LogLevel.Error, "Giving up what {MountPoint} still held failed.")]
    public static partial void CleanUpFailed(ILogger logger, Exception exception, string mountPoint);

    [LoggerMessage(4015, LogLevel.Information, "Requests go over /dev/fuse, not over io_uring: {Reason}.")]
    public static partial void RingUnused(ILogger logger, string reason);

    [LoggerMessage(4016, LogLevel.Warning, "The kernel did not give back {Count} entries of a ring; their memory is given up.")]
    public static partial void RingNotDrained(ILogger logger, int count);

    [LoggerMessage(4017, LogLevel.Information, "Requests may go over io_uring from now on, for all FUSE mounts of this machine: enable_uring was set to Y.")]
    public static partial void RingAllowed(ILogger logger);

    [LoggerMessage(4018, LogLevel.Warning, "The kernel refused an entry of a ring (errno {Errno}); the others go on.")]
    public static partial void EntryRefused(ILogger logger, int errno);
}
