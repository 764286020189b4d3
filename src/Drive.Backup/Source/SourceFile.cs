namespace Drive.Backup.Source;

/// <summary>An open regular file of this machine. For one thread.</summary>
internal sealed unsafe class SourceFile : IDisposable
{
    private readonly int _file;

    private SourceFile(int file) => _file = file;

    /// <summary>Opens a file for reading; never through a link, and never waiting for a pipe's other end.</summary>
    public static SourceFile Open(byte[] path)
    {
        int flags = Native.ReadOnly | Native.CloseOnExec | Native.NonBlock | Native.NoFollow;
        fixed (byte* text = SourceTree.Terminated(path))
        {
            int file = Native.Open(text, flags | Native.NoAccessTime, 0);
            if (file < 0 && Native.LastError == Native.NotPermitted)
            {
                // Only the owner may read without a trace.
                file = Native.Open(text, flags, 0);
            }

            return file >= 0 ? new SourceFile(file) : throw new SourceException(Native.LastError);
        }
    }

    /// <summary>What it is now.</summary>
    public SourceNode Look()
    {
        byte* stat = stackalloc byte[SourceNode.StatBytes];
        byte none = 0;
        return Native.Stat(_file, &none, Native.EmptyPath, Native.StatxBasic, stat) == 0
            ? SourceNode.Parse(new ReadOnlySpan<byte>(stat, SourceNode.StatBytes))
            : throw new SourceException(Native.LastError);
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
            return Native.LastError == Native.NoSuchOffset ? null : (offset, end);
        }

        long stop = Native.Seek(_file, start, Native.SeekHole);
        return start >= end ? null : (start, stop < 0 ? end : Math.Min(stop, end));
    }

    /// <summary>Fills the destination; the bytes read, fewer only at the end.</summary>
    public int Read(long offset, Span<byte> destination)
    {
        int total = 0;
        fixed (byte* bytes = destination)
        {
            while (total < destination.Length)
            {
                nint count = Native.Read(_file, bytes + total, destination.Length - total, offset + total);
                if (count < 0 && Native.LastError == Native.Interrupted)
                {
                    continue;
                }

                if (count < 0)
                {
                    throw new SourceException(Native.LastError);
                }

                if (count == 0)
                {
                    break;
                }

                total += (int)count;
            }
        }

        return total;
    }

    public void Dispose() => _ = Native.Close(_file);
}
