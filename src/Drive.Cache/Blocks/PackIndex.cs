using System.Buffers.Binary;
using System.Security.Cryptography;
using Drive.Core.Rows;

namespace Drive.Cache.Blocks;

/// <summary>
/// The maps of all packs in one file, the pack used last first: what a start reads instead of a map for each. Written at the end and taken away at the start, so that a process that
/// was killed leaves none; then the maps are read. It proves no more than they do: the tags decide.
/// </summary>
/// <remarks>A header of 8 bytes; for each pack its id, the bytes counted for it, the length of its map, the number of its ranges, and start and end of each (little-endian, 8 bytes each);
/// SHA-256 of all before it.</remarks>
internal static class PackIndex
{
    private const int CountBytes = 8;
    private const int PackBytes = Bytes32.Size + (3 * CountBytes);
    private const int RangeBytes = 2 * CountBytes;

    private static ReadOnlySpan<byte> Header => "drvpacks"u8;

    public static byte[] Encode(IReadOnlyCollection<CachedPack> packs)
    {
        byte[] index = new byte[Header.Length + packs.Sum(static pack => PackBytes + (pack.Ranges.Count * RangeBytes)) + SHA256.HashSizeInBytes];
        Header.CopyTo(index);
        Span<byte> rest = index.AsSpan(Header.Length);
        foreach (CachedPack pack in packs)
        {
            pack.Id.Value.AsSpan().CopyTo(rest);
            rest = rest[Bytes32.Size..];
            Write(pack.ChargedBytes, ref rest);
            Write(pack.JournalBytes, ref rest);
            Write(pack.Ranges.Count, ref rest);
            foreach ((long start, long end) in pack.Ranges.Ranges)
            {
                Write(start, ref rest);
                Write(end, ref rest);
            }
        }

        SHA256.HashData(index.AsSpan(0, index.Length - SHA256.HashSizeInBytes), rest);
        return index;
    }

    /// <summary>The packs in their order; none when it is not whole.</summary>
    public static List<CachedPack> Decode(ReadOnlySpan<byte> index, Func<PackId, string> pathOf)
    {
        List<CachedPack> packs = [];
        if (index.Length < Header.Length + SHA256.HashSizeInBytes || !index.StartsWith(Header))
        {
            return packs;
        }

        ReadOnlySpan<byte> body = index[..^SHA256.HashSizeInBytes];
        if (!SHA256.HashData(body).AsSpan().SequenceEqual(index[^SHA256.HashSizeInBytes..]))
        {
            return packs;
        }

        ReadOnlySpan<byte> rest = body[Header.Length..];
        while (rest.Length >= PackBytes)
        {
            PackId id = new(new Bytes32(rest[..Bytes32.Size]));
            rest = rest[Bytes32.Size..];
            CachedPack pack = new(id, pathOf(id)) { ChargedBytes = Read(ref rest), JournalBytes = Read(ref rest) };
            long ranges = Read(ref rest);
            if (pack.ChargedBytes < 0 || pack.JournalBytes < 0 || ranges < 0 || ranges > rest.Length / RangeBytes)
            {
                return [];
            }

            for (; ranges > 0; ranges--)
            {
                long start = Read(ref rest);
                long end = Read(ref rest);
                if (start < 0 || end <= start)
                {
                    return [];
                }

                pack.Ranges.Add(start, end - start);
            }

            packs.Add(pack);
        }

        return packs;
    }

    private static void Write(long value, ref Span<byte> to)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, value);
        to = to[CountBytes..];
    }

    private static long Read(ref ReadOnlySpan<byte> from)
    {
        long value = BinaryPrimitives.ReadInt64LittleEndian(from);
        from = from[CountBytes..];
        return value;
    }
}
