using Drive.Benchmarks.Platform;

namespace Drive.Benchmarks.Sides;

/// <summary>What the process behind a side has used so far.</summary>
internal readonly record struct Usage(double CpuSeconds, double PeakMiB)
{
    public static Usage OfProcess(int pid) => new(Machine.CpuSeconds(pid), Machine.PeakMemoryMiB(pid));

    public Usage And(Usage other) => new(CpuSeconds + other.CpuSeconds, Math.Max(PeakMiB, other.PeakMiB));
}

/// <summary>One of those that are compared: a directory to work in, and how to take away and bring back what serves it.</summary>
internal abstract class Side(string name, string home) : IDisposable
{
    private Usage _before;

    public string Name { get; } = name;

    /// <summary>Whether it keeps the content encrypted.</summary>
    public virtual bool Encrypts => true;

    /// <summary>Everything of this side lies below.</summary>
    protected string Home { get; } = home;

    /// <summary>Where the load goes.</summary>
    public virtual string Root => Path.Combine(Home, "mount");

    /// <summary>The process that serves it; null when there is none.</summary>
    protected int? Pid { get; set; }

    /// <summary>What all processes that served it have used so far.</summary>
    public Usage Usage => Pid is { } pid ? _before.And(Usage.OfProcess(pid)) : _before;

    /// <summary>Makes it ready for the first time.</summary>
    public abstract void Begin();

    /// <summary>Starts what serves it, and returns when it can be used.</summary>
    public void Mount() => TimeMount();

    /// <summary>The same, with a listing of the root; returns the seconds, without finding out which process serves it.</summary>
    public double TimeMount()
    {
        if (Pid is not null)
        {
            return 0;
        }

        double seconds = Shell.Time(() =>
        {
            MountCore();
            _ = Directory.GetFileSystemEntries(Root).Length;
        });
        Pid = FindProcess();
        return seconds;
    }

    public void Unmount() => TimeUnmount();

    /// <summary>Unmounts; returns the seconds, without the reading of counters that comes before.</summary>
    public double TimeUnmount()
    {
        if (Pid is not { } pid)
        {
            return 0;
        }

        _before = Usage;
        BeforeUnmount();
        Pid = null;
        return Shell.Time(() => UnmountCore(pid));
    }

    /// <summary>Ends work in the background, so that it falls on nobody else's time.</summary>
    public virtual void Settle() => Posix.SyncAll();

    public virtual void Dispose() => Unmount();

    /// <summary>Starts it.</summary>
    protected virtual void MountCore()
    {
    }

    /// <summary>The process that serves what was just mounted; null when none does.</summary>
    protected virtual int? FindProcess() => null;

    /// <summary>While what serves it still runs.</summary>
    protected virtual void BeforeUnmount()
    {
    }

    protected virtual void UnmountCore(int pid)
    {
    }
}

/// <summary>The file system that the others keep their files on too.</summary>
internal sealed class NativeSide(string home) : Side(NativeName, home)
{
    public const string NativeName = "native";

    public override bool Encrypts => false;

    public override void Begin() => Directory.CreateDirectory(Root);
}
