namespace Drive.Server.Storage;

/// <summary>What a user's objects take: each its length rounded up to 4 KiB, as on a disk, so that empty objects are not for nothing. Threads: any.</summary>
internal sealed class UserSpace
{
    private const int Unit = 4096;
    private readonly Lock _gate = new();
    private long _used;

    /// <summary>Bytes taken, those of puts under way with them.</summary>
    public long Used
    {
        get
        {
            lock (_gate)
            {
                return _used;
            }
        }
    }

    /// <summary>What an object of that length takes.</summary>
    public static long Of(long length) => Math.Max(1, (length + Unit - 1) / Unit) * Unit;

    /// <summary>Takes room for an object, if there is as much.</summary>
    public bool TryTake(long length, long quotaBytes)
    {
        lock (_gate)
        {
            if (_used + Of(length) > quotaBytes)
            {
                return false;
            }

            _used += Of(length);
            return true;
        }
    }

    /// <summary>Counts an object that is there, whatever the quota says.</summary>
    public void Count(long length)
    {
        lock (_gate)
        {
            _used += Of(length);
        }
    }

    /// <summary>Gives an object's room back.</summary>
    public void Give(long length)
    {
        lock (_gate)
        {
            _used -= Of(length);
        }
    }
}
