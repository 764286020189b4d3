namespace Drive.Fuse.Serving;

/// <summary>
/// Counts changes from elsewhere. A handler reads it before it asks the volume and again when its reply is ready: if it moved, the answer may be
/// from before a change whose notification the kernel already had, so the kernel may use the answer but not keep it.
/// </summary>
internal sealed class ChangeClock
{
    private long _now;

    public long Now => Volatile.Read(ref _now);

    public void Advance() => Interlocked.Increment(ref _now);
}
