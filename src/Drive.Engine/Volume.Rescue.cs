using Drive.Core;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Tree;

namespace Drive.Engine;

/// <content>
/// Content here that no commit holds may share blocks with what others have forgotten. Before this device commits anything above a condemnation, and with that says that it needs nothing of the
/// packs, such content is read from them and becomes data of this machine, like any that was written here.
/// </content>
public sealed partial class Volume
{
    private const long RescueShareBytes = 4L << 20;

    /// <summary>The last condemnation that nothing here needs any more. Used by the upload loop only.</summary>
    private long _rescuedSeq;

    /// <summary>By the upload loop, before each commit. Waits while the store is away: the packs stay until this device has spoken.</summary>
    private async Task RescueAsync(CancellationToken cancellationToken)
    {
        if (_state.History.Condemned.Count == 0 || _state.History.Condemned[^1].Seq <= _rescuedSeq || Mistakes.Has(Mistake.CondemnedContentKept)
            || Mistakes.Has(Mistake.OwnContentNotCounted))
        {
            return;
        }

        HashSet<PackId> condemned = [.. _state.History.Condemned.Select(static pack => pack.Pack)];
        HashSet<OverlayItem> seen = [];
        while (TakeEndangered(condemned, seen) is { Count: > 0 } share)
        {
            foreach ((NodeId id, OverlayItem item) in share)
            {
                seen.Add(item);
                byte[] bytes = new byte[item.Length];
                await ReadBlockAsync(item.Block, item.InnerOffset, bytes, cancellationToken);
                while (!TryKeep(id, item, bytes))
                {
                    await WaitAsync(PatienceMin, cancellationToken);
                }
            }

            while (CommitLocally() != FsStatus.Ok)
            {
                await WaitAsync(PatienceMin, cancellationToken);
            }
        }

        _rescuedSeq = _state.History.Condemned[^1].Seq;
    }

    /// <summary>Some of the ranges that show blocks of condemned packs.</summary>
    private List<(NodeId Node, OverlayItem Item)> TakeEndangered(HashSet<PackId> condemned, HashSet<OverlayItem> seen)
    {
        List<(NodeId, OverlayItem)> share = [];
        long bytes = 0;
        lock (_gate)
        {
            HoldOpenOnes(condemned);
            foreach ((NodeId node, Overlay overlay) in _overlays)
            {
                foreach (OverlayItem item in overlay.Items)
                {
                    if (bytes < RescueShareBytes && item.Chunk is null && !seen.Contains(item) && IsIn(condemned, item.Block))
                    {
                        share.Add((node, item));
                        bytes += item.Length;
                    }
                }
            }
        }

        return share;
    }

    private bool IsIn(HashSet<PackId> packs, BlockId block) => _metadata.FindBlockToRead(block) is { } row && packs.Contains(row.Pack);

    /// <summary>Files without a name that somebody has open: what they hold of such packs stands in their overlay from now on, and is then kept like the rest.</summary>
    private void HoldOpenOnes(HashSet<PackId> condemned)
    {
        foreach (Node node in _nodes.Values.Where(static node => node.PinnedExtents is { Count: > 0 }).ToList())
        {
            IReadOnlyList<ExtentRow> extents = node.PinnedExtents!;
            if (!extents.Any(extent => IsIn(condemned, extent.Block)))
            {
                continue;
            }

            foreach (ExtentRow extent in extents.Where(extent => IsIn(condemned, extent.Block)))
            {
                foreach ((long start, long end) in UncoveredParts(node, extent))
                {
                    Displace(OverlayOf(node).Put(new OverlayItem(start, (int)(end - start), null, extent.Block, extent.BlockOffset + (int)(start - extent.Offset))));
                }
            }

            node.PinnedExtents = [.. extents.Where(extent => !IsIn(condemned, extent.Block))];
            node.Windows = null;
        }
    }

    /// <summary>What a file shows of an extent: without the items and holes that lie over it, and without what is beyond its end. Cut at each 1 MiB.</summary>
    private static List<(long Start, long End)> UncoveredParts(Node node, ExtentRow extent)
    {
        RangeList parts = new();
        if (extent.Offset < node.Size)
        {
            parts.Add(extent.Offset, Math.Min(extent.End, node.Size));
        }

        foreach (ByteRange covered in node.Overlay is { } overlay ? overlay.Items.Select(static item => new ByteRange(item.Offset, item.End)).Concat(overlay.Holes.Ranges) : [])
        {
            parts.Remove(covered.Start, covered.End);
        }

        List<(long, long)> cut = [];
        foreach (ByteRange part in parts.Ranges)
        {
            for (long start = part.Start; start < part.End;)
            {
                long end = Math.Min(part.End, Overlay.BlockEnd(start / Overlay.BlockBytes));
                cut.Add((start, end));
                start = end;
            }
        }

        return cut;
    }

    /// <summary>Puts the bytes in the place of the block. False: there is no room on this machine.</summary>
    private bool TryKeep(NodeId id, OverlayItem item, byte[] bytes)
    {
        lock (_gate)
        {
            if (item.IsGone || FindNode(id) is not { } node)
            {
                return true;
            }

            if (!_budget.TryReserveDirty(bytes.Length))
            {
                return false;
            }

            _change++;
            PutData(node, item.Offset, bytes);
            return true;
        }
    }
}
