using System.Net;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Folder;
using Drive.Stores.Http;

namespace Drive.Stores.WebDav;

/// <summary>
/// The folder of a store as paths below its root, and the steps that give a path to one writer. Paths end with a slash for collections.
/// </summary>
/// <remarks>Threads: any. Owns the client.</remarks>
internal sealed class DavFolder(DavClient client, DavPlace place, IRandomSource random) : IDisposable
{
    // Characters that no object name has, so nothing of ours meets an object.
    public const string MarkerName = "_store";
    public const string TemporaryName = "_tmp";

    /// <summary>The object in a collection that was moved to its name.</summary>
    public const string Inner = "/_object";

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _making = new(1);

    // Guarded by _gate. Collections that were made or seen by this process.
    private readonly HashSet<string> _collections = [];

    /// <summary>What is at a path (or a URL of the server), and with <paramref name="depth"/> 1 in it; empty when nothing is.</summary>
    public async Task<List<DavResource>> FindAsync(string path, int depth, CancellationToken cancellationToken)
    {
        while (true)
        {
            using HttpRequestMessage request = DavProperties.Request(At(path), depth);
            using HttpResponseMessage answer = await client.SendAsync(request, cancellationToken);
            switch (answer.StatusCode)
            {
                case HttpStatusCode.MultiStatus:
                    await using (Stream body = await answer.Content.ReadAsStreamAsync(cancellationToken))
                    {
                        return await DavProperties.ReadAsync(body, request.RequestUri!, cancellationToken);
                    }

                // Some want the slash behind a collection, and say so.
                case HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
                    when !path.EndsWith('/') && answer.Headers.Location?.OriginalString.EndsWith('/') == true:
                    path += "/";
                    continue;
                case HttpStatusCode.NotFound or HttpStatusCode.Gone:
                    return [];
                default:
                    throw DavErrors.From(request.Method, answer.StatusCode, place);
            }
        }
    }

    /// <summary>A path below the root for a resource that a server told of; null for what lies elsewhere.</summary>
    public string? Below(DavResource resource)
    {
        string root = DavProperties.PathOf(place.Root);
        return resource.Path == root ? "" : resource.Path.StartsWith(root + "/", StringComparison.Ordinal) ? resource.Path[(root.Length + 1)..] : null;
    }

    public async Task<bool> ExistsAsync(string path, CancellationToken cancellationToken) => (await FindAsync(path, 0, cancellationToken)).Count > 0;

    /// <summary>The object at a path; null when there is none, or a collection.</summary>
    public async Task<byte[]?> GetAsync(string path, int bytesMax, CancellationToken cancellationToken)
    {
        using HttpResponseMessage? answer = await OpenAsync(path, null, cancellationToken);
        return answer is null ? null : await ObjectBody.ReadAllAsync(answer, path, bytesMax, cancellationToken);
    }

    /// <summary>The answer to a GET that found an object (200, 206 or 416), its body not read yet; null when there is none at the path, or a collection.</summary>
    public async Task<HttpResponseMessage?> OpenAsync(string path, System.Net.Http.Headers.RangeHeaderValue? range, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, At(path));
        request.Headers.Range = range;
        HttpResponseMessage answer = await client.SendAsync(request, cancellationToken);
        switch (answer.StatusCode)
        {
            case HttpStatusCode.OK:
            case HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable when range is not null:
                return answer;

            // The last three: a collection. Whether there is one is asked for by PROPFIND.
            case HttpStatusCode.NotFound or HttpStatusCode.Gone or HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.MethodNotAllowed:
                answer.Dispose();
                return null;
            default:
                answer.Dispose();
                throw DavErrors.From(HttpMethod.Get, answer.StatusCode, place);
        }
    }

    /// <summary>Makes the root, and what is above it as far as needed.</summary>
    public Task MakeRootAsync(CancellationToken cancellationToken) => MakeCollectionAsync(place.Root, cancellationToken);

    /// <summary>A new path for what has no name yet.</summary>
    public string NewTemporary() => $"{TemporaryName}/{StoreRoot.NewId(random)}";

    /// <summary>Makes the collections above a path, once by each process.</summary>
    public async Task MakeParentsAsync(string path, CancellationToken cancellationToken)
    {
        int slash = path.TrimEnd('/').LastIndexOf('/');
        string parent = slash < 0 ? "" : path[..slash];
        lock (_gate)
        {
            if (parent.Length == 0 || _collections.Contains(parent))
            {
                return;
            }
        }

        // One at a time: rclone refuses the second of two that make the same one.
        await _making.WaitAsync(cancellationToken);
        try
        {
            await MakeCollectionAsync(At(parent + "/"), cancellationToken);
        }
        finally
        {
            _making.Release();
        }

        lock (_gate)
        {
            _collections.Add(parent);
        }
    }

    /// <summary>One PUT into a collection that is there, and its status.</summary>
    public async Task<HttpStatusCode> PutOnceAsync(string path, HttpContent content, bool isConditional, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(HttpMethod.Put, At(path)) { Content = content };
        if (isConditional)
        {
            request.Headers.IfNoneMatch.Add(System.Net.Http.Headers.EntityTagHeaderValue.Any);
        }

        return await client.AskAsync(request, cancellationToken);
    }

    /// <summary>Gives a path to the content, if it is free: true for the one that got it. A failure may still have done it.</summary>
    public Task<bool> PublishAsync(DavSlot step, string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        step == DavSlot.Put ? PutIfFreeAsync(path, content, cancellationToken) : MoveIfFreeAsync(step, path, content, cancellationToken);

    /// <summary>Puts content under a temporary path from where <see cref="MoveAsync"/> takes it.</summary>
    public async Task<string> PrepareAsync(DavSlot step, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string temporary = NewTemporary() + (step == DavSlot.Folder ? "/" : "");
        string path = temporary.TrimEnd('/') + (step == DavSlot.Folder ? Inner : "");
        await MakeParentsAsync(temporary, cancellationToken);
        if (step == DavSlot.Folder)
        {
            await MakeCollectionAsync(At(temporary), cancellationToken);
        }

        HttpStatusCode status = await PutOnceAsync(path, new ReadOnlyMemoryContent(content), isConditional: false, cancellationToken);
        if (status is HttpStatusCode.Created or HttpStatusCode.NoContent or HttpStatusCode.OK)
        {
            return temporary;
        }

        Forget(temporary);
        throw DavErrors.From(HttpMethod.Put, status, place);
    }

    /// <summary>One MOVE with <c>Overwrite: F</c>, and its status.</summary>
    public Task<HttpStatusCode> MoveAsync(string from, string to, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(DavClient.Move, At(from));
        request.Headers.Add("Destination", At(to).AbsoluteUri);
        request.Headers.Add("Overwrite", "F");
        return client.AskAsync(request, cancellationToken);
    }

    /// <summary>Whether a MOVE did it. 207 is a list of what it did not do.</summary>
    public static bool IsMoved(HttpStatusCode status) => status is HttpStatusCode.Created or HttpStatusCode.NoContent or HttpStatusCode.OK;

    /// <summary>Removes what is at a path; nothing there is no error.</summary>
    public async Task DeleteAsync(string path, CancellationToken cancellationToken)
    {
        HttpStatusCode status = await client.AskAsync(new HttpRequestMessage(HttpMethod.Delete, At(path)), cancellationToken);
        if (status is not (HttpStatusCode.OK or HttpStatusCode.NoContent or HttpStatusCode.Accepted or HttpStatusCode.NotFound))
        {
            throw DavErrors.From(HttpMethod.Delete, status, place);
        }
    }

    /// <summary>Removes a temporary path that nothing moves any more. What cannot be removed stays, and is no harm: nobody will meet its random name.</summary>
    public async Task DropAsync(string temporary)
    {
        try
        {
            await client.WithinAsync(
                async token =>
                {
                    await DeleteAsync(temporary, token);
                    return true;
                },
                CancellationToken.None);
        }
        catch (StoreException)
        {
            // What is to be said of the object itself counts more.
        }
    }

    public void Dispose()
    {
        _making.Dispose();
        client.Dispose();
    }

    private Uri At(string path) => new(place.Root, path);

    private async Task<bool> PutIfFreeAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await MakeParentsAsync(path, cancellationToken);
        HttpStatusCode status = await PutOnceAsync(path, new ReadOnlyMemoryContent(content), isConditional: true, cancellationToken);
        switch (status)
        {
            case HttpStatusCode.Created:
                return true;
            case HttpStatusCode.PreconditionFailed:
                return false;

            // "Replaced": what must never happen to a name that another has.
            case HttpStatusCode.OK or HttpStatusCode.NoContent:
                throw new StoreException(StoreErrorKind.Malformed, isTransient: false, $"{place} replaced {path} though it was told not to: it is not safe with slot=put.");
            default:
                Forget(path);
                throw DavErrors.From(HttpMethod.Put, status, place);
        }
    }

    private async Task<bool> MoveIfFreeAsync(DavSlot step, string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string target = step == DavSlot.Folder ? path + "/" : path;
        await MakeParentsAsync(target, cancellationToken);
        string temporary = await PrepareAsync(step, content, cancellationToken);
        HttpStatusCode status = await MoveAsync(temporary, target, cancellationToken);
        if (IsMoved(status))
        {
            return true;
        }

        // Servers have many words for "taken" (412, 405, 423, 500, 207). It is meant when the name has an object while ours has not moved, asked for in this order.
        // Otherwise the move may still be under way, and the temporary one is left: emptying a collection on its way would publish an empty one.
        bool isTaken = status == HttpStatusCode.PreconditionFailed || (await ExistsAsync(target, cancellationToken) && await ExistsAsync(temporary, cancellationToken));
        if (isTaken)
        {
            await DropAsync(temporary);
            return false;
        }

        Forget(target);
        throw DavErrors.From(DavClient.Move, status, place);
    }

    private async Task MakeCollectionAsync(Uri uri, CancellationToken cancellationToken)
    {
        HttpStatusCode status = await client.AskAsync(new HttpRequestMessage(DavClient.MakeCollection, uri), cancellationToken);
        Uri above = new(uri, "..");
        if (status is HttpStatusCode.NotFound or HttpStatusCode.Conflict && above != uri)
        {
            await MakeCollectionAsync(above, cancellationToken);
            status = await client.AskAsync(new HttpRequestMessage(DavClient.MakeCollection, uri), cancellationToken);
        }

        // Most say 405 when it is there; Apache says 403 to the second of two that make it at once.
        if (status is not (HttpStatusCode.Created or HttpStatusCode.MethodNotAllowed) && (await FindAsync(uri.AbsoluteUri, 0, cancellationToken)).Count == 0)
        {
            throw DavErrors.From(DavClient.MakeCollection, status, place);
        }
    }

    // After a failure: parents may have gone, and the next try makes them anew.
    private void Forget(string path)
    {
        lock (_gate)
        {
            _collections.RemoveWhere(made => path.StartsWith(made + "/", StringComparison.Ordinal));
        }
    }
}
