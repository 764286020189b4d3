using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Drive.Core.Stores;
using Drive.Stores.Http;

namespace Drive.Stores.Koofr;

/// <summary>
/// The folder of a store as paths below it ("" is the folder itself, "log/1/7" an object), and the requests about them. What is said of a path holds for it alone:
/// whether the folder is the right one is for <see cref="KoofrRoot"/>.
/// </summary>
/// <remarks>Threads: any.</remarks>
internal sealed class KoofrFolder(KoofrClient client, KoofrPlace place)
{
    /// <summary>What a refusal says of a file that is not there.</summary>
    private const string NotFound = "NotFound";

    /// <summary>What it says where a folder is in its place.</summary>
    private const string NotFile = "NotFile";

    private const string InfoHeader = "X-File-Info";

    private readonly Lock _gate = new();

    // Guarded by _gate. Folders that were made or seen by this process.
    private readonly HashSet<string> _folders = [];
    private volatile KoofrMount? _mount;

    /// <summary>The mount, looked up once.</summary>
    public async ValueTask<KoofrMount> MountAsync(CancellationToken cancellationToken)
    {
        if (_mount is { } known)
        {
            return known;
        }

        using JsonDocument said = (await client.AskAsync("/api/v2.1/places", cancellationToken))!;
        IReadOnlyList<KoofrMount> mounts = KoofrAnswers.MountsOf(said);
        KoofrMount? found = place.Mount is { } wanted
            ? mounts.FirstOrDefault(mount => mount.Id == wanted) ?? mounts.FirstOrDefault(mount => mount.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase))
            : mounts.FirstOrDefault(static mount => mount.IsPrimary);
        return _mount = found ?? throw new StoreException(
            StoreErrorKind.Unreachable,
            isTransient: true,
            $"{place}: the account has no {(place.Mount is null ? "primary mount" : "mount of that name")}, only {string.Join(", ", mounts.Select(static mount => mount.Name))}.");
    }

    /// <summary>The path as events and answers have it.</summary>
    public string PathOf(string path) => path.Length == 0 ? place.Path : $"{place.Path}/{path}";

    /// <summary>What is at a path; null when nothing is.</summary>
    public async Task<KoofrFile?> FindAsync(string path, CancellationToken cancellationToken)
    {
        using JsonDocument? said = await client.AskAsync(await UrlAsync("", "files/info", path, "", cancellationToken), cancellationToken, NotFound);
        return said is null ? null : Named(KoofrAnswers.FileOf(said.RootElement), path);
    }

    /// <summary>What lies right in the store's folder; null when it is not there.</summary>
    public async Task<IReadOnlyList<KoofrFile>?> MembersAsync(CancellationToken cancellationToken)
    {
        using JsonDocument? said = await client.AskAsync(await UrlAsync("", "bundle", "", "", cancellationToken), cancellationToken, NotFound);
        return said is null ? null : KoofrAnswers.FilesOf(said);
    }

    /// <summary>
    /// Gives the answer to a GET of a file (200, 206 or 416), its body not read yet, and what it says of the file, to <paramref name="read"/>. Null when there is none at
    /// the path, or a folder.
    /// </summary>
    public async Task<T?> OpenAsync<T>(
        string path, RangeHeaderValue? range, Func<HttpResponseMessage, KoofrFile?, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        string url = await UrlAsync("/content", "files/get", path, "", cancellationToken);
        using HttpResponseMessage answer = await client.SendAsync(() => new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Range = range } }, cancellationToken);
        if (answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && range is not null)
        {
            return await read(answer, null, cancellationToken);
        }

        if (!await client.IsThereAsync(answer, cancellationToken, NotFound, NotFile))
        {
            return default;
        }

        // A page that somebody else puts in place of the file does not have it.
        if (!answer.Headers.TryGetValues(InfoHeader, out IEnumerable<string>? values))
        {
            throw KoofrErrors.NotUnderstood(place);
        }

        using JsonDocument said = JsonDocument.Parse(values.First());
        return await read(answer, Named(KoofrAnswers.FileOf(said.RootElement), path), cancellationToken);
    }

    /// <summary>The whole file, compared with its MD5; null when there is none at the path.</summary>
    public async Task<byte[]?> GetAsync(string path, int bytesMax, CancellationToken cancellationToken) => await OpenAsync(
        path,
        null,
        async (answer, file, token) =>
        {
            byte[] content = await ObjectBody.ReadAllAsync(answer, path, bytesMax, token);
            return content.Length == file!.Length && (file.Hash ?? HashOf(content)) == HashOf(content)
                ? content
                : throw new StoreException(StoreErrorKind.Malformed, isTransient: true, $"{place} gave other bytes of {path} than it says it has.");
        },
        cancellationToken);

    /// <summary>
    /// Makes a file unless the name is taken: true for the one that made it. What the server says that it got is compared with what was sent; if it is something else, the
    /// right bytes are put over exactly that, and a second time is a failure.
    /// </summary>
    public async Task<bool> PutAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await MakeParentsAsync(path, cancellationToken);
        string hash = HashOf(content.Span);
        if (await PutOnceAsync(path, content, "&overwrite=false", cancellationToken) is not { } made)
        {
            return false;
        }

        if (!IsSent(made, content, hash))
        {
            KoofrFile? again = made.Hash is null ? null : await PutOnceAsync(path, content, $"&overwrite=true&overwriteIfHash={made.Hash}", cancellationToken);
            if (again is null || !IsSent(again, content, hash))
            {
                string what = made.Hash is null ? "does not tell the MD5 of files: a vault needs Koofr's own storage, or another mount" : $"kept other bytes of {path} than it was sent";
                throw new StoreException(StoreErrorKind.Malformed, isTransient: made.Hash is not null, $"{place} {what}.");
            }
        }

        return true;
    }

    /// <summary>Removes exactly the file that was seen; one that is gone is no error.</summary>
    public async Task DeleteAsync(string path, KoofrFile seen, CancellationToken cancellationToken)
    {
        string url = await UrlAsync("", "files/remove", path, seen.Hash is null ? "" : $"&removeIfHash={seen.Hash}", cancellationToken);
        using HttpResponseMessage answer = await client.SendAsync(() => new HttpRequestMessage(HttpMethod.Delete, url), cancellationToken);
        await client.IsThereAsync(answer, cancellationToken, NotFound);
    }

    /// <summary>All files below a folder, as paths below the store's; null when the folder is not there.</summary>
    public async Task<List<(string Path, KoofrFile File)>?> ListAsync(string folder, CancellationToken cancellationToken)
    {
        string url = await UrlAsync("/content", "files/listrecursive", folder, "", cancellationToken);
        using HttpResponseMessage answer = await client.SendAsync(() => new HttpRequestMessage(HttpMethod.Get, url), cancellationToken);
        if (!await client.IsThereAsync(answer, cancellationToken, NotFound, "NotDir"))
        {
            return null;
        }

        List<(string, KoofrFile)> found = [];
        using StreamReader lines = new(await answer.Content.ReadAsStreamAsync(cancellationToken));
        bool isItself = true;
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            if (KoofrAnswers.ListedOf(line, place) is { } listed && listed.File.IsFile)
            {
                found.Add(((folder.Length == 0 ? "" : folder + "/") + listed.Path.TrimStart('/'), listed.File));
            }

            isItself = false;
        }

        // The first line is the folder itself: an answer without any was cut before it began.
        return isItself ? throw KoofrErrors.NotUnderstood(place) : found;
    }

    /// <summary>Makes the store's folder, and what is above it as far as needed.</summary>
    public Task MakeRootAsync(CancellationToken cancellationToken) => MakeFolderAsync(place.Path, cancellationToken);

    [SuppressMessage("Security", "CA5351", Justification = "It finds what the server or the network broke by itself; who changes it on purpose is found out by the vault's seals.")]
    private static string HashOf(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(MD5.HashData(content));

    private static bool IsSent(KoofrFile kept, ReadOnlyMemory<byte> content, string hash) => kept.IsFile && kept.Length == content.Length && kept.Hash == hash;

    // Names there do not know case; whoever says anything else speaks of something else.
    private KoofrFile Named(KoofrFile file, string path) =>
        PathOf(path).EndsWith("/" + file.Name, StringComparison.OrdinalIgnoreCase) ? file : throw KoofrErrors.NotUnderstood(place);

    /// <summary>One put that renames nothing: what the server says that it has now, or null when the condition does not hold.</summary>
    private async Task<KoofrFile?> PutOnceAsync(string path, ReadOnlyMemory<byte> content, string condition, CancellationToken cancellationToken)
    {
        (string folder, string name) = Split(PathOf(path));
        string url = await BaseAsync("/content", "files/put", cancellationToken)
            + $"?path={Uri.EscapeDataString(folder)}&filename={Uri.EscapeDataString(name)}&info=true&size={content.Length}&autorename=false{condition}";
        using HttpResponseMessage answer = await client.SendAsync(() => new HttpRequestMessage(HttpMethod.Post, url) { Content = new ReadOnlyMemoryContent(content) }, cancellationToken);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            lock (_gate)
            {
                _folders.Clear();
            }
        }

        if (!await client.IsThereAsync(answer, cancellationToken, "Conflict", "AlreadyExists"))
        {
            return null;
        }

        using JsonDocument said = await KoofrAnswers.ReadAsync(answer, cancellationToken);
        KoofrFile made = KoofrAnswers.FileOf(said.RootElement);
        return made.Name.Equals(name, StringComparison.OrdinalIgnoreCase) ? made : throw new StoreException(
            StoreErrorKind.Malformed, isTransient: false, $"{place} put {path} under another name ({made.Name}) than it was told: it does not keep a name that is taken.");
    }

    private async Task MakeParentsAsync(string path, CancellationToken cancellationToken)
    {
        string folder = Split(PathOf(path)).Folder;
        if (folder == place.Path)
        {
            return;
        }

        lock (_gate)
        {
            if (_folders.Contains(folder))
            {
                return;
            }
        }

        await MakeFolderAsync(folder, cancellationToken);
        lock (_gate)
        {
            _folders.Add(folder);
        }
    }

    /// <summary>Makes a folder of the mount; one that is there is no error, and one whose parent is missing is made after that.</summary>
    private async Task MakeFolderAsync(string folder, CancellationToken cancellationToken)
    {
        (string parent, string name) = Split(folder);
        string url = await BaseAsync("", "files/folder", cancellationToken) + "?path=" + Uri.EscapeDataString(parent);
        for (bool isSecond = false; ; isSecond = true)
        {
            using HttpResponseMessage answer = await client.SendAsync(
                () => new HttpRequestMessage(HttpMethod.Post, url) { Content = KoofrAnswers.ContentOf(new JsonObject { ["name"] = name }) }, cancellationToken);
            if (answer.StatusCode == HttpStatusCode.Created || isSecond || parent == "/")
            {
                _ = answer.StatusCode == HttpStatusCode.Created || await client.IsThereAsync(answer, cancellationToken, "AlreadyExists", "Conflict");
                return;
            }

            if (await client.IsThereAsync(answer, cancellationToken, "AlreadyExists", "Conflict", NotFound) || answer.StatusCode != HttpStatusCode.NotFound)
            {
                return;
            }

            // Above the store's folder only when that is made: an account without it is another one, or it was moved away.
            if (folder.Length > place.Path.Length && parent.Length <= place.Path.Length)
            {
                throw KoofrRoot.Gone(place);
            }

            await MakeFolderAsync(parent, cancellationToken);
        }
    }

    private static (string Folder, string Name) Split(string path)
    {
        int slash = path.LastIndexOf('/');
        return (slash == 0 ? "/" : path[..slash], path[(slash + 1)..]);
    }

    private async ValueTask<string> BaseAsync(string kind, string what, CancellationToken cancellationToken) =>
        $"{kind}/api/v2.1/mounts/{Uri.EscapeDataString((await MountAsync(cancellationToken)).Id)}/{what}";

    private async ValueTask<string> UrlAsync(string kind, string what, string path, string more, CancellationToken cancellationToken) =>
        $"{await BaseAsync(kind, what, cancellationToken)}?path={Uri.EscapeDataString(PathOf(path))}{more}";
}
