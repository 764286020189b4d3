using Microsoft.Extensions.Logging;

namespace Drive.Service.Logs;

/// <summary>Events of the service; ids are never reused. No names of files, no content, no secrets.</summary>
internal static partial class ServiceLog
{
    [LoggerMessage(1, LogLevel.Information, "Vault {Name} is mounted (process {Pid})")]
    public static partial void Mounted(this ILogger logger, string name, int pid);

    [LoggerMessage(2, LogLevel.Information, "Stopping: {Reason}")]
    public static partial void Stopping(this ILogger logger, string reason);

    [LoggerMessage(3, LogLevel.Information, "Stopped; {Files} files and {Bytes} bytes are only on this machine")]
    public static partial void Stopped(this ILogger logger, long files, long bytes);

    [LoggerMessage(4, LogLevel.Error, "Stopping left something undone: {Problem}")]
    public static partial void StopProblem(this ILogger logger, string problem, Exception? exception);

    [LoggerMessage(5, LogLevel.Error, "Mounting failed: {Message}")]
    public static partial void MountFailed(this ILogger logger, string message, Exception? exception);

    [LoggerMessage(6, LogLevel.Warning, "A control request failed: {Message}")]
    public static partial void ControlFailed(this ILogger logger, string message, Exception? exception);

    [LoggerMessage(7, LogLevel.Warning, "The store does not answer; working from what is on this machine")]
    public static partial void StoreAway(this ILogger logger, Exception? exception);

    [LoggerMessage(8, LogLevel.Error, "Another device has the vault open: {Holder}")]
    public static partial void StoreTaken(this ILogger logger, string holder);

    [LoggerMessage(9, LogLevel.Information, "The store answers again")]
    public static partial void StoreBack(this ILogger logger);

    [LoggerMessage(12, LogLevel.Information, "Check: {Progress}")]
    public static partial void CheckProgress(this ILogger logger, string progress);

    [LoggerMessage(11, LogLevel.Error, "The store is no safe place for a vault, so nothing is sent: {Reasons}")]
    public static partial void StoreUnsafe(this ILogger logger, string reasons);

    [LoggerMessage(10, LogLevel.Error, "The kernel connection ended with an error")]
    public static partial void ConnectionFailed(this ILogger logger, Exception exception);

    [LoggerMessage(13, LogLevel.Information, "Backup {Set}: {Outcome}, {Files} files looked at, {SentBytes} bytes sent")]
    public static partial void BackupRan(this ILogger logger, string set, string outcome, long files, long sentBytes);

    [LoggerMessage(14, LogLevel.Warning, "Backup {Set} failed: {Message}")]
    public static partial void BackupFailed(this ILogger logger, string set, string message, Exception? exception);

    [LoggerMessage(15, LogLevel.Warning, "Nobody could be told of backup {Set}: {Message}")]
    public static partial void NoticeNotSent(this ILogger logger, string set, string message, Exception? exception);

    [LoggerMessage(16, LogLevel.Error, "The backups' loop failed, and goes on: {Message}")]
    public static partial void BackupLoopFailed(this ILogger logger, string message, Exception exception);
}
