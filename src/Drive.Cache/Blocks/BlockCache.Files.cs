using Drive.Core.Platform;
using Drive.Core.Rows;

namespace Drive.Cache.Blocks;

public sealed partial class BlockCache
{
    private string PathOf(PackId pack)
    {
        string name = pack.Value.ToString();
        return Path.Combine(_directory, PacksName, name[..2], name);
    }

    private void WriteFiles(CachedPack cached, long offset, ReadOnlySpan<byte> data)
    {
        if (cached.JournalBytes == 0)
        {
            _disk.CreateDirectory(Path.GetDirectoryName(cached.Path)!);
        }

        // The bytes first: a range is in the journal only when they were written.
        using (OpenFiles.Lease lease = _files.Rent(cached.Path))
        {
            lease.File!.Write(offset, data);
        }

        WriteJournal(cached, offset, data.Length, isThere: true);
    }

    private void WriteJournal(CachedPack cached, long offset, int length, bool isThere)
    {
        Span<byte> record = stackalloc byte[RangeJournal.RecordBytes];
        RangeJournal.WriteRecord(record, offset, length, isThere);
        using OpenFiles.Lease lease = _files.Rent(cached.JournalPath);
        lock (cached.JournalGate)
        {
            lease.File!.Write(cached.JournalBytes, record);
            cached.JournalBytes += record.Length;
        }
    }

    /// <summary>Ends a pack that is leaving and that nobody uses. What cannot be deleted stays counted, because it stays.</summary>
    private void DeleteFiles(CachedPack cached)
    {
        _files.Drop(cached.Path);
        _files.Drop(cached.JournalPath);
        try
        {
            _disk.Delete(cached.JournalPath);
            _disk.Delete(cached.Path);
        }
        catch (IOException exception)
        {
            CacheLog.NotDeleted(_logger, cached.Path, exception.Message);
            return;
        }

        lock (_gate)
        {
            _packs.Remove(cached.Id);
            Charge(cached, -cached.ChargedBytes);
        }
    }

    private void Load()
    {
        string index = Path.Combine(_directory, IndexName);
        List<CachedPack> indexed = [.. PackIndex.Decode(ReadFile(index), PathOf).DistinctBy(static cached => cached.Id)];
        _disk.Delete(index);
        Dictionary<PackId, CachedPack> known = indexed.ToDictionary(static cached => cached.Id);
        string packs = Path.Combine(_directory, PacksName);
        foreach (string folder in _disk.List(packs))
        {
            string path = Path.Combine(packs, folder);
            HashSet<string> names = [.. _disk.List(path)];
            foreach (string name in names)
            {
                string pack = name.EndsWith(JournalSuffix, StringComparison.Ordinal) ? name[..^JournalSuffix.Length] : name;
                if (!names.Contains(pack) || !names.Contains(pack + JournalSuffix) || !TryParse(pack, out PackId id))
                {
                    // Half of a pack: a crash came between its two files.
                    _disk.Delete(Path.Combine(path, name));
                }
                else if (name == pack)
                {
                    Add(known.GetValueOrDefault(id) ?? ReadMap(id));
                }
            }
        }

        foreach (CachedPack cached in indexed.Where(cached => _packs.ContainsKey(cached.Id)))
        {
            _byUse.AddLast(cached.Node);
        }

        foreach (CachedPack cached in _packs.Values.Where(cached => cached.Node.List is null))
        {
            _byUse.AddLast(cached.Node);
        }
    }

    private CachedPack ReadMap(PackId id)
    {
        var cached = new CachedPack(id, PathOf(id));
        cached.JournalBytes = RangeJournal.Replay(ReadFile(cached.JournalPath), cached.Ranges);
        cached.ChargedBytes = cached.Ranges.AllocatedBytes + PackOverheadBytes;
        return cached;
    }

    private void Add(CachedPack cached)
    {
        _packs.Add(cached.Id, cached);
        _usedBytes += cached.ChargedBytes;
    }

    // Only a help: without it the maps are read, and the packs are evicted in any order.
    private void SaveIndex()
    {
        byte[] index;
        lock (_gate)
        {
            index = PackIndex.Encode([.. _byUse]);
        }

        string path = Path.Combine(_directory, IndexName);
        try
        {
            using (IDiskFile file = _disk.Open(path + ".new", DiskOpenMode.OpenOrCreate)!)
            {
                file.SetLength(0);
                file.Write(0, index);
            }

            _disk.Rename(path + ".new", path);
        }
        catch (IOException)
        {
            // As said: only a help.
        }
    }

    private byte[] ReadFile(string path)
    {
        using IDiskFile? file = _disk.Open(path, DiskOpenMode.Read);
        if (file is null)
        {
            return [];
        }

        byte[] content = new byte[file.Length];
        int count = file.Read(0, content);
        return content[..count];
    }

    private static bool TryParse(string name, out PackId id)
    {
        Span<byte> bytes = stackalloc byte[Bytes32.Size];
        bool isId = name.Length == Bytes32.Size * 2 && Convert.FromHexString(name, bytes, out _, out _) == System.Buffers.OperationStatus.Done;
        id = isId ? new PackId(new Bytes32(bytes)) : default;
        return isId;
    }
}
