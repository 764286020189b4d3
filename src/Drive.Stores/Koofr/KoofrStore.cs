using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Http;

namespace Drive.Stores.Koofr;

/// <summary>
/// Objects in a folder of a Koofr account, by its REST API v2.1. A name is given to one writer by a put that may not rename or overwrite; an object is called absent only
/// while the folder's marker is seen (<see cref="KoofrRoot"/>). Every call is one try.
/// </summary>
/// <remarks>Threads: all calls may run at once. Owns the client and its watches. The first call signs in and looks for the marker; the first put makes it, where the store may be made.</remarks>
internal sealed class KoofrStore(KoofrPlace place, bool create, KoofrClient client, TimeProvider time, IRandomSource random) : IObjectStore, IWatchedStore
{
    private readonly KoofrFolder _folder = new(client, place);
    private readonly SemaphoreSlim _opening = new(1);
    private readonly StoreWatches _watches = new();

    // Set once, under _opening.
    private volatile KoofrRoot? _root;

    public StoreDescription Description => place.Description;

    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string path = name.Value;
        return client.WithinAsync(
            async token =>
            {
                KoofrRoot root = (await RootAsync(create, token))!;
                await root.RequireAsync(_folder, place, token);
                return await _folder.PutAsync(path, content, token);
            },
            cancellationToken);
    }

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken)
    {
        string path = name.Value;
        return SurelyAsync(token => _folder.GetAsync(path, bytesMax, token), cancellationToken);
    }

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        string path = name.Value;
        return new(destination.IsEmpty ? GetNothingAsync() : SurelyAsync(
            token => _folder.OpenAsync<int?>(
                path,
                new RangeHeaderValue(offset, offset > long.MaxValue - destination.Length ? null : offset + destination.Length - 1),
                async (answer, file, body) => file is null ? AfterEnd(answer, path, offset) : await ReadRangeAsync(answer, file, path, offset, destination, body),
                token),
            cancellationToken));

        async Task<int?> GetNothingAsync() => await GetLengthAsync(name, cancellationToken) is null ? null : 0;
    }

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken)
    {
        string path = name.Value;
        return SurelyAsync<long?>(async token => await _folder.FindAsync(path, token) is { IsFile: true } found ? found.Length : null, cancellationToken);
    }

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken)
    {
        string path = name.Value;
        return SurelyAsync<bool?>(
            async token =>
            {
                // Only what is a file: the same request would remove a folder with all that is in it.
                if (await _folder.FindAsync(path, token) is not { IsFile: true } found)
                {
                    return null;
                }

                await _folder.DeleteAsync(path, found, token);
                return true;
            },
            cancellationToken);
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        string folder = prefix[..Math.Max(0, prefix.LastIndexOf('/'))];
        if (folder.Length > 0 && !ObjectName.IsValid(folder))
        {
            yield break;
        }

        foreach ((string path, KoofrFile file) in await SurelyAsync(token => _folder.ListAsync(folder, token), cancellationToken) ?? [])
        {
            if (path.StartsWith(prefix, StringComparison.Ordinal) && ObjectName.IsValid(path))
            {
                yield return new ObjectInfo(new ObjectName(path), file.Length);
            }
        }
    }

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) => client.WithinAsync(
        async token =>
        {
            string mount = (await _folder.MountAsync(token)).Id;
            using JsonDocument said = (await client.AskAsync($"/api/v2.1/mounts/{Uri.EscapeDataString(mount)}", token))!;
            return KoofrAnswers.MountOf(said.RootElement).Space;
        },
        cancellationToken);

    public IDisposable Watch(string prefix, Action changed)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentNullException.ThrowIfNull(changed);
        return _watches.Add(new KoofrWatch(client, _folder, prefix, changed, time, random));
    }

    public async ValueTask DisposeAsync()
    {
        await _watches.DisposeAsync();
        client.Dispose();
        _opening.Dispose();
    }

    /// <summary>The marker; null when there is none yet and nothing is to be made.</summary>
    private async ValueTask<KoofrRoot?> RootAsync(bool mayMake, CancellationToken cancellationToken)
    {
        if (_root is { } known)
        {
            return known;
        }

        await _opening.WaitAsync(cancellationToken);
        try
        {
            KoofrRoot? root = _root ?? await KoofrRoot.FindAsync(_folder, place, cancellationToken);
            if (root is null && mayMake)
            {
                root = await KoofrRoot.MakeAsync(_folder, place, random, cancellationToken);
            }

            if (root is null && !create)
            {
                throw new StoreException(StoreErrorKind.Unreachable, isTransient: true, $"There is no store at {place}: look at the path, and at the account.");
            }

            return _root = root;
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>What <paramref name="look"/> finds; nothing (null) only when the marker was there before and after it looked again.</summary>
    private Task<T?> SurelyAsync<T>(Func<CancellationToken, Task<T?>> look, CancellationToken cancellationToken) => client.WithinAsync(
        async token =>
        {
            KoofrRoot? root = await RootAsync(mayMake: false, token);
            if (await look(token) is { } found)
            {
                return found;
            }

            await (root?.RequireAsync(_folder, place, token) ?? Task.CompletedTask);
            if (await look(token) is { } appeared)
            {
                return appeared;
            }

            await (root?.RequireAsync(_folder, place, token) ?? Task.CompletedTask);
            return default;
        },
        cancellationToken);

    private async Task<int?> ReadRangeAsync(HttpResponseMessage answer, KoofrFile file, string path, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if ((answer.Content.Headers.ContentRange?.Length ?? file.Length) != file.Length || (answer.StatusCode == HttpStatusCode.OK && (answer.Content.Headers.ContentLength ?? file.Length) != file.Length))
        {
            throw KoofrErrors.NotUnderstood(place);
        }

        int read = await ObjectBody.ReadRangeAsync(answer, path, offset, destination, cancellationToken);
        return read == Math.Clamp(file.Length - offset, 0, destination.Length) ? read : throw KoofrErrors.NotUnderstood(place);
    }

    // 416 is right only for what begins behind the end.
    private int? AfterEnd(HttpResponseMessage answer, string path, long offset) =>
        answer.Content.Headers.ContentRange is { HasRange: false, Length: { } length } && offset >= length
            ? 0
            : throw new StoreException(StoreErrorKind.Malformed, isTransient: false, $"{place} refuses a part of {path} without saying that it begins behind the end.");
}
