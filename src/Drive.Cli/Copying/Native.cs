using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Drive.Cli.Copying;

/// <summary>What a copy must know of a file, as statx(2) tells it.</summary>
internal readonly record struct FileFacts(uint Mode, uint Links, uint Uid, uint Gid, (ulong Device, ulong Inode) Id, long Size, long Blocks, uint DeviceNumber, FileTimes Times)
{
    private const uint TypeMask = 0xF000;

    public bool IsDirectory => (Mode & TypeMask) == 0x4000;

    public bool IsRegular => (Mode & TypeMask) == 0x8000;

    public bool IsSymbolicLink => (Mode & TypeMask) == 0xA000;

    /// <summary>Whether it holds less than its length: there are holes then.</summary>
    public bool IsSparse => Blocks * 512 < Size;
}

/// <summary>Times of access and change, as utimensat(2) takes them: seconds and nanoseconds each.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FileTimes(long AccessSeconds, long AccessNanoseconds, long ModifySeconds, long ModifyNanoseconds);

/// <summary>The calls of libc that a copy needs, with Linux's numbers. Paths are bytes with a NUL at their end: names need not be text.</summary>
internal static unsafe partial class Native
{
    public const int ReadOnly = 0;
    public const int CreateNew = 1 | 0x40 | 0x80;
    public const int CloseOnExec = 0x80000;
    public const int Here = -100;
    public const int LinkItself = 0x100;
    public const int NotPermitted = 1;
    public const int Interrupted = 4;
    public const int NotSupported = 95;
    public const int NoSuchOffset = 6;
    public const int SeekData = 3;
    public const int SeekHole = 4;
    private const uint BasicFacts = 0x7FF;
    private const int DirentName = 19;
    private const int StatBytes = 256;

    public static int LastError => Marshal.GetLastPInvokeError();

    /// <summary>What is at a path itself, not where it leads.</summary>
    public static FileFacts Look(byte[] path)
    {
        byte* stat = stackalloc byte[StatBytes];
        fixed (byte* text = path)
        {
            Require(Stat(Here, text, LinkItself, BasicFacts, stat), path);
        }

        ReadOnlySpan<byte> all = new(stat, StatBytes);
        uint major = Word(all, 128);
        uint minor = Word(all, 132);
        return new FileFacts(
            BinaryPrimitives.ReadUInt16LittleEndian(all[28..]), Word(all, 16), Word(all, 20), Word(all, 24), (((ulong)Word(all, 136) << 32) | Word(all, 140), (ulong)Long(all, 32)), Long(all, 40), Long(all, 48),
            (minor & 0xFF) | (major << 8) | ((minor & ~0xFFu) << 12), new FileTimes(Long(all, 64), Word(all, 72), Long(all, 112), Word(all, 120)));
    }

    /// <summary>The names in a directory.</summary>
    public static List<byte[]> List(byte[] path)
    {
        nint directory;
        fixed (byte* text = path)
        {
            directory = OpenDirectory(text);
        }

        Require(directory == 0 ? -1 : 0, path);
        try
        {
            List<byte[]> names = [];
            while (ReadDirectory(directory) is not 0 and nint entry)
            {
                ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)entry + DirentName);
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                {
                    names.Add(name.ToArray());
                }
            }

            // The end and an error look the same but for errno, which is 0 before each call: a listing that broke off must not pass for all there is.
            Require(LastError == 0 ? 0 : -1, path);
            return names;
        }
        finally
        {
            _ = CloseDirectory(directory);
        }
    }

    public static int Open(byte[] path, int flags, uint mode)
    {
        fixed (byte* text = path)
        {
            int file = OpenFile(text, flags | CloseOnExec, mode);
            Require(file, path);
            return file;
        }
    }

    /// <summary>Throws what the last call said, when it failed.</summary>
    public static void Require(long result, byte[] path)
    {
        if (result < 0)
        {
            int error = LastError;
            throw new CopyException($"{System.Text.Encoding.UTF8.GetString(path).TrimEnd('\0')}: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int file, byte* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    public static partial nint ReadAt(int file, byte* buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint WriteAt(int file, byte* buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(int file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Truncate(int file, long length);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true)]
    public static partial int MakeDirectory(byte* path, uint mode);

    [LibraryImport("libc", EntryPoint = "mknod", SetLastError = true)]
    public static partial int MakeNode(byte* path, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true)]
    public static partial int Link(byte* path, byte* other);

    [LibraryImport("libc", EntryPoint = "symlink", SetLastError = true)]
    public static partial int MakeSymbolicLink(byte* target, byte* path);

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true)]
    public static partial nint ReadLink(byte* path, byte* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true)]
    public static partial int ChangeOwner(byte* path, uint uid, uint gid);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true)]
    public static partial int ChangeMode(byte* path, uint mode);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true)]
    public static partial int SetTimes(int directory, byte* path, FileTimes* times, int flags);

    [LibraryImport("libc", EntryPoint = "llistxattr", SetLastError = true)]
    public static partial nint ListXattrs(byte* path, byte* names, nint count);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true)]
    public static partial nint GetXattr(byte* path, byte* name, byte* value, nint count);

    [LibraryImport("libc", EntryPoint = "lsetxattr", SetLastError = true)]
    public static partial int SetXattr(byte* path, byte* name, byte* value, nint count, int flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    private static partial int OpenFile(byte* path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int Stat(int directory, byte* path, int flags, uint mask, byte* stat);

    [LibraryImport("libc", EntryPoint = "opendir", SetLastError = true)]
    private static partial nint OpenDirectory(byte* path);

    [LibraryImport("libc", EntryPoint = "readdir", SetLastError = true)]
    private static partial nint ReadDirectory(nint directory);

    [LibraryImport("libc", EntryPoint = "closedir", SetLastError = true)]
    private static partial int CloseDirectory(nint directory);

    private static uint Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long Long(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}
