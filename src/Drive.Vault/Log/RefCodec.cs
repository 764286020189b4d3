using Drive.Core.Rows;
using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Sealing;

namespace Drive.Vault.Log;

/// <summary>Members and references as bytes; they stand in commits, states, floors and checkpoints.</summary>
internal static class RefCodec
{
    private const int CheckpointBytesMin = (3 * Bytes32.Size) + 1;

    public static void Write(ByteWriter writer, VaultMember member)
    {
        writer.Device(member.Id);
        writer.Byte((byte)member.Kind);
        writer.Count(member.Number);
        writer.Text(member.Name);
        writer.Raw(member.SigningPublicKey);
    }

    public static VaultMember ReadMember(ref ByteReader reader)
    {
        var id = reader.Device();
        byte kind = reader.Byte();
        if (kind > (byte)MemberKind.Pairing)
        {
            throw reader.Malformed("no such kind of member");
        }

        return new VaultMember
        {
            Id = id,
            Kind = (MemberKind)kind,
            Number = reader.Count32(0, (1 << 19) - 1),
            Name = reader.Text(VaultKeys.DeviceNameBytesMax),
            SigningPublicKey = reader.Raw(SigningKey.PublicKeyBytes).ToArray(),
        };
    }

    public static void Write(ByteWriter writer, KeyRotation rotation)
    {
        writer.Count(rotation.Epoch);
        writer.Raw(rotation.Ephemeral);
        writer.Raw(rotation.Check);
        writer.Count(rotation.Wrapped.Count);
        foreach (WrappedKey wrapped in rotation.Wrapped)
        {
            writer.Device(wrapped.Member);
            writer.Raw(wrapped.Bytes);
        }
    }

    public static KeyRotation ReadRotation(ref ByteReader reader)
    {
        int epoch = reader.Count32(2, int.MaxValue);
        byte[] ephemeral = reader.Raw(WrappingKey.PublicKeyBytes).ToArray();
        Bytes32 check = reader.Raw32();
        var wrapped = new WrappedKey[reader.Items(16 + WrappingKey.WrappedBytes)];
        for (int i = 0; i < wrapped.Length; i++)
        {
            wrapped[i] = new WrappedKey(reader.Device(), reader.Raw(WrappingKey.WrappedBytes).ToArray());
        }

        return new KeyRotation(epoch, ephemeral, check, wrapped);
    }

    public static void Write(ByteWriter writer, CheckpointRef checkpoint)
    {
        writer.Raw(checkpoint.Id);
        writer.Count(checkpoint.Seq);
        writer.Raw(checkpoint.ManifestHash);
        writer.Raw(checkpoint.StateHash);
    }

    public static CheckpointRef ReadCheckpoint(ref ByteReader reader) =>
        new(reader.Raw32(), reader.Count(), reader.Raw32(), reader.Raw32());

    public static void Write(ByteWriter writer, IReadOnlyList<CheckpointRef> checkpoints)
    {
        writer.Count(checkpoints.Count);
        foreach (CheckpointRef checkpoint in checkpoints)
        {
            Write(writer, checkpoint);
        }
    }

    public static CheckpointRef[] ReadCheckpoints(ref ByteReader reader)
    {
        var checkpoints = new CheckpointRef[reader.Items(CheckpointBytesMin)];
        for (int i = 0; i < checkpoints.Length; i++)
        {
            checkpoints[i] = ReadCheckpoint(ref reader);
        }

        return checkpoints;
    }

    public static void Write(ByteWriter writer, FloorRef floor)
    {
        writer.Count(floor.Number);
        writer.Count(floor.Seq);
        Write(writer, floor.Checkpoint);
    }

    public static FloorRef ReadFloor(ref ByteReader reader)
    {
        long number = reader.Count(1, long.MaxValue);
        long seq = reader.Count(1, long.MaxValue);
        CheckpointRef checkpoint = ReadCheckpoint(ref reader);
        return checkpoint.Seq >= seq ? new FloorRef(number, seq, checkpoint) : throw reader.Malformed("a floor's checkpoint is below it");
    }
}
