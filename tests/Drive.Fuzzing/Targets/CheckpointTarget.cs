using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Stores.Memory;
using Drive.Vault;
using Drive.Vault.Checkpoints;
using Drive.Vault.Codec;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Fuzzing.Targets;

/// <summary>Checkpoints: the manifest as an object, its body, and the rows of a part behind a manifest that names it.</summary>
internal sealed class CheckpointTarget : FuzzTarget
{
    private readonly SealedVault _vault = new();

    public CheckpointTarget()
    {
        using ByteWriter manifest = new();
        VaultState state = _vault.State with
        {
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
        CheckpointManifest.Write(manifest, state, [new CheckpointPart(SealedVault.Id(5), SealedVault.Id(6), 1000)]);
        byte[] body = manifest.ToArray();
        using ByteWriter rows = new();
        RowSet set = SealedVault.Rows();
        set.Nodes.ForEach(row => RowStream.Write(rows, row));
        set.Entries.ForEach(row => RowStream.Write(rows, row));
        set.Extents.ForEach(row => RowStream.Write(rows, row));
        set.Xattrs.ForEach(row => RowStream.Write(rows, row));
        RowStream.Write(rows, SealedVault.Block());
        Seeds = [[0, .. _vault.Sign(ObjectClass.CheckpointManifest, body, out _)], [1, .. body], [2, .. rows.ToArray()]];
    }

    public override string Name => "checkpoint";

    public override IReadOnlyList<byte[]> Seeds { get; }

    public override IReadOnlyList<byte[]> Dictionary { get; } = [[1], [2], [3], [4], [5], [0x11], new byte[32], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], "DRVO"u8.ToArray()];

    public override long AllocationMax(int inputBytes) => (512 << 10) + (256L * inputBytes);

    public override void Run(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }

        byte[] rest = input[1..];
        switch (input[0] % 3)
        {
            case 0:
                Open(rest, SealedVault.Id(1));
                break;
            case 1:
                byte[] manifest = _vault.Sign(ObjectClass.CheckpointManifest, rest, out Bytes32 id);
                Open(manifest, id);
                break;
            default:
                ReadPart(rest);
                break;
        }
    }

    protected override void Close() => _vault.Dispose();

    private void Open(byte[] manifest, Bytes32 id) => SealedVault.Expect(async () =>
    {
        CheckpointRef checkpoint = new(id, _vault.State.Seq, VaultLog.Hash(manifest), _vault.State.StateHash);
        await CheckpointReader.OpenAsync(SealedVault.StoreWith(VaultNames.Checkpoint(id), manifest), _vault.Keys, checkpoint, default);
    });

    private void ReadPart(byte[] body)
    {
        byte[] part = SealedBody.Seal(_vault.Keys, _vault.Keys.KeyEpoch, ObjectClass.CheckpointPart, _vault.Random, [], body, 0, out Bytes32 partId);
        using ByteWriter writer = new();
        CheckpointManifest.Write(writer, _vault.State, [new CheckpointPart(partId, VaultLog.Hash(part), part.Length)]);
        byte[] manifest = _vault.Sign(ObjectClass.CheckpointManifest, writer.ToArray(), out Bytes32 id);
        SealedVault.Expect(async () =>
        {
            MemoryStore store = SealedVault.StoreWith(VaultNames.Checkpoint(id), manifest);
            await store.PutIfAbsentAsync(VaultNames.Checkpoint(partId), part, default);
            CheckpointReader reader = await CheckpointReader.OpenAsync(
                store, _vault.Keys, new CheckpointRef(id, _vault.State.Seq, VaultLog.Hash(manifest), _vault.State.StateHash), default);
            await foreach ((RowSet Rows, IReadOnlyList<BlockRow> Blocks) unused in reader.ReadAsync(default))
            {
                _ = unused;
            }
        });
    }
}
