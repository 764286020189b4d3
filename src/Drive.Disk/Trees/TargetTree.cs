using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Drive.Core.Volumes;

namespace Drive.Disk.Trees;

/// <summary>
/// Makes things on this machine, where nothing is yet, for their owner only until they are settled. What the kernel refuses is a <see cref="TreeException"/>. Any number of threads.
/// </summary>
public static class TargetTree
{
    private const long Second = 1_000_000_000;

    /// <summary>Whether a name is taken, were it by a link that leads nowhere.</summary>
    public static bool Exists(byte[] path) => TryLook(path, out _);

    /// <summary>Whether there is a directory, and no link to one.</summary>
    public static bool IsDirectory(byte[] path) => TryLook(path, out SourceNode node) && node.IsDirectory;

    /// <summary>A name beside another one that nothing has.</summary>
    public static byte[] FreeName(byte[] path) =>
        [.. path.AsSpan(0, path.AsSpan().LastIndexOf((byte)'/') + 1), .. SourcePath.Of($".drive-restore-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}")];

    public static void MakeDirectory(byte[] path) => TreeException.Require(Native.MakeDirectory(SourcePath.Terminated(path), Native.DirectoryMode), path);

    /// <summary>One more name of something.</summary>
    public static void MakeLink(byte[] path, byte[] existing) => TreeException.Require(Native.Link(SourcePath.Terminated(existing), SourcePath.Terminated(path)), path);

    public static void MakeSymbolicLink(byte[] path, byte[] target) => TreeException.Require(Native.MakeSymbolicLink(SourcePath.Terminated(target), SourcePath.Terminated(path)), path);

    /// <summary>A fifo, socket or device.</summary>
    /// <param name="path">Where.</param>
    /// <param name="mode">Its type; the permissions come when it is settled.</param>
    /// <param name="deviceNumber">Of a device.</param>
    public static void MakeNode(byte[] path, uint mode, uint deviceNumber) =>
        TreeException.Require(Native.MakeNode(SourcePath.Terminated(path), (mode & Core.Volumes.FileMode.TypeMask) | Native.FileMode, deviceNumber), path);

    /// <summary>Gives something another name, in place of what has it.</summary>
    public static void Rename(byte[] path, byte[] newPath) => TreeException.Require(Native.Rename(SourcePath.Terminated(path), SourcePath.Terminated(newPath)), newPath);

    /// <summary>Takes a name away that is no directory's, where it can be.</summary>
    public static void Remove(byte[] path) => _ = Native.Unlink(SourcePath.Terminated(path));

    /// <summary>
    /// Gives something that was made owner, extended attributes, mode and times, in this order: each of them may undo one that comes after it. As with cp -a, what only root may give stays behind, and no access list
    /// stays that it was made with.
    /// </summary>
    public static void Settle(byte[] path, in NodeAttributes source, IReadOnlyList<(byte[] Name, byte[] Value)> xattrs)
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

        if (!Core.Volumes.FileMode.IsSymbolicLink(source.Mode))
        {
            TreeException.Require(Native.ChangeMode(text, mode), path);
        }

        long[] times = [.. Split(source.AccessTime), .. Split(source.ModifyTime)];
        TreeException.Require(Native.SetTimes(Native.CurrentDirectory, text, times, Native.LinkItself), path);
    }

    private static bool TryLook(byte[] path, out SourceNode node)
    {
        int failed = Native.Stat(Native.CurrentDirectory, SourcePath.Terminated(path), Native.LinkItself | Native.NoAutomount, Native.StatxBasic, out Native.FileStat stat);
        node = failed < 0 ? default : SourceNode.Of(stat);
        return failed >= 0;
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
