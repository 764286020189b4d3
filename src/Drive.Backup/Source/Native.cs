using System.Runtime.InteropServices;

namespace Drive.Backup.Source;

/// <summary>The calls of libc that reading a tree as it is needs, with Linux's numbers. Paths are bytes with a NUL at their end: names need not be UTF-8.</summary>
internal static unsafe partial class Native
{
    public const int NoEntry = 2;
    public const int NotDirectory = 20;
    public const int NotPermitted = 1;
    public const int Interrupted = 4;
    public const int NoSuchOffset = 6;
    public const int NoData = 61;
    public const int NotSupported = 95;
    public const int TooManyLinks = 40;
    public const int ReadOnly = 0;
    public const int NonBlock = 0x800;
    public const int CloseOnExec = 0x80000;
    public const int NoAccessTime = 0x40000;
    public const int CurrentDirectory = -100;
    public const int EmptyPath = 0x1000;
    public const int LinkItself = 0x100;
    public const int NoAutomount = 0x800;
    public const uint StatxBasic = 0x7FF;
    public const int SeekData = 3;
    public const int SeekHole = 4;
    private const int DirentName = 19;

    /// <summary>It differs between processors.</summary>
    public static int NoFollow => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    public static int LastError => Marshal.GetLastPInvokeError();

    public static string Explain(int errno) => Marshal.GetPInvokeErrorMessage(errno);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    public static partial int Open(byte* path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    public static partial nint Read(int file, byte* buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(int file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    public static partial int Stat(int directory, byte* path, int flags, uint mask, byte* stat);

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true)]
    public static partial nint ReadLink(byte* path, byte* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "llistxattr", SetLastError = true)]
    public static partial nint ListXattrs(byte* path, byte* names, nint count);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true)]
    public static partial nint GetXattr(byte* path, byte* name, byte* value, nint count);

    [LibraryImport("libc", EntryPoint = "opendir", SetLastError = true)]
    public static partial nint OpenDirectory(byte* path);

    [LibraryImport("libc", EntryPoint = "readdir", SetLastError = true)]
    public static partial nint ReadDirectory(nint directory);

    [LibraryImport("libc", EntryPoint = "closedir")]
    public static partial int CloseDirectory(nint directory);

    /// <summary>The name in a struct dirent of 64-bit Linux.</summary>
    public static ReadOnlySpan<byte> NameOf(nint entry) => MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)entry + DirentName);
}
