using System.Diagnostics.CodeAnalysis;

namespace Drive.Engine.Content;

/// <summary>
/// The items of an overlay by the number of the block they lie in. Nearly every file that waits to be sent is small and has one block, and there may be very many of them:
/// that one costs no more than its list; tables are made with the second.
/// </summary>
internal sealed class BlockItems
{
    private long _first;
    private List<OverlayItem>? _firstItems;
    private Dictionary<long, List<OverlayItem>>? _byNumber;
    private SortedSet<long>? _numbers;

    public int Count => _byNumber?.Count ?? (_firstItems is null ? 0 : 1);

    /// <summary>The numbers, in order. Nothing may be added or removed meanwhile.</summary>
    public IEnumerable<long> Numbers => _numbers is not null ? _numbers : _firstItems is not null ? [_first] : [];

    public List<OverlayItem> this[long number] => TryGet(number, out List<OverlayItem>? items) ? items : throw new KeyNotFoundException();

    public bool TryGet(long number, [NotNullWhen(true)] out List<OverlayItem>? items)
    {
        if (_byNumber is not null)
        {
            return _byNumber.TryGetValue(number, out items);
        }

        items = _first == number ? _firstItems : null;
        return items is not null;
    }

    public List<OverlayItem> GetOrAdd(long number)
    {
        if (TryGet(number, out List<OverlayItem>? items))
        {
            return items;
        }

        items = new List<OverlayItem>(1);
        if (_byNumber is null && _firstItems is null)
        {
            (_first, _firstItems) = (number, items);
            return items;
        }

        if (_byNumber is null)
        {
            _byNumber = new Dictionary<long, List<OverlayItem>> { [_first] = _firstItems! };
            _numbers = [_first];
            _firstItems = null;
        }

        _byNumber.Add(number, items);
        _numbers!.Add(number);
        return items;
    }

    public void Remove(long number)
    {
        if (_byNumber is not null)
        {
            _byNumber.Remove(number);
            _numbers!.Remove(number);
        }
        else if (_first == number)
        {
            _firstItems = null;
        }
    }

    /// <summary>The smallest number from one on; null when there is none.</summary>
    public long? FindFrom(long number)
    {
        if (_byNumber is null)
        {
            return _firstItems is not null && _first >= number ? _first : null;
        }

        if (_byNumber.ContainsKey(number))
        {
            return number;
        }

        return _numbers!.Count > 0 && _numbers.Max >= number ? _numbers.GetViewBetween(number, long.MaxValue).Min : null;
    }

    /// <summary>The numbers from one through another, as they are now.</summary>
    public IReadOnlyList<long> ListBetween(long first, long last) =>
        _numbers is not null ? [.. _numbers.GetViewBetween(first, last)]
        : _firstItems is not null && _first >= first && _first <= last ? [_first]
        : [];
}
