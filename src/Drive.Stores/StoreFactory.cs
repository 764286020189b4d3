using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Folder;

namespace Drive.Stores;

/// <summary>From the text that a person writes to the store that it means.</summary>
public static class StoreFactory
{
    private const string FileScheme = "file://";

    /// <summary>
    /// The store at a path or URL. <see cref="StoreException"/> when it is away (or is none yet, without <paramref name="create"/>);
    /// <see cref="ArgumentException"/> when the text names no store that this version knows.
    /// </summary>
    public static IObjectStore Open(string url, bool create, IDisk disk, IRandomSource random)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(url);
        string path = url;
        if (url.StartsWith(FileScheme, StringComparison.OrdinalIgnoreCase))
        {
            path = Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Host.Length == 0
                ? uri.LocalPath
                : throw new ArgumentException($"'{url}' is no file URL of this machine: write file:///path or just the path.", nameof(url));
        }
        else if (SchemeOf(url) is { } scheme)
        {
            throw new ArgumentException(
                $"Stores of the kind '{scheme}:' are not supported by this version. Give the path of a folder, or a file:// URL.", nameof(url));
        }

        return FolderStore.Open(disk, path, create, random);
    }

    // "name:" at the start, where the name has at least two characters, so that a drive letter is not taken for one.
    private static string? SchemeOf(string url)
    {
        int colon = url.IndexOf(':', StringComparison.Ordinal);
        return colon > 1 && char.IsAsciiLetter(url[0]) && url.AsSpan(0, colon).IndexOfAnyExcept(SchemeCharacters) < 0 ? url[..colon] : null;
    }

    private static readonly System.Buffers.SearchValues<char> SchemeCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
}
