using System.Buffers.Binary;
using Drive.Disk.Trees;

namespace Drive.Backup.Remembering;

/// <summary>What a run found of a file, beside the last one that got through. A run that goes on with one that was ended needs it: to people's eyes they are one.</summary>
internal enum FileFate : byte
{
    /// <summary>As it was. Also of what is no file.</summary>
    Same,

    /// <summary>It changed.</summary>
    Changed,

    /// <summary>It was not there.</summary>
    New,

    /// <summary>It is not there any more.</summary>
    Gone,
}

/// <summary>
/// What a run remembers of one path: how it was on this machine, and which node of the vault shows it. A folder's stands behind all that is in it (<see cref="IsFolderEnd"/>).
/// </summary>
/// <param name="Path">On this machine.</param>
/// <param name="IsFolderEnd">Whether it is of a folder.</param>
/// <param name="Mode">Type and permission bits.</param>
/// <param name="Inode">With the device: which thing it was.</param>
/// <param name="Device">See <paramref name="Inode"/>.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ModifyTime">Nanoseconds since 1970.</param>
/// <param name="ChangeTime">Nanoseconds since 1970; 0 is no time of anything: it is to be looked at anew.</param>
/// <param name="Node">The node in the vault.</param>
/// <param name="VaultChangeTime">When that node was changed last: by the run. 0: it has several names, and each changes it.</param>
/// <param name="Fate">What became of it by the run that wrote this.</param>
/// <param name="LacksXattrs">Whether the vault does not have all of its extended attributes.</param>
internal sealed record IndexRecord(
    byte[] Path, bool IsFolderEnd, uint Mode, ulong Inode, ulong Device, long Size, long ModifyTime, long ChangeTime, ulong Node, long VaultChangeTime, FileFate Fate, bool LacksXattrs = false)
{
    /// <summary>Bytes besides the path.</summary>
    private const int FixedBytes = 4 + 1 + 4 + (8 * 7);

    private const byte FolderFlag = 1;
    private const int FateShift = 1;
    private const int FateMask = 3;
    private const byte LacksXattrsFlag = 8;

    public bool IsFile => Core.Volumes.FileMode.IsRegular(Mode);

    public static IndexRecord Of(byte[] path, in SourceNode node, ulong vaultNode, long vaultChangeTime, FileFate fate = FileFate.Same) => new(
        path, node.IsDirectory, node.Mode, node.Inode, node.Device, node.Size, node.ModifyTime, node.ChangeTime, vaultNode, vaultChangeTime, fate);

    /// <summary>Whether what is there now is, as far as attributes tell, what was there then.</summary>
    public bool IsUnchanged(in SourceNode node) =>
        Inode == node.Inode && Device == node.Device && Mode == node.Mode && ChangeTime == node.ChangeTime && ModifyTime == node.ModifyTime && (IsFolderEnd || Size == node.Size);

    /// <summary>The order of records: that of <see cref="SourcePath.Compare"/>, and a folder's end after all that is in it.</summary>
    public static int Compare(ReadOnlySpan<byte> one, bool isOneEnd, ReadOnlySpan<byte> other, bool isOtherEnd)
    {
        if (isOneEnd && SourcePath.IsWithin(other, one))
        {
            return isOtherEnd && one.Length == other.Length ? 0 : 1;
        }

        return isOtherEnd && SourcePath.IsWithin(one, other) ? -1 : SourcePath.Compare(one, other);
    }

    /// <summary>Bytes that <see cref="Encode"/> needs at most.</summary>
    public int EncodedBytesMax => FixedBytes + Path.Length;

    /// <summary>Writes it; of its path only what differs from the one before.</summary>
    public int Encode(ReadOnlySpan<byte> before, Span<byte> to)
    {
        int shared = Path.AsSpan().CommonPrefixLength(before);
        int rest = Path.Length - shared;
        BinaryPrimitives.WriteUInt16LittleEndian(to, (ushort)shared);
        BinaryPrimitives.WriteUInt16LittleEndian(to[2..], (ushort)rest);
        to[4] = (byte)((IsFolderEnd ? FolderFlag : 0) | ((byte)Fate << FateShift) | (LacksXattrs ? LacksXattrsFlag : 0));
        BinaryPrimitives.WriteUInt32LittleEndian(to[5..], Mode);
        Span<byte> numbers = to[9..];
        foreach (long number in (ReadOnlySpan<long>)[(long)Inode, (long)Device, Size, ModifyTime, ChangeTime, (long)Node, VaultChangeTime])
        {
            BinaryPrimitives.WriteInt64LittleEndian(numbers, number);
            numbers = numbers[8..];
        }

        Path.AsSpan(shared).CopyTo(to[FixedBytes..]);
        return FixedBytes + rest;
    }

    /// <summary>Reads one that starts at <paramref name="from"/>, and says how long it is; null when it is no record.</summary>
    public static IndexRecord? Decode(ReadOnlySpan<byte> before, ReadOnlySpan<byte> from, out int length)
    {
        length = 0;
        if (from.Length < FixedBytes)
        {
            return null;
        }

        int shared = BinaryPrimitives.ReadUInt16LittleEndian(from);
        int rest = BinaryPrimitives.ReadUInt16LittleEndian(from[2..]);
        if (shared > before.Length || FixedBytes + rest > from.Length)
        {
            return null;
        }

        byte[] path = new byte[shared + rest];
        before[..shared].CopyTo(path);
        from.Slice(FixedBytes, rest).CopyTo(path.AsSpan(shared));
        length = FixedBytes + rest;
        ReadOnlySpan<byte> numbers = from[9..];
        return new IndexRecord(
            path, (from[4] & FolderFlag) != 0, BinaryPrimitives.ReadUInt32LittleEndian(from[5..]), (ulong)Number(numbers, 0), (ulong)Number(numbers, 1), Number(numbers, 2), Number(numbers, 3),
            Number(numbers, 4), (ulong)Number(numbers, 5), Number(numbers, 6), (FileFate)((from[4] >> FateShift) & FateMask), (from[4] & LacksXattrsFlag) != 0);
    }

    private static long Number(ReadOnlySpan<byte> numbers, int index) => BinaryPrimitives.ReadInt64LittleEndian(numbers[(index * 8)..]);
}
