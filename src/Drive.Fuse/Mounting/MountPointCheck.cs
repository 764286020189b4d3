using System.Text;
using Drive.Fuse.Native;
using Microsoft.Extensions.Logging;

namespace Drive.Fuse.Mounting;

/// <summary>Makes sure that a directory can be mounted on, and says in one line why not.</summary>
internal static class MountPointCheck
{
    private const int PathBytesMax = 4096;

    /// <summary>The path without symbolic links. A dead mount of an earlier run is cleared away.</summary>
    public static async Task<string> PrepareAsync(string mountPoint, bool allowNonEmpty, IMounter mounter, ILogger logger)
    {
        string path = Resolve(Path.GetFullPath(mountPoint));
        if (MountTable.Find(path) is Mount mount)
        {
            if (!mount.IsFuse || TryOpen(path) is not (Errno.ENOTCONN or Errno.ECONNABORTED))
            {
                throw new FuseException($"Something is mounted at {path} already: unmount it first (umount {path}).");
            }

            await mounter.UnmountAsync(path, lazy: true);
            FuseLog.StaleMountCleared(logger, path);
        }

        switch (TryOpen(path))
        {
            case 0:
                break;
            case Errno.ENOENT:
                throw new FuseException($"The mount point {path} does not exist: make it first (mkdir -p {path}).");
            case Errno.ENOTDIR:
                throw new FuseException($"The mount point {path} is not a directory.");
            case Errno.EACCES or Errno.EPERM:
                throw new FuseException($"The mount point {path} may not be opened: choose a directory of your own.");
            case int errno:
                throw new FuseException($"The mount point {path} cannot be opened (errno {errno}).");
        }

        if (!allowNonEmpty && Directory.EnumerateFileSystemEntries(path).Any())
        {
            throw new FuseException($"The mount point {path} is not empty: choose an empty directory, or use the option nonempty.");
        }

        return path;
    }

    /// <summary>Opening asks the file system that is there, where stat(2) might be answered from a dead mount's cache. 0 or an errno.</summary>
    private static int TryOpen(string path)
    {
        int descriptor = Libc.Open(path, Libc.OpenReadOnly | Libc.OpenDirectory | Libc.OpenCloseOnExec, 0);
        if (descriptor < 0)
        {
            return Libc.LastError;
        }

        _ = Libc.Close(descriptor);
        return 0;
    }

    /// <summary>realpath(3) of the parent and the last name: that name may be a dead mount, which cannot be looked into.</summary>
    private static unsafe string Resolve(string path)
    {
        Span<byte> resolved = stackalloc byte[PathBytesMax];
        fixed (byte* pointer = resolved)
        {
            if (Libc.RealPath(path, pointer) != null)
            {
                return Encoding.UTF8.GetString(resolved[..resolved.IndexOf((byte)0)]);
            }
        }

        return Path.GetDirectoryName(path) is { Length: > 1 } parent
            ? Path.Combine(Resolve(parent), Path.GetFileName(path))
            : path;
    }
}
