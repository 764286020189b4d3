namespace Drive.Engine.Upload;

/// <summary>
/// How long changes rest before they are sent. Most go almost at once, so that other devices show them within a second. Only commits that follow each other so fast that the whole rest would have made
/// one of them are counted: of those <see cref="Most"/> may come promptly, and one comes back every <see cref="RefillTime"/> (a token bucket). Not safe for several threads.
/// </summary>
internal sealed class PromptCommits(TimeSpan rest, TimeProvider time)
{
    /// <summary>Commits more than the whole rest would make that may follow each other. Arbitrary.</summary>
    public const int Most = 10;

    /// <summary>A day of changes without end makes this way no more than 2,880 commits more. Arbitrary.</summary>
    public static readonly TimeSpan RefillTime = TimeSpan.FromSeconds(30);

    /// <summary>Of the whole rest: 250 ms of two seconds, longer than an editor or a shell's loop needs from one call to the next.</summary>
    private const int PromptShare = 8;

    private int _left = Most;
    private long _refilledAt = time.GetTimestamp();
    private long? _takenAt;

    /// <summary>How long nothing may have changed until the next commit.</summary>
    public TimeSpan Rest
    {
        get
        {
            Refill();
            return _left > 0 ? rest / PromptShare : rest;
        }
    }

    /// <summary>A commit is made.</summary>
    public void Take()
    {
        Refill();
        if (_takenAt is { } before && time.GetElapsedTime(before) < rest)
        {
            _left = Math.Max(0, _left - 1);
        }

        _takenAt = time.GetTimestamp();
    }

    private void Refill()
    {
        if (_left == Most)
        {
            _refilledAt = time.GetTimestamp();
            return;
        }

        long back = time.GetElapsedTime(_refilledAt).Ticks / RefillTime.Ticks;
        if (back > 0)
        {
            _refilledAt += (long)(back * RefillTime.TotalSeconds * time.TimestampFrequency);
            _left = (int)Math.Min(Most, _left + back);
        }
    }
}
