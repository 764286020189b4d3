using Drive.Core.Rows;
using Drive.Vault.Codec;
using Drive.Vault.Log;

namespace Drive.Vault.Checkpoints;

/// <summary>A part of a checkpoint as its manifest names it.</summary>
internal sealed record CheckpointPart(Bytes32 Id, Bytes32 Hash, int Length);

/// <summary>The manifest's body: the state at the checkpoint's seq, then its parts in order.</summary>
internal static class CheckpointManifest
{
    private const byte Version = 1;

    public static void Write(ByteWriter writer, VaultState state, IReadOnlyList<CheckpointPart> parts)
    {
        writer.Byte(Version);
        writer.Sized(state.Encode());
        writer.Count(parts.Count);
        foreach (CheckpointPart part in parts)
        {
            writer.Raw(part.Id);
            writer.Raw(part.Hash);
            writer.Count(part.Length);
        }
    }

    public static (VaultState State, IReadOnlyList<CheckpointPart> Parts) Read(ReadOnlySpan<byte> body, string objectName)
    {
        var reader = new ByteReader(body, objectName);
        if (reader.Byte() != Version)
        {
            throw reader.Malformed("a manifest of another version");
        }

        VaultState state = VaultState.Decode(reader.Sized(0, int.MaxValue));
        var parts = new CheckpointPart[reader.Items(65)];
        for (int i = 0; i < parts.Length; i++)
        {
            parts[i] = new CheckpointPart(reader.Raw32(), reader.Raw32(), reader.Count32(1, CheckpointWriter.PartBytesMax * 2));
        }

        reader.ExpectEnd();
        return (state, parts);
    }
}
