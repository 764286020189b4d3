using Drive.Disk.Trees;

namespace Drive.Backup.Runs;

/// <summary>What a run has seen and done so far.</summary>
/// <remarks>Numbers have one thread each that counts them; the list may be added to by any.</remarks>
internal sealed class RunTally
{
    private const int ListedMax = 1000;

    private readonly Lock _gate = new();

    private readonly List<UnreadablePath> _unreadable = [];

    public long Files { get; set; }

    public long Bytes { get; set; }

    public long New { get; set; }

    public long Changed { get; set; }

    public long Gone { get; set; }

    /// <summary>Files that the last run knew, and that were met.</summary>
    public long Met { get; set; }

    public long Sent { get; set; }

    public long UnreadableCount { get; private set; }

    public void AddUnreadable(byte[] path, string reason)
    {
        lock (_gate)
        {
            UnreadableCount++;
            if (_unreadable.Count < ListedMax)
            {
                _unreadable.Add(new UnreadablePath(SourcePath.Show(path), reason));
            }
        }
    }

    public BackupReport Report(string set, BackupOutcome outcome, DateTimeOffset started, DateTimeOffset ended, long readBytes, string? reason) => new()
    {
        Set = set,
        Outcome = outcome,
        Started = started,
        Ended = ended,
        Files = Files,
        Bytes = Bytes,
        NewFiles = New,
        ChangedFiles = Changed,
        GoneFiles = Gone,
        ReadBytes = readBytes,
        SentBytes = Sent,
        Unreadable = [.. _unreadable],
        UnreadableCount = UnreadableCount,
        Reason = reason,
    };
}
