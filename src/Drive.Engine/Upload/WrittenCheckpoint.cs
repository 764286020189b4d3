using System.Buffers.Binary;
using Drive.Core.Rows;
using Drive.Vault.Log;

namespace Drive.Engine.Upload;

/// <summary>A checkpoint that lies whole in the store and waits for the next commit to name it; kept over a restart, so that none is written in vain.</summary>
/// <param name="Ref">What the commit names.</param>
/// <param name="Bytes">Bytes of its objects.</param>
/// <param name="ReplayBytes">Bytes of the commits between the checkpoint before and this one.</param>
internal sealed record WrittenCheckpoint(CheckpointRef Ref, long Bytes, long ReplayBytes)
{
    private const int Size = (3 * Bytes32.Size) + (3 * sizeof(long));

    public byte[] Encode()
    {
        byte[] bytes = new byte[Size];
        Ref.Id.AsSpan().CopyTo(bytes);
        Ref.ManifestHash.AsSpan().CopyTo(bytes.AsSpan(32));
        Ref.StateHash.AsSpan().CopyTo(bytes.AsSpan(64));
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(96), Ref.Seq);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(104), Bytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(112), ReplayBytes);
        return bytes;
    }

    public static WrittenCheckpoint? Decode(byte[]? bytes) => bytes is not { Length: Size } ? null : new(
        new CheckpointRef(
            new Bytes32(bytes.AsSpan(0, 32)), BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(96)), new Bytes32(bytes.AsSpan(32, 32)), new Bytes32(bytes.AsSpan(64, 32))),
        BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(104)),
        BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(112)));
}
