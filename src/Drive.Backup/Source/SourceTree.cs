using System.Text;
using Drive.Core.Volumes;

namespace Drive.Backup.Source;

/// <summary>Something that could not be read, with the errno.</summary>
internal sealed class SourceException(int errno) : Exception(Native.Explain(errno))
{
    public int Errno { get; } = errno;

    /// <summary>Whether it is not there (any more), said by the kernel.</summary>
    public bool IsGone => Errno is Native.NoEntry or Native.NotDirectory;
}

/// <summary>Reads what lies on this machine, as it is: never follows a link, changes nothing (access times where it may). Any number of threads.</summary>
internal static unsafe class SourceTree
{
    private const int XattrBytesMax = 65_536;

    /// <summary>What is at a path; <paramref name="follows"/>: or where a link there leads. <see cref="SourceException"/> when that can't be told.</summary>
    public static SourceNode Look(byte[] path, bool follows = false)
    {
        byte* stat = stackalloc byte[SourceNode.StatBytes];
        fixed (byte* text = Terminated(path))
        {
            return Native.Stat(Native.CurrentDirectory, text, (follows ? 0 : Native.LinkItself) | Native.NoAutomount, Native.StatxBasic, stat) == 0
                ? SourceNode.Parse(new ReadOnlySpan<byte>(stat, SourceNode.StatBytes))
                : throw new SourceException(Native.LastError);
        }
    }

    /// <summary>The names in a folder, sorted by their bytes.</summary>
    public static List<byte[]> List(byte[] path)
    {
        nint directory;
        fixed (byte* text = Terminated(path))
        {
            directory = Native.OpenDirectory(text);
        }

        if (directory == 0)
        {
            throw new SourceException(Native.LastError);
        }

        try
        {
            List<byte[]> names = [];
            while (true)
            {
                nint entry = Native.ReadDirectory(directory);
                if (entry == 0)
                {
                    // The end, or an error: a listing that broke off is not to be taken for a folder with less in it.
                    int errno = Native.LastError;
                    return errno == 0 ? Sorted(names) : throw new SourceException(errno);
                }

                ReadOnlySpan<byte> name = Native.NameOf(entry);
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                {
                    names.Add(name.ToArray());
                }
            }
        }
        finally
        {
            _ = Native.CloseDirectory(directory);
        }
    }

    /// <summary>Where a symbolic link leads.</summary>
    public static byte[] ReadLink(byte[] path)
    {
        byte* target = stackalloc byte[FileName.LinkTargetBytesMax + 1];
        fixed (byte* text = Terminated(path))
        {
            nint length = Native.ReadLink(text, target, FileName.LinkTargetBytesMax + 1);
            return length >= 0 ? new ReadOnlySpan<byte>(target, (int)length).ToArray() : throw new SourceException(Native.LastError);
        }
    }

    /// <summary>Extended attributes; none where the file system has no such thing.</summary>
    public static List<(byte[] Name, byte[] Value)> ReadXattrs(byte[] path)
    {
        List<(byte[] Name, byte[] Value)> found = [];
        fixed (byte* text = Terminated(path))
        {
            nint length = Native.ListXattrs(text, null, 0);
            if (length <= 0)
            {
                return length == 0 || Native.LastError is Native.NotSupported ? found : throw new SourceException(Native.LastError);
            }

            byte[] names = new byte[XattrBytesMax];
            fixed (byte* list = names)
            {
                length = Native.ListXattrs(text, list, names.Length);
            }

            if (length < 0)
            {
                throw new SourceException(Native.LastError);
            }

            for (int start = 0; start < length;)
            {
                int end = Array.IndexOf(names, (byte)0, start);
                if (ReadXattr(text, names[start..(end + 1)]) is { } value)
                {
                    found.Add((names[start..end], value));
                }

                start = end + 1;
            }
        }

        return found;
    }

    /// <summary>Null: it went in between.</summary>
    private static byte[]? ReadXattr(byte* path, byte[] name)
    {
        byte[] value = new byte[XattrBytesMax];
        fixed (byte* key = name)
        fixed (byte* bytes = value)
        {
            nint length = Native.GetXattr(path, key, bytes, value.Length);
            return length >= 0 ? value[..(int)length] : Native.LastError == Native.NoData ? null : throw new SourceException(Native.LastError);
        }
    }

    internal static byte[] Terminated(byte[] path)
    {
        byte[] text = new byte[path.Length + 1];
        path.CopyTo(text, 0);
        return text;
    }

    internal static byte[] ToBytes(string path) => Encoding.UTF8.GetBytes(path);

    private static List<byte[]> Sorted(List<byte[]> names)
    {
        names.Sort(static (one, other) => one.AsSpan().SequenceCompareTo(other));
        return names;
    }
}
