using Microsoft.Extensions.Logging;

namespace Drive.Cache;

/// <summary>What the cache logs. Event ids are never used twice.</summary>
internal static partial class CacheLog
{
    [LoggerMessage(1, LogLevel.Warning, "The block cache drops pack {Pack}, which is fetched again when needed: {Reason}")]
    public static partial void Dropped(ILogger logger, string pack, string reason);

    [LoggerMessage(2, LogLevel.Warning, "The block cache cannot delete {Path}, so its room stays in use until the next start: {Reason}")]
    public static partial void NotDeleted(ILogger logger, string path, string reason);
}
