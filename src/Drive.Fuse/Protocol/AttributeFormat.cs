using Drive.Core.Volumes;

namespace Drive.Fuse.Protocol;

/// <summary>The volume's attributes in the kernel's shape, and back.</summary>
internal static class AttributeFormat
{
    /// <summary>st_blksize. Larger values would change how the kernel rounds direct I/O.</summary>
    public const uint BlockSize = 4096;

    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>st_blocks counts these.</summary>
    private const long SectorBytes = 512;

    public static void Write(in NodeAttributes from, out Attr to)
    {
        to = default;
        to.Inode = from.Node.Value;
        to.Size = (ulong)from.Size;
        to.Blocks = Sectors(from.AllocatedBytes);
        (to.AccessSeconds, to.AccessNanoseconds) = Split(from.AccessTime);
        (to.ModifySeconds, to.ModifyNanoseconds) = Split(from.ModifyTime);
        (to.ChangeSeconds, to.ChangeNanoseconds) = Split(from.ChangeTime);
        to.Mode = from.Mode;
        to.LinkCount = from.LinkCount;
        to.Uid = from.Uid;
        to.Gid = from.Gid;
        to.DeviceNumber = from.DeviceNumber;
        to.BlockSize = BlockSize;
    }

    public static void Write(in NodeAttributes from, out StatxOut to)
    {
        to = default;
        to.Mask = StatxOut.BasicAndBirth;
        to.BlockSize = BlockSize;
        to.LinkCount = from.LinkCount;
        to.Uid = from.Uid;
        to.Gid = from.Gid;
        to.Mode = (ushort)from.Mode;
        to.Inode = from.Node.Value;
        to.Size = (ulong)from.Size;
        to.Blocks = Sectors(from.AllocatedBytes);
        to.AccessTime = StatxTimeOf(from.AccessTime);
        to.BirthTime = StatxTimeOf(from.BirthTime);
        to.ChangeTime = StatxTimeOf(from.ChangeTime);
        to.ModifyTime = StatxTimeOf(from.ModifyTime);
        to.DeviceMajor = DeviceMajor(from.DeviceNumber);
        to.DeviceMinor = DeviceMinor(from.DeviceNumber);
    }

    /// <summary>False when the change holds what no node can have.</summary>
    public static bool TryRead(in SetAttrIn from, out AttributeChange to)
    {
        to = default;
        if ((from.Valid & SetAttrFields.Mode) != 0)
        {
            to.Fields |= AttributeFields.Mode;
            to.Mode = from.Mode & FileMode.PermissionMask;
        }

        if ((from.Valid & SetAttrFields.Uid) != 0)
        {
            to.Fields |= AttributeFields.Uid;
            to.Uid = from.Uid;
        }

        if ((from.Valid & SetAttrFields.Gid) != 0)
        {
            to.Fields |= AttributeFields.Gid;
            to.Gid = from.Gid;
        }

        if ((from.Valid & SetAttrFields.KillPrivileges) != 0)
        {
            to.Fields |= AttributeFields.KillPrivileges;
        }

        if ((from.Valid & SetAttrFields.Size) != 0)
        {
            to.Fields |= AttributeFields.Size;
            to.Size = (long)from.Size;
            if (to.Size < 0)
            {
                return false;
            }
        }

        return TryReadTimes(from, ref to);
    }

    /// <summary>Seconds and nanoseconds as one number, held within what 64 bits of nanoseconds can say (1678 to 2262).</summary>
    public static long Join(long seconds, uint nanoseconds)
    {
        Int128 sum = ((Int128)seconds * NanosecondsPerSecond) + nanoseconds;
        return (long)Int128.Clamp(sum, long.MinValue, long.MaxValue);
    }

    public static (long Seconds, uint Nanoseconds) Split(long time)
    {
        long seconds = Math.DivRem(time, NanosecondsPerSecond, out long rest);
        return rest < 0 ? (seconds - 1, (uint)(rest + NanosecondsPerSecond)) : (seconds, (uint)rest);
    }

    private static bool TryReadTimes(in SetAttrIn from, ref AttributeChange to)
    {
        if ((from.Valid & SetAttrFields.AccessTimeNow) != 0)
        {
            to.Fields |= AttributeFields.AccessTimeNow;
        }
        else if ((from.Valid & SetAttrFields.AccessTime) != 0)
        {
            to.Fields |= AttributeFields.AccessTime;
            to.AccessTime = Join(from.AccessSeconds, from.AccessNanoseconds);
        }

        if ((from.Valid & SetAttrFields.ModifyTimeNow) != 0)
        {
            to.Fields |= AttributeFields.ModifyTimeNow;
        }
        else if ((from.Valid & SetAttrFields.ModifyTime) != 0)
        {
            to.Fields |= AttributeFields.ModifyTime;
            to.ModifyTime = Join(from.ModifySeconds, from.ModifyNanoseconds);
        }

        if ((from.Valid & SetAttrFields.ChangeTime) != 0)
        {
            to.Fields |= AttributeFields.ChangeTime;
            to.ChangeTime = Join(from.ChangeSeconds, from.ChangeNanoseconds);
        }

        return from.AccessNanoseconds < NanosecondsPerSecond && from.ModifyNanoseconds < NanosecondsPerSecond
            && from.ChangeNanoseconds < NanosecondsPerSecond;
    }

    private static ulong Sectors(long bytes) => (ulong)((bytes / SectorBytes) + (bytes % SectorBytes > 0 ? 1 : 0));

    private static StatxTime StatxTimeOf(long time)
    {
        (long seconds, uint nanoseconds) = Split(time);
        return new() { Seconds = seconds, Nanoseconds = nanoseconds };
    }

    // Linux's 32-bit encoding: minor's low 8 bits, 12 bits of major, minor's high 12 bits.
    private static uint DeviceMajor(uint device) => (device >> 8) & 0xfff;

    private static uint DeviceMinor(uint device) => (device & 0xff) | ((device >> 12) & 0xfff00);
}
