using Drive.Cache.Dirty;
using Drive.Core.Volumes;

namespace Drive.Engine.Journal;

/// <summary>A record on its way into the log: kept with its save point, so that a second try goes on where the first one ended.</summary>
internal sealed class JournalEntry(long number, byte[] bytes)
{
    public long Number { get; } = number;

    public byte[] Bytes { get; } = bytes;

    public List<(LogPosition Position, int Length)> Parts { get; } = [];

    public int Written { get; set; }

    public JournalMark Mark => new(Number, Parts[0].Position);
}

/// <summary>
/// The journal of save points in the dirty log: with it the database can be lost. Every save point's rows are appended beside the bytes they point to and made durable by
/// the same flush, before the database has them. What has landed is released. Guarded by the volume's save lock.
/// </summary>
/// <remarks>Invariants. The live records are the last ones, without gaps; put over the committed state in their order they give the state after the last save point.
/// A record is released when a commit holds all changes up to it, or when a later snapshot that stands for it is durable.</remarks>
internal sealed class SaveJournal(DirtyLog log, JournalMark mark)
{
    private const int PartBytesMax = 1 << 20;

    // A small journal is not worth rewriting (arbitrary).
    private const long LiveBytesMin = 16L << 20;

    private readonly Queue<(JournalEntry Entry, long Change)> _live = new();
    private long _liveBytes;
    private long _snapshotBytes;

    /// <summary>The last record that is durable.</summary>
    public JournalMark Mark { get; private set; } = mark;

    /// <summary>The last change that a record holds.</summary>
    public long Change { get; private set; }

    /// <summary>Whether what lies before the next record must be gathered into a snapshot first.</summary>
    public bool NeedsSnapshot { get; set; }

    /// <summary>Numbers the next record; the number counts once the record is <see cref="Finish"/>ed.</summary>
    public long NextNumber => Mark.Number + 1;

    /// <summary>The oldest record that is needed once the next one is written.</summary>
    public long From => _live.TryPeek(out (JournalEntry Entry, long Change) oldest) ? oldest.Entry.Number : NextNumber;

    /// <summary>The segment of the oldest live record; null when there is none.</summary>
    public long? OldestSegment => _live.TryPeek(out (JournalEntry Entry, long Change) oldest) ? oldest.Entry.Parts[0].Position.Segment : null;

    /// <summary>Appends what is not appended yet. The caller syncs the log.</summary>
    public void Append(JournalEntry entry)
    {
        while (entry.Written < entry.Bytes.Length)
        {
            int length = Math.Min(PartBytesMax, entry.Bytes.Length - entry.Written);
            LogPosition position = log.Append(NodeId.None, entry.Written, (ulong)entry.Number, entry.Bytes.AsSpan(entry.Written, length));
            entry.Parts.Add((position, length));
            entry.Written += length;
        }
    }

    /// <summary>Takes an entry back whose flush failed: it is encoded and appended anew.</summary>
    public void Withdraw(JournalEntry entry) => Release(entry);

    /// <summary>The entry is durable.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="change">The last change it holds: it is live until that has landed.</param>
    /// <param name="isSnapshot">Whether it stands for all before it.</param>
    public void Finish(JournalEntry entry, long change, bool isSnapshot)
    {
        if (isSnapshot)
        {
            ReleaseThrough(long.MaxValue);
            _snapshotBytes = entry.Bytes.Length;
            NeedsSnapshot = false;
        }

        Mark = entry.Mark;
        Change = change;
        _live.Enqueue((entry, change));
        _liveBytes += entry.Bytes.Length;

        // With the store away for long, small save points add up: gathered anew when they are several times what they come to.
        NeedsSnapshot |= _liveBytes > Math.Max(LiveBytesMin, 4 * _snapshotBytes);
    }

    /// <summary>Everything up to a change is in the vault.</summary>
    public void ReleaseThrough(long change)
    {
        while (_live.TryPeek(out (JournalEntry Entry, long Change) oldest) && oldest.Change <= change)
        {
            _live.Dequeue();
            _liveBytes -= oldest.Entry.Bytes.Length;
            Release(oldest.Entry);
        }
    }

    private void Release(JournalEntry entry)
    {
        foreach ((LogPosition position, int length) in entry.Parts)
        {
            log.Release(position, length);
        }

        entry.Parts.Clear();
        entry.Written = 0;
    }
}
