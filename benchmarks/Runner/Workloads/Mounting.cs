using Drive.Benchmarks.Platform;
using Drive.Benchmarks.Report;
using Drive.Benchmarks.Sides;

namespace Drive.Benchmarks.Workloads;

/// <summary>Coming and going, and what the program behind a mount costs.</summary>
internal sealed class Mounting(Recorder recorder)
{
    private const int Tries = 5;

    private static readonly Measure Mount = new("mount, until usable", "s", Target.AtMost(0.3));
    private static readonly Measure Unmount = new("unmount", "s", Target.AtMost(0.3));
    private static readonly Measure Help = new("drive --help", "s", Target.AtMost(0.15));
    private static readonly Measure Memory = new("daemon's peak RSS", "MiB", Target.AtMost(150));
    private static readonly Measure Cpu = new("daemon's CPU, the whole run", "s");

    public void Run(Side side)
    {
        if (side is NativeSide)
        {
            return;
        }

        List<double> mounts = [];
        List<double> unmounts = [];
        for (int i = 0; i < Tries; i++)
        {
            unmounts.Add(side.TimeUnmount());
            mounts.Add(side.TimeMount());
        }

        recorder.Note(Mount, side, Results.Median([.. mounts])!.Value);
        recorder.Note(Unmount, side, Results.Median([.. unmounts])!.Value);
        if (side is DriveSide drive)
        {
            recorder.TimeShort(Help, drive, 1, drive.Help);
        }
    }

    /// <summary>At the end of the run, over all mounts.</summary>
    public void Finish(Side side)
    {
        if (side is not NativeSide)
        {
            recorder.Note(Memory, side, side.Usage.PeakMiB);
            recorder.Note(Cpu, side, side.Usage.CpuSeconds);
        }
    }
}
