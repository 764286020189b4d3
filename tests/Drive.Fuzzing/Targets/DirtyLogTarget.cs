using System.Buffers.Binary;
using Drive.Cache.Dirty;
using Drive.Core.Platform;
using Drive.Core.Volumes;
using Drive.Testing;
using Drive.Testing.Disk;

namespace Drive.Fuzzing.Targets;

/// <summary>
/// Segments of the dirty log. First byte: 0, the file as it lies on the disk; 1, a list of records (length, node, offset, sequence) that are sealed with the log's real key, some of
/// them cut or damaged. What is found again must be what was sealed.
/// </summary>
internal sealed class DirtyLogTarget : FuzzTarget
{
    private const string Directory = "/state/dirty";
    private const long Number = (1L << 32) | 5;
    private static readonly byte[] Key = new byte[32];
    private static readonly byte[] SegmentId = new byte[32];

    public override string Name => "dirtylog";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        [0, .. Segment([1, 0, 3, 0, 0, 0, 0, 0, 2, 0, 9, 0, 1, 0, 0, 0])],
        [0, .. Segment([1, 0, 3, 0, 0, 0, 0, 0]), .. new byte[100]],
        [1, 1, 0, 3, 0, 0, 0, 0, 0, 2, 0, 9, 0, 1, 0, 0, 0],
    ];

    public override IReadOnlyList<byte[]> Dictionary { get; } = ["DLR1"u8.ToArray(), "DRVLOG\0\x01"u8.ToArray(), BitConverter.GetBytes(1 << 20), BitConverter.GetBytes((1 << 20) + 1), new byte[16]];

    // Scan keeps a buffer for the largest record.
    public override long AllocationMax(int inputBytes) => (6 << 20) + (1024L * inputBytes);

    public override void Run(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }

        byte[] file = input[0] % 2 == 0 ? input[1..] : Segment(input.AsSpan(1));
        MemoryDisk disk = new();
        disk.CreateDirectory(Directory);
        using (IDiskFile segment = disk.Open($"{Directory}/{Number:x16}.log", DiskOpenMode.CreateNew)!)
        {
            segment.Write(0, file);
        }

        using DirtyLog log = DirtyLog.Open(disk, Directory, Key, new DirtyLogOptions(), new SeededRandom(1));
        List<DirtyLogRecord> whole = [.. log.Scan()];
        List<DirtyLogRecord> found = [.. log.ScanHeaders(null, default)];
        if (whole.Except(found).Any())
        {
            throw new InvalidOperationException("the scan of headers misses a whole record");
        }

        byte[] buffer = new byte[1 << 20];
        foreach (DirtyLogRecord record in found)
        {
            try
            {
                log.Read(record.Position, record.Length, 0, buffer.AsSpan(0, record.Length));
                if (buffer.AsSpan(0, record.Length).ContainsAnyExcept(Fill(record.Node)))
                {
                    throw new InvalidOperationException($"{record} has other bytes than were sealed");
                }
            }
            catch (CorruptLogException)
            {
            }
        }
    }

    private static byte Fill(NodeId node) => (byte)node.Value;

    /// <summary>Records of 8 input bytes each; every byte of a record is its node's.</summary>
    private static byte[] Segment(ReadOnlySpan<byte> plan)
    {
        using MemoryStream file = new();
        file.Write(LogLayout.SegmentMagic);
        file.Write(SegmentId);
        using SegmentCipher cipher = new(Key, SegmentId, Number);
        for (; plan.Length >= 8 && file.Length < 1 << 17; plan = plan[8..])
        {
            NodeId node = new(plan[0]);
            int length = Math.Max(1, (int)BinaryPrimitives.ReadUInt16LittleEndian(plan[1..]) * (plan[3] > 200 ? 3 : 1));
            byte[] record = new byte[LogLayout.SealedLength(length)];
            byte[] data = new byte[length];
            data.AsSpan().Fill(Fill(node));
            cipher.SealRecord(record, file.Length, node, (long)plan[4] << (plan[5] & 31), plan[6], data);
            int cut = plan[7] > 240 ? record.Length * (plan[7] - 240) / 16 : record.Length;
            if (plan[7] is > 220 and <= 240)
            {
                record[(plan[7] * 37) % record.Length] ^= 1;
            }

            file.Write(record, 0, cut);
        }

        return file.ToArray();
    }
}
