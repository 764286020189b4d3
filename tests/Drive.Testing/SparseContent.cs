namespace Drive.Testing;

/// <summary>
/// The bytes of a file as a map of 64 KiB pages: a page that is not there is a hole, so a file of 1 TiB with two pages costs two pages.
/// Bytes of a page past the end of the file are always zero. Not thread-safe.
/// </summary>
internal sealed class SparseContent(PageCount volumePages)
{
    public const int PageSize = 65536;

    private readonly Dictionary<long, byte[]> _pages = [];
    private readonly SortedSet<long> _order = [];

    public long Size { get; private set; }

    /// <summary>Whole pages count, but not what lies beyond the end, in units of 512 bytes as st_blocks counts.</summary>
    public long AllocatedBytes
    {
        get
        {
            if (_order.Count == 0)
            {
                return 0;
            }

            long last = _order.Max;
            long tail = Math.Min(PageSize, (Size - (last * PageSize) + 511) / 512 * 512);
            return ((long)(_order.Count - 1) * PageSize) + tail;
        }
    }

    public int Read(long offset, Span<byte> destination)
    {
        if (offset >= Size)
        {
            return 0;
        }

        int total = (int)Math.Min(destination.Length, Size - offset);
        for (int done = 0; done < total;)
        {
            (long page, int inner) = Split(offset + done);
            int count = Math.Min(PageSize - inner, total - done);
            Span<byte> part = destination.Slice(done, count);
            if (_pages.TryGetValue(page, out byte[]? bytes))
            {
                bytes.AsSpan(inner, count).CopyTo(part);
            }
            else
            {
                part.Clear();
            }

            done += count;
        }

        return total;
    }

    /// <summary>How many pages a write would add.</summary>
    public long CountMissingPages(long offset, long length)
    {
        if (length == 0)
        {
            return 0;
        }

        long first = offset / PageSize;
        long last = (offset + length - 1) / PageSize;
        return last - first + 1 - _order.GetViewBetween(first, last).Count;
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        Size = Math.Max(Size, offset + data.Length);
        while (!data.IsEmpty)
        {
            (long page, int inner) = Split(offset);
            int count = Math.Min(PageSize - inner, data.Length);
            data[..count].CopyTo(GetOrAddPage(page).AsSpan(inner));
            data = data[count..];
            offset += count;
        }
    }

    public void SetSize(long size)
    {
        if (size < Size)
        {
            Clear(size, Size - size);
        }

        Size = size;
    }

    /// <summary>Makes the range zeros and gives whole pages back; the size stays.</summary>
    public void Clear(long offset, long length)
    {
        long end = Math.Min(offset + length, Size);
        if (offset >= end)
        {
            return;
        }

        // Past the end of the file all is zero, so the page that holds the end counts as covered to its end.
        long limit = end == Size ? long.MaxValue : end;
        foreach (long page in _order.GetViewBetween(offset / PageSize, (end - 1) / PageSize).ToArray())
        {
            long start = page * PageSize;
            long from = Math.Max(offset, start) - start;
            long to = Math.Min(limit - start, PageSize);
            if (from == 0 && to == PageSize)
            {
                _pages.Remove(page);
                _order.Remove(page);
                volumePages.Value--;
            }
            else
            {
                _pages[page].AsSpan((int)from, (int)(to - from)).Clear();
            }
        }
    }

    /// <summary>The first offset of data at or after <paramref name="offset"/>, or -1.</summary>
    public long FindData(long offset)
    {
        SortedSet<long> rest = _order.GetViewBetween(offset / PageSize, long.MaxValue);
        return offset >= Size || rest.Count == 0 ? -1 : Math.Max(offset, rest.Min * PageSize);
    }

    /// <summary>The first offset of a hole at or after <paramref name="offset"/>; at most the size.</summary>
    public long FindHole(long offset)
    {
        long page = offset / PageSize;
        if (!_pages.ContainsKey(page))
        {
            return offset;
        }

        while (_pages.ContainsKey(page))
        {
            page++;
        }

        return page > (long.MaxValue / PageSize) ? Size : Math.Min(Size, page * PageSize);
    }

    /// <summary>Copies a range so that holes stay holes.</summary>
    public void CopyTo(SparseContent target, long offset, long targetOffset, long length)
    {
        byte[] buffer = new byte[PageSize];
        target.Clear(targetOffset, length);
        if (target.Size < targetOffset + length)
        {
            target.SetSize(targetOffset + length);
        }

        long end = offset + length;
        for (long at = FindData(offset); at >= 0 && at < end; at = FindData(at))
        {
            int count = Read(at, buffer.AsSpan(0, (int)Math.Min(PageSize - (at % PageSize), end - at)));
            target.Write(targetOffset + (at - offset), buffer.AsSpan(0, count));
            at += count;
        }
    }

    private static (long Page, int Inner) Split(long offset) => (offset / PageSize, (int)(offset % PageSize));

    private byte[] GetOrAddPage(long page)
    {
        if (!_pages.TryGetValue(page, out byte[]? bytes))
        {
            _pages.Add(page, bytes = new byte[PageSize]);
            _order.Add(page);
            volumePages.Value++;
        }

        return bytes;
    }
}

/// <summary>Pages in use by all files of a volume.</summary>
internal sealed class PageCount
{
    public long Value { get; set; }
}
