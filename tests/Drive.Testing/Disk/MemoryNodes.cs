namespace Drive.Testing.Disk;

/// <summary>A write at an offset, or a new length.</summary>
internal readonly record struct FileChange(long Offset, byte[]? Data, long? EndLength);

/// <summary>A file or directory of a <see cref="MemoryDisk"/>; guarded by its lock.</summary>
internal abstract class MemoryNode
{
    public abstract MemoryNode AfterCrash(CrashKind kind, Random random, Dictionary<MemoryNode, MemoryNode> survivors);
}

internal sealed class MemoryFile : MemoryNode
{
    private const int SectorBytes = 512;

    /// <summary>What was done since all was durable, in order, with what it takes to undo it.</summary>
    private readonly List<Undoable> _recent = [];
    private byte[] _bytes = [];
    private int _length;

    private enum Fate
    {
        Unsynced,
        Synced,

        /// <summary>Its sync failed: it can still be read, and no later sync saves it.</summary>
        Forgotten,
    }

    public long Length => _length;

    public int Links { get; set; } = 1;

    public int Read(long offset, Span<byte> destination)
    {
        int count = (int)Math.Clamp(_length - offset, 0, destination.Length);
        if (count > 0)
        {
            _bytes.AsSpan((int)offset, count).CopyTo(destination);
        }

        return count;
    }

    public void Apply(FileChange change)
    {
        (int start, int end) = change.EndLength is { } length
            ? ((int)Math.Min(length, _length), _length)
            : ((int)Math.Min(change.Offset, _length), (int)Math.Min(change.Offset + change.Data!.Length, _length));
        _recent.Add(new Undoable(change, Fate.Unsynced, _length, start, _bytes[start..end]));
        Do(change);
    }

    public void Sync()
    {
        if (_recent.TrueForAll(static done => done.Fate != Fate.Forgotten))
        {
            _recent.Clear();
            return;
        }

        SetFate(Fate.Synced);
    }

    public void ForgetUnsynced() => SetFate(Fate.Forgotten);

    public override MemoryNode AfterCrash(CrashKind kind, Random random, Dictionary<MemoryNode, MemoryNode> survivors)
    {
        if (survivors.TryGetValue(this, out MemoryNode? known))
        {
            return known;
        }

        var survivor = new MemoryFile { Links = Links, _bytes = _bytes[.._length], _length = _length };
        survivors.Add(this, survivor);
        if (kind == CrashKind.Process)
        {
            survivor._recent.AddRange(_recent);
            return survivor;
        }

        for (int index = _recent.Count - 1; index >= 0; index--)
        {
            survivor.Undo(_recent[index]);
        }

        foreach (Undoable done in _recent)
        {
            if (done.Fate == Fate.Synced)
            {
                survivor.Do(done.Change);
            }
            else if (kind != CrashKind.PowerLosesAll)
            {
                survivor.Survive(done.Change, random);
            }
        }

        return survivor;
    }

    private void SetFate(Fate fate)
    {
        for (int index = 0; index < _recent.Count; index++)
        {
            if (_recent[index].Fate == Fate.Unsynced)
            {
                _recent[index] = _recent[index] with { Fate = fate };
            }
        }
    }

    private void Survive(FileChange change, Random random)
    {
        int fate = random.Next(3);
        if (fate == 0)
        {
            return;
        }

        if (fate == 1 || change.Data is not { } data)
        {
            Do(change);
            return;
        }

        // Torn: the length may have reached the disk before the bytes, and any of the sectors may be missing.
        if (random.Next(2) == 0)
        {
            Grow(change.Offset + data.Length);
        }

        int start = 0;
        while (start < data.Length)
        {
            int end = (int)Math.Min(data.Length, ((((change.Offset + start) / SectorBytes) + 1) * SectorBytes) - change.Offset);
            if (random.Next(2) == 0)
            {
                Do(new FileChange(change.Offset + start, data[start..end], null));
            }

            start = end;
        }
    }

    private void Do(FileChange change)
    {
        if (change.EndLength is { } length)
        {
            _length = (int)Math.Min(length, _length);
            Grow(length);
            return;
        }

        Grow(change.Offset + change.Data!.Length);
        change.Data.CopyTo(_bytes, change.Offset);
    }

    private void Undo(Undoable done)
    {
        Grow(done.OldLength);
        _length = done.OldLength;
        done.Overwritten.CopyTo(_bytes, done.Start);
    }

    private void Grow(long length)
    {
        if (length <= _length)
        {
            return;
        }

        if (length > _bytes.Length)
        {
            Array.Resize(ref _bytes, checked((int)Math.Max(length, Math.Min(_bytes.Length * 2L, Array.MaxLength))));
        }

        Array.Clear(_bytes, _length, (int)length - _length);
        _length = (int)length;
    }

    private readonly record struct Undoable(FileChange Change, Fate Fate, int OldLength, int Start, byte[] Overwritten);
}

internal sealed class MemoryDirectory : MemoryNode
{
    private readonly Dictionary<string, MemoryNode> _durable = [];

    // Each change is a set of names that change together.
    private readonly List<(string Name, MemoryNode? Node)[]> _unsynced = [];

    public SortedDictionary<string, MemoryNode> Entries { get; } = new(StringComparer.Ordinal);

    public void Set(string name, MemoryNode? node) => Change((name, node));

    public void Move(string name, string newName) => Change((newName, Entries[name]), (name, null));

    public void Sync()
    {
        _unsynced.ForEach(change => Apply(_durable, change));
        _unsynced.Clear();
    }

    public override MemoryNode AfterCrash(CrashKind kind, Random random, Dictionary<MemoryNode, MemoryNode> survivors)
    {
        if (survivors.TryGetValue(this, out MemoryNode? known))
        {
            return known;
        }

        MemoryNode SurvivorOf(MemoryNode node) => node.AfterCrash(kind, random, survivors);
        var survivor = new MemoryDirectory();
        survivors.Add(this, survivor);
        if (kind == CrashKind.Process)
        {
            foreach ((string name, MemoryNode node) in _durable)
            {
                survivor._durable.Add(name, SurvivorOf(node));
            }

            survivor._unsynced.AddRange(_unsynced.Select(change => change.Select(item => (item.Name, item.Node is { } node ? SurvivorOf(node) : null)).ToArray()));
            foreach ((string name, MemoryNode node) in Entries)
            {
                survivor.Entries.Add(name, SurvivorOf(node));
            }

            return survivor;
        }

        int kept = kind switch
        {
            CrashKind.PowerLosesAny => _unsynced.Count,
            CrashKind.PowerLosesAll => 0,
            _ => random.Next(_unsynced.Count + 1),
        };
        Dictionary<string, MemoryNode> entries = new(_durable);
        foreach ((string Name, MemoryNode? Node)[] change in _unsynced.Take(kept))
        {
            if (kind != CrashKind.PowerLosesAny || random.Next(2) == 0)
            {
                Apply(entries, change);
            }
        }

        foreach ((string name, MemoryNode node) in entries.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            survivor.Set(name, SurvivorOf(node));
        }

        survivor.Sync();
        return survivor;
    }

    private static void Apply(IDictionary<string, MemoryNode> entries, (string Name, MemoryNode? Node)[] change)
    {
        foreach ((string name, MemoryNode? node) in change)
        {
            if (node is null)
            {
                entries.Remove(name);
            }
            else
            {
                entries[name] = node;
            }
        }
    }

    private void Change(params (string Name, MemoryNode? Node)[] change)
    {
        Apply(Entries, change);
        _unsynced.Add(change);
    }
}
