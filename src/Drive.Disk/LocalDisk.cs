using System.Runtime.InteropServices;
using System.Text;
using Drive.Core.Platform;
using Microsoft.Win32.SafeHandles;

namespace Drive.Disk;

/// <summary>
/// The disk of a Linux machine. Files are closed on exec, mode 0600, directories 0700. Stateless; calls may come from any thread.
/// </summary>
public sealed class LocalDisk : IDisk
{
    // Only a lock file's own text is read through this; whoever writes more than this there is not us.
    private const int HolderBytesMax = 4096;

    public IDiskFile? Open(string path, DiskOpenMode mode)
    {
        int flags = Native.CloseOnExec | mode switch
        {
            DiskOpenMode.Read => Native.ReadOnly,
            DiskOpenMode.ReadWrite => Native.ReadWrite,
            DiskOpenMode.CreateNew => Native.ReadWrite | Native.Create | Native.Exclusive,
            DiskOpenMode.OpenOrCreate => Native.ReadWrite | Native.Create,
            _ => throw new ArgumentOutOfRangeException(nameof(mode)),
        };
        SafeFileHandle? handle = OpenHandle(path, flags, out int errno);
        if (handle is null)
        {
            bool isAnswer = mode switch
            {
                DiskOpenMode.CreateNew => errno == Errno.Exists,
                DiskOpenMode.OpenOrCreate => false,
                _ => errno is Errno.NoEntry or Errno.NotDirectory or Errno.IsDirectory,
            };
            return isAnswer ? null : throw Errno.Make(errno, "open", path);
        }

        if (mode == DiskOpenMode.Read && IsDirectory(handle))
        {
            handle.Dispose();
            return null;
        }

        return new LocalFile(handle, path);
    }

    public bool TryLink(string path, string newPath)
    {
        if (Native.Link(path, newPath) == 0)
        {
            return true;
        }

        if (Marshal.GetLastPInvokeError() != Errno.Exists)
        {
            throw Errno.Last("link", newPath);
        }

        // Over NFS the answer of a link that was made can be lost, and the retry then says "exists": it is ours if both names are one file.
        return Native.Stat(Native.CurrentDirectory, path, 0, Native.StatxBasic, out Native.FileStat mine) == 0
            && Native.Stat(Native.CurrentDirectory, newPath, 0, Native.StatxBasic, out Native.FileStat theirs) == 0
            && mine.IsSameFile(theirs);
    }

    public void Rename(string path, string newPath)
    {
        if (Native.Rename(path, newPath) != 0)
        {
            throw Errno.Last("rename", newPath);
        }
    }

    public bool Delete(string path)
    {
        if (Native.Unlink(path) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() is Errno.NoEntry or Errno.NotDirectory or Errno.IsDirectory ? false : throw Errno.Last("unlink", path);
    }

    public void CreateDirectory(string path)
    {
        if (Native.MakeDirectory(path, Native.DirectoryMode) == 0)
        {
            return;
        }

        int errno = Marshal.GetLastPInvokeError();
        if (errno == Errno.NoEntry && Path.GetDirectoryName(path) is { Length: > 0 } parent)
        {
            CreateDirectory(parent);
            if (Native.MakeDirectory(path, Native.DirectoryMode) == 0)
            {
                return;
            }

            errno = Marshal.GetLastPInvokeError();
        }

        if (errno != Errno.Exists || !DirectoryExists(path))
        {
            throw Errno.Make(errno, "mkdir", path);
        }
    }

    public bool DeleteDirectory(string path)
    {
        if (Native.RemoveDirectory(path) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() is Errno.NoEntry or Errno.NotDirectory ? false : throw Errno.Last("rmdir", path);
    }

    public bool DirectoryExists(string path)
    {
        if (Native.Stat(Native.CurrentDirectory, path, 0, Native.StatxBasic, out Native.FileStat stat) == 0)
        {
            return stat.IsDirectory;
        }

        return Marshal.GetLastPInvokeError() is Errno.NoEntry or Errno.NotDirectory ? false : throw Errno.Last("stat", path);
    }

    public IReadOnlyList<string> List(string path)
    {
        try
        {
            List<string> names = [];
            foreach (string entry in Directory.EnumerateFileSystemEntries(path))
            {
                names.Add(Path.GetFileName(entry));
            }

            return names;
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Errno.From(exception, "list", path);
        }
    }

    public void SyncDirectory(string path)
    {
        int file = Native.Open(path, Native.ReadOnly | Native.Directory | Native.CloseOnExec, 0);
        if (file < 0)
        {
            throw Errno.Last("open", path);
        }

        int result = Native.Sync(file);
        int errno = Marshal.GetLastPInvokeError();
        _ = Native.Close(file);
        if (result != 0)
        {
            throw Errno.Make(errno, "fsync", path);
        }
    }

    public IDisposable? TryLock(string path, string holderText, out string? holder)
    {
        // A file that was removed between open and lock is nobody's lock: take the next one under that name.
        while (true)
        {
            SafeFileHandle handle = OpenHandle(path, Native.ReadWrite | Native.Create | Native.CloseOnExec, out int errno)
                ?? throw Errno.Make(errno, "open", path);
            if (Native.Lock(handle, Native.LockExclusiveNoWait) != 0)
            {
                errno = Marshal.GetLastPInvokeError();
                using var file = new LocalFile(handle, path);
                holder = errno == Errno.WouldBlock ? ReadText(file) : throw Errno.Make(errno, "flock", path);
                return null;
            }

            if (IsUnlinked(handle))
            {
                handle.Dispose();
                continue;
            }

            var locked = new LocalFile(handle, path);
            try
            {
                locked.SetLength(0);
                locked.Write(0, Encoding.UTF8.GetBytes(holderText));
            }
            catch
            {
                locked.Dispose();
                throw;
            }

            holder = null;
            return locked;
        }
    }

    public (long TotalBytes, long FreeBytes) GetSpace(string path)
    {
        if (Native.GetSpace(path, out Native.Space space) != 0)
        {
            throw Errno.Last("statvfs", path);
        }

        return ((long)(space.Blocks * space.FragmentSize), (long)(space.BlocksAvailable * space.FragmentSize));
    }

    public IDisposable Watch(string path, Action<string> appeared)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(path) { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName };
            watcher.Created += (_, made) => appeared(made.FullPath);
            watcher.Renamed += (_, renamed) => appeared(renamed.FullPath);
            watcher.Error += (_, _) => appeared(path);
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or UnauthorizedAccessException)
        {
            // No such directory, or the system has no more watches to give.
            watcher?.Dispose();
            return Stream.Null;
        }
    }

    private static SafeFileHandle? OpenHandle(string path, int flags, out int errno)
    {
        while (true)
        {
            int file = Native.Open(path, flags, Native.FileMode);
            errno = file < 0 ? Marshal.GetLastPInvokeError() : 0;
            if (file >= 0)
            {
                return new SafeFileHandle(file, ownsHandle: true);
            }

            if (errno != Errno.Interrupted)
            {
                return null;
            }
        }
    }

    // read(2) of nothing says EISDIR for a directory, and costs less than a stat.
    private static bool IsDirectory(SafeFileHandle handle)
    {
        byte none = 0;
        return Native.Read(handle, ref none, 0) < 0 && Marshal.GetLastPInvokeError() == Errno.IsDirectory;
    }

    private static bool IsUnlinked(SafeFileHandle handle) =>
        Native.Stat((int)handle.DangerousGetHandle(), "", Native.EmptyPath, Native.StatxBasic, out Native.FileStat stat) == 0 && stat.LinkCount == 0;

    private static string ReadText(LocalFile file)
    {
        byte[] text = new byte[HolderBytesMax];
        return Encoding.UTF8.GetString(text, 0, file.Read(0, text));
    }
}
