namespace Drive.Engine.Content;

/// <summary>A range of a file, end exclusive.</summary>
internal readonly record struct ByteRange(long Start, long End)
{
    public long Length => End - Start;
}

/// <summary>A set of byte ranges, kept sorted, disjoint and joined where they touch. Pure arithmetic.</summary>
internal sealed class RangeList
{
    private readonly List<ByteRange> _ranges = [];

    public IReadOnlyList<ByteRange> Ranges => _ranges;

    public bool IsEmpty => _ranges.Count == 0;

    /// <summary>Adds a range. True when the set changed.</summary>
    public bool Add(long start, long end)
    {
        if (start >= end)
        {
            return false;
        }

        int first = FirstEndingAtOrAfter(start);
        int last = first;
        long newStart = start;
        long newEnd = end;
        while (last < _ranges.Count && _ranges[last].Start <= end)
        {
            newStart = Math.Min(newStart, _ranges[last].Start);
            newEnd = Math.Max(newEnd, _ranges[last].End);
            last++;
        }

        if (last == first + 1 && _ranges[first] == new ByteRange(newStart, newEnd))
        {
            return false;
        }

        _ranges.RemoveRange(first, last - first);
        _ranges.Insert(first, new ByteRange(newStart, newEnd));
        return true;
    }

    /// <summary>Takes a range out. True when the set changed.</summary>
    public bool Remove(long start, long end)
    {
        int index = FirstEndingAtOrAfter(start + 1);
        bool changed = false;
        while (start < end && index < _ranges.Count && _ranges[index].Start < end)
        {
            ByteRange range = _ranges[index];
            _ranges.RemoveAt(index);
            changed = true;
            if (range.Start < start)
            {
                _ranges.Insert(index++, new ByteRange(range.Start, start));
            }

            if (range.End > end)
            {
                _ranges.Insert(index++, new ByteRange(end, range.End));
            }
        }

        return changed;
    }

    /// <summary>The range that holds the offset, or else the first after it; null when there is none.</summary>
    public ByteRange? FindAtOrAfter(long offset)
    {
        int index = FirstEndingAtOrAfter(offset + 1);
        return index < _ranges.Count ? _ranges[index] : null;
    }

    public void Clear() => _ranges.Clear();

    private int FirstEndingAtOrAfter(long offset)
    {
        int low = 0;
        int high = _ranges.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_ranges[middle].End < offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
