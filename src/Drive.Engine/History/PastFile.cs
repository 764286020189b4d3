using Drive.Cache.Blocks;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Reading;
using Drive.Metadata;

namespace Drive.Engine.History;

/// <summary>
/// The content of a file as it was after a commit: extents and holes, and how it is being read. It never changes; what is kept of it in memory may be dropped at any time.
/// May be used from any thread.
/// </summary>
internal sealed class PastFile(MetadataStore metadata, NodeId node, long size, long seq)
{
    /// <summary>Windows of extents kept; 256 MiB of a file that was written in one go. Arbitrary.</summary>
    private const int WindowsMax = 8;

    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly ReadStreams _streams = new();
    private ExtentWindows _windows = new();
    private int _windowCount;

    /// <summary>Length in bytes.</summary>
    public long Size => size;

    /// <summary>What the file shows from an offset on, up to <paramref name="end"/> at most.</summary>
    public Source FindSource(long offset, long end)
    {
        lock (_gate)
        {
            ExtentWindow window = _windows.Find(offset) ?? ReadWindow(offset);
            return Source.In(window.Extents, offset, Math.Min(end, window.End));
        }
    }

    /// <summary>What to read from where; holes are filled at once.</summary>
    public IoResult Plan(long offset, Span<byte> destination, List<ReadPiece> pieces)
    {
        if (offset < 0)
        {
            return IoResult.Failed(FsStatus.Invalid);
        }

        int length = (int)Math.Clamp(size - offset, 0, destination.Length);
        for (int position = 0; position < length;)
        {
            Source source = FindSource(offset + position, offset + length);
            int take = (int)(source.End - offset - position);
            if (source.IsData)
            {
                pieces.Add(new ReadPiece(position, take, null, source.Block, source.InnerOffset));
            }
            else
            {
                destination.Slice(position, take).Clear();
            }

            position += take;
        }

        return IoResult.Done(length);
    }

    /// <summary>Has the store asked for what this reader will want next. (Not for a local store.)</summary>
    public void FetchAhead(BlockReader blocks, long offset, int length)
    {
        List<(BlockId, int, int)> parts = [];
        ReadStream stream;
        lock (_gate)
        {
            stream = _streams.At(offset);
            ByteRange next = stream.Advance(offset, length, size, blocks.ShareOf(stream));
            parts.AddRange(Parts(next.Start, next.End));
        }

        if (parts.Count > 0 && !blocks.FetchAhead(stream, parts))
        {
            lock (_gate)
            {
                stream.Retreat();
            }
        }
    }

    /// <summary>All blocks that it shows, in order.</summary>
    public IEnumerable<(BlockId Block, int Offset, int Length)> Parts() => Parts(0, size);

    /// <summary>lseek(2) for data and holes.</summary>
    public FsStatus Seek(long offset, SeekTarget target, out long found)
    {
        found = 0;
        if (offset < 0 || offset >= size)
        {
            return FsStatus.NoSuchOffset;
        }

        while (offset < size)
        {
            Source source = FindSource(offset, size);
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

    private IEnumerable<(BlockId Block, int Offset, int Length)> Parts(long start, long end)
    {
        for (long position = start; position < end;)
        {
            Source source = FindSource(position, end);
            if (source.IsData)
            {
                yield return (source.Block, source.InnerOffset, (int)(source.End - position));
            }

            position = source.End;
        }
    }

    private ExtentWindow ReadWindow(long offset)
    {
        IReadOnlyList<ExtentRow> extents = metadata.ReadFirstExtents(node, offset, ExtentWindows.ExtentsMax, seq);
        ExtentWindow window = new(offset, extents.Count < ExtentWindows.ExtentsMax ? long.MaxValue : extents[^1].End, extents);
        if (++_windowCount > WindowsMax)
        {
            _windows = new ExtentWindows();
            _windowCount = 1;
        }

        _windows.Add(window);
        return window;
    }
}
