using System.Runtime.InteropServices;

namespace Drive.Service.Linux;

/// <summary>The few calls of the C library that the daemon's life needs and .NET does not offer.</summary>
internal static partial class Native
{
    /// <summary>EBUSY of errno(3) on Linux.</summary>
    public const int ErrorBusy = 16;

    /// <summary>ENOTCONN: the process behind a FUSE mount is gone.</summary>
    public const int ErrorNotConnected = 107;

    /// <summary>MNT_DETACH of umount2(2).</summary>
    public const int Detach = 2;

    private const int SetDumpable = 4;

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

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Access(string path, int mode);

    /// <summary>Keeps the process's memory, which has keys in it, out of core dumps and other processes' reach (prctl(2), PR_SET_DUMPABLE).</summary>
    public static void KeepMemoryPrivate() => _ = Control(SetDumpable, 0, 0, 0, 0);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, nuint first, nuint second, nuint third, nuint fourth);
}
