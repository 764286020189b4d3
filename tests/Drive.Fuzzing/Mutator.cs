using System.Buffers.Binary;

namespace Drive.Fuzzing;

/// <summary>
/// Makes an input of others: bits, bytes and numbers of every size and order, lengths that are set to what lies around them, varints, words of the format,
/// pieces that are cut, repeated, moved, and joined with another input. Everything comes from one seed.
/// </summary>
internal sealed class Mutator(Random random, IReadOnlyList<byte[]> dictionary, int lengthMax)
{
    private static readonly long[] Edges =
    [
        0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 129, 255, 256, 4095, 4096, 4097, 32767, 32768, 65535, 65536, 1 << 20, int.MaxValue - 1, int.MaxValue, 1L << 31, uint.MaxValue,
        (1L << 62) - 1, 1L << 62, long.MaxValue - 1, long.MaxValue, -1, -2, int.MinValue, long.MinValue,
    ];

    public byte[] Mutate(byte[] input, byte[] other)
    {
        byte[] bytes = input;
        int rounds = 1 << random.Next(5);
        for (int round = 0; round < rounds; round++)
        {
            bytes = Once(bytes, other);
        }

        return bytes.Length > lengthMax ? bytes[..lengthMax] : bytes;
    }

    private byte[] Once(byte[] bytes, byte[] other)
    {
        if (bytes.Length == 0)
        {
            return other.Length > 0 ? (byte[])other.Clone() : [(byte)random.Next(256)];
        }

        switch (random.Next(12))
        {
            case 0:
                return Changed(bytes, copy => copy[At(copy)] ^= (byte)(1 << random.Next(8)));
            case 1:
                return Changed(bytes, copy => copy[At(copy)] = (byte)random.Next(256));
            case 2:
                return Changed(bytes, copy => copy[At(copy)] += (byte)random.Next(-16, 17));
            case 3:
                return Changed(bytes, copy => WriteNumber(copy, Edges[random.Next(Edges.Length)]));
            case 4:
                // A length that says how much follows, a little more, or a little less.
                return Changed(bytes, copy =>
                {
                    int at = At(copy);
                    WriteNumberAt(copy, at, copy.Length - at + random.Next(-9, 10));
                });
            case 5:
                return Spliced(bytes, At(bytes), 0, Varint((ulong)Edges[random.Next(Edges.Length)]));
            case 6:
                return dictionary.Count == 0 ? Once(bytes, other) : Spliced(bytes, At(bytes), random.Next(2) == 0 ? 0 : -1, dictionary[random.Next(dictionary.Count)]);
            case 7:
                return Spliced(bytes, At(bytes), random.Next(1, bytes.Length + 1), []);
            case 8:
                return Spliced(bytes, At(bytes), 0, Piece(bytes));
            case 9:
                return Spliced(bytes, At(bytes), 0, Piece(other));
            case 10:
                return other.Length == 0 ? bytes : [.. bytes[..At(bytes)], .. other[At(other)..]];
            default:
                return Changed(bytes, copy =>
                {
                    int at = At(copy);
                    copy.AsSpan(at, Math.Min(copy.Length - at, random.Next(1, 17))).Fill((byte)random.Next(256));
                });
        }
    }

    private int At(byte[] bytes) => random.Next(bytes.Length);

    private byte[] Piece(byte[] from)
    {
        if (from.Length == 0)
        {
            return [];
        }

        int start = At(from);
        return from[start..(start + random.Next(1, from.Length - start + 1))];
    }

    private static byte[] Changed(byte[] bytes, Action<byte[]> change)
    {
        byte[] copy = (byte[])bytes.Clone();
        change(copy);
        return copy;
    }

    /// <summary>Puts bytes in place of some; -1 in place of as many.</summary>
    private static byte[] Spliced(byte[] bytes, int at, int removed, byte[] inserted)
    {
        int end = Math.Min(bytes.Length, at + (removed < 0 ? inserted.Length : removed));
        return [.. bytes[..at], .. inserted, .. bytes[end..]];
    }

    private void WriteNumber(byte[] bytes, long value) => WriteNumberAt(bytes, At(bytes), value);

    private void WriteNumberAt(byte[] bytes, int at, long value)
    {
        Span<byte> number = stackalloc byte[8];
        int size = 1 << random.Next(4);
        if (random.Next(2) == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, value);
            number = number[..size];
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(number, value);
            number = number[^size..];
        }

        number[..Math.Min(size, bytes.Length - at)].CopyTo(bytes.AsSpan(at));
    }

    private static byte[] Varint(ulong value)
    {
        List<byte> bytes = [];
        for (; value > 127; value >>= 7)
        {
            bytes.Add((byte)(value | 128));
        }

        bytes.Add((byte)value);
        return [.. bytes];
    }
}
