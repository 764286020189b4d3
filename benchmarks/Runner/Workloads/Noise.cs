using System.Buffers.Binary;

namespace Drive.Benchmarks.Workloads;

/// <summary>Bytes that do not compress. Each piece gets a stamp of its own, else a store that knows equal blocks would have nothing to do.</summary>
internal sealed class Noise
{
    public const int MiB = 1 << 20;

    private readonly byte[] _bytes = new byte[MiB];
    private long _stamp;

    public Noise(int seed) => new Random(seed).NextBytes(_bytes);

    /// <summary>The next piece, at most 1 MiB; good until the next call.</summary>
    public ReadOnlySpan<byte> Next(int length)
    {
        Span<byte> bytes = _bytes.AsSpan(0, length);
        BinaryPrimitives.WriteInt64LittleEndian(bytes, ++_stamp);
        return bytes;
    }
}
