using Drive.Core.Volumes;

namespace Drive.Engine.Tree;

/// <summary>
/// What is known of a directory's names. Complete: all of them are here, so a miss is an answer. Else a miss must be asked of the database,
/// and only look-ups and changes so far are here. Guarded by the volume's gate.
/// </summary>
internal sealed class DirectoryEntries(bool isComplete)
{
    private readonly Dictionary<byte[], Entry> _byName = new(NameComparer.Instance);
    private readonly List<Entry> _ordered = [];
    private int _gone;
    private int _present;

    public bool IsComplete { get; private set; } = isComplete;

    /// <summary>Names here, absent ones included: what it costs to keep.</summary>
    public int Weight => _byName.Count + _gone;

    /// <summary>Names present; the directory's count when complete.</summary>
    public int Count => _present;

    /// <summary>The entry, an entry without node when known absent, or null when unknown.</summary>
    public Entry? Find(ReadOnlySpan<byte> name)
    {
        if (_byName.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out Entry? entry))
        {
            return entry;
        }

        return IsComplete ? Absent : null;
    }

    /// <summary>A name that is known absent.</summary>
    public static Entry Absent { get; } = new([], NodeId.None, 0);

    /// <summary>Sets what the name means now.</summary>
    public void Set(Entry entry)
    {
        if (_byName.TryGetValue(entry.Name, out Entry? old) && old.Node != NodeId.None)
        {
            old.IsGone = true;
            _gone++;
            _present--;
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
            _present++;
            if (IsComplete)
            {
                Append(entry);
            }
        }

        if (_gone > 64 && _gone > _present)
        {
            _ordered.RemoveAll(static entry => entry.IsGone);
            _gone = 0;
        }
    }

    /// <summary>
    /// Makes it complete: <paramref name="stored"/> are the database's rows in order; names already known here stand over them.
    /// </summary>
    public void Complete(IEnumerable<Entry> stored)
    {
        List<Entry> known = [.. _byName.Values];
        foreach (Entry entry in stored)
        {
            _byName.TryAdd(entry.Name, entry);
        }

        foreach (Entry entry in known)
        {
            if (entry.Node == NodeId.None)
            {
                _byName.Remove(entry.Name);
            }
        }

        _ordered.Clear();
        _ordered.AddRange(_byName.Values);
        _ordered.Sort(static (x, y) => x.EntryId.CompareTo(y.EntryId));
        _present = _ordered.Count;
        _gone = 0;
        IsComplete = true;
    }

    /// <summary>Index of the first entry with an id above the given one; only when complete.</summary>
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

    /// <summary>Entries in order of their ids, removed ones among them; only when complete.</summary>
    public IReadOnlyList<Entry> Ordered => _ordered;

    private void Append(Entry entry)
    {
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
