using Drive.Engine.Content;

namespace Drive.Engine.Reading;

/// <summary>
/// How one reader reads a file, and what will be wanted next: a reader that goes on where it was gets a window ahead of it, from 1 MiB, doubled while it
/// keeps up; one that jumps gets nothing beyond what it asks for. Who begins at the beginning with a large piece is taken for one that goes on, and a file as small as a document is expected to be read whole. Pure arithmetic; not for several threads.
/// </summary>
internal sealed class ReadStream
{
    public const int WindowMin = 1 << 20;
    public const int WindowMax = 16 << 20;

    /// <summary>Opened at its beginning, a file up to this size is read whole: about two round trips' worth of bytes.</summary>
    public const int DocumentBytes = 4 << 20;

    /// <summary>A first read from here on is one of a program that copies. The kernel's own first read-ahead for small ones is less.</summary>
    public const int LargeRead = 256 << 10;

    /// <summary>The kernel sends the pieces of its own read-ahead side by side, so neighbours arrive in any order.</summary>
    private const int Disorder = 2 << 20;

    /// <summary>How far behind its first read a reader may go on: the kernel's first pieces are small.</summary>
    private const int FirstGapMax = 256 << 10;

    private bool _hasBegun;
    private long _furthest;
    private long _ahead;
    private long _window = WindowMin;

    /// <summary>Whether a second read went on where the first one was: until then it may be a reader that jumps.</summary>
    public bool IsProven { get; private set; }

    /// <summary>Whether a read there goes on where this stream was.</summary>
    public bool GoesOnAt(long offset) => IsProven
        ? offset >= _furthest - Disorder && offset <= _furthest + Disorder
        : _hasBegun && offset >= _furthest && offset <= _furthest + FirstGapMax;

    /// <summary>Notes a read and returns what to fetch before it is asked for; empty when there is nothing.</summary>
    /// <param name="offset">Where it was read.</param>
    /// <param name="length">Bytes read.</param>
    /// <param name="size">The file's length.</param>
    /// <param name="windowMax">What the stream may have ahead of it now: its share of the budget.</param>
    public ByteRange Advance(long offset, int length, long size, long windowMax)
    {
        long end = offset + length;
        if (!GoesOnAt(offset))
        {
            bool isFirst = !_hasBegun && offset == 0;
            _hasBegun = true;
            _furthest = end;
            _window = WindowMin;
            IsProven = false;
            _ahead = isFirst && size <= DocumentBytes ? size
                : isFirst && length >= LargeRead ? Math.Min(size, end + Math.Min(_window, windowMax))
                : end;
            return new ByteRange(end, _ahead);
        }

        IsProven = true;
        _furthest = Math.Max(_furthest, end);
        long window = Math.Min(_window, windowMax);
        if (_ahead - _furthest > window / 2)
        {
            return default;
        }

        long from = Math.Max(_ahead, _furthest);
        long to = Math.Min(size, _furthest + window);
        if (from >= to)
        {
            return default;
        }

        _ahead = to;
        _window = Math.Min(_window * 2, WindowMax);
        return new ByteRange(from, to);
    }

    /// <summary>What was returned last could not be asked for: the next read returns it again, as far as it is still ahead.</summary>
    public void Retreat() => _ahead = _furthest;
}
