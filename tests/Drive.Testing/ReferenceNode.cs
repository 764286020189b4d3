using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>A node of <see cref="ReferenceVolume"/>; guarded by its lock.</summary>
internal sealed class ReferenceNode
{
    public required NodeId Id { get; init; }

    public uint Mode { get; set; }

    public uint LinkCount { get; set; }

    public uint Uid { get; set; }

    public uint Gid { get; set; }

    public uint DeviceNumber { get; init; }

    public long AccessTime { get; set; }

    public long ModifyTime { get; set; }

    public long ChangeTime { get; set; }

    public long BirthTime { get; init; }

    /// <summary>Bytes of a regular file.</summary>
    public SparseContent? Content { get; init; }

    /// <summary>Names in a directory.</summary>
    public ReferenceDirectory? Directory { get; init; }

    /// <summary>Target of a symbolic link.</summary>
    public byte[]? Target { get; init; }

    public SortedDictionary<byte[], byte[]> Xattrs { get; } = new(ByteNameComparer.Instance);

    public int OpenHandles { get; set; }

    /// <summary>Forgotten by the adapter after the last link went.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>Made without a name and may still get one.</summary>
    public bool IsLinkable { get; set; }

    public bool IsGone => LinkCount == 0 && Directory is not null;

    public NodeAttributes Describe() => new()
    {
        Node = Id,
        Mode = Mode,
        LinkCount = LinkCount,
        Uid = Uid,
        Gid = Gid,
        DeviceNumber = DeviceNumber,
        Size = Content?.Size ?? Target?.Length ?? (Directory is null ? 0 : 4096),
        AllocatedBytes = Content?.AllocatedBytes ?? 0,
        AccessTime = AccessTime,
        ModifyTime = ModifyTime,
        ChangeTime = ChangeTime,
        BirthTime = BirthTime,
    };

    /// <summary>Content changed: POSIX marks modification and change.</summary>
    public void MarkModified(long now) => ModifyTime = ChangeTime = now;

    /// <summary>Linux's relatime: access is noted when the note is older than a change, or than a day.</summary>
    public void MarkAccessed(long now)
    {
        const long Day = 86_400_000_000_000;
        if (AccessTime <= ModifyTime || AccessTime <= ChangeTime || now - AccessTime >= Day)
        {
            AccessTime = now;
        }
    }

    public void KillPrivileges()
    {
        if (Directory is null)
        {
            Mode = FileMode.WithoutPrivileges(Mode);
            Xattrs.Remove("security.capability"u8.ToArray());
        }
    }
}

/// <summary>A name in a <see cref="ReferenceDirectory"/>. The id is its place in listings and never changes while the name is there.</summary>
internal sealed class ReferenceEntry
{
    public required long Id { get; init; }

    public required byte[] Name { get; init; }

    public required ReferenceNode Node { get; set; }
}

/// <summary>The names of a directory, by name and in the order they were made.</summary>
internal sealed class ReferenceDirectory(NodeId parent)
{
    private readonly Dictionary<byte[], ReferenceEntry> _byName = new(ByteNameComparer.Instance);
    private readonly SortedDictionary<long, ReferenceEntry> _byId = [];
    private long[]? _ids;

    public NodeId Parent { get; set; } = parent;

    public int Count => _byName.Count;

    public ReferenceEntry? Find(ReadOnlySpan<byte> name) =>
        _byName.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out ReferenceEntry? entry) ? entry : null;

    public void Add(ReferenceEntry entry)
    {
        _byName.Add(entry.Name, entry);
        _byId.Add(entry.Id, entry);
        _ids = null;
    }

    public void Remove(ReferenceEntry entry)
    {
        _byName.Remove(entry.Name);
        _byId.Remove(entry.Id);
        _ids = null;
    }

    public IEnumerable<ReferenceEntry> After(long id)
    {
        _ids ??= [.. _byId.Keys];
        int start = Array.BinarySearch(_ids, id + 1);
        for (int i = start < 0 ? ~start : start; i < _ids.Length; i++)
        {
            yield return _byId[_ids[i]];
        }
    }
}
