using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Vault;
using Drive.Vault.Codec;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Fuzzing.Targets;

/// <summary>
/// Commits. The first byte says at which layer: the object as it lies in the store, the packed body behind seal and signature, or the body itself. A body that parses
/// is sealed, signed, and read through the log, with all of its rules.
/// </summary>
internal sealed class CommitTarget : FuzzTarget
{
    private readonly SealedVault _vault = new();
    private readonly VaultState _state;

    public CommitTarget()
    {
        _state = _vault.State;
        RowChanges rows = new();
        RowSet opened = SealedVault.Rows();
        rows.Opened.Nodes.AddRange(opened.Nodes);
        rows.Opened.Entries.AddRange(opened.Entries);
        rows.Opened.Extents.AddRange(opened.Extents);
        rows.Opened.Xattrs.AddRange(opened.Xattrs);
        rows.Blocks.Add(SealedVault.Block());
        CommitDraft draft = new()
        {
            Rows = rows,
            Time = 5,
            Writer = WriterChange.Open,
            Packs = [new PackRef(new PackId(SealedVault.Id(4)), 100_000)],
            Checkpoint = new CheckpointRef(SealedVault.Id(9), 1, SealedVault.Id(8), SealedVault.Id(7)),
        };
        Attempt attempt = _vault.Log.Prepare(_state, draft);
        SignedObject opening = SignedObject.Open(_vault.Keys, ObjectClass.Commit, attempt.Bytes, "seed");
        byte[] body = opening.Unpack("seed").ToArray();
        using ByteWriter genesis = new();
        CommitCodec.Write(genesis, _vault.Created.Genesis);
        HistoryChange[] changes =
        [
            new NameSnapshot("name", 1, 7), new DropSnapshot("name"), new SetRetention(RetentionRule.Default), new FreezeRetention("why"), new ThawRetention(), new Prune(2, [1]),
            new Condemn([new PackId(SealedVault.Id(5))]), new Lapse(_vault.Keys.DeviceId),
        ];
        using ByteWriter history = new();
        CommitCodec.Write(history, CommitCodec.Read(body, "seed") with { History = changes, Rows = new RowChanges(), Packs = [] });
        byte[] snapshot = SignedObject.Open(
            _vault.Keys, ObjectClass.Commit, _vault.Log.Prepare(_state, new CommitDraft { Time = 5, History = [.. changes.Take(6)] }).Bytes, "seed").Unpack("seed").ToArray();
        Seeds = [[0, .. attempt.Bytes], [1, 0, 0, 0, 0, (byte)body.Length, .. body], [2, .. body], [2, .. genesis.ToArray()], [2, .. history.ToArray()], [2, .. snapshot]];
    }

    public override string Name => "commit";

    public override IReadOnlyList<byte[]> Seeds { get; }

    public override IReadOnlyList<byte[]> Dictionary { get; } = [[1], [2], [3], [4], [5], [0x11], [0x12], [0x13], [0x14], new byte[32], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], "DRVO"u8.ToArray()];

    // Signing, verifying and a store in memory have a cost of their own.
    public override long AllocationMax(int inputBytes) => (256 << 10) + (256L * inputBytes);

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
                Read(rest);
                break;
            case 1:
                SealedVault.Expect(() => CommitCodec.Read(SealedBody.Unpack(rest, "fuzzed").Span, "fuzzed"));
                break;
            default:
                CommitContent? content = null;
                SealedVault.Expect(() => content = CommitCodec.Read(rest, "fuzzed"));
                if (content is not null)
                {
                    Read(_vault.Sign(ObjectClass.Commit, rest, out _));
                }

                break;
        }
    }

    protected override void Close() => _vault.Dispose();

    private void Read(byte[] commit) => SealedVault.Expect(async () =>
    {
        VaultLog log = new(SealedVault.StoreWith(VaultNames.Commit(_state.Gen, _state.Seq + 1), commit), _vault.Keys, _vault.Random);
        await log.ReadNextAsync(_state, static rows => rows, default);
    });
}
