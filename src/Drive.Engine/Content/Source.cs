using Drive.Cache.Dirty;
using Drive.Core.Rows;

namespace Drive.Engine.Content;

/// <summary>What a file shows from an offset on.</summary>
/// <param name="IsData">Whether there is data; else a hole.</param>
/// <param name="End">How far in the file it reaches.</param>
/// <param name="Chunk">The chunk that has it, or null.</param>
/// <param name="Block">The block that has it, where no chunk does.</param>
/// <param name="InnerOffset">Where it starts in the chunk or the block.</param>
internal readonly record struct Source(bool IsData, long End, DirtyChunk? Chunk, BlockId Block, int InnerOffset)
{
    /// <summary>What committed extents, in order, show from an offset to <paramref name="end"/> at most.</summary>
    public static Source In(IReadOnlyList<ExtentRow> extents, long offset, long end)
    {
        foreach (ExtentRow extent in extents)
        {
            if (extent.End > offset)
            {
                return extent.Offset <= offset
                    ? new Source(true, Math.Min(end, extent.End), null, extent.Block, extent.BlockOffset + (int)(offset - extent.Offset))
                    : new Source(false, Math.Min(end, extent.Offset), null, default, 0);
            }
        }

        return new Source(false, end, null, default, 0);
    }
}

/// <summary>A piece of a read that is still to be fetched.</summary>
/// <param name="DestinationOffset">Where it goes.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Chunk">The chunk in the dirty log, or null.</param>
/// <param name="Block">The block, where no chunk has it.</param>
/// <param name="InnerOffset">Where it starts in the chunk or the block.</param>
internal readonly record struct ReadPiece(int DestinationOffset, int Length, DirtyChunk? Chunk, BlockId Block, int InnerOffset);
