using Drive.Control;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Service.Keys;
using Drive.Stores;
using Drive.Stores.Folder;

namespace Drive.Service.Setup;

/// <summary>From what a user writes for a store to the store.</summary>
internal sealed class StoreOpener(IDisk disk, TimeProvider time, IRandomSource random, StoreLogins logins)
{
    /// <summary>As it is kept in the settings: an absolute path, or a URL where a path does not say all. Refuses kinds of stores that this version does not have.</summary>
    public static string Normalize(string store)
    {
        if (string.IsNullOrWhiteSpace(store))
        {
            throw new DriveException(DriveError.Usage, "The store is empty: name a folder, s3://bucket/prefix, davs://host/path, koofr://user@app.koofr.net/path, or drive+https://host:port/vault.");
        }

        return Parse(store).ToString();
    }

    /// <summary>Whether two ways to write a store mean the same place.</summary>
    public static bool IsSame(string store, string other) => Parse(store).IsSameAs(Parse(other));

    /// <summary>What kind of store it is, and where, without opening it.</summary>
    public static StoreDescription Describe(string store) => Parse(store).Description;

    /// <summary>The folder that a store lies in; null for one that is not in a folder.</summary>
    public static string? FolderOf(string store) => (Parse(store) as FolderPlace)?.Folder;

    /// <summary>A store that is there; else a <see cref="StoreException"/>. One in two, with <paramref name="logPlace"/>, fails so at the first call.</summary>
    public IObjectStore Open(string place, string? logPlace = null) => Open(place, logPlace, create: false);

    /// <summary>The store, made when it is not there.</summary>
    public IObjectStore Create(string place, string? logPlace = null) => Open(place, logPlace, create: true);

    /// <summary>A store that may not be there yet.</summary>
    public LateStore Late(string place, Func<IObjectStore, IDisposable?> watch, bool create = false) => new(Describe(place), () => Open(Parse(place), create), watch);

    /// <summary>The store with a login that is not kept: to see whether it is the right one.</summary>
    public IObjectStore Open(string place, StoreLogin login) => Parse(place).Open(login, create: false, disk, time, random);

    /// <summary>What a store asks of who signs in; a refusal for one that nobody signs in to.</summary>
    public static LoginForm LoginOf(string store) => Parse(store).Login ?? throw new DriveException(DriveError.Usage, $"Nobody signs in to '{store}': it is a folder.");

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

    private IObjectStore Open(string place, string? logPlace, bool create) => logPlace is null
        ? Open(Parse(place), create)
        : new SplitStore(Late(place, static _ => null, create), Late(logPlace, static _ => null, create));

    private IObjectStore Open(StorePlace place, bool create) => place.Login is { } form
        ? new SignedInStore(place, login => place.Open(login, create, disk, time, random), token => FindAsync(form, token), time)
        : place.Open(create, disk, time, random);

    // A login that cannot be read is a refusal like the store's own.
    private async Task<StoreLogin?> FindAsync(LoginForm form, CancellationToken cancellationToken)
    {
        try
        {
            return await logins.FindAsync(form, cancellationToken);
        }
        catch (DriveException refused)
        {
            throw new StoreException(StoreErrorKind.Denied, isTransient: false, refused.Message, refused);
        }
    }

    private static StorePlace Parse(string store)
    {
        try
        {
            return StorePlace.Parse(store);
        }
        catch (ArgumentException refusal)
        {
            throw new DriveException(DriveError.Usage, refusal.Message, refusal);
        }
    }
}
