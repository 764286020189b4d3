using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Vault.Codec;

namespace Drive.Vault.Log;

/// <summary>Changes of history, and what they come to, as bytes; they stand in commits and states.</summary>
internal static class HistoryCodec
{
    private const byte NameTag = 1;
    private const byte DropTag = 2;
    private const byte RetentionTag = 3;
    private const byte FreezeTag = 4;
    private const byte ThawTag = 5;
    private const byte PruneTag = 6;
    private const byte CondemnTag = 7;
    private const byte SweptTag = 8;
    private const byte LapseTag = 9;

    public static void Write(ByteWriter writer, IReadOnlyList<HistoryChange> changes)
    {
        writer.Count(changes.Count);
        foreach (HistoryChange change in changes)
        {
            Write(writer, change);
        }
    }

    public static HistoryChange[] ReadChanges(ref ByteReader reader)
    {
        var changes = new HistoryChange[reader.Items(1)];
        for (int i = 0; i < changes.Length; i++)
        {
            changes[i] = reader.Byte() switch
            {
                NameTag => new NameSnapshot(reader.Text(VaultSnapshot.NameBytesMax), reader.Count(), reader.Fixed64()),
                DropTag => new DropSnapshot(reader.Text(VaultSnapshot.NameBytesMax)),
                RetentionTag => new SetRetention(ReadRule(ref reader)),
                FreezeTag => new FreezeRetention(reader.Text(HistoryRules.ReasonBytesMax)),
                ThawTag => new ThawRetention(),
                PruneTag => new Prune(reader.Count(), ReadSeqs(ref reader)),
                CondemnTag => new Condemn(ReadPacks(ref reader)),
                SweptTag => new Swept(ReadPacks(ref reader)),
                LapseTag => new Lapse(reader.Device()),
                _ => throw reader.Malformed("no such change of history"),
            };
        }

        return changes;
    }

    public static void Write(ByteWriter writer, VaultHistory history)
    {
        writer.Count(history.Snapshots.Count);
        foreach (VaultSnapshot snapshot in history.Snapshots)
        {
            writer.Text(snapshot.Name);
            writer.Count(snapshot.Seq);
            writer.Fixed64(snapshot.Time);
        }

        writer.Bool(history.Retention is not null);
        if (history.Retention is not null)
        {
            Write(writer, history.Retention);
        }

        writer.Bool(history.Freeze is not null);
        if (history.Freeze is not null)
        {
            writer.Text(history.Freeze.Reason);
            writer.Count(history.Freeze.Seq);
        }

        writer.Count(history.PrunedBelow);
        WriteSeqs(writer, history.KeptSeqs);
        writer.Count(history.Condemned.Count);
        foreach (CondemnedPack condemned in history.Condemned)
        {
            writer.Raw(condemned.Pack.Value);
            writer.Count(condemned.Seq);
        }
    }

    public static VaultHistory ReadHistory(ref ByteReader reader)
    {
        // The order of these initializers is the order of the bytes.
        return new VaultHistory
        {
            Snapshots = ReadSnapshots(ref reader),
            Retention = reader.Bool() ? ReadRule(ref reader) : null,
            Freeze = reader.Bool() ? new RetentionFreeze(reader.Text(HistoryRules.ReasonBytesMax), reader.Count()) : null,
            PrunedBelow = reader.Count(),
            KeptSeqs = ReadSeqs(ref reader),
            Condemned = ReadCondemned(ref reader),
        };
    }

    private static void Write(ByteWriter writer, HistoryChange change)
    {
        switch (change)
        {
            case NameSnapshot(var name, var seq, var time):
                writer.Byte(NameTag);
                writer.Text(name);
                writer.Count(seq);
                writer.Fixed64(time);
                break;
            case DropSnapshot(var name):
                writer.Byte(DropTag);
                writer.Text(name);
                break;
            case SetRetention(var rule):
                writer.Byte(RetentionTag);
                Write(writer, rule);
                break;
            case FreezeRetention(var reason):
                writer.Byte(FreezeTag);
                writer.Text(reason);
                break;
            case ThawRetention:
                writer.Byte(ThawTag);
                break;
            case Prune(var below, var kept):
                writer.Byte(PruneTag);
                writer.Count(below);
                WriteSeqs(writer, kept);
                break;
            case Condemn(var packs):
                writer.Byte(CondemnTag);
                WritePacks(writer, packs);
                break;
            case Swept(var packs):
                writer.Byte(SweptTag);
                WritePacks(writer, packs);
                break;
            case Lapse(var device):
                writer.Byte(LapseTag);
                writer.Device(device);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(change));
        }
    }

    private static void Write(ByteWriter writer, RetentionRule rule)
    {
        writer.Count(rule.Hours);
        writer.Count(rule.Daily);
        writer.Count(rule.Weekly);
        writer.Count(rule.Monthly);
        writer.Count(rule.Yearly);
    }

    private static RetentionRule ReadRule(ref ByteReader reader) => new(
        reader.Count32(0, int.MaxValue), reader.Count32(0, int.MaxValue), reader.Count32(0, int.MaxValue), reader.Count32(0, int.MaxValue), reader.Count32(0, int.MaxValue));

    /// <summary>Ascending seqs, each as what it is more than the one before.</summary>
    private static void WriteSeqs(ByteWriter writer, IReadOnlyList<long> seqs)
    {
        writer.Count(seqs.Count);
        long last = 0;
        foreach (long seq in seqs)
        {
            writer.Count(seq - last);
            last = seq;
        }
    }

    private static long[] ReadSeqs(ref ByteReader reader)
    {
        var seqs = new long[reader.Items(1)];
        long last = 0;
        for (int i = 0; i < seqs.Length; i++)
        {
            last += reader.Count(1, long.MaxValue - last);
            seqs[i] = last;
        }

        return seqs;
    }

    private static void WritePacks(ByteWriter writer, IReadOnlyList<PackId> packs)
    {
        writer.Count(packs.Count);
        foreach (PackId pack in packs)
        {
            writer.Raw(pack.Value);
        }
    }

    private static PackId[] ReadPacks(ref ByteReader reader)
    {
        var packs = new PackId[reader.Items(Bytes32.Size)];
        for (int i = 0; i < packs.Length; i++)
        {
            packs[i] = new PackId(reader.Raw32());
        }

        return packs;
    }

    private static VaultSnapshot[] ReadSnapshots(ref ByteReader reader)
    {
        var snapshots = new VaultSnapshot[reader.Items(10)];
        for (int i = 0; i < snapshots.Length; i++)
        {
            snapshots[i] = new VaultSnapshot(reader.Text(VaultSnapshot.NameBytesMax), reader.Count(), reader.Fixed64());
        }

        return snapshots;
    }

    private static CondemnedPack[] ReadCondemned(ref ByteReader reader)
    {
        var condemned = new CondemnedPack[reader.Items(Bytes32.Size + 1)];
        for (int i = 0; i < condemned.Length; i++)
        {
            condemned[i] = new CondemnedPack(new PackId(reader.Raw32()), reader.Count());
        }

        return condemned;
    }
}
