using System.Diagnostics;
using System.Security.Cryptography;
using Drive.Core;
using Drive.Core.Platform;
using Drive.Core.Volumes;

namespace Drive.Cache.Dirty;

/// <summary>
/// What was written here and is not yet in the cloud: append-only files of sealed records that describe themselves.
/// Appends gather in memory and reach the disk in large writes; <see cref="Sync"/> makes all of them durable at once.
/// </summary>
/// <remarks>
/// <para><b>Threads.</b> All calls may run at once. Reads of what is on disk already take no lock while they read.</para>
/// <para><b>Order.</b> The caller commits a database row that points here only after <see cref="Sync"/>, and calls <see cref="Release"/> only after
/// the commit that dropped the row is itself durable: a segment nobody wants is deleted at once.</para>
/// <para><b>Invariants.</b> A byte of a segment is sealed once and written once (a write that found the disk full is repeated with the same bytes).
/// After a crash a segment is never appended to again. A failed fdatasync is never repeated on the same file.</para>
/// </remarks>
public sealed partial class DirtyLog : IDisposable
{
    private const string Suffix = ".log";
    private const int KeyBytes = 32;

    // More segments that failed than this, and appending stops: each may hold a buffer in memory (arbitrary).
    private const int FailedSegmentsMax = 2;

    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly DirtyLogOptions _options;
    private readonly IRandomSource _random;
    private readonly byte[] _key;

    // Held during a whole Sync, so that one flush serves all who came meanwhile. Taken before _gate.
    private readonly Lock _syncGate = new();
    private readonly Lock _gate = new();

    // All guarded by _gate.
    private readonly SortedDictionary<long, Segment> _segments = [];
    private readonly List<Segment> _notDurable = [];
    private readonly List<DirtyLogSyncException> _failures = [];
    private Segment? _current;
    private byte[]? _spareBuffer;
    private long _lastNumber;
    private long _appendedBytes;
    private long _durableBytes;
    private bool _mayDeleteOld;
    private bool _isDisposed;

    private DirtyLog(IDisk disk, string directory, byte[] key, DirtyLogOptions options, IRandomSource random)
    {
        _disk = disk;
        _directory = directory;
        _key = key;
        _options = options;
        _random = random;
    }

    /// <summary>
    /// The log in a directory, which is made if need be (its parent is the caller's, and durable). Segments found there are kept until the caller has said by <see cref="Retain"/> what is
    /// wanted of them and called <see cref="DeleteUnreferenced"/>.
    /// </summary>
    public static DirtyLog Open(IDisk disk, string directory, ReadOnlySpan<byte> key, DirtyLogOptions options, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeyBytes);
        disk.CreateDirectory(directory);
        disk.SyncDirectory(Path.GetDirectoryName(directory) ?? directory);
        var log = new DirtyLog(disk, directory, key.ToArray(), options, random);
        try
        {
            log.LoadSegments();
            return log;
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>Bytes of all segments, those still in memory and zeros written ahead included.</summary>
    public long BytesOnDisk
    {
        get
        {
            lock (_gate)
            {
                return _segments.Values.Sum(segment => segment.BytesOnDisk);
            }
        }
    }

    /// <summary>Plain bytes that are wanted.</summary>
    public long LiveBytes
    {
        get
        {
            lock (_gate)
            {
                return _segments.Values.Sum(segment => segment.LiveBytes);
            }
        }
    }

    /// <summary>
    /// Appends a record of 1 byte to 1 MiB, which is live from now on. It may be lost until <see cref="Sync"/>. When this throws
    /// (<see cref="DiskFullException"/>, <see cref="IOException"/>), nothing was appended and nothing else was lost.
    /// </summary>
    /// <param name="node">Whose bytes.</param>
    /// <param name="offset">Where in the file.</param>
    /// <param name="sequence">The caller's order of records, given back by <see cref="Scan"/>.</param>
    /// <param name="data">The bytes.</param>
    public LogPosition Append(NodeId node, long offset, ulong sequence, ReadOnlySpan<byte> data)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfZero(data.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(data.Length, LogLayout.RecordBytesMax);
        int sealedLength = LogLayout.SealedLength(data.Length);
        lock (_gate)
        {
            Segment segment = PrepareAppend(sealedLength);
            var position = new LogPosition(segment.Number, segment.Length);
            segment.Cipher!.SealRecord(
                segment.Buffer.AsSpan(segment.Buffered, sealedLength), segment.Length, node, offset, sequence, data);
            segment.Length += sealedLength;
            segment.LiveBytes += data.Length;
            _appendedBytes += sealedLength;
            return position;
        }
    }

    /// <summary>
    /// When it returns, all that was appended before the call is durable. Fails with <see cref="DiskFullException"/> (nothing is lost, the call may be
    /// repeated when there is room) or <see cref="DirtyLogSyncException"/> (see there; repeated until <see cref="MarkRewritten"/>).
    /// </summary>
    public void Sync()
    {
        long target;
        lock (_gate)
        {
            target = _appendedBytes;
        }

        lock (_syncGate)
        {
            List<(Segment Segment, long Length)> work = [];
            long covered;
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                ThrowIfFailed();
                if (_durableBytes >= target)
                {
                    return;
                }

                if (_current is { } current && !(TryWriteOut(current) && TryWriteZeros(current)))
                {
                    ThrowIfFailed();
                }

                covered = _appendedBytes;
                foreach (Segment segment in _notDurable.Where(static segment => segment.DurableUpTo < segment.Length))
                {
                    segment.Users++;
                    work.Add((segment, segment.Length));
                }
            }

            try
            {
                SyncFiles(work);
            }
            finally
            {
                lock (_gate)
                {
                    work.ForEach(item => Unpin(item.Segment));
                }
            }

            lock (_gate)
            {
                foreach ((Segment segment, long length) in work)
                {
                    segment.DurableUpTo = length;
                    segment.IsNameDurable = true;
                }

                _notDurable.RemoveAll(segment => segment.IsClosed && segment.DurableUpTo == segment.Length);
                _durableBytes = covered;
            }
        }
    }

    /// <summary>What was not durable in a segment that failed has been appended again or is wanted no more: <see cref="Sync"/> goes on without it.</summary>
    public void MarkRewritten(long segment)
    {
        lock (_gate)
        {
            _failures.RemoveAll(failure => failure.Segment == segment);
        }
    }

    /// <summary>Closes the segment that is appended to; the next record starts a new one.</summary>
    public void StartNewSegment()
    {
        lock (_gate)
        {
            CloseCurrent();
        }
    }

    /// <summary>These many plain bytes of a record are wanted. For the start, when the caller's rows are counted: an append counts itself.</summary>
    public void Retain(LogPosition position, long liveBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(liveBytes);
        lock (_gate)
        {
            Find(position).LiveBytes += liveBytes;
        }
    }

    /// <summary>
    /// These many plain bytes of a record are wanted no more, and the database commit that says so is durable.
    /// The last ones of a closed segment take its file with them.
    /// </summary>
    public void Release(LogPosition position, long liveBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(liveBytes);
        lock (_gate)
        {
            Segment segment = Find(position);
            if (segment.LiveBytes < liveBytes)
            {
                throw new InvalidOperationException(
                    $"Dirty log segment {segment.Number:x16} has {segment.LiveBytes} live bytes, so {liveBytes} cannot be released.");
            }

            segment.LiveBytes -= liveBytes;
            if (_mayDeleteOld)
            {
                DeleteIfUnwanted(segment);
            }
        }
    }

    /// <summary>Deletes every segment that nothing is wanted of, the current one too. At the start: call it after the last <see cref="Retain"/>.</summary>
    public void DeleteUnreferenced()
    {
        lock (_gate)
        {
            _mayDeleteOld = true;
            if (_current is { LiveBytes: 0 } current)
            {
                Retire(current);
            }

            foreach (Segment segment in _segments.Values.ToList())
            {
                DeleteIfUnwanted(segment);
            }
        }
    }

    /// <summary>All segments, oldest first.</summary>
    public IReadOnlyList<SegmentUsage> GetUsage()
    {
        lock (_gate)
        {
            return [.. _segments.Values.Select(segment => new SegmentUsage(segment.Number, segment.Length, segment.LiveBytes, segment.IsClosed))];
        }
    }

    /// <summary>Closes the files. Writes nothing, what matters was synced before; only zeros written ahead are cut off.</summary>
    public void Dispose()
    {
        lock (_syncGate)
        {
            lock (_gate)
            {
                if (_isDisposed)
                {
                    return;
                }

                _isDisposed = true;
                CutZeros(_current);
                foreach (Segment segment in _segments.Values.Where(segment => segment.Users == 0))
                {
                    segment.Close();
                }

                CryptographicOperations.ZeroMemory(_key);
            }
        }
    }

    private void SyncFiles(List<(Segment Segment, long Length)> work)
    {
        foreach ((Segment segment, _) in work)
        {
            try
            {
                if (!Mistakes.Has(Mistake.LogNotFlushed))
                {
                    segment.File.Sync();
                }
            }
            catch (IOException exception) when (!Mistakes.Has(Mistake.LogFlushRetried))
            {
                throw Fail(segment, exception);
            }
        }

        List<Segment> unnamed = [.. work.Select(item => item.Segment).Where(segment => !segment.IsNameDurable)];
        if (unnamed.Count > 0 && !Mistakes.Has(Mistake.LogNameNotFlushed))
        {
            try
            {
                _disk.SyncDirectory(_directory);
            }
            catch (IOException exception)
            {
                // Asked again the directory might say yes and mean nothing, so none of the names may rest on it.
                throw unnamed.ConvertAll(segment => Fail(segment, exception))[0];
            }
        }
    }

    private DirtyLogSyncException Fail(Segment segment, IOException exception)
    {
        lock (_gate)
        {
            var failure = new DirtyLogSyncException(segment.Number, segment.IsNameDurable ? segment.DurableUpTo : 0, exception);
            _failures.Add(failure);
            _notDurable.Remove(segment);
            Retire(segment);
            return failure;
        }
    }

    private void ThrowIfFailed()
    {
        if (_failures is [var failure, ..])
        {
            throw new DirtyLogSyncException(failure.Segment, failure.DurableUpTo, failure.InnerException);
        }
    }

    /// <summary>The segment to append to, with room in its buffer. All that can fail in an append fails here.</summary>
    private Segment PrepareAppend(int sealedLength)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_current is { } full && full.Length + sealedLength > _options.SegmentBytes && full.Length > LogLayout.SegmentHeaderBytes)
        {
            CloseCurrent();
        }

        if (_current is { } current && current.Buffered >= _options.WriteBytes)
        {
            TryWriteOut(current);
        }

        if (_failures.Count > FailedSegmentsMax)
        {
            throw new IOException("The disk of the dirty log fails.", _failures[^1].InnerException);
        }

        return _current ?? StartSegment();
    }

    /// <summary>False when the segment failed for good and was closed. A full disk is an exception, and leaves all as it was.</summary>
    private bool TryWriteOut(Segment segment)
    {
        if (segment.Buffered == 0)
        {
            return true;
        }

        try
        {
            segment.File.Write(segment.Written, segment.Buffer.AsSpan(0, segment.Buffered));
        }
        catch (IOException exception) when (exception is not DiskFullException)
        {
            Fail(segment, exception);
            return false;
        }

        if (segment.Buffered >= _options.WriteBytes)
        {
            // While more is sealed this is on its way to the disk: a long write waits far less for its flushes.
            segment.File.StartSync(segment.Written, segment.Buffered);
        }

        segment.Written = segment.Length;
        return true;
    }

    private void CloseCurrent()
    {
        if (_current is { } current && TryWriteOut(current))
        {
            Retire(current);
            DeleteIfUnwanted(current);
            CutZeros(current);
        }
    }

    private void Retire(Segment segment)
    {
        segment.IsClosed = true;
        if (segment.Buffered == 0)
        {
            _spareBuffer ??= segment.Buffer;
            segment.Buffer = null;
        }

        if (_current == segment)
        {
            _current = null;
        }
    }

    private Segment StartSegment()
    {
        // The counter keeps the order; the random half sees to it that a row which outlived its segment never finds another one under its number.
        Span<byte> suffix = stackalloc byte[4];
        _random.Fill(suffix);
        long number = (((_lastNumber >> 32) + 1) << 32) | BitConverter.ToUInt32(suffix);
        string path = Path.Combine(_directory, $"{number:x16}{Suffix}");
        IDiskFile file = _disk.Open(path, DiskOpenMode.CreateNew) ?? throw new IOException($"{path} exists already");

        byte[] buffer = _spareBuffer ?? GC.AllocateUninitializedArray<byte>(
            LogLayout.SegmentHeaderBytes + _options.WriteBytes + LogLayout.SealedLengthMax, pinned: true);
        _spareBuffer = null;
        LogLayout.SegmentMagic.CopyTo(buffer);
        Span<byte> id = buffer.AsSpan(LogLayout.SegmentMagic.Length, LogLayout.SegmentIdBytes);
        _random.Fill(id);
        var segment = new Segment(number, path, file, new SegmentCipher(_key, id, number)) { Buffer = buffer, Length = LogLayout.SegmentHeaderBytes };
        _lastNumber = number;
        _segments.Add(number, segment);
        _notDurable.Add(segment);
        _current = segment;
        return segment;
    }

    private Segment Find(LogPosition position)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _segments.TryGetValue(position.Segment, out Segment? segment)
            ? segment
            : throw new CorruptLogException(position, "the segment is not there") { IsSegmentMissing = true };
    }

    private void DeleteIfUnwanted(Segment segment)
    {
        if (segment is not { IsClosed: true, LiveBytes: 0, IsDeleted: false })
        {
            return;
        }

        try
        {
            _disk.Delete(segment.Path);
        }
        catch (IOException)
        {
            // It stays, unwanted, and DeleteUnreferenced tries again.
            return;
        }

        // A crash may bring the name back; the next start finds nobody who wants it.
        segment.IsDeleted = true;
        _segments.Remove(segment.Number);
        _notDurable.Remove(segment);
        segment.Users++;
        Unpin(segment);
    }

    private void Unpin(Segment segment)
    {
        segment.Users--;
        Debug.Assert(segment.Users >= 0, "a segment is given back as often as it was taken");
        if (segment.Users == 0 && (segment.IsDeleted || _isDisposed))
        {
            segment.Close();
        }
    }
}
