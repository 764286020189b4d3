using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Drive.Core.Rows;

namespace Drive.Vault.Codec;

/// <summary>
/// Appends to one growing array. Numbers are LEB128 varints (canonical: no needless bytes) unless they are fixed, then big-endian.
/// Clears every array it leaves behind, so it may hold secrets.
/// </summary>
internal sealed class ByteWriter(int capacityBytes = 256) : IDisposable
{
    private byte[] _buffer = GC.AllocateUninitializedArray<byte>(capacityBytes, pinned: true);

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    public byte[] ToArray() => Written.ToArray();

    public void Reset() => Length = 0;

    public void Byte(byte value) => Room(1)[0] = value;

    public void Bool(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void UInt(ulong value)
    {
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }

        Byte((byte)value);
    }

    /// <summary>A number that is never negative.</summary>
    public void Count(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        UInt((ulong)value);
    }

    /// <summary>A signed number, zigzag: small ones of either sign are short.</summary>
    public void Int(long value) => UInt((ulong)((value << 1) ^ (value >> 63)));

    public void Fixed32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Room(4), value);

    public void Fixed64(long value) => BinaryPrimitives.WriteInt64BigEndian(Room(8), value);

    public void Raw(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Room(bytes.Length));

    public void Raw(Bytes32 bytes) => Raw(bytes.AsSpan());

    /// <summary>Length, then the bytes.</summary>
    public void Sized(ReadOnlySpan<byte> bytes)
    {
        Count(bytes.Length);
        Raw(bytes);
    }

    public void Text(string text) => Sized(Encoding.UTF8.GetBytes(text));

    public void Device(DeviceId device) => Raw(Convert.FromHexString(device.Value));

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_buffer);
        Length = 0;
    }

    private Span<byte> Room(int bytes)
    {
        if (_buffer.Length - Length < bytes)
        {
            int wanted = checked(Length + bytes);
            byte[] larger = GC.AllocateUninitializedArray<byte>((int)Math.Min(Array.MaxLength, Math.Max(wanted, _buffer.Length * 2L)), pinned: true);
            Written.CopyTo(larger);
            CryptographicOperations.ZeroMemory(_buffer);
            _buffer = larger;
        }

        Span<byte> room = _buffer.AsSpan(Length, bytes);
        Length += bytes;
        return room;
    }
}
