using Drive.Cache.Dirty;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Tree;

namespace Drive.Engine;

/// <content>Reading content: uncommitted ranges over extents over holes.</content>
public sealed partial class Volume
{
    /// <summary>How much of a file's extents is read from the database at once.</summary>
    private const long WindowBytes = 64L << 20;

    /// <summary>Below this a file's allocation is told as its size, holes or not: not worth a query.</summary>
    private const long SmallFileBytes = 64 << 10;

    /// <summary>
    /// How often a read is planned anew when what it planned with went away meanwhile (a commit landed, the log dropped a segment).
    /// Arbitrary: each time means that another commit landed within one read.
    /// </summary>
    private const int PlansMax = 8;

    [ThreadStatic]
    private static List<ReadPiece>? t_pieces;

    /// <inheritdoc/>
    public async ValueTask<IoResult> ReadAsync(HandleId handle, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            List<ReadPiece> pieces = t_pieces ?? new List<ReadPiece>();
            t_pieces = null;
            pieces.Clear();
            try
            {
                IoResult planned = Plan(handle, offset, destination.Span, pieces);
                if (planned.Status == FsStatus.Ok)
                {
                    foreach (ReadPiece piece in pieces)
                    {
                        ValueTask fetch = FetchAsync(piece, destination.Slice(piece.DestinationOffset, piece.Length), cancellationToken);
                        if (!fetch.IsCompletedSuccessfully)
                        {
                            await fetch;
                        }
                    }
                }

                return planned;
            }
            catch (CorruptLogException error) when (error.IsSegmentMissing && attempt < PlansMax)
            {
                continue;
            }
            catch (OperationCanceledException)
            {
                return IoResult.Failed(FsStatus.Interrupted);
            }
            catch (Exception error)
            {
                return IoResult.Failed(Fail("read", error));
            }
            finally
            {
                t_pieces = pieces;
            }
        }
    }

    /// <inheritdoc/>
    public FsStatus Seek(HandleId handle, long offset, SeekTarget target, out long found)
    {
        found = 0;
        lock (_gate)
        {
            if (!_handles.TryGetValue(handle, out Handle? open) || open.Node.IsDirectory)
            {
                return FsStatus.BadHandle;
            }

            long size = open.Node.Size;
            if (offset < 0 || offset >= size)
            {
                return FsStatus.NoSuchOffset;
            }

            while (offset < size)
            {
                Source source = FindSource(open.Node, offset, size);
                if (source.IsData == (target == SeekTarget.Data))
                {
                    found = offset;
                    return FsStatus.Ok;
                }

                offset = source.End;
            }

            found = size;
            return target == SeekTarget.Hole ? FsStatus.Ok : FsStatus.NoSuchOffset;
        }
    }

    private ValueTask FetchAsync(in ReadPiece piece, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (piece.Chunk is { } chunk)
        {
            _log.Read(chunk.Position, chunk.Length, piece.InnerOffset, destination.Span);
            return ValueTask.CompletedTask;
        }

        return _blocks.ReadAsync(piece.Block, piece.InnerOffset, destination, cancellationToken);
    }

    /// <summary>
    /// What to read from where. Holes and bytes still in memory are copied at once; what lies in the log or a pack is left for after the gate.
    /// </summary>
    private IoResult Plan(HandleId handle, long offset, Span<byte> destination, List<ReadPiece> pieces)
    {
        lock (_gate)
        {
            if (!_handles.TryGetValue(handle, out Handle? open) || open.Node.IsDirectory)
            {
                return IoResult.Failed(FsStatus.BadHandle);
            }

            if (offset < 0)
            {
                return IoResult.Failed(FsStatus.Invalid);
            }

            Node node = open.Node;
            TouchAccess(node);
            int length = (int)Math.Clamp(node.Size - offset, 0, destination.Length);
            PlanRange(node, offset, destination[..length], pieces);
            return IoResult.Done(length);
        }
    }

    private void PlanRange(Node node, long offset, Span<byte> destination, List<ReadPiece> pieces)
    {
        int position = 0;
        while (position < destination.Length)
        {
            Source source = FindSource(node, offset + position, offset + destination.Length);
            int take = (int)(source.End - offset - position);
            Span<byte> part = destination.Slice(position, take);
            if (!source.IsData)
            {
                part.Clear();
            }
            else if (source.Chunk is { IsLogged: false } chunk)
            {
                chunk.Buffer.AsSpan(source.InnerOffset, take).CopyTo(part);
            }
            else
            {
                pieces.Add(new ReadPiece(position, take, source.Chunk, source.Block, source.InnerOffset));
            }

            position += take;
        }
    }

    /// <summary>What a file shows from an offset on, and how far that reaches (at most <paramref name="end"/>).</summary>
    private Source FindSource(Node node, long offset, long end)
    {
        if (node.Overlay is { } overlay)
        {
            if (overlay.FindAtOrAfter(offset, end) is { } item)
            {
                if (item.Offset <= offset)
                {
                    return new Source(true, Math.Min(end, item.End), item.Chunk, item.Block, item.InnerOffset + (int)(offset - item.Offset));
                }

                end = item.Offset;
            }

            if (overlay.Holes.FindAtOrAfter(offset) is { } hole && hole.Start < end)
            {
                if (hole.Start <= offset)
                {
                    return new Source(false, Math.Min(end, hole.End), null, default, 0);
                }

                end = hole.Start;
            }
        }

        if (!node.MayHaveExtents)
        {
            return new Source(false, end, null, default, 0);
        }

        foreach (ExtentRow extent in ExtentsAt(node, offset, ref end))
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

    /// <summary>Committed extents around an offset; <paramref name="end"/> is lowered to what they tell of.</summary>
    private IReadOnlyList<ExtentRow> ExtentsAt(Node node, long offset, ref long end)
    {
        if (node.PinnedExtents is { } pinned)
        {
            return pinned;
        }

        if (node.Window is not { } window || offset < window.Start || offset >= window.End)
        {
            long start = offset / WindowBytes * WindowBytes;
            long windowEnd = start > long.MaxValue - WindowBytes ? long.MaxValue : start + WindowBytes;
            IReadOnlyList<ExtentRow> extents = _metadata.ReadExtents(node.Id, start, windowEnd);
            if (extents.Count == 0)
            {
                // A window without data reaches to the next extent, so that a wide hole is one step and not one for each window.
                windowEnd = _metadata.FindNextExtent(node.Id, windowEnd) ?? long.MaxValue;
            }

            window = new ExtentWindow(start, windowEnd, extents);
            node.Window = window;
        }

        end = Math.Min(end, window.End);
        return window.Extents;
    }

    /// <summary>Bytes of a sparse file that data covers, whole in units of the smallest disk block.</summary>
    private long CountAllocated(Node node)
    {
        if (node.Size <= SmallFileBytes && node.MayHaveExtents)
        {
            return Node.RoundUp(node.Size);
        }

        if (node.AllocatedKnown < 0)
        {
            long bytes = 0;
            bool hasHole = false;
            for (long offset = 0; offset < node.Size;)
            {
                Source source = FindSource(node, offset, node.Size);
                bytes += source.IsData ? source.End - offset : 0;
                hasHole |= !source.IsData;
                offset = source.End;
            }

            node.MaySparse = hasHole;
            node.AllocatedKnown = Node.RoundUp(bytes);
        }

        return node.AllocatedKnown;
    }

    private readonly record struct Source(bool IsData, long End, DirtyChunk? Chunk, BlockId Block, int InnerOffset);

    private readonly record struct ReadPiece(int DestinationOffset, int Length, DirtyChunk? Chunk, BlockId Block, int InnerOffset);
}
