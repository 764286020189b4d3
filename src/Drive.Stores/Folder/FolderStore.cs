using System.Runtime.CompilerServices;
using Drive.Core;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores.Calls;

namespace Drive.Stores.Folder;

/// <summary>
/// A store in a folder: one file per object. A put writes and syncs a temporary file, gives it its name with link(2) (of racing callers one wins)
/// and syncs the directories, so a name never shows half an object. An object is called absent only while the folder's marker is seen.
/// </summary>
/// <remarks>Threads: all calls may run at once, also from several processes on one folder. Owns its lock and its open files.</remarks>
public sealed class FolderStore : IObjectStore, IExclusiveStore, IWatchedStore
{
    private const string LockName = ".lock";

    // Packs are read again and again in small ranges; 64 open ones cover the files that people have open at a time (arbitrary).
    private const int OpenFilesMax = 64;

    private readonly IDisk _disk;
    private readonly StoreRoot _root;
    private readonly OpenFiles _files;
    private readonly IRandomSource _random;
    private readonly Lock _gate = new();

    // Guarded by _gate. Directories whose own names this process has made durable.
    private readonly HashSet<string> _durableDirectories = [];

    // Guarded by _gate. Made at the first put, so that a read-only folder can be read.
    private TemporaryFolder? _temporary;

    private FolderStore(IDisk disk, StoreRoot root, IRandomSource random)
    {
        _disk = disk;
        _root = root;
        _random = random;
        _files = new OpenFiles(path => disk.Open(path, DiskOpenMode.Read), OpenFilesMax);
        Description = new StoreDescription(root.Path, IsLocal: true);
    }

    public StoreDescription Description { get; }

    /// <summary>
    /// The store in a folder. Without <paramref name="create"/> a folder that is not a store yet is <see cref="StoreErrorKind.Unreachable"/>:
    /// it looks just like a disk that is not mounted.
    /// </summary>
    public static FolderStore Open(IDisk disk, string path, bool create, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(disk);
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        try
        {
            return new FolderStore(disk, StoreRoot.Open(disk, full, create, random), random);
        }
        catch (IOException exception)
        {
            throw StoreErrors.FromDisk(exception, full);
        }
    }

    /// <summary>Once begun, a put is not cancelled, unless the user's limit holds it back.</summary>
    public Task<bool> PutIfAbsentAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        Task.Run(() => GuardAsync(() => PutAsync(PathOf(name), content, cancellationToken)), cancellationToken);

    public Task<byte[]?> GetAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken) =>
        Task.Run(() => GuardAsync(() => ReadAllAsync(name, bytesMax, cancellationToken)), cancellationToken);

    public ValueTask<int?> GetRangeAsync(ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int?>(cancellationToken);
        }

        if (StoreCall.Current is { RateDown: not null } call)
        {
            return new(GuardAsync(() => GetRangeAtPaceAsync(PathOf(name), offset, destination, call, cancellationToken)));
        }

        try
        {
            return ValueTask.FromResult(GetRange(PathOf(name), offset, destination.Span));
        }
        catch (IOException exception)
        {
            return ValueTask.FromException<int?>(StoreErrors.FromDisk(exception, _root.Path));
        }
        catch (StoreException exception)
        {
            return ValueTask.FromException<int?>(exception);
        }
    }

    public Task<long?> GetLengthAsync(ObjectName name, CancellationToken cancellationToken) =>
        Task.Run(() => Guard(() => GetLength(name)), cancellationToken);

    public Task DeleteAsync(ObjectName name, CancellationToken cancellationToken) =>
        Task.Run(() => Guard(() => Delete(PathOf(name))), cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => ListAsync(prefix, "", cancellationToken);

    /// <summary>
    /// As the other, in order: names as lists of parts, parts by their characters. Only names behind <paramref name="after"/> are given, and folders that lie wholly before
    /// it are not looked into, so that a listing can be gone on with.
    /// </summary>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, string after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentNullException.ThrowIfNull(after);
        Stack<(string Folder, Queue<string> Names)> open = new();
        await OpenAsync(prefix[..(prefix.LastIndexOf('/') + 1)]);
        while (open.TryPeek(out (string Folder, Queue<string> Names) inner))
        {
            if (!inner.Names.TryDequeue(out string? name))
            {
                open.Pop();
                continue;
            }

            cancellationToken.ThrowIfCancellationRequested();
            string full = inner.Folder + name;
            if (!ObjectName.IsValid(full) || !IsUnder(full, prefix) || IsBefore(full, after))
            {
                continue;
            }

            string path = Path.Combine(_root.Path, full);
            if (Guard(() => _disk.DirectoryExists(path)))
            {
                await OpenAsync(full + "/");
            }
            else if (full != after && full.StartsWith(prefix, StringComparison.Ordinal) && Guard(() => TryGetLength(path)) is { } length)
            {
                yield return new ObjectInfo(new ObjectName(full), length);
            }
        }

        async Task OpenAsync(string folder) =>
            open.Push((folder, new Queue<string>((await Task.Run(() => Guard(() => ListFolder(folder)), cancellationToken)).Order(StringComparer.Ordinal))));
    }

    public Task<StoreSpace?> GetSpaceAsync(CancellationToken cancellationToken) =>
        Task.Run<StoreSpace?>(
            () => Guard(() =>
            {
                RequireRoot();
                (long total, long free) = _disk.GetSpace(_root.Path);
                return new StoreSpace(total, free);
            }),
            cancellationToken);

    public IDisposable? TryLock(string holderText, out string? holder)
    {
        try
        {
            return _disk.TryLock(Path.Combine(_root.Path, LockName), holderText, out holder);
        }
        catch (IOException exception)
        {
            throw StoreErrors.FromDisk(exception, _root.Path);
        }
    }

    /// <summary>Through the disk; nothing is watched when the folder is away now.</summary>
    public IDisposable Watch(string prefix, Action changed)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentNullException.ThrowIfNull(changed);

        // A folder on the way to the prefix is told of too: what appears in one that is just made may be missed.
        return _disk.Watch(_root.Path, path =>
        {
            string name = path.Length > _root.Path.Length ? path[(_root.Path.Length + 1)..] : "";
            if (IsUnder(name, prefix) || name.Length == 0)
            {
                changed();
            }
        });
    }

    public ValueTask DisposeAsync()
    {
        _files.Dispose();
        lock (_gate)
        {
            _temporary?.Dispose();
            _temporary = null;
        }

        return ValueTask.CompletedTask;
    }

    private string PathOf(ObjectName name) => Path.Combine(_root.Path, name.Value);

    private async Task<bool> PutAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        RequireRoot();
        string parent = Path.GetDirectoryName(path)!;
        using (IDiskFile? taken = _disk.Open(path, DiskOpenMode.Read))
        {
            if (taken is not null && Mistakes.Has(Mistake.StoreOverwrites))
            {
                _disk.Delete(path);
            }
            else if (taken is not null)
            {
                // Whoever made it may not have synced the name yet, and our caller will build on it.
                MakeDurable(parent);
                _disk.SyncDirectory(parent);
                return false;
            }
        }

        TemporaryFolder temporary = OpenTemporary();
        MakeDurable(parent);
        string written = await temporary.WriteAsync(content, cancellationToken);
        try
        {
            bool isMade = _disk.TryLink(written, path);
            if (!Mistakes.Has(Mistake.StoreNameNotFlushed))
            {
                _disk.SyncDirectory(parent);
            }

            return isMade;
        }
        finally
        {
            temporary.Remove(written);
        }
    }

    private async Task<byte[]?> ReadAllAsync(ObjectName name, int bytesMax, CancellationToken cancellationToken)
    {
        string path = PathOf(name);
        using IDiskFile? file = Find(() => _disk.Open(path, DiskOpenMode.Read));
        if (file is null)
        {
            return null;
        }

        long length = file.Length;
        if (length > bytesMax)
        {
            throw StoreErrors.TooLarge(name, length, bytesMax);
        }

        byte[] content = new byte[length];
        return await ReadAtPaceAsync(file, 0, content, StoreCall.Current, cancellationToken) == length
            ? content
            : throw new StoreException(StoreErrorKind.Malformed, isTransient: true, $"{path} became shorter while it was read.");
    }

    private int? GetRange(string path, long offset, Span<byte> destination)
    {
        using (OpenFiles.Lease lease = _files.Rent(path))
        {
            if (lease.File is { } file)
            {
                return file.Read(offset, destination);
            }
        }

        using IDiskFile? found = Find(() => _disk.Open(path, DiskOpenMode.Read));
        return found?.Read(offset, destination);
    }

    private async Task<int?> GetRangeAtPaceAsync(string path, long offset, Memory<byte> destination, StoreCall call, CancellationToken cancellationToken)
    {
        using (OpenFiles.Lease lease = _files.Rent(path))
        {
            if (lease.File is { } file)
            {
                return await ReadAtPaceAsync(file, offset, destination, call, cancellationToken);
            }
        }

        using IDiskFile? found = Find(() => _disk.Open(path, DiskOpenMode.Read));
        return found is null ? null : await ReadAtPaceAsync(found, offset, destination, call, cancellationToken);
    }

    /// <summary>As much as there is, piece by piece where the user has a limit.</summary>
    private static async ValueTask<int> ReadAtPaceAsync(IDiskFile file, long offset, Memory<byte> destination, StoreCall? call, CancellationToken cancellationToken)
    {
        int done = 0;
        while (done < destination.Length)
        {
            int asked = Math.Min(destination.Length - done, call?.PieceDown ?? destination.Length);
            int read = file.Read(offset + done, destination.Span.Slice(done, asked));
            done += read;
            if (call is not null)
            {
                call.Note(read);
                await call.TakeDownAsync(read, cancellationToken);
            }

            if (read < asked)
            {
                break;
            }
        }

        return done;
    }

    private long? GetLength(ObjectName name)
    {
        string path = PathOf(name);
        using IDiskFile? file = Find(() => _disk.Open(path, DiskOpenMode.Read));
        return file?.Length;
    }

    private long? TryGetLength(string path)
    {
        using IDiskFile? file = _disk.Open(path, DiskOpenMode.Read);
        return file?.Length;
    }

    private bool Delete(string path)
    {
        RequireRoot();
        _files.Drop(path);
        bool wasThere = _disk.Delete(path);
        if (!wasThere)
        {
            RequireRoot();
        }
        else
        {
            _disk.SyncDirectory(Path.GetDirectoryName(path)!);
        }

        return wasThere;
    }

    private IReadOnlyList<string> ListFolder(string folder)
    {
        IReadOnlyList<string> names = _disk.List(Path.Combine(_root.Path, folder));
        RequireRoot();
        return names;
    }

    /// <summary>The file, or null when it is absent for sure: not there while the marker was, before and after.</summary>
    private IDiskFile? Find(Func<IDiskFile?> open)
    {
        if (open() is { } file)
        {
            return file;
        }

        RequireRoot();
        if (open() is { } appeared)
        {
            return appeared;
        }

        RequireRoot();
        return null;
    }

    private void RequireRoot()
    {
        if (!_root.IsPresent() && !Mistakes.Has(Mistake.StoreGoneIsEmpty))
        {
            throw new StoreException(StoreErrorKind.Unreachable, isTransient: true, $"The store in {_root.Path} is gone. Is its disk still mounted?");
        }
    }

    private TemporaryFolder OpenTemporary()
    {
        lock (_gate)
        {
            return _temporary ??= TemporaryFolder.Open(_disk, _root.Path, _random);
        }
    }

    // Another process may have made a directory and not synced it yet, so each is made sure of once by each process.
    private void MakeDurable(string directory)
    {
        lock (_gate)
        {
            if (directory == _root.Path || _durableDirectories.Contains(directory))
            {
                return;
            }
        }

        string parent = Path.GetDirectoryName(directory)!;
        MakeDurable(parent);
        _disk.CreateDirectory(directory);
        _disk.SyncDirectory(parent);
        lock (_gate)
        {
            _durableDirectories.Add(directory);
        }
    }

    private static bool IsUnder(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(name + "/", StringComparison.Ordinal);

    // "a/b" comes before "a-b": a slash ends a part, and the shorter part is the first.
    private static bool IsBefore(string name, string after) =>
        !after.StartsWith(name + "/", StringComparison.Ordinal) && string.CompareOrdinal(name.Replace('/', '\0'), after.Replace('/', '\0')) < 0;

    private async Task<T> GuardAsync<T>(Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (IOException exception)
        {
            throw StoreErrors.FromDisk(exception, _root.Path);
        }
    }

    private T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (IOException exception)
        {
            throw StoreErrors.FromDisk(exception, _root.Path);
        }
    }
}
