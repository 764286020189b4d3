using Drive.Cache.Dirty;
using Drive.Core.Rows;
using Drive.Engine.Journal;
using Drive.Engine.Tree;
using Drive.Metadata;

namespace Drive.Engine;

/// <content>
/// The journal of save points: what the local commit writes into the dirty log besides file bytes, so that losing the database loses nothing; and what a start does with
/// records that the database lacks.
/// </content>
public sealed partial class Volume
{
    internal const string JournalSetting = "journal";

    private SaveJournal _journal = null!;

    /// <summary>Encodes the save point's rows, once their chunks have places, and appends them behind the chunks.</summary>
    private void AppendJournal(SavePoint point)
    {
        if (point.Journal is null)
        {
            // What a landing left to tidy up is no change: without it the same state comes back.
            if (point.Change <= _journal.Change || !BatchCodec.HasRows(point.Batch))
            {
                return;
            }

            JournalRecord record = new()
            {
                Number = _journal.NextNumber,
                From = _journal.From,
                PinSeq = point.Pin.Seq,
                PinHash = point.Pin.Head,
                NodeCounter = point.NodeCounter,
                Batch = point.Batch,
            };
            point.Journal = new JournalEntry(record.Number, record.Encode());
        }

        _journal.Append(point.Journal);
        point.Batch.PutSetting(JournalSetting, point.Journal.Mark.Encode());
    }

    private void WithdrawJournal(SavePoint point)
    {
        if (point.Journal is { } entry)
        {
            _journal.Withdraw(entry);
            point.Journal = null;
        }

        // The chunks have other places now.
        point.HasDirtyRows = false;
    }

    private void FinishJournal(SavePoint point)
    {
        if (point.Journal is { } entry)
        {
            _journal.Finish(entry, point.Change, isSnapshot: false);
        }
    }

    /// <summary>Writes all that is not committed as one record where the journal needs it: after a start, and when it has grown long.</summary>
    private void GatherJournal()
    {
        if (!_journal.NeedsSnapshot)
        {
            return;
        }

        MetadataBatch batch = new();
        _metadata.ReadUncommitted(batch);
        JournalRecord record = new()
        {
            Number = _journal.NextNumber,
            From = _journal.NextNumber,
            IsSnapshot = true,
            PinSeq = _state.Seq,
            PinHash = _state.Head,
            NodeCounter = (long)_nextNodeCounter,
            Batch = batch,
        };
        JournalEntry entry = new(record.Number, record.Encode());
        try
        {
            _journal.Append(entry);
            _log.Sync();

            // It says what the database holds, and the records before it go: a database that a power cut puts back could not be brought up any more. The database has to know of it,
            // since it may go as well, and the next record must join.
            MetadataBatch mark = new() { Epoch = _epoch };
            mark.PutSetting(JournalSetting, entry.Mark.Encode());
            _metadata.Apply(mark, flush: false);
            _metadata.Flush();
        }
        catch
        {
            _journal.Withdraw(entry);
            throw;
        }

        _journal.Finish(entry, _savedChange, isSnapshot: true);
        _log.DeleteUnreferenced();
    }

    /// <summary>
    /// Brings the database up to the journal: after a crash the last save point may be durable in the log only, and a database that lost its end (a WAL cut short) is
    /// behind by more. Then opens the journal to append to.
    /// </summary>
    private void RestoreJournal()
    {
        JournalMark mark = JournalMark.Decode(_metadata.ReadSetting(JournalSetting));
        _log.ContinueAfter(mark.Position.Segment);
        foreach (JournalRecord record in JournalReader.ReadAfter(_log, mark, torn => EngineLog.LogJournalTorn(_logger, torn)))
        {
            if (_state.Seq == 0 || record.Number != mark.Number + 1)
            {
                throw new LocalStateException("The local database is older than the dirty log.");
            }

            // A snapshot says what the database holds already.
            if (!record.IsSnapshot)
            {
                if (!IsWhole(record.Batch))
                {
                    // The crash tore it before its flush was done: nobody was told that it is safe.
                    break;
                }

                record.Batch.Epoch = _epoch;
                record.Batch.PutSetting(CounterSetting, Numbers.Encode(record.NodeCounter));
                record.Batch.PutSetting(JournalSetting, new JournalMark(record.Number, record.Position).Encode());
                _metadata.Apply(record.Batch);
                EngineLog.LogRedone(_logger, record.Number);
            }

            mark = new JournalMark(record.Number, record.Position);
        }

        _journal = new SaveJournal(_log, mark);
    }

    private bool IsWhole(MetadataBatch batch)
    {
        byte[] buffer = [];
        HashSet<LogPosition> seen = [];
        foreach (DirtyRow row in batch.DirtyRows)
        {
            LogPosition position = new(row.Segment, row.Position);
            if (row.Kind != DirtyKind.Data || !seen.Add(position))
            {
                continue;
            }

            if (buffer.Length < row.RecordLength)
            {
                buffer = new byte[row.RecordLength];
            }

            try
            {
                _log.Read(position, row.RecordLength, 0, buffer.AsSpan(0, row.RecordLength));
            }
            catch (CorruptLogException)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>What the journal needs before old segments may go. A disk that takes nothing now is asked again by the next local commit.</summary>
    private void StartJournal()
    {
        MetadataBatch uncommitted = new();
        _metadata.ReadUncommitted(uncommitted);
        if (_settings.ReadOnly)
        {
            return;
        }

        _journal.NeedsSnapshot = BatchCodec.HasRows(uncommitted);
        if (!_journal.NeedsSnapshot)
        {
            _log.DeleteUnreferenced();
            return;
        }

        try
        {
            GatherJournal();
        }
        catch (IOException error)
        {
            EngineLog.LogSaveFailed(_logger, Core.Volumes.FsStatus.NoSpace, error);
        }
    }
}
