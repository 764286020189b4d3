using System.Runtime.InteropServices;

namespace Drive.Service.Linux;

/// <summary>The few calls of the C library that the daemon's life needs and .NET does not offer.</summary>
internal static partial class Native
{
    /// <summary>ENOTCONN: the process behind a FUSE mount is gone.</summary>
    public const int ErrorNotConnected = 107;

    /// <summary>ECONNABORTED: the FUSE connection was cut.</summary>
    public const int ErrorAborted = 103;

    /// <summary>MNT_DETACH of umount2(2).</summary>
    public const int Detach = 2;

    private const int SetDumpable = 4;

    // O_RDONLY | O_CLOEXEC of open(2).
    private const int ReadDirectory = 0x80000;

    [LibraryImport("libc", EntryPoint = "setsid", SetLastError = true)]
    public static partial int StartSession();

    [LibraryImport("libc", EntryPoint = "umask")]
    public static partial uint SetFileModeMask(uint mask);

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    public static partial int DuplicateOnto(int from, int to);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "getegid")]
    public static partial uint EffectiveGroup();

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unmount(string path, int flags);

    /// <summary>
    /// 0, or the errno of opening a directory. It asks the file system that is mounted there, where stat(2) may be answered from a dead mount's cache.
    /// </summary>
    public static int TryOpenDirectory(string path)
    {
        int descriptor = Open(path, ReadDirectory, 0);
        if (descriptor < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        _ = Close(descriptor);
        return 0;
    }

    /// <summary>Has the kernel write out everything it still holds for a file system (syncfs(2)).</summary>
    public static void SyncFileSystem(string path)
    {
        int descriptor = Open(path, ReadDirectory, 0);
        if (descriptor >= 0)
        {
            _ = Sync(descriptor);
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Access(string path, int mode);

    /// <summary>Keeps the process's memory, which has keys in it, out of core dumps and other processes' reach (prctl(2), PR_SET_DUMPABLE).</summary>
    public static void KeepMemoryPrivate() => _ = Control(SetDumpable, 0, 0, 0, 0);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, nuint first, nuint second, nuint third, nuint fourth);
}
