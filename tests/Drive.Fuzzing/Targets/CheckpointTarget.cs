using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Stores.Memory;
using Drive.Vault;
using Drive.Vault.Checkpoints;
using Drive.Vault.Codec;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Fuzzing.Targets;

/// <summary>Checkpoints: the manifest as an object, its body, and the rows of a part behind a manifest that names it, in each form that there is.</summary>
internal sealed class CheckpointTarget : FuzzTarget
{
    /// <summary>Where the checkpoints of parts stand: rows must have had the time to end.</summary>
    private const long PartSeq = 5;

    private readonly SealedVault _vault = new();

    public CheckpointTarget()
    {
        CheckpointRef named = new(SealedVault.Id(5), 1, SealedVault.Id(6), SealedVault.Id(7));
        VaultState state = _vault.State with
        {
            LastFloor = new FloorRef(1, 1, named),
            OlderCheckpoints = [named],
            DroppedCheckpoints = [named],
            History = new VaultHistory
            {
                Snapshots = [new VaultSnapshot("name", 1, 7)],
                Retention = RetentionRule.Default,
                Freeze = new RetentionFreeze("why", 1),
                PrunedBelow = 9,
                KeptSeqs = [1, 5],
                Condemned = [new CondemnedPack(new PackId(SealedVault.Id(5)), 1)],
            },
        };
        CheckpointPart part = new(SealedVault.Id(5), SealedVault.Id(6), 1000);
        byte[] body = Manifest(state, [part], [part]);
        using ByteWriter rows = new();
        RowSet set = SealedVault.Rows();
        set.Nodes.ForEach(row => RowStream.Write(rows, row));
        set.Entries.ForEach(row => RowStream.Write(rows, row));
        set.Extents.ForEach(row => RowStream.Write(rows, row));
        set.Xattrs.ForEach(row => RowStream.Write(rows, row));
        RowStream.Write(rows, SealedVault.Block());
        Seeds =
        [
            [0, .. _vault.Sign(ObjectClass.CheckpointManifest, body, out _)], [1, .. body], [1, .. AsVersion1(Manifest(state, [part], []))], [2, .. rows.ToArray()],
            [3, .. Held(Epochs.Open)], [4, .. Held(PartSeq)],
        ];
    }

    public override string Name => "checkpoint";

    public override IReadOnlyList<byte[]> Seeds { get; }

    public override IReadOnlyList<byte[]> Dictionary { get; } = [[1], [2], [3], [4], [5], [0x11], [0x21], [0x22], [0x23], [0x24], [0x31], [0x32], [0x33], [0x34], [0x36], [0x37], new byte[32], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], "DRVO"u8.ToArray()];

    public override long AllocationMax(int inputBytes) => (512 << 10) + (256L * inputBytes);

    public override void Run(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }

        byte[] rest = input[1..];
        switch (input[0] % 5)
        {
            case 0:
                Open(rest, SealedVault.Id(1));
                break;
            case 1:
                byte[] manifest = _vault.Sign(ObjectClass.CheckpointManifest, rest, out Bytes32 id);
                Open(manifest, id);
                break;
            default:
                ReadPart(rest, input[0] % 5);
                break;
        }
    }

    protected override void Close() => _vault.Dispose();

    private void Open(byte[] manifest, Bytes32 id) => SealedVault.Expect(async () =>
    {
        CheckpointRef checkpoint = new(id, _vault.State.Seq, VaultLog.Hash(manifest), _vault.State.StateHash);
        await CheckpointReader.OpenAsync(SealedVault.StoreWith(VaultNames.Checkpoint(id), manifest), _vault.Keys, checkpoint, default);
    });

    private void ReadPart(byte[] body, int form)
    {
        byte[] part = SealedBody.Seal(_vault.Keys, _vault.Keys.KeyEpoch, ObjectClass.CheckpointPart, _vault.Random, [], body, 0, out Bytes32 partId);
        CheckpointPart named = new(partId, VaultLog.Hash(part), part.Length);
        byte[] content = form == 4 ? Manifest(_vault.State with { Seq = PartSeq }, [], [named]) : Manifest(_vault.State with { Seq = PartSeq }, [named], []);
        byte[] manifest = _vault.Sign(ObjectClass.CheckpointManifest, form == 2 ? AsVersion1(content) : content, out Bytes32 id);
        SealedVault.Expect(async () =>
        {
            MemoryStore store = SealedVault.StoreWith(VaultNames.Checkpoint(id), manifest);
            await store.PutIfAbsentAsync(VaultNames.Checkpoint(partId), part, default);
            CheckpointReader reader = await CheckpointReader.OpenAsync(
                store, _vault.Keys, new CheckpointRef(id, PartSeq, VaultLog.Hash(manifest), _vault.State.StateHash), default);
            await foreach (PastRows unused in reader.ReadPastAsync(default))
            {
                _ = unused;
            }

            await foreach ((HeldRows Rows, IReadOnlyList<BlockRow> Blocks) unused in reader.ReadAsync(default))
            {
                _ = unused;
            }
        });
    }

    private static byte[] Manifest(VaultState state, CheckpointPart[] parts, CheckpointPart[] past)
    {
        using ByteWriter writer = new();
        new CheckpointManifest { State = state, Parts = parts, KnownFrom = 1, PastParts = past }.Write(writer);
        return writer.ToArray();
    }

    /// <summary>The manifest of before, which has neither spans nor a past: without the two numbers at the end, of which both are one byte here.</summary>
    private static byte[] AsVersion1(byte[] manifest) => [1, .. manifest[1..^2]];

    private static byte[] Held(long to)
    {
        HeldRows held = HeldRows.Since(SealedVault.Rows(), 1);
        using ByteWriter rows = new();
        held.Nodes.ForEach(row => HeldRowStream.Write(rows, row with { To = to }));
        held.Entries.ForEach(row => HeldRowStream.Write(rows, row with { To = to }));
        held.Extents.ForEach(row => HeldRowStream.Write(rows, row with { To = to }));
        held.Xattrs.ForEach(row => HeldRowStream.Write(rows, row with { To = to }));
        if (to == Epochs.Open)
        {
            RowStream.Write(rows, SealedVault.Block());
        }
        else
        {
            HeldRowStream.Write(rows, new MomentRow(1, 7, new DeviceId(new string('a', 32))));
            HeldRowStream.Write(rows, new PackRow(new PackId(SealedVault.Id(5)), 1000));
        }

        return rows.ToArray();
    }
}
