using Drive.Core.Volumes;

namespace Drive.Disk.Trees;

/// <summary>What statx(2) tells of something on this machine. Times are nanoseconds since 1970; the device number is in the form of <see cref="NodeAttributes.DeviceNumber"/>.</summary>
/// <param name="Mode">Type and permission bits.</param>
/// <param name="Links">Its names.</param>
/// <param name="Uid">The owner.</param>
/// <param name="Gid">The group.</param>
/// <param name="Inode">With the device: which thing it is.</param>
/// <param name="Size">Bytes.</param>
/// <param name="AccessTime">When it was read last, as far as that is kept.</param>
/// <param name="ChangeTime">When anything of it was changed last.</param>
/// <param name="ModifyTime">When its content was changed last.</param>
/// <param name="Device">See <paramref name="Inode"/>.</param>
/// <param name="DeviceNumber">Of a device file.</param>
public readonly record struct SourceNode(
    uint Mode, uint Links, uint Uid, uint Gid, ulong Inode, long Size, long AccessTime, long ChangeTime, long ModifyTime, ulong Device, uint DeviceNumber)
{
    public bool IsDirectory => Core.Volumes.FileMode.IsDirectory(Mode);

    public bool IsRegular => Core.Volumes.FileMode.IsRegular(Mode);

    public bool IsSymbolicLink => Core.Volumes.FileMode.IsSymbolicLink(Mode);

    /// <summary>Whether it is the same thing and, as far as its attributes tell, was not changed in between.</summary>
    public bool IsUnchanged(in SourceNode other) =>
        Inode == other.Inode && Device == other.Device && Size == other.Size && ModifyTime == other.ModifyTime && ChangeTime == other.ChangeTime && Mode == other.Mode;

    internal static SourceNode Of(in Native.FileStat stat) => new(
        stat.Mode, stat.LinkCount, stat.Uid, stat.Gid, stat.Inode, (long)stat.Size, stat.AccessTime.Nanoseconds, stat.ChangeTime.Nanoseconds, stat.ModifyTime.Nanoseconds,
        ((ulong)stat.DeviceMajor << 32) | stat.DeviceMinor, (stat.NumberMinor & 0xFF) | (stat.NumberMajor << 8) | ((stat.NumberMinor & 0xFFF00) << 12));
}
