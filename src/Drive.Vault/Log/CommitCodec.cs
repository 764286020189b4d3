using Drive.Vault.Codec;
using Drive.Vault.Keys;
using Drive.Vault.Sealing;

namespace Drive.Vault.Log;

/// <summary>A commit's body as bytes, before it is sealed.</summary>
internal static class CommitCodec
{
    /// <summary>Without packs and changes of history.</summary>
    private const byte PlainVersion = 1;

    /// <summary>With changes of history, at least one.</summary>
    private const byte HistoryVersion = 2;

    /// <summary>With packs, at least one, whose segments may be compressed by zstd.</summary>
    private const byte PackVersion = 3;

    private const byte EnrolTag = 1;
    private const byte RevokeTag = 2;
    private const byte AnnounceTag = 3;
    private const byte RotateTag = 4;
    private const byte RenameTag = 5;
    private const byte AppointTag = 6;

    public static void Write(ByteWriter writer, CommitContent content)
    {
        byte version = content.Packs.Count > 0 ? PackVersion : content.History.Count > 0 ? HistoryVersion : PlainVersion;
        writer.Byte(version);
        writer.Raw(content.VaultId);
        writer.Count(content.Gen);
        writer.Count(content.Seq);
        writer.Raw(content.PrevHash);
        writer.Device(content.Device);
        writer.Count(content.Incarnation);
        writer.Count(content.DeviceOpSeq);
        writer.Count(content.KeyEpoch);
        writer.Fixed64(content.Time);
        writer.Raw(content.StateHash);
        writer.Count(content.Packs.Count);
        foreach (PackRef pack in content.Packs)
        {
            writer.Raw(pack.Pack.Value);
            writer.Count(pack.Length);
        }

        writer.Count(content.Members.Count);
        foreach (MemberChange change in content.Members)
        {
            Write(writer, change);
        }

        writer.Byte((byte)content.Writer);
        writer.Bool(content.Checkpoint is not null);
        if (content.Checkpoint is not null)
        {
            RefCodec.Write(writer, content.Checkpoint);
        }

        writer.Bool(content.Floor is not null);
        if (content.Floor is not null)
        {
            RefCodec.Write(writer, content.Floor);
        }

        if (version != PlainVersion)
        {
            HistoryCodec.Write(writer, content.History);
        }

        RowStream.Write(writer, content.Rows);
    }

    public static CommitContent Read(ReadOnlySpan<byte> body, string objectName)
    {
        var reader = new ByteReader(body, objectName);
        byte version = reader.Byte();
        if (version is not (PlainVersion or HistoryVersion or PackVersion))
        {
            throw reader.Malformed("a commit of another version");
        }

        // The order of these initializers is the order of the bytes.
        CommitContent content = new()
        {
            VaultId = reader.Raw32(),
            Gen = reader.Count32(1, int.MaxValue),
            Seq = reader.Count(1, long.MaxValue - 1),
            PrevHash = reader.Raw32(),
            Device = reader.Device(),
            Incarnation = reader.Count(),
            DeviceOpSeq = reader.Count(1, long.MaxValue),
            KeyEpoch = reader.Count32(1, int.MaxValue),
            Time = reader.Fixed64(),
            StateHash = reader.Raw32(),
            Packs = ReadPacks(ref reader),
            Members = ReadMembers(ref reader),
            Writer = (WriterChange)reader.Count32(0, (int)WriterChange.Close),
            Checkpoint = reader.Bool() ? RefCodec.ReadCheckpoint(ref reader) : null,
            Floor = reader.Bool() ? RefCodec.ReadFloor(ref reader) : null,
            History = version != PlainVersion ? HistoryCodec.ReadChanges(ref reader) : [],
            Rows = RowStream.ReadToEnd(ref reader, allowClosed: true),
        };
        return version switch
        {
            HistoryVersion when content.History.Count == 0 => throw reader.Malformed("a commit of version 2 that changes nothing of history"),
            PackVersion when content.Packs.Count == 0 => throw reader.Malformed("a commit of version 3 that names no pack"),
            _ => content,
        };
    }

    private static void Write(ByteWriter writer, MemberChange change)
    {
        switch (change)
        {
            case Enrol enrol:
                writer.Byte(EnrolTag);
                RefCodec.Write(writer, enrol.Member);
                break;
            case Revoke revoke:
                writer.Byte(RevokeTag);
                writer.Device(revoke.Device);
                break;
            case Announce announce:
                writer.Byte(AnnounceTag);
                writer.Device(announce.Device);
                writer.Raw(announce.PublicKey);
                break;
            case Rotate rotate:
                writer.Byte(RotateTag);
                RefCodec.Write(writer, rotate.Rotation);
                break;
            case Rename rename:
                writer.Byte(RenameTag);
                writer.Device(rename.Device);
                writer.Text(rename.Name);
                break;
            case Appoint appoint:
                writer.Byte(AppointTag);
                writer.Device(appoint.Device);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(change));
        }
    }

    private static PackRef[] ReadPacks(ref ByteReader reader)
    {
        var packs = new PackRef[reader.Items(33)];
        for (int i = 0; i < packs.Length; i++)
        {
            packs[i] = new PackRef(new(reader.Raw32()), reader.Count());
        }

        return packs;
    }

    private static MemberChange[] ReadMembers(ref ByteReader reader)
    {
        var changes = new MemberChange[reader.Items(17)];
        for (int i = 0; i < changes.Length; i++)
        {
            changes[i] = reader.Byte() switch
            {
                EnrolTag => new Enrol(RefCodec.ReadMember(ref reader)),
                RevokeTag => new Revoke(reader.Device()),
                AnnounceTag => new Announce(reader.Device(), reader.Raw(WrappingKey.PublicKeyBytes).ToArray()),
                RotateTag => new Rotate(RefCodec.ReadRotation(ref reader)),
                RenameTag => new Rename(reader.Device(), reader.Text(VaultKeys.DeviceNameBytesMax)),
                AppointTag => new Appoint(reader.Device()),
                _ => throw reader.Malformed("no such change of members"),
            };
        }

        return changes;
    }
}
