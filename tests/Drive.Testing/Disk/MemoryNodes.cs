using System.Runtime.InteropServices;

namespace Drive.Testing.Disk;

/// <summary>A write at an offset, or a new length.</summary>
internal readonly record struct FileChange(long Offset, byte[]? Data, long? EndLength);

/// <summary>A file or directory of a <see cref="MemoryDisk"/>; guarded by its lock.</summary>
internal abstract class MemoryNode
{
    public abstract MemoryNode AfterCrash(CrashKind kind, Random random, Dictionary<MemoryFile, MemoryFile> survivors);
}

internal sealed class MemoryFile : MemoryNode
{
    private const int SectorBytes = 512;
    private readonly List<byte> _durable = [];
    private readonly List<FileChange> _unsynced = [];

    public List<byte> Content { get; } = [];

    public int Links { get; set; } = 1;

    public int Read(long offset, Span<byte> destination)
    {
        int count = (int)Math.Clamp(Content.Count - offset, 0, destination.Length);
        if (count > 0)
        {
            CollectionsMarshal.AsSpan(Content).Slice((int)offset, count).CopyTo(destination);
        }

        return count;
    }

    public void Apply(FileChange change)
    {
        Apply(Content, change);
        _unsynced.Add(change);
    }

    public void Sync()
    {
        _unsynced.ForEach(change => Apply(_durable, change));
        _unsynced.Clear();
    }

    public void ForgetUnsynced() => _unsynced.Clear();

    public override MemoryNode AfterCrash(CrashKind kind, Random random, Dictionary<MemoryFile, MemoryFile> survivors)
    {
        if (survivors.TryGetValue(this, out MemoryFile? known))
        {
            return known;
        }

        var survivor = new MemoryFile();
        survivors.Add(this, survivor);
        survivor.Links = Links;
        survivor.Content.AddRange(kind == CrashKind.Process ? Content : _durable);
        if (kind == CrashKind.PowerLosesSome)
        {
            foreach (FileChange change in _unsynced)
            {
                Survive(survivor.Content, change, random);
            }
        }

        survivor._durable.AddRange(survivor.Content);
        return survivor;
    }

    private static void Survive(List<byte> content, FileChange change, Random random)
    {
        int fate = random.Next(3);
        if (fate == 0)
        {
            return;
        }

        if (fate == 1 || change.Data is not { } data)
        {
            Apply(content, change);
            return;
        }

        // Torn: the length may have reached the disk before the bytes, and any of the sectors may be missing.
        if (random.Next(2) == 0)
        {
            Grow(content, change.Offset + data.Length);
        }

        int start = 0;
        while (start < data.Length)
        {
            int end = (int)Math.Min(data.Length, ((((change.Offset + start) / SectorBytes) + 1) * SectorBytes) - change.Offset);
            if (random.Next(2) == 0)
            {
                Apply(content, new FileChange(change.Offset + start, data[start..end], null));
            }

            start = end;
        }
    }

    private static void Apply(List<byte> content, FileChange change)
    {
        if (change.EndLength is { } length)
        {
            CollectionsMarshal.SetCount(content, (int)Math.Min(length, content.Count));
            Grow(content, length);
            return;
        }

        Grow(content, change.Offset + change.Data!.Length);
        change.Data.CopyTo(CollectionsMarshal.AsSpan(content)[(int)change.Offset..]);
    }

    private static void Grow(List<byte> content, long length)
    {
        int old = content.Count;
        if (length > old)
        {
            CollectionsMarshal.SetCount(content, checked((int)length));
            CollectionsMarshal.AsSpan(content)[old..].Clear();
        }
    }
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

    public override MemoryNode AfterCrash(CrashKind kind, Random random, Dictionary<MemoryFile, MemoryFile> survivors)
    {
        int kept = kind switch
        {
            CrashKind.Process => _unsynced.Count,
            CrashKind.PowerLosesAll => 0,
            _ => random.Next(_unsynced.Count + 1),
        };
        Dictionary<string, MemoryNode> entries = new(_durable);
        foreach ((string Name, MemoryNode? Node)[] change in _unsynced.Take(kept))
        {
            Apply(entries, change);
        }

        var survivor = new MemoryDirectory();
        foreach ((string name, MemoryNode node) in entries.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            survivor.Set(name, node.AfterCrash(kind, random, survivors));
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
