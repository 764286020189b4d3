using Drive.Benchmarks.Platform;
using Drive.Benchmarks.Report;
using Drive.Benchmarks.Sides;

namespace Drive.Benchmarks;

/// <summary>Takes the time of what is done to a side, and what the process behind it used meanwhile.</summary>
internal sealed class Recorder(Results results, Results cost)
{
    // The scheduler's share of what takes milliseconds would be most of it, so the best of a few counts.
    private const int ShortRuns = 5;

    public Results Results => results;

    /// <summary>Speeds: the amount by the second, or the seconds where the measure's unit says so.</summary>
    public void Time(Measure measure, Side side, double amount, Action action)
    {
        double cpu = side.Usage.CpuSeconds;
        Try(measure, side, () =>
        {
            double seconds = Shell.Time(action);
            results.Add(measure, side.Name, measure.IsRate ? amount / seconds : seconds);
        });
        if (side is not NativeSide)
        {
            cost.Round = results.Round;
            cost.Add(new Measure(measure.Name, "cpu s"), side.Name, side.Usage.CpuSeconds - cpu);
        }
    }

    /// <summary>The best of a few, for what takes milliseconds.</summary>
    public void TimeShort(Measure measure, Side side, double amount, Action action) => Try(measure, side, () =>
    {
        double seconds = Enumerable.Range(0, ShortRuns).Min(_ => Shell.Time(action));
        results.Add(measure, side.Name, measure.IsRate ? amount / seconds : seconds);
    });

    public void Note(Measure measure, Side side, double value) => results.Add(measure, side.Name, value);

    /// <summary>A peer that cannot do something is left behind there, not everywhere.</summary>
    public void Try(Measure measure, Side side, Action action)
    {
        try
        {
            action();
        }
        catch (Exception failure) when (failure is IOException or InvalidOperationException or TimeoutException or UnauthorizedAccessException)
        {
            results.Fail(measure, side.Name, failure.Message.ReplaceLineEndings(" "));
        }
    }
}
