using System.Globalization;

namespace Drive.Benchmarks.Platform;

/// <summary>The machine that measures: its caches, and what its processes have used.</summary>
internal static class Machine
{
    private const string DropCachesFile = "/proc/sys/vm/drop_caches";

    /// <summary>Only root may drop caches.</summary>
    public static bool CanDropCaches { get; } = Environment.IsPrivilegedProcess && File.Exists(DropCachesFile);

    /// <summary>Empties the kernel's caches of pages, names and inodes, of all file systems.</summary>
    public static void DropCaches()
    {
        Posix.SyncAll();
        File.WriteAllText(DropCachesFile, "3");
    }

    /// <summary>Empties the kernel's caches of names and inodes only; what the disk's files hold stays in memory.</summary>
    public static void DropNames()
    {
        Posix.SyncAll();
        File.WriteAllText(DropCachesFile, "2");
    }

    /// <summary>Processor time of a process so far, all of its threads, to the nanosecond.</summary>
    public static double CpuSeconds(int pid) => Posix.CpuSeconds(pid);

    /// <summary>The largest resident memory of a process so far, in MiB.</summary>
    public static double PeakMemoryMiB(int pid) => StatusMiB(pid, "VmHWM:");

    /// <summary>Begins the count of <see cref="PeakMemoryMiB"/> anew, from what the process has now.</summary>
    public static void ForgetPeakMemory(int pid) => File.WriteAllText($"/proc/{pid}/clear_refs", "5");

    /// <summary>The resident memory of a process now, in MiB.</summary>
    public static double MemoryMiB(int pid) => StatusMiB(pid, "VmRSS:");

    /// <summary>Whether something is mounted at the path.</summary>
    public static bool IsMounted(string path) => File.ReadLines("/proc/self/mounts").Any(line => line.Split(' ')[1] == path);

    /// <summary>Waits until something is so, looking every few milliseconds.</summary>
    public static void Await(Func<bool> condition, TimeSpan limit, string what)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > limit)
            {
                throw new TimeoutException($"{what}: not after {limit.TotalSeconds:0} s");
            }

            Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System).Wait();
        }
    }

    private static double StatusMiB(int pid, string name)
    {
        string line = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return double.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}
