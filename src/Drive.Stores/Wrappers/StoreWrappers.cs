using Drive.Core.Platform;
using Drive.Core.Stores;
using Microsoft.Extensions.Logging;

namespace Drive.Stores.Wrappers;

/// <summary>The wrappers, in words. Each takes over the store: disposing the wrapper disposes it.</summary>
public static class StoreWrappers
{
    public static IObjectStore Retried(this IObjectStore store, RetryOptions options, TimeProvider time, IRandomSource random) =>
        new RetriedStore(store, options, time, random);

    public static IObjectStore Throttled(this IObjectStore store, StoreLimits limits, Func<ObjectName, long, bool> isUrgent) =>
        new ThrottledStore(store, limits, isUrgent);

    public static IObjectStore Traced(this IObjectStore store, ILogger logger, StoreTraffic traffic) =>
        new TracedStore(store, logger, traffic);
}
