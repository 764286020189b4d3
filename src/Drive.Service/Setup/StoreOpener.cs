using Drive.Control;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores;

namespace Drive.Service.Setup;

/// <summary>From what a user writes for a store to the store.</summary>
internal sealed class StoreOpener(IDisk disk, IRandomSource random)
{
    private const string FileScheme = "file://";

    /// <summary>As it is kept in the settings: an absolute path. Refuses kinds of stores that this version does not have.</summary>
    public static string Normalize(string store)
    {
        if (string.IsNullOrWhiteSpace(store))
        {
            throw new DriveException(DriveError.Usage, "The store is empty: name a folder.");
        }

        string path = store.StartsWith(FileScheme, StringComparison.OrdinalIgnoreCase) ? Uri.UnescapeDataString(store[FileScheme.Length..]) : store;
        return path.Contains("://", StringComparison.Ordinal)
            ? throw new DriveException(DriveError.Usage, $"'{store}' is no store that this version knows: name a folder, such as /mnt/nas/vault.")
            : Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
    }

    /// <summary>A store that is there; else a <see cref="StoreException"/>.</summary>
    public IObjectStore Open(string place) => StoreFactory.Open(place, create: false, disk, random);

    /// <summary>The store, made when it is not there.</summary>
    public IObjectStore Create(string place) => StoreFactory.Open(place, create: true, disk, random);

    /// <summary>Whether the place is marked as a store.</summary>
    public async Task<bool> IsStoreAsync(string place)
    {
        try
        {
            await using IObjectStore store = Open(place);
            return true;
        }
        catch (StoreException)
        {
            return false;
        }
    }
}
