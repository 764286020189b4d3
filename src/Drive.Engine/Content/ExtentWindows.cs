using Drive.Core.Rows;

namespace Drive.Engine.Content;

/// <summary>
/// What is known of a file's committed extents: ranges, each with all extents that overlap it. A file that is read here and there has several, so that a read
/// seldom asks the database, and what it asks for is small however torn the file is. Not for several threads.
/// </summary>
internal sealed class ExtentWindows
{
    /// <summary>Extents of one window: 32 MiB of a file that was written in one go.</summary>
    public const int ExtentsMax = 32;

    private readonly List<ExtentWindow> _windows = new(1);
    private int _last;

    /// <summary>The window that tells of an offset.</summary>
    public ExtentWindow? Find(long offset)
    {
        if (_last < _windows.Count && _windows[_last].Covers(offset))
        {
            return _windows[_last];
        }

        for (int index = 0; index < _windows.Count; index++)
        {
            if (_windows[index].Covers(offset))
            {
                _last = index;
                return _windows[index];
            }
        }

        return null;
    }

    public void Add(ExtentWindow window)
    {
        _last = _windows.Count;
        _windows.Add(window);
    }

    public void Remove(ExtentWindow window) => _windows.Remove(window);
}

/// <summary>Committed extents that overlap a range of a file, in order.</summary>
/// <param name="Start">First byte of the range.</param>
/// <param name="End">First byte after it.</param>
/// <param name="Extents">The extents.</param>
internal sealed record ExtentWindow(long Start, long End, IReadOnlyList<ExtentRow> Extents)
{
    public bool Covers(long offset) => offset >= Start && offset < End;
}

/// <summary>Bounds the memory of all <see cref="ExtentWindows"/>: the oldest go. Not for several threads.</summary>
internal sealed class ExtentMemory
{
    /// <summary>About 6 MiB.</summary>
    private const int ExtentsMax = 65_536;

    private readonly Queue<(ExtentWindows Owner, ExtentWindow Window)> _oldest = [];
    private int _extents;

    public void Add(ExtentWindows owner, ExtentWindow window)
    {
        owner.Add(window);
        _oldest.Enqueue((owner, window));
        _extents += CostOf(window);
        while (_extents > ExtentsMax)
        {
            (ExtentWindows oldOwner, ExtentWindow old) = _oldest.Dequeue();
            oldOwner.Remove(old);
            _extents -= CostOf(old);
        }
    }

    private static int CostOf(ExtentWindow window) => window.Extents.Count + 1;
}
