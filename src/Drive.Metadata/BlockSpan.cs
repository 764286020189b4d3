using Drive.Core.Rows;

namespace Drive.Metadata;

/// <summary>A block that an extent names, and the commits between which the extent held.</summary>
/// <param name="Block">The block.</param>
/// <param name="From">The commit that began it.</param>
/// <param name="To">The commit that ended it; above all seqs while it holds.</param>
public readonly record struct BlockSpan(BlockId Block, long From, long To);
