using Drive.Core.Stores;
using Drive.Stores.Memory;
using Drive.Testing.Stores;

namespace Drive.Engine.Tests;

/// <summary>Stores at a moment: held calls, and copies.</summary>
internal static class StoreImages
{
    /// <summary>A store with the same objects, on its own from now on.</summary>
    public static async Task<MemoryStore> CloneAsync(this IObjectStore store)
    {
        MemoryStore copy = new();
        await foreach (ObjectInfo info in store.ListAsync("", CancellationToken.None))
        {
            byte[]? content = await store.GetAsync(info.Name, int.MaxValue, CancellationToken.None);
            await copy.PutIfAbsentAsync(info.Name, content, CancellationToken.None);
        }

        return copy;
    }
}

/// <summary>Holds every put under a prefix of names, until it is opened.</summary>
internal sealed class PutGate
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PutGate(FaultyStore store, string prefix) =>
        store.Script = call =>
        {
            if (call.Kind != StoreCallKind.Put || !call.Name.StartsWith(prefix, StringComparison.Ordinal))
            {
                return null;
            }

            _reached.TrySetResult();
            return new StoreFault { Delay = _opened.Task };
        };

    /// <summary>Done when a put waits at the gate.</summary>
    public Task Reached => _reached.Task.WaitAsync(TimeSpan.FromSeconds(60));

    public void Open() => _opened.TrySetResult();
}
