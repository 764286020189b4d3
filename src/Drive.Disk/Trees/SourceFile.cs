using System.Runtime.InteropServices;

namespace Drive.Disk.Trees;

/// <summary>An open regular file of this machine, for reading. For one thread.</summary>
public sealed class SourceFile : IDisposable
{
    private readonly int _file;
    private readonly byte[] _path;

    private SourceFile(int file, byte[] path) => (_file, _path) = (file, path);

    /// <summary>Opens a file; never through a link, and never waiting for a pipe's other end.</summary>
    /// <exception cref="TreeException">It can't be opened.</exception>
    public static SourceFile Open(byte[] path)
    {
        int flags = Native.ReadOnly | Native.CloseOnExec | Native.NonBlock | Native.NoFollow;
        byte[] text = SourcePath.Terminated(path);
        int file = Native.Open(text, flags | Native.NoAccessTime, 0);
        if (file < 0 && Marshal.GetLastPInvokeError() == Errno.NotPermitted)
        {
            // Only the owner may read without a trace.
            file = Native.Open(text, flags, 0);
        }

        return new SourceFile((int)TreeException.Require(file, path), path);
    }

    /// <summary>What it is now.</summary>
    public SourceNode Look()
    {
        TreeException.Require(Native.Stat(_file, "", Native.EmptyPath, Native.StatxBasic, out Native.FileStat stat), _path);
        return SourceNode.Of(stat);
    }

    /// <summary>The first range of data at or after an offset and below an end, or null; a file system that can't tell has data everywhere.</summary>
    public (long Start, long End)? FindData(long offset, long end)
    {
        if (offset >= end)
        {
            return null;
        }

        long start = Native.Seek(_file, offset, Native.SeekData);
        if (start < 0)
        {
            return Marshal.GetLastPInvokeError() == Errno.NoSuchOffset ? null : (offset, end);
        }

        long stop = Native.Seek(_file, start, Native.SeekHole);
        return start >= end ? null : (start, stop < 0 ? end : Math.Min(stop, end));
    }

    /// <summary>Fills the destination; the bytes read, fewer only at the end.</summary>
    /// <exception cref="TreeException">It can't be read there.</exception>
    public int Read(long offset, Span<byte> destination)
    {
        int total = 0;
        while (total < destination.Length)
        {
            Span<byte> rest = destination[total..];
            nint count = Native.ReadAt(_file, ref MemoryMarshal.GetReference(rest), rest.Length, offset + total);
            if (count < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted)
            {
                continue;
            }

            if (TreeException.Require(count, _path) == 0)
            {
                break;
            }

            total += (int)count;
        }

        return total;
    }

    public void Dispose() => _ = Native.Close(_file);
}
