using System.Globalization;
using Drive.Core;
using Drive.Core.Platform;
using Drive.Stores.Calls;

namespace Drive.Stores.Folder;

/// <summary>
/// Where a store writes objects before they get their names: a directory of its own for each open store, with a lock beside it that ends
/// with the process. What lies beside a lock that nobody holds is from the dead, and is removed when a store is opened.
/// </summary>
internal sealed class TemporaryFolder : IDisposable
{
    private const string FolderName = ".tmp";
    private const string LockSuffix = ".lock";

    private readonly IDisk _disk;
    private readonly string _path;
    private readonly string _lockPath;
    private readonly IDisposable _lock;
    private long _counter;

    private TemporaryFolder(IDisk disk, string path, string lockPath, IDisposable @lock)
    {
        _disk = disk;
        _path = path;
        _lockPath = lockPath;
        _lock = @lock;
    }

    public static TemporaryFolder Open(IDisk disk, string root, IRandomSource random)
    {
        string all = Path.Combine(root, FolderName);
        disk.CreateDirectory(all);
        CleanAfterTheDead(disk, all);
        while (true)
        {
            // The lock comes first, so nobody ever sees the directory without its lock held. A cleaner may hold the new lock for a moment:
            // then another name is taken.
            string path = Path.Combine(all, StoreRoot.NewId(random));
            if (disk.TryLock(path + LockSuffix, "", out _) is { } @lock)
            {
                disk.CreateDirectory(path);
                return new TemporaryFolder(disk, path, path + LockSuffix, @lock);
            }
        }
    }

    /// <summary>A new file with these bytes, durable as bytes but not by name. Cancelled only while the user's limit holds it back: then it has left nothing.</summary>
    public async ValueTask<string> WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string path = Path.Combine(_path, Interlocked.Increment(ref _counter).ToString(CultureInfo.InvariantCulture));
        using IDiskFile file = _disk.Open(path, DiskOpenMode.CreateNew) ?? throw new IOException($"{path} exists already");
        try
        {
            StoreCall? call = StoreCall.Current;
            for (int offset = 0, bytes; offset < content.Length; offset += bytes)
            {
                bytes = Math.Min(content.Length - offset, call?.PieceUp ?? content.Length);
                if (call is not null)
                {
                    await call.TakeUpAsync(bytes, cancellationToken);
                }

                file.Write(offset, content.Span.Slice(offset, bytes));
                if (call?.RateUp is not null)
                {
                    // A folder may lie on another machine: what is written at the limit's pace is to travel at it, and not when all of it is made sure of.
                    file.StartSync(offset, bytes);
                }

                call?.Note(bytes);
            }

            if (!Mistakes.Has(Mistake.StoreFileNotFlushed))
            {
                file.Sync();
            }

            return path;
        }
        catch
        {
            Remove(path);
            throw;
        }
    }

    /// <summary>Removes a file of <see cref="WriteAsync"/>. What cannot be removed now is removed by whoever opens the store next.</summary>
    public void Remove(string path) => TryRemove(_disk, path);

    public void Dispose()
    {
        Clean(_disk, _path);
        TryRemove(_disk, _lockPath);
        _lock.Dispose();
    }

    private static void CleanAfterTheDead(IDisk disk, string all)
    {
        foreach (string name in disk.List(all))
        {
            if (!name.EndsWith(LockSuffix, StringComparison.Ordinal))
            {
                continue;
            }

            string lockPath = Path.Combine(all, name);
            using IDisposable? dead = disk.TryLock(lockPath, "", out _);
            if (dead is not null)
            {
                Clean(disk, lockPath[..^LockSuffix.Length]);
                TryRemove(disk, lockPath);
            }
        }
    }

    private static void Clean(IDisk disk, string path)
    {
        try
        {
            foreach (string name in disk.List(path))
            {
                disk.Delete(Path.Combine(path, name));
            }

            disk.DeleteDirectory(path);
        }
        catch (IOException)
        {
            // Left for the next one: it costs room, never an object.
        }
    }

    private static void TryRemove(IDisk disk, string path)
    {
        try
        {
            disk.Delete(path);
        }
        catch (IOException)
        {
            // As above.
        }
    }
}
