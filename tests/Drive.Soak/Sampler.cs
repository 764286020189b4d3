using System.Globalization;

namespace Drive.Soak;

/// <summary>What the daemon holds at one moment.</summary>
/// <param name="At">Since the load began.</param>
/// <param name="Calls">Calls of the workers so far.</param>
/// <param name="MemoryMiB">Resident memory.</param>
/// <param name="Handles">Open descriptors.</param>
/// <param name="Threads">Threads.</param>
/// <param name="DirtyLogMiB">What the dirty log takes on the disk.</param>
/// <param name="DatabaseMiB">What the database and its write-ahead log take.</param>
/// <param name="CacheMiB">What the block cache takes.</param>
/// <param name="LogMiB">What the daemon's own log takes.</param>
/// <param name="StoreMiB">What the store holds.</param>
internal sealed record Sample(
    TimeSpan At, long Calls, double MemoryMiB, double Handles, double Threads, double DirtyLogMiB, double DatabaseMiB, double CacheMiB, double LogMiB, double StoreMiB)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{At:hh\\:mm\\:ss}  {Calls,9} calls  {MemoryMiB,6:0.0} MiB  {Handles,4} handles  {Threads,3} threads  dirty log {DirtyLogMiB,6:0.0}  database {DatabaseMiB,6:0.0}  cache {CacheMiB,6:0.0}  store {StoreMiB,8:0.0} MiB");
}

/// <summary>Looks at the daemon from outside, as an administrator would: /proc and the directories.</summary>
internal sealed class Sampler(DriveProgram drive)
{
    private const double Mebibyte = 1 << 20;
    private readonly string _process = $"/proc/{drive.Pid.ToString(CultureInfo.InvariantCulture)}";

    public Sample Take(TimeSpan at, long calls)
    {
        Dictionary<string, string> status = File.ReadLines(Path.Combine(_process, "status"))
            .Select(static line => line.Split(':', 2)).ToDictionary(static parts => parts[0], static parts => parts[1].Trim());
        string state = Path.Combine(drive.Home, "state");
        return new Sample(
            at,
            calls,
            double.Parse(status["VmRSS"].Split(' ')[0], CultureInfo.InvariantCulture) / 1024,
            Directory.GetFileSystemEntries(Path.Combine(_process, "fd")).Length,
            double.Parse(status["Threads"], CultureInfo.InvariantCulture),
            Allocated(state, static path => path.Contains("/dirty/", StringComparison.Ordinal)),
            Allocated(state, static path => path.Contains("/metadata.db", StringComparison.Ordinal)),
            Allocated(Path.Combine(drive.Home, "cache"), static _ => true),
            Allocated(Path.Combine(state, "logs"), static _ => true),
            Allocated(Path.Combine(drive.Home, "data"), static _ => true));
    }

    private static double Allocated(string directory, Func<string, bool> isMeant)
    {
        double bytes = 0;
        if (Directory.Exists(directory))
        {
            foreach (string path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Where(isMeant))
            {
                // A file may go between the listing and the look.
                bytes += Testing.Posix.GetStatus(path, out Testing.FileStatus status) == 0 ? status.Blocks * 512 : 0;
            }
        }

        return bytes / Mebibyte;
    }
}
