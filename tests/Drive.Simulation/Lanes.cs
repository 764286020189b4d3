namespace Drive.Simulation;

/// <summary>Runs a range of seeds on a few threads, each seed whole on one.</summary>
public static class Lanes
{
    private const int FailuresShown = 5;

    /// <summary>Failures are printed, and counted.</summary>
    public static int Run(int first, int last, int threads, Action<int> run)
    {
        int next = first - 1;
        int failures = 0;
        Thread[] lanes = [.. Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            int seed;
            while ((seed = Interlocked.Increment(ref next)) <= last && failures < FailuresShown)
            {
                try
                {
                    run(seed);
                }
                catch (Exception error)
                {
                    Interlocked.Increment(ref failures);
                    Console.WriteLine(error is World.SimulationException ? error.Message : error.ToString());
                }
            }
        }))];
        Array.ForEach(lanes, static lane => lane.Start());
        Array.ForEach(lanes, static lane => lane.Join());
        return failures;
    }
}
