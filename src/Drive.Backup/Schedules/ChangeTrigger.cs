namespace Drive.Backup.Schedules;

/// <summary>When a set that runs on changes does: when it has been quiet for a while, or at the latest some time after the first change. Not safe for several threads.</summary>
public sealed class ChangeTrigger
{
    /// <summary>No change for so long is quiet. Arbitrary: longer than between two saves of a document.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    /// <summary>Where it is never quiet, so long after the first change. Arbitrary.</summary>
    public static readonly TimeSpan Latest = TimeSpan.FromMinutes(15);

    private long? _first;
    private long _last;

    /// <summary>Something changed, at a timestamp of a <see cref="TimeProvider"/>: a clock that is set has no part in this.</summary>
    public void Note(long timestamp)
    {
        _first ??= timestamp;
        _last = timestamp;
    }

    /// <summary>A run begins: it sees what changed so far.</summary>
    public void Clear() => _first = null;

    /// <summary>How long it is until a run; zero or less when it is due, null when nothing changed.</summary>
    public TimeSpan? Remaining(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        if (_first is not { } first)
        {
            return null;
        }

        TimeSpan quiet = Quiet - time.GetElapsedTime(_last);
        TimeSpan latest = Latest - time.GetElapsedTime(first);
        return quiet < latest ? quiet : latest;
    }
}
