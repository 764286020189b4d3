using System.Runtime.InteropServices;
using Drive.Core.Platform;
using Microsoft.Win32.SafeHandles;

namespace Drive.Disk;

/// <summary>An open file of <see cref="LocalDisk"/>. Owns its handle.</summary>
internal sealed class LocalFile(SafeFileHandle handle, string path) : IDiskFile
{
    public long Length
    {
        get
        {
            try
            {
                return RandomAccess.GetLength(handle);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw Errno.From(exception, "stat", path);
            }
        }
    }

    public int Read(long offset, Span<byte> destination)
    {
        try
        {
            int total = 0;
            while (total < destination.Length)
            {
                int count = RandomAccess.Read(handle, destination[total..], offset + total);
                if (count == 0)
                {
                    break;
                }

                total += count;
            }

            return total;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Errno.From(exception, "read", path);
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        try
        {
            // RandomAccess.Write goes on after a short write.
            RandomAccess.Write(handle, data, offset);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Errno.From(exception, "write", path);
        }
    }

    public void SetLength(long length)
    {
        if (Native.Truncate(handle, length) != 0)
        {
            throw Errno.Last("truncate", path);
        }
    }

    public void PunchHole(long offset, long length)
    {
        if (Native.Allocate(handle, Native.PunchHoleKeepSize, offset, length) != 0
            && Marshal.GetLastPInvokeError() is not (Errno.NotSupported or Errno.NoSystemCall))
        {
            throw Errno.Last("punch a hole into", path);
        }
    }

    // An error is not lost here: fdatasync reports what writing back in the background met.
    public void StartSync(long offset, long length) => _ = Native.SyncRange(handle, offset, length, Native.SyncRangeWrite);

    public void Sync()
    {
        if (Native.SyncData(handle) != 0)
        {
            throw Errno.Last("fdatasync", path);
        }
    }

    public void Dispose() => handle.Dispose();
}
