namespace Drive.Cache.Blocks;

/// <summary>Byte ranges that are there: sorted, apart from each other. Not thread-safe.</summary>
internal sealed class RangeSet
{
    // What a file system gives out at a time (4 KiB on ext4, XFS and Btrfs): a range takes whole ones.
    private const long AllocationBytes = 4096;

    private readonly List<(long Start, long End)> _ranges = [];

    public int Count => _ranges.Count;

    public IReadOnlyList<(long Start, long End)> Ranges => _ranges;

    /// <summary>An upper bound of what the ranges take on disk.</summary>
    public long AllocatedBytes
    {
        get
        {
            long total = 0;
            foreach ((long start, long end) in _ranges)
            {
                total += AllocatedBytesOf(start, end - start);
            }

            return total;
        }
    }

    /// <summary>An upper bound of what one range takes on disk.</summary>
    public static long AllocatedBytesOf(long start, long length)
    {
        long first = start / AllocationBytes * AllocationBytes;
        return ((start + length - first + AllocationBytes - 1) / AllocationBytes) * AllocationBytes;
    }

    public bool Contains(long start, long length)
    {
        int index = FirstEndingAfter(start);
        return length == 0 || (index < _ranges.Count && _ranges[index].Start <= start && start + length <= _ranges[index].End);
    }

    /// <summary>The parts of a range that are not there, in order.</summary>
    public IEnumerable<(long Start, long End)> Missing(long start, long length)
    {
        long end = start + length;
        for (int index = FirstEndingAfter(start); start < end; index++)
        {
            (long nextStart, long nextEnd) = index < _ranges.Count ? _ranges[index] : (end, end);
            if (nextStart > start)
            {
                yield return (start, Math.Min(nextStart, end));
            }

            start = Math.Max(start, nextEnd);
        }
    }

    public void Add(long start, long length)
    {
        if (length == 0)
        {
            return;
        }

        // Ranges that touch become one, so the search begins with those that end right where this one starts.
        long end = start + length;
        int first = FirstEndingAfter(start - 1);
        int next = first;
        while (next < _ranges.Count && _ranges[next].Start <= end)
        {
            start = Math.Min(start, _ranges[next].Start);
            end = Math.Max(end, _ranges[next].End);
            next++;
        }

        _ranges.RemoveRange(first, next - first);
        _ranges.Insert(first, (start, end));
    }

    public void Remove(long start, long length)
    {
        long end = start + length;
        int first = FirstEndingAfter(start);
        int next = first;
        List<(long, long)> rest = [];
        while (next < _ranges.Count && _ranges[next].Start < end)
        {
            (long oldStart, long oldEnd) = _ranges[next++];
            if (oldStart < start)
            {
                rest.Add((oldStart, start));
            }

            if (oldEnd > end)
            {
                rest.Add((end, oldEnd));
            }
        }

        _ranges.RemoveRange(first, next - first);
        _ranges.InsertRange(first, rest);
    }

    private int FirstEndingAfter(long position)
    {
        int low = 0, high = _ranges.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_ranges[middle].End > position)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }
}
