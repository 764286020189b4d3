using Drive.Cache.Dirty;
using Drive.Core.Platform;
using Drive.Core.Volumes;
using Drive.Testing;

namespace Drive.Cache.Tests.Dirty;

/// <summary>A dirty log of small segments, and the records that were put into it.</summary>
internal static class LogFixture
{
    public const string Directory = "/state/dirty";

    public static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(value => (byte)value)];

    public static readonly DirtyLogOptions Small = new() { SegmentBytes = 64 << 10, WriteBytes = 8 << 10 };

    public static DirtyLog Open(IDisk disk, DirtyLogOptions? options = null, int seed = 1)
    {
        disk.CreateDirectory("/state");
        disk.SyncDirectory("/");
        return DirtyLog.Open(disk, Directory, Key, options ?? Small, new SeededRandom(seed));
    }

    public static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static Written Append(DirtyLog log, int seed, int length)
    {
        byte[] data = Bytes(seed, length);
        LogPosition position = log.Append(new NodeId((ulong)seed + 7), seed * 4096L, (ulong)seed, data);
        return new Written(new DirtyLogRecord((ulong)seed, new NodeId((ulong)seed + 7), seed * 4096L, length, position), data);
    }

    public static byte[] Read(DirtyLog log, DirtyLogRecord record)
    {
        byte[] data = new byte[record.Length];
        log.Read(record.Position, record.Length, 0, data);
        return data;
    }

    internal sealed record Written(DirtyLogRecord Record, byte[] Data);
}
