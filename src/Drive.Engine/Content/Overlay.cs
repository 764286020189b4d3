using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Drive.Engine.Content;

/// <summary>
/// What differs between a file as it is and its committed extents: items of data and holes, disjoint. A read looks here first.
/// No I/O and no locks: the volume's gate guards it, and it reports what left it so that the owner can keep count.
/// </summary>
/// <remarks>
/// Items are kept by the 1 MiB-aligned block they lie in, each list sorted: a file written at random stays cheap to change, and the
/// uploader works block by block anyway.
/// </remarks>
internal sealed class Overlay
{
    public const int BlockBytes = 1 << 20;

    private readonly BlockItems _blocks = new();
    private readonly List<OverlayItem> _unsaved = [];
    private readonly List<OverlayItem> _displaced = [];
    private readonly List<long> _removedRows = [];
    private readonly List<ByteRange> _savedHoles = [];

    /// <summary>First byte after a block, or the largest offset.</summary>
    public static long BlockEnd(long number) =>
        number >= long.MaxValue / BlockBytes ? long.MaxValue : (number + 1) * BlockBytes;

    /// <summary>Ranges that read as zeros whatever the extents hold.</summary>
    public RangeList Holes { get; } = new();

    /// <summary>Whether <see cref="Holes"/> differs from the database.</summary>
    public bool HolesChanged { get; set; }

    /// <summary>Saved holes, as the database has them.</summary>
    public List<ByteRange> SavedHoles => _savedHoles;

    /// <summary>Offsets of saved items that are gone: their rows must go with the next local commit.</summary>
    public List<long> RemovedRows => _removedRows;

    /// <summary>Bytes in data items.</summary>
    public long DataBytes { get; private set; }

    public bool IsEmpty => _blocks.Count == 0 && Holes.IsEmpty;

    /// <summary>Whether the next local commit has something to do here.</summary>
    public bool IsChanged => _removedRows.Count > 0 || HolesChanged || HasUnsaved;

    /// <summary>Whether items were added since the last <see cref="TakeUnsaved"/>.</summary>
    public bool HasUnsaved => _unsaved.Count > 0;

    /// <summary>
    /// Puts an item over whatever was there. The items (or parts) it displaced are in the returned list until the next call, for the owner
    /// to take their bytes off the chunks.
    /// </summary>
    public IReadOnlyList<OverlayItem> Put(OverlayItem item)
    {
        Debug.Assert(item.Length > 0 && item.Offset / BlockBytes == (item.End - 1) / BlockBytes, "An item stays within a block.");
        _displaced.Clear();
        long number = item.Offset / BlockBytes;
        List<OverlayItem> items = _blocks.GetOrAdd(number);
        CutFrom(items, item.Offset, item.End);
        Insert(items, FirstEndingAfter(items, item.Offset), item);
        DataBytes += item.Length;
        if (Holes.Remove(item.Offset, item.End))
        {
            HolesChanged = true;
        }

        return _displaced;
    }

    /// <summary>Takes all items in the range away; <paramref name="asHole"/> puts a hole there. Returns what was displaced, as <see cref="Put"/>.</summary>
    public IReadOnlyList<OverlayItem> Cut(long start, long end, bool asHole)
    {
        _displaced.Clear();
        if (_blocks.Count > 0)
        {
            foreach (long number in NumbersIn(start, end))
            {
                List<OverlayItem> items = _blocks[number];
                CutFrom(items, start, end);
                if (items.Count == 0)
                {
                    _blocks.Remove(number);
                }
            }
        }

        if (asHole ? Holes.Add(start, end) : Holes.Remove(start, end))
        {
            HolesChanged = true;
        }

        return _displaced;
    }

    /// <summary>The item that holds the offset, or the first after it below <paramref name="end"/>.</summary>
    public OverlayItem? FindAtOrAfter(long offset, long end)
    {
        long from = offset / BlockBytes;
        while (_blocks.FindFrom(from) is { } number && number * BlockBytes < end)
        {
            List<OverlayItem> items = _blocks[number];
            int index = FirstEndingAfter(items, offset);
            if (index < items.Count)
            {
                return items[index].Offset < end ? items[index] : null;
            }

            from = number + 1;
        }

        return null;
    }

    /// <summary>Replaces an item of the same range and place by another (an append grew the chunk). Nothing is displaced.</summary>
    public void Grow(OverlayItem old, OverlayItem grown)
    {
        List<OverlayItem> items = _blocks[old.Offset / BlockBytes];
        int index = FirstEndingAfter(items, old.Offset);
        Debug.Assert(ReferenceEquals(items[index], old) && (index + 1 == items.Count || items[index + 1].Offset >= grown.End), "Only into free room.");
        Drop(items, index);
        Insert(items, index, grown);
        DataBytes += grown.Length - old.Length;

        if (Holes.Remove(old.End, grown.End))
        {
            HolesChanged = true;
        }
    }

    /// <summary>Takes out one item whose bytes are in the extents now; its row is gone from the database already. Returns it as displaced.</summary>
    public IReadOnlyList<OverlayItem> Settle(OverlayItem item)
    {
        _displaced.Clear();
        long number = item.Offset / BlockBytes;
        List<OverlayItem> items = _blocks[number];
        items.RemoveAt(FirstEndingAfter(items, item.Offset));
        item.IsGone = true;
        DataBytes -= item.Length;
        if (items.Count == 0)
        {
            _blocks.Remove(number);
        }

        _displaced.Add(item);
        return _displaced;
    }

    /// <summary>All items in order.</summary>
    public IEnumerable<OverlayItem> Items
    {
        get
        {
            foreach (long number in _blocks.Numbers)
            {
                foreach (OverlayItem item in _blocks[number])
                {
                    yield return item;
                }
            }
        }
    }

    /// <summary>Items that the database lacks; they count as saved afterwards. Called by the local commit under the gate.</summary>
    public void TakeUnsaved(List<OverlayItem> into)
    {
        foreach (OverlayItem item in _unsaved)
        {
            if (!item.IsGone)
            {
                item.IsSaved = true;
                into.Add(item);
            }
        }

        _unsaved.Clear();
        _unsaved.TrimExcess();
    }

    /// <summary>Makes every item count as unsaved: the node comes back to the database (a file without a name got one).</summary>
    public void MarkUnsaved()
    {
        _unsaved.Clear();
        foreach (OverlayItem item in Items)
        {
            item.IsSaved = false;
            _unsaved.Add(item);
        }

        _savedHoles.Clear();
        HolesChanged = !Holes.IsEmpty;
        _removedRows.Clear();
    }

    private void CutFrom(List<OverlayItem> items, long start, long end)
    {
        int index = FirstEndingAfter(items, start);
        while (index < items.Count && items[index].Offset < end)
        {
            OverlayItem old = items[index];
            Drop(items, index);
            _displaced.Add(old.Slice(start, end));
            DataBytes -= _displaced[^1].Length;
            if (old.Offset < start)
            {
                Insert(items, index++, old.Slice(old.Offset, start));
            }

            if (old.End > end)
            {
                Insert(items, index++, old.Slice(end, old.End));
            }
        }
    }

    private void Insert(List<OverlayItem> items, int index, OverlayItem item)
    {
        items.Insert(index, item);
        if (!item.IsSaved)
        {
            _unsaved.Add(item);
        }
    }

    private void Drop(List<OverlayItem> items, int index)
    {
        OverlayItem item = items[index];
        items.RemoveAt(index);
        item.IsGone = true;
        if (item.IsSaved)
        {
            _removedRows.Add(item.Offset);
        }
    }

    private IReadOnlyList<long> NumbersIn(long start, long end) => start < end ? _blocks.ListBetween(start / BlockBytes, (end - 1) / BlockBytes) : [];

    private static int FirstEndingAfter(List<OverlayItem> items, long offset)
    {
        ReadOnlySpan<OverlayItem> span = CollectionsMarshal.AsSpan(items);
        int low = 0;
        int high = span.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (span[middle].End <= offset)
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
