using Drive.Core.Stores;

namespace Drive.Stores.Tests;

/// <summary>What a caller of a server does that is busy with a name: the same bytes go to the same name again.</summary>
internal static class BusyStores
{
    private const int TriesMax = 1000;

    public static async Task<bool> PutSurelyAsync(this IObjectStore store, ObjectName name, byte[] content)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await store.PutIfAbsentAsync(name, content, CancellationToken.None);
            }
            catch (StoreException busy) when (busy.IsTransient && attempt < TriesMax)
            {
                await Task.Yield();
            }
        }
    }
}
