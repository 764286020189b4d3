using System.Buffers.Binary;
using Drive.Core.Volumes;

namespace Drive.Backup.Source;

/// <summary>What statx(2) tells of something on this machine. Times are nanoseconds since 1970.</summary>
internal readonly record struct SourceNode(
    uint Mode, uint Links, uint Uid, uint Gid, ulong Inode, long Size, long AccessTime, long ChangeTime, long ModifyTime, ulong Device, uint DeviceNumber)
{
    public const int StatBytes = 256;

    private const int MinorBits = 20;

    public bool IsDirectory => Core.Volumes.FileMode.IsDirectory(Mode);

    public bool IsRegular => Core.Volumes.FileMode.IsRegular(Mode);

    public bool IsSymbolicLink => Core.Volumes.FileMode.IsSymbolicLink(Mode);

    /// <summary>Whether it is the same thing and, as far as its attributes tell, was not changed in between.</summary>
    public bool IsUnchanged(in SourceNode other) =>
        Inode == other.Inode && Device == other.Device && Size == other.Size && ModifyTime == other.ModifyTime && ChangeTime == other.ChangeTime && Mode == other.Mode;

    /// <summary>From struct statx.</summary>
    public static SourceNode Parse(ReadOnlySpan<byte> stat) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(stat[28..]),
        Word(stat, 16),
        Word(stat, 20),
        Word(stat, 24),
        (ulong)Long(stat, 32),
        Long(stat, 40),
        Time(stat, 64),
        Time(stat, 96),
        Time(stat, 112),
        ((ulong)Word(stat, 136) << 32) | Word(stat, 140),
        EncodeDevice(Word(stat, 128), Word(stat, 132)));

    /// <summary>Linux's 32-bit form of a device number, as in <see cref="NodeAttributes.DeviceNumber"/>.</summary>
    private static uint EncodeDevice(uint major, uint minor) => (minor & 0xFF) | (major << 8) | ((minor & ~0xFFu & ((1u << MinorBits) - 1)) << 12);

    private static uint Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long Long(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    private static long Time(ReadOnlySpan<byte> bytes, int at) => (Long(bytes, at) * 1_000_000_000) + Word(bytes, at + 8);
}
