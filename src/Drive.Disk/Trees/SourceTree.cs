using System.Runtime.InteropServices;
using Drive.Core.Volumes;

namespace Drive.Disk.Trees;

/// <summary>
/// Reads what lies on this machine, as it is: never follows a link, changes nothing (access times where it may). What the kernel refuses is a <see cref="TreeException"/>. Any number of threads.
/// </summary>
public static class SourceTree
{
    private const int XattrBytesMax = 65_536;

    /// <summary>What is at a path; <paramref name="follows"/>: or where a link there leads.</summary>
    public static SourceNode Look(byte[] path, bool follows = false)
    {
        int flags = (follows ? 0 : Native.LinkItself) | Native.NoAutomount;
        TreeException.Require(Native.Stat(Native.CurrentDirectory, SourcePath.Terminated(path), flags, Native.StatxBasic, out Native.FileStat stat), path);
        return SourceNode.Of(stat);
    }

    /// <summary>The names in a folder, sorted by their bytes.</summary>
    public static List<byte[]> List(byte[] path)
    {
        nint directory = Native.OpenDirectory(SourcePath.Terminated(path));
        if (directory == 0)
        {
            throw TreeException.Last(path);
        }

        try
        {
            List<byte[]> names = [];
            while (Native.ReadDirectory(directory) is not 0 and nint entry)
            {
                ReadOnlySpan<byte> name = Native.NameOf(entry);
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                {
                    names.Add(name.ToArray());
                }
            }

            // The end, or an error: a listing that broke off is not to be taken for a folder with less in it.
            TreeException.Require(-Marshal.GetLastPInvokeError(), path);
            names.Sort(static (one, other) => one.AsSpan().SequenceCompareTo(other));
            return names;
        }
        finally
        {
            _ = Native.CloseDirectory(directory);
        }
    }

    /// <summary>Where a symbolic link leads.</summary>
    public static byte[] ReadLink(byte[] path)
    {
        byte[] target = new byte[FileName.LinkTargetBytesMax + 1];
        return target[..(int)TreeException.Require(Native.ReadLink(SourcePath.Terminated(path), target, target.Length), path)];
    }

    /// <summary>Extended attributes; none where the file system has no such thing.</summary>
    public static IReadOnlyList<(byte[] Name, byte[] Value)> ReadXattrs(byte[] path)
    {
        byte[] text = SourcePath.Terminated(path);
        List<(byte[] Name, byte[] Value)> found = [];
        byte[] value = [];
        foreach (byte[] name in ListXattrs(path))
        {
            value = value.Length > 0 ? value : new byte[XattrBytesMax];
            nint length = Native.GetXattr(text, SourcePath.Terminated(name), value, value.Length);
            if (length >= 0 || Marshal.GetLastPInvokeError() != Errno.NoData)
            {
                found.Add((name, value[..(int)TreeException.Require(length, path)]));
            }
        }

        return found;
    }

    /// <summary>Their names.</summary>
    internal static List<byte[]> ListXattrs(byte[] path)
    {
        byte[] text = SourcePath.Terminated(path);
        List<byte[]> found = [];
        nint length = Native.ListXattrs(text, [], 0);
        if (length == 0 || (length < 0 && Marshal.GetLastPInvokeError() == Errno.NotSupported))
        {
            return found;
        }

        byte[] names = new byte[XattrBytesMax];
        int end = (int)TreeException.Require(length < 0 ? length : Native.ListXattrs(text, names, names.Length), path);
        for (int start = 0; start < end; start += found[^1].Length + 1)
        {
            found.Add(names[start..Array.IndexOf(names, (byte)0, start)]);
        }

        return found;
    }
}
