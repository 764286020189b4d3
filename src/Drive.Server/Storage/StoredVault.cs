using System.Collections.Concurrent;
using System.Security.Cryptography;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Folder;

namespace Drive.Server.Storage;

/// <summary>One vault of one user: a folder store, the record of its sums, and who watches it.</summary>
/// <remarks>Threads: all calls may run at once. A name is made or removed by one at a time, so that lines and objects come in the same order.</remarks>
internal sealed class StoredVault : IAsyncDisposable
{
    // Arbitrary: so many names at once.
    private const int NamesAtOnce = 64;

    private const int HashBytes = 1 << 20;

    private readonly SemaphoreSlim[] _names = [.. Enumerable.Range(0, NamesAtOnce).Select(static _ => new SemaphoreSlim(1))];
    private readonly ConcurrentDictionary<Watcher, byte> _watchers = new();
    private readonly SumJournal _sums;

    private StoredVault(FolderStore store, SumJournal sums, UserSpace space)
    {
        Store = store;
        _sums = sums;
        Space = space;
    }

    /// <summary>For reading. Whoever changes something asks the vault.</summary>
    public FolderStore Store { get; }

    /// <summary>The room of the user whose vault it is.</summary>
    public UserSpace Space { get; }

    /// <summary>
    /// The vault in a folder. Its objects are counted, and those that have no line in the record (a crash came between, or somebody copied them there) get one.
    /// </summary>
    public static async Task<StoredVault> OpenAsync(IDisk disk, string folder, bool create, UserSpace space, IRandomSource random, CancellationToken cancellationToken)
    {
        FolderStore store = FolderStore.Open(disk, folder, create, random);
        HashSet<string> known = [];
        SumJournal sums = SumJournal.Open(disk, folder, record =>
        {
            _ = record.Sum is null ? known.Remove(record.Name.Value) : known.Add(record.Name.Value);
        });
        StoredVault vault = new(store, sums, space);
        try
        {
            await foreach (ObjectInfo found in store.ListAsync("", cancellationToken))
            {
                space.Count(found.Length);
                if (!known.Contains(found.Name.Value))
                {
                    await sums.AppendAsync(SumRecord.Made(found.Name, found.Length, await SumOfAsync(store, found, cancellationToken)));
                }
            }
        }
        catch
        {
            await vault.DisposeAsync();
            throw;
        }

        return vault;
    }

    /// <summary>
    /// Makes an object unless the name is taken; whole, durable and recorded when this returns true. <see cref="UndecidedException"/>: it is there, and its record may not be.
    /// Cancelling is ignored once it has begun.
    /// </summary>
    public async Task<bool> PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string sum = Convert.ToHexStringLower(SHA256.HashData(content.Span));
        SemaphoreSlim gate = GateOf(name);
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (!await Store.PutIfAbsentAsync(name, content, CancellationToken.None))
            {
                return false;
            }

            try
            {
                await _sums.AppendAsync(SumRecord.Made(name, content.Length, sum));
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException)
            {
                throw new UndecidedException(exception);
            }
        }
        finally
        {
            gate.Release();
        }

        foreach (Watcher watcher in _watchers.Keys)
        {
            watcher.Tell(name);
        }

        return true;
    }

    /// <summary>Removes an object for good. False: there was none.</summary>
    public async Task<bool> DeleteAsync(ObjectName name, CancellationToken cancellationToken)
    {
        SemaphoreSlim gate = GateOf(name);
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (await Store.GetLengthAsync(name, CancellationToken.None) is not { } length)
            {
                return false;
            }

            await _sums.AppendAsync(SumRecord.Removed(name));
            await Store.DeleteAsync(name, CancellationToken.None);
            Space.Give(length);
            return true;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Somebody who is told of what is made below the prefix, until disposed.</summary>
    public Watcher Watch(string prefix)
    {
        Watcher watcher = new(prefix, ended => _watchers.TryRemove(ended, out _));
        _watchers.TryAdd(watcher, 0);
        return watcher;
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        _sums.Dispose();
    }

    private SemaphoreSlim GateOf(ObjectName name) => _names[(uint)name.Value.GetHashCode(StringComparison.Ordinal) % NamesAtOnce];

    private static async Task<string> SumOfAsync(FolderStore store, ObjectInfo found, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[Math.Min(HashBytes, Math.Max(1, found.Length))];
        for (long offset = 0; offset < found.Length;)
        {
            int length = await store.GetRangeAsync(found.Name, offset, buffer, cancellationToken) ?? 0;
            if (length == 0)
            {
                throw new IOException($"{found.Name} went away while it was read: is somebody else at work in {store.Description.Url}?");
            }

            hash.AppendData(buffer, 0, length);
            offset += length;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>An object was made, and its record may be missing until the next start: the caller cannot be told that all is well.</summary>
internal sealed class UndecidedException(Exception inner) : Exception("The record of sums could not be written: " + inner.Message, inner);
