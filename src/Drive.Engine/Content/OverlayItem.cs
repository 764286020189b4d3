using Drive.Core.Rows;

namespace Drive.Engine.Content;

/// <summary>
/// A range of a file that is shown in place of its extents: bytes of a <see cref="DirtyChunk"/>, or of a block of the vault.
/// It never crosses a 1 MiB boundary of the file. Immutable but for <see cref="IsSaved"/>: cutting makes new items.
/// </summary>
internal sealed class OverlayItem(long offset, int length, DirtyChunk? chunk, BlockId block, int innerOffset)
{
    /// <summary>Start in the file.</summary>
    public long Offset { get; } = offset;

    /// <summary>Bytes.</summary>
    public int Length { get; } = length;

    /// <summary>The chunk, or null when the bytes are of <see cref="Block"/>.</summary>
    public DirtyChunk? Chunk { get; } = chunk;

    /// <summary>The block when there is no chunk.</summary>
    public BlockId Block { get; } = block;

    /// <summary>Where the range starts in the chunk or block.</summary>
    public int InnerOffset { get; } = innerOffset;

    /// <summary>Whether the database has this very row.</summary>
    public bool IsSaved { get; set; }

    /// <summary>Whether it was cut or replaced, and is no longer in its overlay.</summary>
    public bool IsGone { get; set; }

    /// <summary>First byte after it.</summary>
    public long End => Offset + Length;

    /// <summary>The part of it in [start, end), which must overlap it; not yet saved.</summary>
    public OverlayItem Slice(long start, long end)
    {
        long from = Math.Max(start, Offset);
        long to = Math.Min(end, End);
        return new OverlayItem(from, (int)(to - from), Chunk, Block, InnerOffset + (int)(from - Offset));
    }

    /// <summary>Whether both show the same source at the same place, so that one is a part of the other or both of one item.</summary>
    public bool IsOfSameSource(OverlayItem other) =>
        Chunk == other.Chunk && (Chunk is not null || Block == other.Block) && InnerOffset - Offset == other.InnerOffset - other.Offset;
}
