using Drive.Core.Stores;
using Microsoft.Extensions.Logging;

namespace Drive.Stores.Wrappers;

/// <summary>What the stores log. Event ids are never used twice.</summary>
internal static partial class StoreLog
{
    [LoggerMessage(1, LogLevel.Trace, "{Operation} {Name} in {Store}: {Bytes} bytes")]
    public static partial void Done(ILogger logger, StoreOperation operation, string name, string store, long bytes);

    // Whether a user's call fails by it is for the engine to say; here it is one answer of a store.
    [LoggerMessage(2, LogLevel.Information, "{Operation} {Name} in {Store} failed ({Kind}, transient: {IsTransient}): {Reason}")]
    public static partial void Failed(
        ILogger logger, StoreOperation operation, string name, string store, StoreErrorKind kind, bool isTransient, string reason);
}
