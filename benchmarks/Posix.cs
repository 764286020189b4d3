using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Drive.Benchmarks;

/// <summary>The plain calls that are measured: what the runtime adds to its own files (locks, a stat for each open) would be measured too.</summary>
internal static unsafe partial class Posix
{
    public const int ReadOnly = 0;
    public const int CreateNew = 1 | 0x40 | 0x80; // O_WRONLY, O_CREAT, O_EXCL: the same on all Linux machines that .NET runs on.

    public static int Open(string path, int flags) => (int)Check(OpenFile(path, flags, 0x1A4), path);

    public static void Close(int descriptor) => Check(CloseFile(descriptor), "close");

    public static void Sync(int descriptor) => Check(Fsync(descriptor), "fsync");

    public static void Write(int descriptor, ReadOnlySpan<byte> data)
    {
        fixed (byte* pointer = data)
        {
            while (!data.IsEmpty)
            {
                data = data[(int)Check(WriteFile(descriptor, pointer, (nuint)data.Length), "write")..];
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

    public static void MakeDirectory(string path) => Check(Mkdir(path, 0x1ED), path);

    public static void RemoveDirectory(string path) => Check(Rmdir(path), path);

    public static void Unlink(string path) => Check(UnlinkFile(path), path);

    /// <summary>Writes back everything, so that nobody pays for what another left behind.</summary>
    public static void SyncAll() => SyncFileSystems();

    private static nint Check(nint result, string what) =>
        result >= 0 ? result : throw new IOException(what, new Win32Exception(Marshal.GetLastPInvokeError()));

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int CloseFile(int descriptor);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteFile(int descriptor, byte* data, nuint length);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadFile(int descriptor, byte* data, nuint length);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mkdir(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rmdir(string path);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnlinkFile(string path);

    [LibraryImport("libc", EntryPoint = "sync")]
    private static partial void SyncFileSystems();
}
