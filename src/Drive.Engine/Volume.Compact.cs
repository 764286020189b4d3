using Drive.Cache.Dirty;
using Drive.Core.Platform;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Tree;

namespace Drive.Engine;

/// <content>
/// Keeping the dirty log near what is live in it. A segment goes when nothing in it is wanted; with the store away for long, a few wanted records could
/// keep many dead bytes. Then what is live in the sparsest segment is appended anew, and the segment goes with the next local commits.
/// </content>
public sealed partial class Volume
{
    private const long CompactShareBytes = 4L << 20;

    private void CompactLog()
    {
        // By the records: zeros that lie ahead of them are no reason to move any.
        long dead = _log.GetUsage().Sum(static usage => usage.BytesOnDisk) - _log.LiveBytes;
        if (dead < Math.Max(_settings.DeadLogBytesMax, _log.LiveBytes))
        {
            return;
        }

        MoveJournal();
        List<SegmentUsage> sparse = [.. _log.GetUsage().Where(static usage => usage is { IsClosed: true, LiveBytes: > 0 } && usage.LiveBytes < usage.BytesOnDisk / 2)];
        if (sparse.Count > 0)
        {
            long sparsest = sparse.MinBy(static usage => usage.LiveBytes).Segment;
            while (MoveShare(sparsest) && CommitLocally() == FsStatus.Ok)
            {
                // The next share of the segment.
            }
        }
    }

    /// <summary>Journal records keep their segments too, each of them a few bytes: all in one, at the log's end, they keep one.</summary>
    private void MoveJournal()
    {
        lock (_saveLock)
        {
            ApplyRest();
            if (_stuck is not null || _journal.OldestSegment is not { } oldest || oldest == _log.GetUsage()[^1].Segment)
            {
                return;
            }

            try
            {
                _journal.NeedsSnapshot = true;
                GatherJournal();
            }
            catch (IOException error)
            {
                NoteWriteError(error is DiskFullException ? FsStatus.NoSpace : FsStatus.IoError, error);
            }
        }
    }

    /// <summary>Brings some live items of a segment back to memory, to be logged anew. False when there is none left that may move.</summary>
    private bool MoveShare(long segment)
    {
        List<(NodeId Node, OverlayItem Item)> share = [];
        int moved = 0;
        lock (_gate)
        {
            long bytes = 0;
            foreach ((NodeId node, Overlay overlay) in _overlays)
            {
                foreach (OverlayItem item in overlay.Items)
                {
                    if (bytes < CompactShareBytes && item.Chunk is { IsLogged: true, Pins: 0 } chunk && chunk.Position.Segment == segment)
                    {
                        share.Add((node, item));
                        bytes += item.Length;
                    }
                }
            }

            // Read under the gate: what is read is what is replaced, and it is at most a few MiB.
            foreach ((NodeId id, OverlayItem item) in share)
            {
                Node? node = FindNode(id);
                if (node is null || item.IsGone)
                {
                    continue;
                }

                byte[] bytesOfItem = new byte[item.Length];
                _log.Read(item.Chunk!.Position, item.Chunk.Length, item.InnerOffset, bytesOfItem);
                _budget.AddDirty(item.Length);
                _change++;
                PutData(node, item.Offset, bytesOfItem);
                moved++;
            }
        }

        return moved > 0;
    }
}
