using System.Buffers.Binary;

namespace Drive.Engine.Upload;

/// <summary>How much there is to replay since the last checkpoint, as far as this device knows: a hint for when to write one, kept with each landing.</summary>
/// <param name="ReplayBytes">Bytes of the commits since.</param>
/// <param name="CheckpointBytes">Bytes of the last checkpoint that this device wrote; 0 for none.</param>
internal readonly record struct CheckpointProgress(long ReplayBytes, long CheckpointBytes)
{
    public byte[] Encode()
    {
        byte[] bytes = new byte[2 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, ReplayBytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(sizeof(long)), CheckpointBytes);
        return bytes;
    }

    public static CheckpointProgress Decode(byte[]? bytes) => bytes is { Length: 2 * sizeof(long) }
        ? new(BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(sizeof(long))))
        : default;
}
