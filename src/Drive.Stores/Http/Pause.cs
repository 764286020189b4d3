namespace Drive.Stores.Http;

/// <summary>A time that a server asked for, in which it is sent nothing. Threads: any.</summary>
internal sealed class Pause(TimeProvider time)
{
    // A timestamp of time, before which nothing is sent.
    private long _notBefore = time.GetTimestamp();

    /// <summary>What is left of it; nothing or less when it is over.</summary>
    public TimeSpan Left => time.GetElapsedTime(time.GetTimestamp(), Volatile.Read(ref _notBefore));

    /// <summary>From now on.</summary>
    public void Begin(TimeSpan length) => Volatile.Write(ref _notBefore, time.GetTimestamp() + (long)(length.TotalSeconds * time.TimestampFrequency));

    /// <summary>Waits until it is over.</summary>
    public Task PassAsync(CancellationToken cancellationToken) => Left is { } left && left > TimeSpan.Zero ? Task.Delay(left, time, cancellationToken) : Task.CompletedTask;
}
