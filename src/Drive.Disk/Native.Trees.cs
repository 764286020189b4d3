using System.Runtime.InteropServices;

namespace Drive.Disk;

/// <summary>What trees of files need besides. Paths are bytes with a NUL at their end: names need not be text.</summary>
internal static partial class Native
{
    public const int WriteOnly = 1;
    public const int NonBlock = 0x800;
    public const int NoAccessTime = 0x40000;
    public const int LinkItself = 0x100;
    public const int NoAutomount = 0x800;
    public const int SeekData = 3;
    public const int SeekHole = 4;
    private const int DirentName = 19;

    /// <summary>It differs between processors.</summary>
    public static int NoFollow => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    public static partial int Open(byte[] path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    public static partial nint ReadAt(int file, ref byte buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint WriteAt(int file, ref byte buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(int file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Truncate(int file, long length);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    public static partial int Stat(int directory, byte[] path, int flags, uint mask, out FileStat stat);

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true)]
    public static partial nint ReadLink(byte[] path, byte[] buffer, nint count);

    [LibraryImport("libc", EntryPoint = "llistxattr", SetLastError = true)]
    public static partial nint ListXattrs(byte[] path, byte[] names, nint count);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true)]
    public static partial nint GetXattr(byte[] path, byte[] name, byte[] value, nint count);

    [LibraryImport("libc", EntryPoint = "lsetxattr", SetLastError = true)]
    public static partial int SetXattr(byte[] path, byte[] name, byte[] value, nint count, int flags);

    [LibraryImport("libc", EntryPoint = "lremovexattr", SetLastError = true)]
    public static partial int RemoveXattr(byte[] path, byte[] name);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true)]
    public static partial int MakeDirectory(byte[] path, int mode);

    [LibraryImport("libc", EntryPoint = "mknod", SetLastError = true)]
    public static partial int MakeNode(byte[] path, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true)]
    public static partial int Link(byte[] path, byte[] newPath);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true)]
    public static partial int Rename(byte[] path, byte[] newPath);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true)]
    public static partial int Unlink(byte[] path);

    [LibraryImport("libc", EntryPoint = "symlink", SetLastError = true)]
    public static partial int MakeSymbolicLink(byte[] target, byte[] path);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true)]
    public static partial int ChangeOwner(byte[] path, uint uid, uint gid);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true)]
    public static partial int ChangeMode(byte[] path, uint mode);

    /// <summary>Seconds and nanoseconds of the access, then those of the change.</summary>
    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true)]
    public static partial int SetTimes(int directory, byte[] path, long[] times, int flags);

    [LibraryImport("libc", EntryPoint = "opendir", SetLastError = true)]
    public static partial nint OpenDirectory(byte[] path);

    /// <summary>0 at the end, and then errno is 0, or for an error.</summary>
    [LibraryImport("libc", EntryPoint = "readdir", SetLastError = true)]
    public static partial nint ReadDirectory(nint directory);

    [LibraryImport("libc", EntryPoint = "closedir")]
    public static partial int CloseDirectory(nint directory);

    /// <summary>The name in a struct dirent of 64-bit Linux.</summary>
    public static unsafe ReadOnlySpan<byte> NameOf(nint entry) => MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)entry + DirentName);
}
