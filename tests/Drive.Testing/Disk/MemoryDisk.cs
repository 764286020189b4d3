using Drive.Core.Platform;

namespace Drive.Testing.Disk;

/// <summary>What a crash leaves of what was not synced.</summary>
public enum CrashKind
{
    /// <summary>The process died: all that was written is there, and what was not synced is still not; the power may go next.</summary>
    Process,

    /// <summary>The power went: nothing that was not synced is there.</summary>
    PowerLosesAll,

    /// <summary>The power went: of each file any of the unsynced writes, whole or torn at 512 bytes, and of each directory a first part of its changes.</summary>
    PowerLosesSome,

    /// <summary>As before, but of each directory any of its changes, in no order.</summary>
    PowerLosesAny,
}

/// <summary>
/// A disk in memory that knows what was synced, strictly by POSIX: bytes by the file's sync, names by the directory's.
/// <see cref="Crash"/> gives the disk that the next start would find.
/// </summary>
public sealed class MemoryDisk : IDisk
{
    private const int DiskFullErrno = 28;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _locks = [];
    private MemoryDirectory _root = new();

    public MemoryDisk(long capacityBytes = long.MaxValue) => CapacityBytes = capacityBytes;

    /// <summary>Writes beyond it are a full disk.</summary>
    public long CapacityBytes { get; set; }

    public long UsedBytes { get; private set; }

    /// <summary>The disk after a crash. This one lives on, as if the crash had not been.</summary>
    public MemoryDisk Crash(CrashKind kind, Random random)
    {
        lock (_gate)
        {
            Dictionary<MemoryNode, MemoryNode> survivors = [];
            var image = new MemoryDisk(CapacityBytes) { _root = (MemoryDirectory)_root.AfterCrash(kind, random, survivors) };
            image.UsedBytes = survivors.Values.OfType<MemoryFile>().Sum(file => file.Length);
            return image;
        }
    }

    public IDiskFile? Open(string path, DiskOpenMode mode)
    {
        lock (_gate)
        {
            (MemoryDirectory? parent, string name) = FindParent(path);
            if (parent is null)
            {
                return mode is DiskOpenMode.CreateNew or DiskOpenMode.OpenOrCreate ? throw NoEntry(path) : null;
            }

            switch (parent.Entries.GetValueOrDefault(name))
            {
                case MemoryFile file:
                    return mode == DiskOpenMode.CreateNew ? null : new Handle(this, file, mode == DiskOpenMode.Read);
                case MemoryDirectory:
                    return null;
                default:
                    if (mode is DiskOpenMode.Read or DiskOpenMode.ReadWrite)
                    {
                        return null;
                    }

                    var made = new MemoryFile();
                    parent.Set(name, made);
                    return new Handle(this, made, isReadOnly: false);
            }
        }
    }

    public bool TryLink(string path, string newPath)
    {
        lock (_gate)
        {
            (MemoryDirectory? parent, string name) = FindParent(path);
            (MemoryDirectory? newParent, string newName) = FindParent(newPath);
            if (parent?.Entries.GetValueOrDefault(name) is not MemoryFile file || newParent is null)
            {
                throw NoEntry(path);
            }

            if (newParent.Entries.ContainsKey(newName))
            {
                return false;
            }

            newParent.Set(newName, file);
            file.Links++;
            return true;
        }
    }

    public void Rename(string path, string newPath)
    {
        lock (_gate)
        {
            (MemoryDirectory? parent, string name) = FindParent(path);
            (MemoryDirectory? newParent, string newName) = FindParent(newPath);
            if (parent is null || newParent is null || !parent.Entries.TryGetValue(name, out MemoryNode? node))
            {
                throw NoEntry(path);
            }

            if (newParent.Entries.GetValueOrDefault(newName) is MemoryFile replaced)
            {
                Unlink(replaced);
            }

            if (parent == newParent)
            {
                parent.Move(name, newName);
                return;
            }

            newParent.Set(newName, node);
            parent.Set(name, null);
        }
    }

    public bool Delete(string path)
    {
        lock (_gate)
        {
            (MemoryDirectory? parent, string name) = FindParent(path);
            if (parent?.Entries.GetValueOrDefault(name) is not MemoryFile file)
            {
                return false;
            }

            parent.Set(name, null);
            Unlink(file);
            return true;
        }
    }

    public bool DeleteDirectory(string path)
    {
        lock (_gate)
        {
            (MemoryDirectory? parent, string name) = FindParent(path);
            if (parent?.Entries.GetValueOrDefault(name) is not MemoryDirectory directory)
            {
                return false;
            }

            if (directory.Entries.Count > 0)
            {
                throw new IOException($"{path} is not empty", 39);
            }

            parent.Set(name, null);
            return true;
        }
    }

    public void CreateDirectory(string path)
    {
        lock (_gate)
        {
            MemoryDirectory at = _root;
            foreach (string part in Parts(path))
            {
                if (!at.Entries.TryGetValue(part, out MemoryNode? node))
                {
                    node = new MemoryDirectory();
                    at.Set(part, node);
                }

                at = node as MemoryDirectory ?? throw new IOException($"{path} is a file", 17);
            }
        }
    }

    public bool DirectoryExists(string path)
    {
        lock (_gate)
        {
            return FindDirectory(path) is not null;
        }
    }

    public IReadOnlyList<string> List(string path)
    {
        lock (_gate)
        {
            return FindDirectory(path) is { } directory ? [.. directory.Entries.Keys] : [];
        }
    }

    public void SyncDirectory(string path)
    {
        lock (_gate)
        {
            (FindDirectory(path) ?? throw NoEntry(path)).Sync();
        }
    }

    public IDisposable? TryLock(string path, string holderText, out string? holder)
    {
        lock (_gate)
        {
            if (_locks.TryGetValue(path, out holder))
            {
                return null;
            }

            Open(path, DiskOpenMode.OpenOrCreate)!.Dispose();
            _locks.Add(path, holderText);
            return new Unlock(this, path);
        }
    }

    public (long TotalBytes, long FreeBytes) GetSpace(string path)
    {
        lock (_gate)
        {
            return (CapacityBytes, CapacityBytes - UsedBytes);
        }
    }

    /// <summary>Moves a directory away and leaves an empty one in its place, as when a disk is unmounted; the result brings it back.</summary>
    public IDisposable Unmount(string path)
    {
        lock (_gate)
        {
            (MemoryDirectory? parent, string name) = FindParent(path);
            MemoryNode mounted = parent!.Entries[name];
            parent.Set(name, new MemoryDirectory());
            return new Remount(() =>
            {
                lock (_gate)
                {
                    parent.Set(name, mounted);
                }
            });
        }
    }

    private void Unlink(MemoryFile file)
    {
        if (--file.Links == 0)
        {
            UsedBytes -= file.Length;
        }
    }

    private static string[] Parts(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    private static IOException NoEntry(string path) => new($"{path}: no such file or directory", 2);

    private MemoryDirectory? FindDirectory(string path)
    {
        MemoryDirectory? at = _root;
        foreach (string part in Parts(path))
        {
            at = at?.Entries.GetValueOrDefault(part) as MemoryDirectory;
        }

        return at;
    }

    private (MemoryDirectory? Parent, string Name) FindParent(string path) =>
        (FindDirectory(Path.GetDirectoryName(path) ?? "/"), Path.GetFileName(path));

    private sealed class Unlock(MemoryDisk disk, string path) : IDisposable
    {
        public void Dispose()
        {
            lock (disk._gate)
            {
                disk._locks.Remove(path);
            }
        }
    }

    private sealed class Remount(Action action) : IDisposable
    {
        public void Dispose() => action();
    }

    private sealed class Handle(MemoryDisk disk, MemoryFile file, bool isReadOnly) : IDiskFile, IForgetsUnsynced
    {
        private bool _isClosed;

        public long Length
        {
            get
            {
                lock (disk._gate)
                {
                    ObjectDisposedException.ThrowIf(_isClosed, this);
                    return file.Length;
                }
            }
        }

        public int Read(long offset, Span<byte> destination)
        {
            lock (disk._gate)
            {
                ObjectDisposedException.ThrowIf(_isClosed, this);
                return file.Read(offset, destination);
            }
        }

        public void Write(long offset, ReadOnlySpan<byte> data) => Change(new FileChange(offset, data.ToArray(), null));

        public void SetLength(long length) => Change(new FileChange(0, null, length));

        public void PunchHole(long offset, long length)
        {
            long end = Math.Min(offset + length, Length);
            if (end > offset)
            {
                Change(new FileChange(offset, new byte[end - offset], null));
            }
        }

        public void Sync()
        {
            lock (disk._gate)
            {
                ObjectDisposedException.ThrowIf(_isClosed, this);
                file.Sync();
            }
        }

        public void ForgetUnsynced()
        {
            lock (disk._gate)
            {
                file.ForgetUnsynced();
            }
        }

        public void Dispose() => _isClosed = true;

        private void Change(FileChange change)
        {
            lock (disk._gate)
            {
                ObjectDisposedException.ThrowIf(_isClosed, this);
                if (isReadOnly)
                {
                    throw new IOException("The file is open for reading only", 9);
                }

                long growth = Math.Max(change.EndLength ?? (change.Offset + change.Data!.Length), change.EndLength is null ? file.Length : 0)
                    - file.Length;
                if (disk.UsedBytes + growth > disk.CapacityBytes)
                {
                    throw new DiskFullException("The disk in memory is full") { HResult = DiskFullErrno };
                }

                disk.UsedBytes += growth;
                file.Apply(change);
            }
        }
    }
}

/// <summary>A file that can behave as after a failed fsync: what was not synced stays readable, and no later sync saves it.</summary>
public interface IForgetsUnsynced
{
    /// <summary>Marks all that was not synced as clean without saving it.</summary>
    void ForgetUnsynced();
}
