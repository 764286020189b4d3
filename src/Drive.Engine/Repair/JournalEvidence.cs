using Drive.Cache.Dirty;
using Drive.Core.Rows;
using Drive.Engine.Journal;
using Drive.Metadata;

namespace Drive.Engine.Repair;

/// <summary>What the journal in the dirty log says of changes that are not in the store, without any database.</summary>
internal sealed class JournalEvidence
{
    private readonly Dictionary<LogPosition, long> _pins = [];

    private JournalEvidence(IReadOnlyList<JournalRecord> records, bool isPrefixMissing)
    {
        Records = records;
        IsPrefixMissing = isPrefixMissing;
        foreach (JournalRecord record in records)
        {
            foreach (DirtyRow row in record.Batch.DirtyRows)
            {
                _pins[new LogPosition(row.Segment, row.Position)] = record.PinSeq;
            }
        }
    }

    /// <summary>The records to put over the committed state, oldest first, without gaps.</summary>
    public IReadOnlyList<JournalRecord> Records { get; }

    /// <summary>Whether records before these were needed when the last one was written. They may have landed since; else they are lost.</summary>
    public bool IsPrefixMissing { get; }

    /// <summary>The head of the vault's log when the last save point was made.</summary>
    public long PinSeq => Records.Count == 0 ? 0 : Records[^1].PinSeq;

    public Bytes32 PinHash => Records.Count == 0 ? default : Records[^1].PinHash;

    public JournalMark Mark => Records.Count == 0 ? default : new JournalMark(Records[^1].Number, Records[^1].Position);

    public static JournalEvidence Read(DirtyLog log, Action<Exception> torn)
    {
        IReadOnlyList<JournalRecord> all = JournalReader.ReadAfter(log, default, torn);
        if (all.Count == 0)
        {
            return new JournalEvidence([], isPrefixMissing: false);
        }

        int first = all.Count - 1;
        long needed = all[first].From;
        while (first > 0 && !all[first].IsSnapshot && all[first].Number > needed && all[first - 1].Number == all[first].Number - 1)
        {
            first--;
        }

        JournalRecord oldest = all[first];
        return new JournalEvidence([.. all.Skip(first)], !oldest.IsSnapshot && oldest.Number > needed);
    }

    /// <summary>The state of the vault that a record of the log was first wanted over.</summary>
    public long PinOf(DirtyRow row) => _pins.GetValueOrDefault(new LogPosition(row.Segment, row.Position), long.MaxValue);

    /// <summary>What it all comes to, over what a salvage found before.</summary>
    public void AddTo(UncommittedState state)
    {
        foreach (JournalRecord record in Records)
        {
            if (record.IsSnapshot)
            {
                state.Clear();
            }

            state.Add(record.Batch);
        }
    }
}
