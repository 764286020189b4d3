using System.Runtime.InteropServices;
using Drive.Core.Platform;

namespace Drive.Disk;

/// <summary>Linux's error numbers that mean something here, and the exceptions that carry them.</summary>
internal static class Errno
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int Interrupted = 4;
    public const int NoSuchOffset = 6;
    public const int WouldBlock = 11;
    public const int Exists = 17;
    public const int NotDirectory = 20;
    public const int IsDirectory = 21;
    public const int NoSpace = 28;
    public const int NoData = 61;
    public const int NotSupported = 95;
    public const int NoSystemCall = 38;
    public const int Quota = 122;

    /// <summary>The exception for the error number that the last call left.</summary>
    public static IOException Last(string what, string path) => Make(Marshal.GetLastPInvokeError(), what, path);

    public static IOException Make(int errno, string what, string path)
    {
        string message = $"{what} {path}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})";
        return errno is NoSpace or Quota
            ? new DiskFullException(message) { HResult = errno }
            : new IOException(message, errno);
    }

    /// <summary>The same meaning for what the BCL threw: it puts the error number into HResult.</summary>
    public static IOException From(Exception exception, string what, string path) => exception switch
    {
        DiskFullException full => full,
        IOException { HResult: NoSpace or Quota } => new DiskFullException($"{what} {path}: {exception.Message}", exception) { HResult = exception.HResult },
        IOException io => new IOException($"{what} {path}: {io.Message} (errno {io.HResult})", io) { HResult = io.HResult },
        UnauthorizedAccessException => new IOException($"{what} {path}: {exception.Message}", exception) { HResult = 13 },
        _ => new IOException($"{what} {path}: {exception.Message}", exception),
    };
}
