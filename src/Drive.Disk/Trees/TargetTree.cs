using System.Runtime.InteropServices;
using Drive.Core.Volumes;

namespace Drive.Disk.Trees;

/// <summary>
/// Makes things on this machine, where nothing is yet, for their owner only until they are settled. What the kernel refuses is a <see cref="TreeException"/>. Any number of threads.
/// </summary>
public static class TargetTree
{
    private const long Second = 1_000_000_000;

    public static void MakeDirectory(byte[] path) => TreeException.Require(Native.MakeDirectory(SourcePath.Terminated(path), Native.DirectoryMode), path);

    /// <summary>One more name of something.</summary>
    public static void MakeLink(byte[] path, byte[] existing) => TreeException.Require(Native.Link(SourcePath.Terminated(existing), SourcePath.Terminated(path)), path);

    public static void MakeSymbolicLink(byte[] path, byte[] target) => TreeException.Require(Native.MakeSymbolicLink(SourcePath.Terminated(target), SourcePath.Terminated(path)), path);

    /// <summary>A fifo, socket or device.</summary>
    public static void MakeNode(byte[] path, in SourceNode source) =>
        TreeException.Require(Native.MakeNode(SourcePath.Terminated(path), (source.Mode & Core.Volumes.FileMode.TypeMask) | Native.FileMode, source.DeviceNumber), path);

    /// <summary>
    /// Gives something that was made owner, extended attributes, mode and times, in this order: each of them may undo one that comes after it. As with cp -a, what only root may give stays behind, and no access list
    /// stays that it was made with.
    /// </summary>
    public static void Settle(byte[] path, in SourceNode source, IReadOnlyList<(byte[] Name, byte[] Value)> xattrs)
    {
        byte[] text = SourcePath.Terminated(path);
        uint mode = source.Mode & Core.Volumes.FileMode.PermissionMask;
        if (Native.ChangeOwner(text, source.Uid, source.Gid) < 0)
        {
            // What would run as its owner is not to run as another one.
            RequireUnless(path, Errno.NotPermitted);
            mode &= ~(Core.Volumes.FileMode.SetUserId | Core.Volumes.FileMode.SetGroupId);
        }

        foreach (byte[] list in SourceTree.ListXattrs(path).Where(name => IsAccessList(name) && !xattrs.Any(one => one.Name.AsSpan().SequenceEqual(name))))
        {
            TreeException.Require(Native.RemoveXattr(text, SourcePath.Terminated(list)), path);
        }

        foreach ((byte[] name, byte[] value) in xattrs)
        {
            if (Native.SetXattr(text, SourcePath.Terminated(name), value, value.Length, 0) < 0)
            {
                // Or what this file system does not know.
                RequireUnless(path, Errno.NotPermitted, Errno.NotSupported);
            }
        }

        if (!source.IsSymbolicLink)
        {
            TreeException.Require(Native.ChangeMode(text, mode), path);
        }

        long[] times = [.. Split(source.AccessTime), .. Split(source.ModifyTime)];
        TreeException.Require(Native.SetTimes(Native.CurrentDirectory, text, times, Native.LinkItself), path);
    }

    /// <summary>Whether it is one of acl(5), which is inherited from the folder around.</summary>
    private static bool IsAccessList(ReadOnlySpan<byte> name) => name.StartsWith("system.posix_acl_"u8);

    private static void RequireUnless(byte[] path, params ReadOnlySpan<int> errnos)
    {
        if (!errnos.Contains(Marshal.GetLastPInvokeError()))
        {
            throw TreeException.Last(path);
        }
    }

    /// <summary>Seconds, and nanoseconds that are never negative.</summary>
    private static long[] Split(long nanoseconds)
    {
        long fraction = ((nanoseconds % Second) + Second) % Second;
        return [(nanoseconds - fraction) / Second, fraction];
    }
}
