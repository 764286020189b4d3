using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Testing;
using Drive.Vault;
using Drive.Vault.Checkpoints;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Packs;

namespace Drive.Security;

/// <summary>
/// A device without a disk: the product's own vault code over a tree in memory. It does what the engine does with a store (prove the pin, catch up, read
/// ranges of packs), a hundred times as often in the same time.
/// </summary>
public sealed class LightClient(IObjectStore store, VaultKeys keys, VaultState state, RowTree tree) : IDisposable
{
    private readonly PackReader _packs = new(keys, 64);

    public VaultState State { get; private set; } = state;

    public RowTree Tree { get; private set; } = tree;

    public VaultLog Log { get; } = new(store, keys, new Testing.SeededRandom(5));

    public async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        if (State.Seq > 0)
        {
            await Log.VerifyPinAsync(State, cancellationToken);
        }

        while (true)
        {
            switch (await Log.ReadNextAsync(State, Tree.Resolve, cancellationToken))
            {
                case ReadResult.Next next:
                    Tree.Apply(next.Commit.Rows);
                    State = next.State;
                    break;
                case ReadResult.FloorJump jump:
                    await JumpAsync(await CheckpointReader.OpenAsync(store, keys, jump.Floor, State, cancellationToken), cancellationToken);
                    break;
                default:
                    return;
            }
        }
    }

    /// <summary>One file, from ranges of packs as the engine asks for them.</summary>
    public async Task<byte[]> ReadFileAsync(string name, CancellationToken cancellationToken)
    {
        NodeRow node = Tree.FindNode(Tree.FindEntry(NodeId.Root, name)!.Node)!;
        var content = new byte[node.Size];
        foreach (ExtentRow extent in Tree.Extents(node.Node))
        {
            byte[] block = await ReadBlockAsync(Tree.FindBlock(extent.Block)!, cancellationToken);
            block.AsSpan(extent.BlockOffset, extent.Length).CopyTo(content.AsSpan((int)extent.Offset));
        }

        return content;
    }

    public void Dispose() => _packs.Dispose();

    private async Task<byte[]> ReadBlockAsync(BlockRow block, CancellationToken cancellationToken)
    {
        ObjectName name = VaultNames.Pack(block.Pack);
        var plain = new byte[block.PlainLength];
        for (int segment = 0; segment < block.Segments.Length; segment++)
        {
            var stored = new byte[BlockSegments.StoredLengthOf(block, segment)];
            int? read = await store.GetRangeAsync(name, BlockSegments.OffsetOf(block, segment), stored, cancellationToken);
            if (read != stored.Length)
            {
                throw new VaultIntegrityException(name.Value, IntegrityKind.Missing, "is absent, or shorter than the vault says");
            }

            _packs.OpenSegment(block, segment, stored, plain.AsSpan(segment * BlockSegments.SegmentBytes));
        }

        return plain;
    }

    private async Task JumpAsync(CheckpointReader reader, CancellationToken cancellationToken)
    {
        var tree = new RowTree();
        await foreach ((HeldRows rows, IReadOnlyList<BlockRow> blocks) in reader.ReadAsync(cancellationToken))
        {
            tree.Add(rows.ToRows(), blocks);
        }

        await foreach (PastRows past in reader.ReadPastAsync(cancellationToken))
        {
            _ = past;
        }

        Tree = tree;
        State = reader.State;
    }
}
