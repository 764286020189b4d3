using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;

namespace Drive.Engine.Upload;

/// <summary>A range of a file that a commit sets: to a part of a block, or to a hole.</summary>
/// <param name="Start">First byte.</param>
/// <param name="End">First byte after it.</param>
/// <param name="Block">The block, or null for a hole.</param>
/// <param name="BlockOffset">Where the range starts in the block.</param>
internal readonly record struct ContentChange(long Start, long End, BlockId? Block, int BlockOffset);

/// <summary>How changes of content turn into extents that end and begin. Pure arithmetic.</summary>
internal static class ExtentMath
{
    /// <summary>
    /// Lays sorted, disjoint changes over the extents they touch (<paramref name="existing"/>, sorted). What is left of an extent that is cut stays
    /// as one or more new extents of the same block.
    /// </summary>
    public static void Apply(
        NodeId node, IReadOnlyList<ExtentRow> existing, IReadOnlyList<ContentChange> changes, List<ExtentRow> closed, List<ExtentRow> opened)
    {
        int first = 0;
        foreach (ExtentRow extent in existing)
        {
            while (first < changes.Count && changes[first].End <= extent.Offset)
            {
                first++;
            }

            if (first == changes.Count || changes[first].Start >= extent.End)
            {
                continue;
            }

            closed.Add(extent);
            long position = extent.Offset;
            for (int index = first; index < changes.Count && changes[index].Start < extent.End; index++)
            {
                Keep(extent, position, changes[index].Start, opened);
                position = Math.Max(position, changes[index].End);
            }

            Keep(extent, position, extent.End, opened);
        }

        foreach (ContentChange change in changes)
        {
            if (change.Block is { } block)
            {
                opened.Add(new ExtentRow(node, change.Start, (int)(change.End - change.Start), block, change.BlockOffset));
            }
        }
    }

    private static void Keep(ExtentRow extent, long start, long end, List<ExtentRow> opened)
    {
        if (start < end)
        {
            opened.Add(extent with { Offset = start, Length = (int)(end - start), BlockOffset = extent.BlockOffset + (int)(start - extent.Offset) });
        }
    }

    /// <summary>
    /// The runs of data of a captured file, block by block of 1 MiB: consecutive items that touch make one run, which becomes one block of the vault.
    /// </summary>
    public static IEnumerable<IReadOnlyList<OverlayItem>> Runs(IReadOnlyList<OverlayItem> items)
    {
        List<OverlayItem> run = [];
        foreach (OverlayItem item in items)
        {
            bool goesOn = run.Count > 0 && run[^1].End == item.Offset && item.Offset % Overlay.BlockBytes != 0
                && item.Chunk is not null && run[^1].Chunk is not null;
            if (!goesOn && run.Count > 0)
            {
                yield return run;
                run = [];
            }

            run.Add(item);
        }

        if (run.Count > 0)
        {
            yield return run;
        }
    }
}
