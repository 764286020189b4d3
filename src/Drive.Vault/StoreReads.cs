using Drive.Core;
using Drive.Core.Stores;

namespace Drive.Vault;

internal static class StoreReads
{
    /// <summary>As <see cref="IObjectStore.GetAsync"/>; an object larger than any true one is an integrity error, since the store decides its size.</summary>
    public static async Task<byte[]?> GetProvableAsync(this IObjectStore store, ObjectName name, int bytesMax, CancellationToken cancellationToken)
    {
        try
        {
            return await store.GetAsync(name, bytesMax, cancellationToken);
        }
        catch (StoreException e) when (e.Kind == StoreErrorKind.TooLarge)
        {
            throw new VaultIntegrityException(name.Value, IntegrityKind.Malformed, "is larger than it can be", e);
        }
        catch (StoreException) when (Mistakes.Has(Mistake.UnreachableIsAbsent))
        {
            return null;
        }
    }
}
