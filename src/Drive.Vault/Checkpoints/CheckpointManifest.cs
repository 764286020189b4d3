using Drive.Core.Rows;
using Drive.Vault.Codec;
using Drive.Vault.Log;

namespace Drive.Vault.Checkpoints;

/// <summary>A part of a checkpoint as its manifest names it.</summary>
internal sealed record CheckpointPart(Bytes32 Id, Bytes32 Hash, int Length);

/// <summary>The manifest's body: the state at the checkpoint's seq, the parts with the rows that hold there, and apart from them those with its past.</summary>
internal sealed record CheckpointManifest
{
    private const byte Version = 2;

    /// <summary>Without a past, and without the commits since which the rows hold.</summary>
    private const byte VersionBeforePast = 1;

    private const int PartBytesMin = 65;

    public required VaultState State { get; init; }

    public required IReadOnlyList<CheckpointPart> Parts { get; init; }

    /// <summary>Whether the rows of the parts say since when they hold.</summary>
    public bool HasSpans { get; init; } = true;

    /// <summary>From which commit on the past that history keeps is whole in it; 1 for all of it.</summary>
    public required long KnownFrom { get; init; }

    public IReadOnlyList<CheckpointPart> PastParts { get; init; } = [];

    public void Write(ByteWriter writer)
    {
        writer.Byte(Version);
        writer.Sized(State.Encode());
        Write(writer, Parts);
        writer.Count(KnownFrom);
        Write(writer, PastParts);
    }

    public static CheckpointManifest Read(ReadOnlySpan<byte> body, string objectName)
    {
        var reader = new ByteReader(body, objectName);
        byte version = reader.Byte();
        if (version is not (Version or VersionBeforePast))
        {
            throw reader.Malformed("a manifest of another version");
        }

        VaultState state = VaultState.Decode(reader.Sized(0, int.MaxValue));
        CheckpointManifest manifest = new() { State = state, Parts = ReadParts(ref reader), HasSpans = version != VersionBeforePast, KnownFrom = state.Seq };
        if (version != VersionBeforePast)
        {
            manifest = manifest with { KnownFrom = reader.Count(1, Math.Max(1, state.Seq)), PastParts = ReadParts(ref reader) };
        }

        reader.ExpectEnd();
        return manifest;
    }

    private static void Write(ByteWriter writer, IReadOnlyList<CheckpointPart> parts)
    {
        writer.Count(parts.Count);
        foreach (CheckpointPart part in parts)
        {
            writer.Raw(part.Id);
            writer.Raw(part.Hash);
            writer.Count(part.Length);
        }
    }

    private static CheckpointPart[] ReadParts(ref ByteReader reader)
    {
        var parts = new CheckpointPart[reader.Items(PartBytesMin)];
        for (int i = 0; i < parts.Length; i++)
        {
            parts[i] = new CheckpointPart(reader.Raw32(), reader.Raw32(), reader.Count32(1, CheckpointWriter.PartBytesMax * 2));
        }

        return parts;
    }
}
