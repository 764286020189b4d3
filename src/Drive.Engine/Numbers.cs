using System.Buffers.Binary;

namespace Drive.Engine;

/// <summary>Numbers in settings of the local database: eight bytes, little-endian.</summary>
internal static class Numbers
{
    public static byte[] Encode(long value)
    {
        byte[] bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }

    public static long Decode(byte[]? bytes, long absent) =>
        bytes is { Length: sizeof(long) } ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : absent;
}
