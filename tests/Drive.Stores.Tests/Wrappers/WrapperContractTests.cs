using Drive.Core.Stores;
using Drive.Stores.Memory;
using Drive.Stores.Wrappers;
using Drive.Testing;
using Drive.Testing.Stores;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Stores.Tests.Wrappers;

public sealed class RetriedStoreContractTests : ObjectStoreContract
{
    protected override ValueTask<IObjectStore> OpenAsync() =>
        ValueTask.FromResult(new MemoryStore().Retried(new RetryOptions(), TimeProvider.System, new SeededRandom(1)));
}

/// <summary>Every third call fails, by turns before and after it was done; the contract holds all the same.</summary>
public sealed class RetriedStoreOverFaultsContractTests : ObjectStoreContract
{
    protected override bool TellsEqualBytesApart => false;

    protected override ValueTask<IObjectStore> OpenAsync()
    {
        var faulty = new FaultyStore(new MemoryStore())
        {
            Script = call => (call.Index % 6) switch
            {
                2 => StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true),
                5 when call.Kind != StoreCallKind.Put => StoreFault.FailAfter(StoreErrorKind.Unreachable, isTransient: true),
                _ => null,
            },
        };
        var options = new RetryOptions { FirstDelay = TimeSpan.FromMilliseconds(1), AttemptsMax = 50 };
        return ValueTask.FromResult(faulty.Retried(options, new SkippingTime(TimeSpan.FromMinutes(1)), new SeededRandom(1)));
    }
}

public sealed class ThrottledStoreContractTests : ObjectStoreContract
{
    protected override ValueTask<IObjectStore> OpenAsync()
    {
        RateSchedule rate = RateSchedule.ParseWritten("1048576");
        StoreLimits limits = new(new SkippingTime(TimeSpan.FromDays(1))) { Up = rate, Down = rate };
        return ValueTask.FromResult(new MemoryStore().Throttled(limits, static (name, _) => name.Value.StartsWith("log/", StringComparison.Ordinal)));
    }
}

public sealed class TracedStoreContractTests : ObjectStoreContract
{
    protected override ValueTask<IObjectStore> OpenAsync() =>
        ValueTask.FromResult(new MemoryStore().Traced(NullLogger.Instance, new StoreTraffic()));
}
