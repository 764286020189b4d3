using System.Runtime.InteropServices;

namespace Drive.Disk.Trees;

/// <summary>Something in a tree that could not be read or made; the message says why, for people, and does not name it.</summary>
public sealed class TreeException : Exception
{
    private readonly int _errno;

    public TreeException(byte[] path, string message)
        : base(message) => Path = path;

    private TreeException(byte[] path, int errno)
        : this(path, Marshal.GetPInvokeErrorMessage(errno)) => _errno = errno;

    /// <summary>What it is about.</summary>
    public byte[] Path { get; }

    /// <summary>Whether it is not there (any more), said by the kernel.</summary>
    public bool IsGone => _errno is Errno.NoEntry or Errno.NotDirectory;

    /// <summary>What was to be read is not there any more.</summary>
    public static TreeException Gone(byte[] path) => new(path, Errno.NoEntry);

    /// <summary>For the error number that the last call left.</summary>
    internal static TreeException Last(byte[] path) => new(path, Marshal.GetLastPInvokeError());

    /// <summary>A call's result, unless it failed.</summary>
    internal static long Require(long result, byte[] path) => result >= 0 ? result : throw Last(path);
}
