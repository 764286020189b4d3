using Drive.Core.Volumes;
using Drive.Metadata.Sqlite;

namespace Drive.Metadata;

/// <summary>
/// Sums that follow from the rows, kept so that nobody has to count. They change inside transactions: saved with each, taken back when
/// one fails.
/// </summary>
internal sealed class Counters(Database database)
{
    private readonly Statement _load = database.Prepare("SELECT last_seq, next_entry_id, file_count, file_bytes FROM state");
    private readonly Statement _save = database.Prepare("UPDATE state SET last_seq = ?1, next_entry_id = ?2, file_count = ?3, file_bytes = ?4");

    public long LastSeq { get; set; }

    public long NextEntryId { get; private set; } = 1;

    public long FileCount { get; private set; }

    public long FileBytes { get; private set; }

    public void CountFile(uint mode, long size, int sign)
    {
        if (FileMode.IsRegular(mode))
        {
            FileCount += sign;
            FileBytes += sign * size;
        }
    }

    public void SawEntryId(long entryId) => NextEntryId = Math.Max(NextEntryId, entryId + 1);

    public long TakeEntryId() => NextEntryId++;

    public void Load()
    {
        if (!_load.Step())
        {
            throw new MetadataCorruptException("The local database has lost its state row..");
        }

        LastSeq = _load.Long(0);
        NextEntryId = _load.Long(1);
        FileCount = _load.Long(2);
        FileBytes = _load.Long(3);
        _load.Reset();
    }

    public void Save() => _save.Bind(1, LastSeq).Bind(2, NextEntryId).Bind(3, FileCount).Bind(4, FileBytes).Run();
}
