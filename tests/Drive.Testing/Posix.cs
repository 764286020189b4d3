using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Drive.Testing;

/// <summary>
/// System calls for tests on a real mount. Each answers what the call answers, or the negative errno. All block outside managed code: a test that
/// waited for a mount inside it (touching mapped memory, say) could stop the garbage collector of the process that serves the mount.
/// </summary>
public static partial class Posix
{
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int Truncate = 0x200;
    public const int Append = 0x400;
    public const int CloseOnExec = 0x80000;
    public const int SeekSet = 0;
    public const int SeekData = 3;
    public const int SeekHole = 4;
    public const int KeepSize = 1;
    public const int PunchHole = 2;
    public const int ZeroRange = 16;
    public const int NoReplace = 1;
    public const int Exchange = 2;
    public const int RemoveDirectoryFlag = 0x200;
    public const int SymlinkNoFollow = 0x100;
    public const int SymlinkFollow = 0x400;
    public const int LockShared = 1;
    public const int LockExclusive = 2;
    public const int LockNonBlocking = 4;
    public const int LockUnlock = 8;
    public const long TimeNow = (1L << 30) - 1;
    public const long TimeOmit = (1L << 30) - 2;
    private const int AtCurrentDirectory = -100;
    private const int ClockRealtimeCoarse = 5;

    /// <summary>These two differ between processors.</summary>
    public static int Directory => IsArm ? 0x4000 : 0x10000;

    public static int NoFollow => IsArm ? 0x8000 : 0x20000;

    public static int Direct => IsArm ? 0x10000 : 0x4000;

    public static int TemporaryFile => 0x400000 | Directory;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public static int Open(string path, int flags, uint mode = 0x1A4) => Check(open(path, flags | CloseOnExec, mode));

    public static int Close(int descriptor) => Check(close(descriptor));

    public static int MakeDirectory(string path, uint mode = 0x1ED) => Check(mkdir(path, mode));

    public static int RemoveDirectory(string path) => Check(rmdir(path));

    public static int Unlink(string path) => Check(unlink(path));

    public static int Link(string path, string newPath, int flags = 0) => Check(linkat(AtCurrentDirectory, path, AtCurrentDirectory, newPath, flags));

    public static int SymbolicLink(string target, string path) => Check(symlink(target, path));

    public static int Rename(string path, string newPath, uint flags = 0) =>
        Check(flags == 0 ? rename(path, newPath) : renameat2(AtCurrentDirectory, path, AtCurrentDirectory, newPath, flags));

    public static int ChangeMode(string path, uint mode) => Check(chmod(path, mode));

    public static int ChangeOwner(string path, uint user, uint group) => Check(lchown(path, user, group));

    public static int SetLength(string path, long length) => Check(truncate(path, length));

    public static int SetLength(int descriptor, long length) => Check(ftruncate(descriptor, length));

    public static int MakeNode(string path, uint mode, ulong device = 0) => Check(mknod(path, mode, device));

    public static int Access(string path, int mode) => Check(access(path, mode));

    public static int Sync(int descriptor) => Check(fsync(descriptor));

    public static int Lock(int descriptor, int operation) => Check(flock(descriptor, operation));

    public static int Allocate(int descriptor, int mode, long offset, long length) => Check(fallocate(descriptor, mode, offset, length));

    public static long Seek(int descriptor, long offset, int whence) => Check(lseek(descriptor, offset, whence));

    public static unsafe long CopyRange(int source, long sourceOffset, int target, long targetOffset, long length) =>
        Check(copy_file_range(source, &sourceOffset, target, &targetOffset, (nuint)length, 0));

    public static unsafe long Write(int descriptor, ReadOnlySpan<byte> data)
    {
        fixed (byte* pointer = data)
        {
            return Check(write(descriptor, pointer, (nuint)data.Length));
        }
    }

    public static unsafe long WriteAt(int descriptor, ReadOnlySpan<byte> data, long offset)
    {
        fixed (byte* pointer = data)
        {
            return Check(pwrite(descriptor, pointer, (nuint)data.Length, offset));
        }
    }

    public static unsafe long ReadAt(int descriptor, Span<byte> buffer, long offset)
    {
        fixed (byte* pointer = buffer)
        {
            return Check(pread(descriptor, pointer, (nuint)buffer.Length, offset));
        }
    }

    public static unsafe int ReadLink(string path, Span<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            return (int)Check(readlink(path, pointer, (nuint)buffer.Length));
        }
    }

    /// <summary>Times in seconds and nanoseconds; <see cref="TimeNow"/> and <see cref="TimeOmit"/> stand in the nanoseconds.</summary>
    public static unsafe int SetTimes(string path, (long Seconds, long Nanoseconds) access, (long Seconds, long Nanoseconds) modify, int flags = SymlinkNoFollow)
    {
        long* times = stackalloc long[] { access.Seconds, access.Nanoseconds, modify.Seconds, modify.Nanoseconds };
        return Check(utimensat(AtCurrentDirectory, path, times, flags));
    }

    public static unsafe int SetTimes(int descriptor, (long Seconds, long Nanoseconds) access, (long Seconds, long Nanoseconds) modify)
    {
        long* times = stackalloc long[] { access.Seconds, access.Nanoseconds, modify.Seconds, modify.Nanoseconds };
        return Check(futimens(descriptor, times));
    }

    public static unsafe int SetXattr(string path, string name, ReadOnlySpan<byte> value, int flags = 0)
    {
        fixed (byte* pointer = value)
        {
            return Check(lsetxattr(path, name, pointer, (nuint)value.Length, flags));
        }
    }

    public static unsafe int GetXattr(string path, string name, Span<byte> value)
    {
        fixed (byte* pointer = value)
        {
            return (int)Check(lgetxattr(path, name, pointer, (nuint)value.Length));
        }
    }

    public static unsafe int ListXattrs(string path, Span<byte> names)
    {
        fixed (byte* pointer = names)
        {
            return (int)Check(llistxattr(path, pointer, (nuint)names.Length));
        }
    }

    public static int RemoveXattr(string path, string name) => Check(lremovexattr(path, name));

    public static int GetStatus(string path, out FileStatus status, bool follow = false) =>
        GetStatus(AtCurrentDirectory, path, follow ? 0 : SymlinkNoFollow, out status);

    public static int GetStatus(int descriptor, out FileStatus status) => GetStatus(descriptor, "", 0x1000, out status);

    /// <summary>The clock from which kernels take file times; it moves in steps of some milliseconds.</summary>
    public static unsafe long CoarseClock()
    {
        long* time = stackalloc long[2];
        Check(clock_gettime(ClockRealtimeCoarse, time));
        return (time[0] * 1_000_000_000) + time[1];
    }

    /// <summary>A lock of the open file description (F_OFD_SETLK): 0 shared, 1 exclusive, 2 none.</summary>
    public static unsafe int LockRange(int descriptor, short type, long start, long length)
    {
        const int SetOpenFileLock = 37;
        byte* range = stackalloc byte[32];
        new Span<byte>(range, 32).Clear();
        *(short*)range = type;
        *(long*)(range + 8) = start;
        *(long*)(range + 16) = length;
        return Check(fcntl(descriptor, SetOpenFileLock, range));
    }

    /// <summary>Maps a file, copies in or out of it by memcpy outside managed code, and unmaps.</summary>
    public static unsafe int Map(int descriptor, long length, bool writes, Action<MappedFile> use)
    {
        const int Shared = 1;
        void* address = mmap(null, (nuint)length, writes ? 3 : 1, Shared, descriptor, 0);
        if ((nint)address == -1)
        {
            return -Marshal.GetLastPInvokeError();
        }

        try
        {
            use(new MappedFile((nint)address, length));
            return 0;
        }
        finally
        {
            _ = munmap(address, (nuint)length);
        }
    }

    /// <summary>
    /// Runs on a thread of its own as another user for file access: fsuid, fsgid and groups are a thread's own in Linux, and the fsuid takes the
    /// capabilities on files with it.
    /// </summary>
    public static void AsUser(uint user, uint group, Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                BecomeUser(user, group);
                action();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

    internal static unsafe void Copy(nint target, nint source, long length) => memcpy((void*)target, (void*)source, (nuint)length);

    internal static unsafe int SyncMap(nint address, long length) => Check(msync((void*)address, (nuint)length, 4));

    private static unsafe void BecomeUser(uint user, uint group)
    {
        // Not setgroups(3): the library would change it in all threads.
        Check(syscall(IsArm ? 159 : 116, 0, null));
        _ = setfsgid(group);
        _ = setfsuid(user);
    }

    private static unsafe int GetStatus(int descriptor, string path, int flags, out FileStatus status)
    {
        const uint Everything = 0xFFF;
        Span<byte> buffer = stackalloc byte[256];
        fixed (byte* pointer = buffer)
        {
            int result = Check(statx(descriptor, path, flags, Everything, pointer));
            status = result == 0 ? FileStatus.Parse(buffer) : default;
            return result;
        }
    }

    private static int Check(int result) => result == -1 ? -Marshal.GetLastPInvokeError() : result;

    private static long Check(long result) => result == -1 ? -Marshal.GetLastPInvokeError() : result;
}

/// <summary>What statx(2) tells; times are nanoseconds since 1970.</summary>
public readonly record struct FileStatus(
    uint Mode, uint Links, uint User, uint Group, ulong Node, long Size, long Blocks, long AccessTime, long BirthTime, long ChangeTime, long ModifyTime, (uint Major, uint Minor) Device)
{
    internal static FileStatus Parse(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[28..]),
        Word(bytes, 16),
        Word(bytes, 20),
        Word(bytes, 24),
        (ulong)Long(bytes, 32),
        Long(bytes, 40),
        Long(bytes, 48),
        Time(bytes, 64),
        Time(bytes, 80),
        Time(bytes, 96),
        Time(bytes, 112),
        (Word(bytes, 128), Word(bytes, 132)));

    private static uint Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long Long(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    private static long Time(ReadOnlySpan<byte> bytes, int at) => (Long(bytes, at) * 1_000_000_000) + Word(bytes, at + 8);
}

/// <summary>A file mapped by <see cref="Posix.Map"/>.</summary>
public sealed class MappedFile(nint address, long length)
{
    public unsafe void Write(long offset, ReadOnlySpan<byte> data)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + data.Length, length);
        fixed (byte* pointer = data)
        {
            Posix.Copy(address + (nint)offset, (nint)pointer, data.Length);
        }
    }

    public unsafe byte[] Read(long offset, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + count, length);
        byte[] data = new byte[count];
        fixed (byte* pointer = data)
        {
            Posix.Copy((nint)pointer, address + (nint)offset, count);
        }

        return data;
    }

    public int Sync() => Posix.SyncMap(address, length);
}
