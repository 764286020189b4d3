using System.Buffers.Binary;
using System.Text;
using Drive.Core.Rows;

namespace Drive.Vault.Codec;

/// <summary>
/// Reads what <see cref="ByteWriter"/> wrote, and nothing else: every length is checked against what is left before anything is allocated,
/// varints must be canonical. A wrong byte is a <see cref="VaultIntegrityException"/> of kind Malformed.
/// </summary>
internal ref struct ByteReader(ReadOnlySpan<byte> source, string objectName)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private ReadOnlySpan<byte> _rest = source;

    public readonly int Remaining => _rest.Length;

    public readonly bool AtEnd => _rest.IsEmpty;

    public readonly VaultIntegrityException Malformed(string what) => new(objectName, IntegrityKind.Malformed, what);

    public readonly void ExpectEnd()
    {
        if (!AtEnd)
        {
            throw Malformed("bytes after the end");
        }
    }

    public byte Byte() => Raw(1)[0];

    public bool Bool() => Byte() switch
    {
        0 => false,
        1 => true,
        _ => throw Malformed("a flag is neither 0 nor 1"),
    };

    public ulong UInt()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Byte();
            if (shift == 63 && next > 1)
            {
                break;
            }

            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return next == 0 && shift > 0 ? throw Malformed("a number is longer than needed") : value;
            }
        }

        throw Malformed("a number is out of range");
    }

    public long Count(long max = long.MaxValue) => Count(0, max);

    public long Count(long min, long max)
    {
        ulong value = UInt();
        return value > (ulong)max || (long)value < min ? throw Malformed("a number is out of range") : (long)value;
    }

    public int Count32(int min, int max) => (int)Count(min, max);

    /// <summary>A number of items that each take at least <paramref name="itemBytesMin"/> bytes.</summary>
    public int Items(int itemBytesMin) => (int)Count(0, Remaining / itemBytesMin);

    public uint UInt32() => (uint)Count(uint.MaxValue);

    public long Int()
    {
        ulong value = UInt();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    public uint Fixed32() => BinaryPrimitives.ReadUInt32BigEndian(Raw(4));

    public long Fixed64() => BinaryPrimitives.ReadInt64BigEndian(Raw(8));

    public ReadOnlySpan<byte> Raw(int bytes)
    {
        if ((uint)bytes > (uint)_rest.Length)
        {
            throw Malformed("cut short");
        }

        ReadOnlySpan<byte> result = _rest[..bytes];
        _rest = _rest[bytes..];
        return result;
    }

    public Bytes32 Raw32() => new(Raw(Bytes32.Size));

    public ReadOnlySpan<byte> Sized(int min, int max) => Raw(Count32(min, max));

    public string Text(int bytesMax)
    {
        ReadOnlySpan<byte> bytes = Sized(0, bytesMax);
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Malformed("a text is no UTF-8");
        }
    }

    public DeviceId Device() => new(Convert.ToHexStringLower(Raw(16)));

    public readonly ReadOnlySpan<byte> Rest() => _rest;
}
