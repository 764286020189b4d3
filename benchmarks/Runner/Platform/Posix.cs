using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Drive.Benchmarks.Platform;

/// <summary>The plain calls that are measured: what the runtime adds to its own files (locks, a stat for each open) would be measured too.</summary>
internal static unsafe partial class Posix
{
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int CreateNew = 1 | 0x40 | 0x80; // O_WRONLY, O_CREAT, O_EXCL: the same on all Linux machines that .NET runs on.

    private const int Readable = 1;
    private const int Shared = 1;
    private const int HereDirectory = -100;
    private const uint BasicStats = 0x7ff;
    private const int StatBytes = 256;

    /// <summary>O_DIRECT, which is not the same everywhere.</summary>
    public static int Direct { get; } = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x10000 : 0x4000;

    public static int Open(string path, int flags) => (int)Check(OpenFile(path, flags, 0x1A4), path);

    public static void Close(int descriptor) => Check(CloseFile(descriptor), "close");

    public static void Sync(int descriptor) => Check(Fsync(descriptor), "fsync");

    public static void Write(int descriptor, ReadOnlySpan<byte> data)
    {
        fixed (byte* pointer = data)
        {
            byte* next = pointer;
            for (nint left = data.Length; left > 0;)
            {
                nint count = Check(WriteFile(descriptor, next, (nuint)left), "write");
                next += count;
                left -= count;
            }
        }
    }

    public static int Read(int descriptor, Span<byte> into)
    {
        fixed (byte* pointer = into)
        {
            return (int)Check(ReadFile(descriptor, pointer, (nuint)into.Length), "read");
        }
    }

    public static int ReadAt(int descriptor, Span<byte> into, long offset)
    {
        fixed (byte* pointer = into)
        {
            return (int)Check(ReadFileAt(descriptor, pointer, (nuint)into.Length, offset), "pread");
        }
    }

    public static int WriteAt(int descriptor, ReadOnlySpan<byte> data, long offset)
    {
        fixed (byte* pointer = data)
        {
            return (int)Check(WriteFileAt(descriptor, pointer, (nuint)data.Length, offset), "pwrite");
        }
    }

    /// <summary>Maps a file and touches every page of it; returns the bytes seen, so that nobody can leave the reading out.</summary>
    public static long ReadMapped(int descriptor, long length)
    {
        nint map = Map(0, (nuint)length, Readable, Shared, descriptor, 0);
        if (map == -1)
        {
            throw new IOException("mmap", new Win32Exception(Marshal.GetLastPInvokeError()));
        }

        long sum = 0;
        for (long at = 0; at < length; at += 8)
        {
            sum += *(byte*)(map + (nint)at);
        }

        Unmap(map, (nuint)length);
        GC.KeepAlive(sum);
        return length;
    }

    public static void Stat(string path)
    {
        byte* stat = stackalloc byte[StatBytes];
        Check(StatFile(HereDirectory, path, 0, BasicStats, stat), path);
    }

    /// <summary>Whether a name is there; what is measured is the kernel's look-up.</summary>
    public static bool Exists(string path)
    {
        byte* stat = stackalloc byte[StatBytes];
        return StatFile(HereDirectory, path, 0, BasicStats, stat) == 0;
    }

    /// <summary>Opens a directory, reads the first answer's entries and closes it.</summary>
    public static void ReadFirstPage(string path)
    {
        nint directory = OpenDirectory(path);
        if (directory == 0)
        {
            throw new IOException(path, new Win32Exception(Marshal.GetLastPInvokeError()));
        }

        ReadDirectory(directory);
        Check(CloseDirectory(directory), path);
    }

    public static void MakeDirectory(string path) => Check(Mkdir(path, 0x1ED), path);

    public static void RemoveDirectory(string path) => Check(Rmdir(path), path);

    public static void Rename(string path, string other) => Check(RenameFile(path, other), path);

    public static void Unlink(string path) => Check(UnlinkFile(path), path);

    public static void Truncate(string path, long length) => Check(TruncateFile(path, length), path);

    /// <summary>What a process, its threads together, has had of the processors.</summary>
    public static double CpuSeconds(int pid)
    {
        // The clock of another process, as clock_getcpuclockid(3) makes its number.
        const int ByScheduler = 2;
        long* time = stackalloc long[2];
        Check(GetTime((~pid << 3) | ByScheduler, time), "clock_gettime");
        return time[0] + (time[1] / 1e9);
    }

    /// <summary>Writes back everything, so that nobody pays for what another left behind.</summary>
    public static void SyncAll() => SyncFileSystems();

    private static nint Check(nint result, string what) =>
        result >= 0 ? result : throw new IOException(what, new Win32Exception(Marshal.GetLastPInvokeError()));
}
