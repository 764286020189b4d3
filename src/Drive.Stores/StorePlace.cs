using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Folder;
using Drive.Stores.Http;
using Drive.Stores.Koofr;
using Drive.Stores.S3;
using Drive.Stores.WebDav;

namespace Drive.Stores;

/// <summary>A store as a person named it, not opened yet.</summary>
public abstract record StorePlace
{
    private static readonly System.Buffers.SearchValues<char> SchemeCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    /// <summary>What kind of store it is, without opening it.</summary>
    public abstract StoreDescription Description { get; }

    /// <summary>From a path or a URL. <see cref="ArgumentException"/> when the text names no store that this version knows.</summary>
    public static StorePlace Parse(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        return SchemeOf(text)?.ToLowerInvariant() switch
        {
            null => FolderPlace.AtPath(text),
            FolderPlace.Scheme => FolderPlace.Parse(text),
            S3Place.Scheme when text.AsSpan(S3Place.Scheme.Length).StartsWith("://") => S3Place.Parse(text[(S3Place.Scheme.Length + 3)..]),
            HttpPlace.Scheme or HttpPlace.PlainScheme => HttpPlace.Parse(text),
            DavPlace.Scheme or DavPlace.SecureScheme when text.IndexOf("://", StringComparison.Ordinal) is > 0 and <= 4 and int colon => DavPlace.Parse(text[..colon].ToLowerInvariant(), text[(colon + 3)..]),
            KoofrPlace.Scheme or KoofrPlace.PlainScheme when text.IndexOf("://", StringComparison.Ordinal) is > 0 and <= 10 and int colon =>
                KoofrPlace.Parse(text[..colon].ToLowerInvariant(), text[(colon + 3)..]),
            string scheme => throw new ArgumentException(
                $"Stores of the kind '{scheme}:' are not supported by this version. Give the path of a folder, a file:// URL, s3://bucket/prefix, davs://host/path, koofr://user@app.koofr.net/path, or drive+https://host:port/vault."),
        };
    }

    /// <summary>The store. <see cref="StoreException"/> when it is away (or is none yet, without <paramref name="create"/>).</summary>
    public abstract IObjectStore Open(bool create, IDisk disk, TimeProvider time, IRandomSource random);

    /// <summary>What is asked of who signs in; null where nobody does.</summary>
    public virtual LoginForm? Login => null;

    /// <summary>The store, with a login that is kept for it. What the environment says explicitly goes before it, and it before what else the kind of store looks at.</summary>
    public virtual IObjectStore Open(StoreLogin? login, bool create, IDisk disk, TimeProvider time, IRandomSource random) => Open(create, disk, time, random);

    /// <summary>Whether the other means the same objects, however it is to be used.</summary>
    public virtual bool IsSameAs(StorePlace other) => Equals(other);

    // "name:" at the start, where the name has at least two characters, so that a drive letter is not taken for one.
    private static string? SchemeOf(string url)
    {
        int colon = url.IndexOf(':', StringComparison.Ordinal);
        return colon > 1 && char.IsAsciiLetter(url[0]) && url.AsSpan(0, colon).IndexOfAnyExcept(SchemeCharacters) < 0 ? url[..colon] : null;
    }
}
