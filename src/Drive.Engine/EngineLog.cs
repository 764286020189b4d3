using Drive.Core.Volumes;
using Microsoft.Extensions.Logging;

namespace Drive.Engine;

/// <summary>Events of the engine, 3000 to 3099. Ids are never used again. No names and no content.</summary>
internal static partial class EngineLog
{
    [LoggerMessage(3000, LogLevel.Warning, "A flush of the dirty log failed; its records are written anew.")]
    public static partial void LogFlushFailed(ILogger logger, Exception error);

    [LoggerMessage(3001, LogLevel.Error, "A local commit failed: {Status}.")]
    public static partial void LogSaveFailed(ILogger logger, FsStatus status, Exception error);

    [LoggerMessage(3016, LogLevel.Error, "Emptying memory into the dirty log failed.")]
    public static partial void LogSpillFailed(ILogger logger, Exception error);

    [LoggerMessage(3002, LogLevel.Error, "A {Call} failed.")]
    public static partial void LogCallFailed(ILogger logger, string call, Exception error);

    [LoggerMessage(3003, LogLevel.Warning, "The store is unreachable; trying again in {Delay}.")]
    public static partial void LogStoreUnreachable(ILogger logger, TimeSpan delay, Exception error);

    [LoggerMessage(3004, LogLevel.Information, "The store answers again.")]
    public static partial void LogStoreBack(ILogger logger);

    [LoggerMessage(3005, LogLevel.Error, "Sending stopped: {Reason}")]
    public static partial void LogStopped(ILogger logger, string reason, Exception? error);

    [LoggerMessage(3006, LogLevel.Debug, "Commit {Seq} landed: {Nodes} nodes, {Bytes} bytes.")]
    public static partial void LogLanded(ILogger logger, long seq, int nodes, long bytes);

    [LoggerMessage(3007, LogLevel.Error, "A background loop ended.")]
    public static partial void LogLoopFailed(ILogger logger, Exception error);

    [LoggerMessage(3008, LogLevel.Information, "Caught up to commit {Seq}.")]
    public static partial void LogCaughtUp(ILogger logger, long seq);

    [LoggerMessage(3009, LogLevel.Warning, "A record of the journal is torn.")]
    public static partial void LogJournalTorn(ILogger logger, Exception error);

    [LoggerMessage(3010, LogLevel.Warning, "Save point {Number} was in the dirty log only; the database has it now.")]
    public static partial void LogRedone(ILogger logger, long number);

    [LoggerMessage(3011, LogLevel.Warning, "The local state is rebuilt from the store and the dirty log: {Reason}")]
    public static partial void LogRebuilding(ILogger logger, string reason);

    [LoggerMessage(3012, LogLevel.Information, "A checkpoint of commit {Seq} was written: {Bytes} bytes.")]
    public static partial void LogCheckpointWritten(ILogger logger, long seq, long bytes);

    [LoggerMessage(3013, LogLevel.Warning, "A checkpoint could not be written; trying again in {Delay}.")]
    public static partial void LogCheckpointDelayed(ILogger logger, TimeSpan delay, Exception error);

    [LoggerMessage(3014, LogLevel.Information, "The tree of commit {Seq} was taken over from its checkpoint.")]
    public static partial void LogCheckpointLoaded(ILogger logger, long seq);

    [LoggerMessage(3015, LogLevel.Warning, "{Object} failed its proof at a start from the last checkpoint; the log is read from its beginning.")]
    public static partial void LogCheckpointRefused(ILogger logger, string @object, Exception error);

    [LoggerMessage(3016, LogLevel.Debug, "Commit {Seq} of another device was taken over; {Conflicts} names were given to what was changed on both.")]
    public static partial void LogTakenOver(ILogger logger, long seq, int conflicts);

    [LoggerMessage(3017, LogLevel.Warning, "Fetching pinned content ended.")]
    public static partial void LogPinsFailed(ILogger logger, Exception error);

    [LoggerMessage(3018, LogLevel.Debug, "Commit {Seq} is in the log; it changes nothing of the tree.")]
    public static partial void LogLandedAlone(ILogger logger, long seq);

    [LoggerMessage(3019, LogLevel.Information, "Gave space back: {Deleted} packs with {Bytes} bytes; {Waiting} wait for other devices.")]
    public static partial void LogCollected(ILogger logger, int deleted, long bytes, int waiting);

    [LoggerMessage(3020, LogLevel.Information, "Giving space back is tried again in {Delay}.")]
    public static partial void LogCollectDelayed(ILogger logger, TimeSpan delay, Exception error);

    [LoggerMessage(3021, LogLevel.Information, "What an import of the run before had put is sent again: it was not looked for in the store.")]
    public static partial void LogImportsNotFound(ILogger logger, Exception error);

    [LoggerMessage(3022, LogLevel.Warning, "{Object} failed its proof: the tree of the checkpoint is taken over without what was before it.")]
    public static partial void LogPastRefused(ILogger logger, string @object, Exception error);
}
