using Drive.Core.Volumes;

namespace Drive.Engine.Tree;

/// <summary>
/// What is known of a directory's names. A listing reads the database's rows in the order of their ids, a page when it comes to it: all names with ids through
/// <see cref="ReadThrough"/> are here. Complete: all of them are, so a miss is an answer. Else a miss must be asked of the database. Guarded by the volume's gate.
/// </summary>
internal sealed class DirectoryEntries(bool isComplete)
{
    /// <summary>About 100 bytes each; the kernel keeps its own.</summary>
    private const int MissedMax = 1000;

    private readonly Dictionary<byte[], Entry> _byName = new(NameComparer.Instance);

    /// <summary>Names with ids through <see cref="ReadThrough"/>, in that order, removed ones among them.</summary>
    private readonly List<Entry> _ordered = [];

    /// <summary>Names with larger ids that were set here, so that the database may not have them yet; from <see cref="_madeFrom"/> on. Sorted when it is needed: ids grow, nearly always.</summary>
    private readonly List<Entry> _made = [];
    private int _madeFrom;
    private bool _isMadeSorted = true;

    /// <summary>Names that the database did not have when it was asked. What was removed here and is not saved yet is no such name: that must not be forgotten.</summary>
    private readonly HashSet<byte[]> _missed = new(NameComparer.Instance);
    private int _gone;
    private int _present;

    /// <summary>The largest id such that all names up to it are known.</summary>
    public long ReadThrough { get; private set; } = isComplete ? long.MaxValue : 0;

    public bool IsComplete => ReadThrough == long.MaxValue;

    /// <summary>Names present among <see cref="Ordered"/>; the directory's count when complete.</summary>
    public int Count => _present;

    /// <summary>Entries in order of their ids through <see cref="ReadThrough"/>, removed ones among them.</summary>
    public IReadOnlyList<Entry> Ordered => _ordered;

    /// <summary>A name that is known absent.</summary>
    public static Entry Absent { get; } = new([], NodeId.None, 0);

    /// <summary>The entry, an entry without node when known absent, or null when unknown.</summary>
    public Entry? Find(ReadOnlySpan<byte> name)
    {
        if (_byName.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out Entry? entry))
        {
            return entry;
        }

        return IsComplete || _missed.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(name) ? Absent : null;
    }

    /// <summary>Notes that the database does not have a name. Programs that look for what is not there would fill the memory, so only some are kept.</summary>
    public void NoteMissed(ReadOnlySpan<byte> name)
    {
        if (_missed.Count >= MissedMax)
        {
            _missed.Clear();
        }

        _missed.Add(name.ToArray());
    }

    /// <summary>Notes what the database says of a name of which nothing is known here.</summary>
    public void NoteFound(Entry entry)
    {
        _missed.Remove(entry.Name);
        _byName.Add(entry.Name, entry);
    }

    /// <summary>Sets what the name means now.</summary>
    public void Set(Entry entry)
    {
        _missed.Remove(entry.Name);
        if (_byName.TryGetValue(entry.Name, out Entry? old) && old.Node != NodeId.None)
        {
            old.IsGone = true;
            if (old.IsListed)
            {
                _gone++;
                _present--;
            }
        }

        if (entry.Node == NodeId.None && IsComplete)
        {
            _byName.Remove(entry.Name);
        }
        else
        {
            _byName[entry.Name] = entry;
        }

        if (entry.Node != NodeId.None)
        {
            if (entry.EntryId <= ReadThrough)
            {
                Append(entry);
            }
            else
            {
                _isMadeSorted &= _made.Count == 0 || _made[^1].EntryId < entry.EntryId;
                _made.Add(entry);
            }
        }

        if (_gone > 64 && _gone > _present)
        {
            _ordered.RemoveAll(static entry => entry.IsGone);
            _gone = 0;
        }
    }

    /// <summary>
    /// Takes in a page: <paramref name="stored"/> are the database's rows with ids above <see cref="ReadThrough"/>, in order and without a gap, and <paramref name="isLast"/> says that
    /// there are no more. What is known here stands over them.
    /// </summary>
    public void AddPage(IReadOnlyList<Entry> stored, bool isLast)
    {
        long through = isLast ? long.MaxValue : stored[^1].EntryId;
        List<Entry> page = new(stored.Count);
        foreach (Entry entry in stored)
        {
            _byName.TryAdd(entry.Name, entry);
            Entry known = _byName[entry.Name];
            if (known.EntryId == entry.EntryId && known.Node != NodeId.None)
            {
                known.IsListed = true;
                page.Add(known);
            }
        }

        int fromDatabase = page.Count;
        TakeMade(through, page);
        if (page.Count > fromDatabase)
        {
            page.Sort(static (x, y) => x.EntryId.CompareTo(y.EntryId));
        }

        _ordered.AddRange(page);
        _present += page.Count;
        ReadThrough = through;
        if (isLast)
        {
            _missed.Clear();
        }
    }

    /// <summary>Index of the first entry with an id above the given one.</summary>
    public int IndexAfter(long entryId)
    {
        int low = 0;
        int high = _ordered.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_ordered[middle].EntryId <= entryId)
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

    /// <summary>Names set here whose ids lie in a page, as far as the page does not have them.</summary>
    private void TakeMade(long through, List<Entry> page)
    {
        if (!_isMadeSorted)
        {
            _made.Sort(static (x, y) => x.EntryId.CompareTo(y.EntryId));
            _isMadeSorted = true;
        }

        for (; _madeFrom < _made.Count && _made[_madeFrom].EntryId <= through; _madeFrom++)
        {
            Entry entry = _made[_madeFrom];
            if (!entry.IsGone && !entry.IsListed)
            {
                entry.IsListed = true;
                page.Add(entry);
            }
        }

        if (_madeFrom == _made.Count)
        {
            _made.Clear();
            _made.TrimExcess();
            _madeFrom = 0;
        }
    }

    private void Append(Entry entry)
    {
        entry.IsListed = true;
        _present++;
        if (_ordered.Count == 0 || _ordered[^1].EntryId < entry.EntryId)
        {
            _ordered.Add(entry);
        }
        else
        {
            _ordered.Insert(IndexAfter(entry.EntryId), entry);
        }
    }
}
