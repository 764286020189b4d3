using Drive.Cache.Dirty;
using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.History;
using Drive.Engine.Reading;
using Drive.Engine.Tree;

namespace Drive.Engine;

/// <content>Reading content: uncommitted ranges over extents over holes.</content>
public sealed partial class Volume
{
    /// <summary>Below this a file's allocation is told as its size, holes or not: not worth a query.</summary>
    internal const long SmallFileBytes = 64 << 10;

    /// <summary>
    /// How often a read is planned anew when what it planned with went away meanwhile (a commit landed, the log dropped a segment).
    /// Arbitrary: each time means that another commit landed within one read.
    /// </summary>
    private const int PlansMax = 8;

    /// <summary>How long a read waits for a store that is known to be away: enough to find out that it is back.</summary>
    private static readonly TimeSpan OfflinePatience = TimeSpan.FromSeconds(1);

    [ThreadStatic]
    private static List<ReadPiece>? t_pieces;

    private readonly ExtentMemory _extentMemory = new();

    /// <inheritdoc/>
    public ValueTask<IoResult> ReadAsync(HandleId handle, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        ReadAsync(null, handle, offset, destination, cancellationToken);

    /// <summary>Reads a file of now by its handle, or <paramref name="past"/>.</summary>
    private async ValueTask<IoResult> ReadAsync(PastFile? past, HandleId handle, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            List<ReadPiece> pieces = t_pieces ?? new List<ReadPiece>();
            t_pieces = null;
            pieces.Clear();
            using CancellationTokenSource? limit = _condition == StoreCondition.Unreachable ? new CancellationTokenSource(OfflinePatience, _time) : null;
            using CancellationTokenSource? either = limit is null ? null : CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
            CancellationToken waitToken = either?.Token ?? cancellationToken;
            try
            {
                IoResult planned = past is null ? Plan(handle, offset, destination.Span, pieces) : past.Plan(offset, destination.Span, pieces);
                List<Task>? waiting = null;
                foreach (ReadPiece piece in pieces)
                {
                    ValueTask fetch = FetchAsync(piece, destination.Slice(piece.DestinationOffset, piece.Length), waitToken);
                    if (!fetch.IsCompletedSuccessfully)
                    {
                        (waiting ??= []).Add(fetch.AsTask());
                    }
                }

                if (!_blocks.IsLocal && planned.Status == FsStatus.Ok)
                {
                    FetchAhead(past, handle, offset, (int)planned.Count);
                }

                if (waiting is not null)
                {
                    if (limit is not null)
                    {
                        // It may be back, and nobody has noticed yet.
                        LookSoon();
                    }

                    // All of them, whatever becomes of one: none may fill the destination after this call.
                    await Task.WhenAll(waiting);
                    if (limit is not null)
                    {
                        NoteStoreReachable();
                    }
                }

                return planned;
            }
            catch (CorruptLogException error) when (error.IsSegmentMissing && attempt < PlansMax)
            {
                continue;
            }
            catch (OperationCanceledException) when (limit is { IsCancellationRequested: true } && !cancellationToken.IsCancellationRequested)
            {
                return IoResult.Failed(FsStatus.Unreachable);
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
            if (!TryFindFile(handle, out Node node, out _))
            {
                return FsStatus.BadHandle;
            }

            long size = node.Size;
            if (offset < 0 || offset >= size)
            {
                return FsStatus.NoSuchOffset;
            }

            while (offset < size)
            {
                Source source = FindSource(node, offset, size);
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

    private async ValueTask FetchAsync(ReadPiece piece, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (piece.Chunk is { } chunk)
        {
            _log.Read(chunk.Position, chunk.Length, piece.InnerOffset, destination.Span);
            return;
        }

        ValueTask read = _blocks.ReadAsync(piece.Block, piece.InnerOffset, destination, cancellationToken);
        if (!read.IsCompletedSuccessfully)
        {
            await read;
        }
    }

    /// <summary>Has the store asked for what this reader will want next.</summary>
    private void FetchAhead(PastFile? past, HandleId handle, long offset, int length)
    {
        if (past is not null)
        {
            past.FetchAhead(_blocks, offset, length);
            return;
        }

        List<(BlockId, int, int)> parts = [];
        ReadStream stream;
        lock (_gate)
        {
            if (!TryFindFile(handle, out Node node, out _))
            {
                return;
            }

            stream = (node.Streams ??= new ReadStreams()).At(offset);
            ByteRange next = stream.Advance(offset, length, node.Size, _blocks.ShareOf(stream));
            for (long position = next.Start; position < next.End;)
            {
                Source source = FindSource(node, position, next.End);
                if (source is { IsData: true, Chunk: null })
                {
                    parts.Add((source.Block, source.InnerOffset, (int)(source.End - position)));
                }

                position = source.End;
            }
        }

        if (parts.Count > 0 && !_blocks.FetchAhead(stream, parts))
        {
            lock (_gate)
            {
                stream.Retreat();
            }
        }
    }

    /// <summary>
    /// What to read from where. Holes and bytes still in memory are copied at once; what lies in the log or a pack is left for after the gate.
    /// </summary>
    private IoResult Plan(HandleId handle, long offset, Span<byte> destination, List<ReadPiece> pieces)
    {
        lock (_gate)
        {
            if (!TryFindFile(handle, out Node node, out _))
            {
                return IoResult.Failed(FsStatus.BadHandle);
            }

            if (offset < 0)
            {
                return IoResult.Failed(FsStatus.Invalid);
            }

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

        return Source.In(ExtentsAt(node, offset, ref end), offset, end);
    }

    /// <summary>Committed extents around an offset; <paramref name="end"/> is lowered to what they tell of.</summary>
    private IReadOnlyList<ExtentRow> ExtentsAt(Node node, long offset, ref long end)
    {
        if (node.PinnedExtents is { } pinned)
        {
            return pinned;
        }

        ExtentWindow window = node.Windows?.Find(offset) ?? ReadWindow(node, offset);
        end = Math.Min(end, window.End);
        return window.Extents;
    }

    /// <summary>Reads some extents from an offset's block on: however wide the holes between them, and however small the extents.</summary>
    private ExtentWindow ReadWindow(Node node, long offset)
    {
        long start = offset - (offset % Overlay.BlockBytes);
        IReadOnlyList<ExtentRow> extents = _metadata.ReadFirstExtents(node.Id, start, ExtentWindows.ExtentsMax);
        if (extents.Count == ExtentWindows.ExtentsMax && extents[^1].End <= offset)
        {
            start = offset;
            extents = _metadata.ReadFirstExtents(node.Id, start, ExtentWindows.ExtentsMax);
        }

        ExtentWindow window = new(start, extents.Count < ExtentWindows.ExtentsMax ? long.MaxValue : extents[^1].End, extents);
        _extentMemory.Add(node.Windows ??= new ExtentWindows(), window);
        return window;
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
}
