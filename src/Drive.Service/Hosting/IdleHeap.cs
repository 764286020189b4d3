namespace Drive.Service.Hosting;

/// <summary>
/// Gives memory back when there is nothing to do: without work nothing is allocated, so the collector never runs again, and a daemon would keep for days what its last busy minute took.
/// </summary>
/// <remarks>A collection of all of it stops the process for some tens of milliseconds, so it waits until nobody is likely to notice.</remarks>
internal sealed class IdleHeap(TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Less processor time than this in an interval is no work: arbitrary, some thousand requests.</summary>
    private static readonly TimeSpan IdleCpu = TimeSpan.FromSeconds(0.1);

    /// <summary>Growth that is worth a collection: arbitrary.</summary>
    private const long GrowthBytesMin = 16L << 20;

    /// <summary>The runtime's own pool lets a collection have only what nobody used for a minute: then comes a second one.</summary>
    private const int LooksToSecond = 13;

    private ITimer? _timer;
    private int _looksToSecond;
    private TimeSpan _cpu;
    private long _committedBytes;

    public void Start()
    {
        _cpu = Environment.CpuUsage.TotalTime;
        _committedBytes = GC.GetGCMemoryInfo().TotalCommittedBytes;
        _timer = time.CreateTimer(_ => Look(), null, Interval, Interval);
    }

    public void Dispose() => _timer?.Dispose();

    private void Look()
    {
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        bool isIdle = cpu - _cpu < IdleCpu;
        _cpu = cpu;
        if (!isIdle)
        {
            return;
        }

        if (CommittedBytes() - _committedBytes > GrowthBytesMin)
        {
            Collect();
            _looksToSecond = LooksToSecond;
        }
        else if (_looksToSecond > 0 && --_looksToSecond == 0)
        {
            Collect();
        }
    }

    private void Collect()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _committedBytes = CommittedBytes();
        _cpu = Environment.CpuUsage.TotalTime;
    }

    /// <summary>What is committed now: what the last collection left, and what was allocated since.</summary>
    private static long CommittedBytes() => Math.Max(GC.GetGCMemoryInfo().TotalCommittedBytes, GC.GetTotalMemory(forceFullCollection: false));
}
