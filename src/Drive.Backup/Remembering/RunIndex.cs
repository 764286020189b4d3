using System.Globalization;
using Drive.Core.Platform;
using Drive.Disk.Trees;

namespace Drive.Backup.Remembering;

/// <summary>
/// What the runs of a set remember: files of sealed records in the order of a run. A run reads the last one as a stream and writes the next; when it is through, the older ones go. A run that ended early leaves a
/// file without an end: the next run believes it as far as it goes, and the older ones behind that. Losing them costs time only: everything is read anew then.
/// One thread may take while another one adds.
/// </summary>
internal sealed class RunIndex : IDisposable
{
    private const string Prefix = "index-";

    private readonly IDisk _disk;
    private readonly string _folder;
    private readonly byte[] _key;
    private readonly List<long> _numbers;
    private readonly IEnumerator<IndexRecord> _records;
    private readonly SealedParts.Writer _writer;
    private readonly byte[] _part = new byte[SealedParts.PartBytesMax];
    private byte[] _before = [];
    private int _partBytes;
    private bool _hasRecord;

    public RunIndex(IDisk disk, string folder, ReadOnlyMemory<byte> key, IRandomSource random)
    {
        _disk = disk;
        _folder = folder;
        _key = key.ToArray();
        DurableDirectory.Create(disk, folder);
        _numbers = [.. disk.List(folder).Where(static name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(static name => long.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0).Where(static number => number > 0)
            .OrderDescending()];
        _writer = new SealedParts.Writer(disk, PathOf(_numbers.FirstOrDefault() + 1), key.Span, random);
        _records = ReadRecords().GetEnumerator();
        _hasRecord = _records.MoveNext();
    }

    /// <summary>Whether a run before has left something.</summary>
    public bool HasPast => _numbers.Count > 0;

    /// <summary>The next record if it stands before a path: nothing of it was met.</summary>
    public IndexRecord? TakeBefore(byte[] path, bool isFolderEnd) => _hasRecord && Compare(path, isFolderEnd) < 0 ? TakeNext() : null;

    /// <summary>The record of a path, once those before it are taken.</summary>
    public IndexRecord? Take(byte[] path, bool isFolderEnd) => _hasRecord && Compare(path, isFolderEnd) == 0 ? TakeNext() : null;

    /// <summary>The next record of a path and of what is below it, once those before it are taken.</summary>
    public IndexRecord? TakeWithin(byte[] path) => _hasRecord && SourcePath.IsWithin(_records.Current.Path, path) ? TakeNext() : null;

    /// <summary>Remembers a record for the next run. In order.</summary>
    public void Add(IndexRecord record)
    {
        if (_partBytes + record.EncodedBytesMax > _part.Length)
        {
            Flush();
        }

        _partBytes += record.Encode(_before, _part.AsSpan(_partBytes));
        _before = record.Path;
    }

    /// <summary>What was added survives the end of this process from here on.</summary>
    public void Flush()
    {
        if (_partBytes > 0)
        {
            _writer.Write(_part.AsSpan(0, _partBytes), isLast: false);
            _partBytes = 0;
        }
    }

    /// <summary>The run is through: this is all that there is to remember.</summary>
    public void Complete()
    {
        _writer.Write(_part.AsSpan(0, _partBytes), isLast: true);
        _writer.Sync();
        _disk.SyncDirectory(_folder);
        _records.Dispose();
        foreach (long number in _numbers)
        {
            _disk.Delete(PathOf(number));
        }
    }

    public void Dispose()
    {
        _records.Dispose();
        _writer.Dispose();
    }

    private int Compare(byte[] path, bool isFolderEnd) => IndexRecord.Compare(_records.Current.Path, _records.Current.IsFolderEnd, path, isFolderEnd);

    private IndexRecord TakeNext()
    {
        IndexRecord record = _records.Current;
        _hasRecord = _records.MoveNext();
        return record;
    }

    private string PathOf(long number) => Path.Combine(_folder, Prefix + number.ToString(CultureInfo.InvariantCulture));

    private IEnumerable<IndexRecord> ReadRecords()
    {
        IndexRecord? last = null;
        foreach (long number in _numbers)
        {
            if (_disk.Open(PathOf(number), DiskOpenMode.Read) is not { } file)
            {
                continue;
            }

            // What an unfinished run found changed, new or gone is that for the run that goes on with it, too; what a finished one did is past.
            using SealedParts.Reader reader = new(file, _key);
            bool isUnfinished = number != _numbers[^1];
            foreach (IndexRecord record in ReadRecords(reader))
            {
                if ((last is null || IndexRecord.Compare(record.Path, record.IsFolderEnd, last.Path, last.IsFolderEnd) > 0) && (isUnfinished || record.Fate != FileFate.Gone))
                {
                    last = record;
                    yield return isUnfinished || record.Fate == FileFate.Same ? record : record with { Fate = FileFate.Same };
                }
            }

            if (reader.IsComplete)
            {
                yield break;
            }
        }
    }

    private static IEnumerable<IndexRecord> ReadRecords(SealedParts.Reader reader)
    {
        byte[] before = [];
        while (true)
        {
            List<IndexRecord> records = [];
            ReadOnlySpan<byte> part = reader.Next();
            if (part.IsEmpty)
            {
                yield break;
            }

            while (!part.IsEmpty)
            {
                if (IndexRecord.Decode(before, part, out int length) is not { } record)
                {
                    break;
                }

                records.Add(record);
                before = record.Path;
                part = part[length..];
            }

            foreach (IndexRecord record in records)
            {
                yield return record;
            }
        }
    }
}
