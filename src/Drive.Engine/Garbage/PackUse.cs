using System.Buffers.Binary;
using Drive.Core;
using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Metadata;
using Drive.Vault;

namespace Drive.Engine.Garbage;

/// <summary>A pack of the vault and what of it is needed.</summary>
/// <param name="Pack">The pack.</param>
/// <param name="Length">Bytes of the object.</param>
/// <param name="NeededBytes">What its needed blocks take, with their part of the pack's frame; 0 when none is needed.</param>
internal sealed record PackShare(PackId Pack, long Length, long NeededBytes)
{
    public long WasteBytes => NeededBytes == 0 ? Length : Math.Max(0, Length - NeededBytes);
}

/// <summary>
/// Which packs are needed: counted from all rows that history keeps. Blocks are told apart by 8 bytes of their keyed hashes; two that look alike there make one more needed than is, never one less.
/// No commit may land while it counts.
/// </summary>
internal sealed class PackUse
{
    private const int PageRows = 4096; // a few milliseconds under the database's lock

    /// <summary>Header, commitment, footer and the directory's tag of a pack; and what its directory says of a block besides its segments. About.</summary>
    private const int FrameBytes = 150;
    private const int BlockFrameBytes = 38;

    private readonly HashSet<ulong> _needed = [];
    private readonly Dictionary<PackId, long> _neededBytes = [];

    private PackUse()
    {
    }

    /// <summary>All packs that the log names and has not condemned.</summary>
    public IReadOnlyList<PackShare> Packs { get; private set; } = [];

    /// <summary>Counts.</summary>
    /// <param name="metadata">The tree and its past.</param>
    /// <param name="kept">What history has.</param>
    /// <param name="alsoNeeded">Blocks that content here names which no commit holds.</param>
    /// <param name="moved">Where some blocks are to lie instead.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static PackUse Count(
        MetadataStore metadata, KeptHistory kept, IEnumerable<BlockId> alsoNeeded, IEnumerable<BlockRow> moved, CancellationToken cancellationToken)
    {
        PackUse use = new();
        foreach (IReadOnlyList<BlockSpan> spans in metadata.ReadBlockSpans(PageRows))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (BlockSpan span in spans)
            {
                if (kept.Holds(span.From, span.To) && !(Mistakes.Has(Mistake.PastNotCounted) && span.To != Epochs.Open))
                {
                    use._needed.Add(Short(span.Block));
                }
            }
        }

        use._needed.UnionWith(alsoNeeded.Select(Short));
        Dictionary<BlockId, BlockRow> places = moved.ToDictionary(static row => row.Block);
        foreach (IReadOnlyList<BlockRow> rows in metadata.ReadAllBlocks(PageRows))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (BlockRow row in rows)
            {
                use.Add(places.GetValueOrDefault(row.Block, row));
            }
        }

        use.Packs = [.. metadata.ReadPacks().Where(static pack => pack.CondemnedAt == 0).Select(pack => new PackShare(pack.Pack, pack.Length, use.NeededBytesOf(pack.Pack)))];
        return use;
    }

    /// <summary>Whether a block of the pack is needed.</summary>
    public bool IsNeeded(PackId pack) => _neededBytes.ContainsKey(pack);

    public bool IsNeeded(BlockId block) => _needed.Contains(Short(block));

    private long NeededBytesOf(PackId pack) => _neededBytes.TryGetValue(pack, out long bytes) ? bytes + FrameBytes : 0;

    private void Add(BlockRow row)
    {
        if (IsNeeded(row.Block))
        {
            _neededBytes[row.Pack] = _neededBytes.GetValueOrDefault(row.Pack) + BlockSegments.StoredLengthOf(row) + BlockFrameBytes + (3 * row.Segments.Length);
        }
    }

    private static ulong Short(BlockId block) => BinaryPrimitives.ReadUInt64LittleEndian(block.Value.AsSpan());
}
