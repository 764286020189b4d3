using System.Net;
using System.Runtime.CompilerServices;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Http;

namespace Drive.Stores.WebDav;

/// <summary>
/// Objects in a folder on a WebDAV server. A name is given to one writer by the step that the server keeps (<see cref="DavSlot"/>); an object is called absent only
/// while the folder's marker is seen (<see cref="DavRoot"/>). Every call is one try.
/// </summary>
/// <remarks>
/// Threads: all calls may run at once. Owns the client. The first call looks for the marker; the first put makes it, where the store may be made.
/// What is put is as durable as the server makes it: mod_dav and the like do not flush their disk.
/// </remarks>
internal sealed class DavStore(DavPlace place, bool create, DavClient client, IRandomSource random) : IObjectStore
{
    private readonly DavFolder _folder = new(client, place, random);
    private readonly SemaphoreSlim _opening = new(1);

    // Set once, under _opening.
    private volatile DavRoot? _root;

    /// <summary>With the step, as soon as it is known.</summary>
    public StoreDescription Description => (_root is { } root ? place with { Slot = root.Slot } : place).Description;

    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string path = name.Value;
        return client.WithinAsync(
            async token =>
            {
                DavRoot root = (await RootAsync(create, token))!;
                await root.RequireAsync(_folder, place, token);
                return await _folder.PublishAsync(StepFor(path, root.Slot), path, content, token);
            },
            cancellationToken);
    }

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) => ReadAsync(
        name.Value, null, async (answer, token) => answer is null ? null : await ObjectBody.ReadAllAsync(answer, name.Value, bytesMax, token), cancellationToken);

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return new(destination.IsEmpty ? EmptyRangeAsync() : ReadAsync<int?>(
            name.Value,
            new(offset, offset + destination.Length - 1),
            async (answer, token) => answer is null ? null : await ObjectBody.ReadRangeAsync(answer, name.Value, offset, destination, token),
            cancellationToken));

        async Task<int?> EmptyRangeAsync() => await GetLengthAsync(name, cancellationToken) is null ? null : 0;
    }

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken)
    {
        string path = name.Value;
        return client.WithinAsync(async token => (await FindSurelyAsync(path, await RootAsync(mayMake: false, token), token))?.Length, cancellationToken);
    }

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken)
    {
        string path = name.Value;
        return client.WithinAsync(
            async token =>
            {
                // Only what is an object: the same request would remove a collection with all that is in it.
                if (await FindSurelyAsync(path, await RootAsync(mayMake: false, token), token) is { } found)
                {
                    await _folder.DeleteAsync(found.Path.EndsWith(DavFolder.Inner, StringComparison.Ordinal) ? path + "/" : path, token);
                }

                return true;
            },
            cancellationToken);
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        Stack<string> collections = [];
        collections.Push(prefix[..(prefix.LastIndexOf('/') + 1)]);
        while (collections.TryPop(out string? collection))
        {
            foreach ((string path, DavResource found) in await client.WithinAsync(token => MembersAsync(collection, token), cancellationToken))
            {
                string name = path.EndsWith(DavFolder.Inner, StringComparison.Ordinal) ? path[..^DavFolder.Inner.Length] : path;
                if (!ObjectName.IsValid(name) || !(name.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(name + "/", StringComparison.Ordinal)))
                {
                    continue;
                }

                if (found.IsCollection)
                {
                    collections.Push(name + "/");
                }
                else if (name.StartsWith(prefix, StringComparison.Ordinal))
                {
                    yield return new ObjectInfo(new ObjectName(name), found.Length);
                }
            }
        }
    }

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => client.WithinAsync(
        async token =>
        {
            await RequireAsync(await RootAsync(mayMake: false, token), token);
            return (await _folder.FindAsync("", 0, token)).FirstOrDefault()?.Space;
        },
        cancellationToken);

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        _opening.Dispose();
        return ValueTask.CompletedTask;
    }

    // Random names never meet: for them any step does that shows no half of an object.
    private static DavSlot StepFor(string path, DavSlot slot) => slot == DavSlot.Folder && IsRandom(path) ? DavSlot.Move : slot;

    private static bool IsRandom(string path) => path.StartsWith("packs/", StringComparison.Ordinal) || path.StartsWith("checkpoints/", StringComparison.Ordinal);

    /// <summary>The marker; null when there is none yet and nothing is to be made.</summary>
    private async ValueTask<DavRoot?> RootAsync(bool mayMake, CancellationToken cancellationToken)
    {
        if (_root is { } known)
        {
            return known;
        }

        await _opening.WaitAsync(cancellationToken);
        try
        {
            DavRoot? root = _root ?? await DavRoot.FindAsync(_folder, place, cancellationToken);
            if (root is null && mayMake)
            {
                root = await DavRoot.MakeAsync(_folder, place, random, cancellationToken);
            }

            if (root is null && !create)
            {
                throw new StoreException(StoreErrorKind.Unreachable, isTransient: true, $"There is no store at {place}: look at the path, and at the server.");
            }

            if (root is not null && place.Slot is { } wanted && wanted != root.Slot)
            {
                throw new StoreException(
                    StoreErrorKind.Denied, isTransient: false, $"{place} was made with slot={root.Slot.ToString().ToLowerInvariant()}: all devices must use the same step, so write that or leave it out.");
            }

            return _root = root;
        }
        finally
        {
            _opening.Release();
        }
    }

    private Task RequireAsync(DavRoot? root, CancellationToken cancellationToken) => root?.RequireAsync(_folder, place, cancellationToken) ?? Task.CompletedTask;

    /// <summary>Reads from the object where it most likely lies, else from where it is found, and else says that it is absent (null).</summary>
    private Task<T> ReadAsync<T>(
        string path, System.Net.Http.Headers.RangeHeaderValue? range, Func<HttpResponseMessage?, CancellationToken, Task<T>> read, CancellationToken cancellationToken) => client.WithinAsync(
        async token =>
        {
            DavRoot? root = await RootAsync(mayMake: false, token);
            string likely = root is not null && StepFor(path, root.Slot) == DavSlot.Folder ? path + DavFolder.Inner : path;
            HttpResponseMessage? answer = await _folder.OpenAsync(likely, range, token);
            if (answer is null && await FindSurelyAsync(path, root, token) is { } found)
            {
                answer = await _folder.OpenAsync(found.Path, range, token)
                    ?? throw new StoreException(StoreErrorKind.Failed, isTransient: true, $"{place} has {path} and does not give it.");
            }

            using (answer)
            {
                return await read(answer, token);
            }
        },
        cancellationToken);

    /// <summary>Where an object lies and its length, or null when it is absent for sure: not there while the marker was, before and after.</summary>
    private async Task<Found?> FindSurelyAsync(string path, DavRoot? root, CancellationToken cancellationToken)
    {
        if (await FindAsync(path, cancellationToken) is { } found)
        {
            return found;
        }

        await RequireAsync(root, cancellationToken);
        if (await FindAsync(path, cancellationToken) is { } appeared)
        {
            return appeared;
        }

        await RequireAsync(root, cancellationToken);
        return null;
    }

    private async Task<Found?> FindAsync(string path, CancellationToken cancellationToken)
    {
        List<DavResource> there = await _folder.FindAsync(path, IsRandom(path) ? 0 : 1, cancellationToken);
        DavResource? own = there.Find(resource => !resource.IsCollection && _folder.Below(resource) is { } below && (below == path || below == path + DavFolder.Inner));
        return own is null ? null : new Found(_folder.Below(own)!, own.Length);
    }

    private async Task<List<(string Path, DavResource Resource)>> MembersAsync(string collection, CancellationToken cancellationToken)
    {
        DavRoot? root = await RootAsync(mayMake: false, cancellationToken);
        List<DavResource> there = await _folder.FindAsync(collection, 1, cancellationToken);
        if (there.Count == 0)
        {
            await RequireAsync(root, cancellationToken);
            there = await _folder.FindAsync(collection, 1, cancellationToken);
        }

        await RequireAsync(root, cancellationToken);
        List<(string, DavResource)> members = [];
        foreach (DavResource resource in there)
        {
            // Only what lies right in it: an answer that leads elsewhere would be followed for ever.
            if (_folder.Below(resource) is { } path && path.StartsWith(collection, StringComparison.Ordinal) && path.Length > collection.Length
                && !path.AsSpan(collection.Length).Contains('/'))
            {
                members.Add((path, resource));
            }
        }

        return members;
    }

    private sealed record Found(string Path, long Length);
}
