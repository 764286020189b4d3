using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Distant;

namespace Drive.Stores.Folder;

/// <summary>A folder, and how far away it is made to seem: a path, or <c>file:///path?latency=30ms&amp;rate=50MiB</c>.</summary>
public sealed record FolderPlace(string Folder, Distance? Distance) : StorePlace
{
    internal const string Scheme = "file";
    private const string Start = Scheme + "://";

    /// <inheritdoc/>
    public override StoreDescription Description => new(ToString(), IsLocal: Distance is null);

    /// <inheritdoc/>
    public override IObjectStore Open(bool create, IDisk disk, TimeProvider time, IRandomSource random)
    {
        FolderStore folder = FolderStore.Open(disk, Folder, create, random);
        return Distance is { } distance ? new DistantStore(folder, distance, ToString(), time) : folder;
    }

    /// <summary>As it is kept in settings and shown: a plain path where that says all.</summary>
    public override string ToString() => Distance is null ? Folder : $"{Start}{string.Join('/', Folder.Split('/').Select(Uri.EscapeDataString))}?{Distance}";

    internal static FolderPlace AtPath(string path) => new(Full(path), null);

    internal static new FolderPlace Parse(string text)
    {
        int question = text.IndexOf('?', StringComparison.Ordinal);
        string url = question < 0 ? text : text[..question];
        return text.StartsWith(Start, StringComparison.OrdinalIgnoreCase) && Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Host.Length == 0
            ? new FolderPlace(Full(uri.LocalPath), question < 0 ? null : Distance.Parse(text[(question + 1)..]))
            : throw new ArgumentException($"'{text}' is no file URL of this machine: write file:///path or just the path.");
    }

    private static string Full(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
}
