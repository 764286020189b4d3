namespace Drive.Simulation;

/// <summary>Runs a range of seeds on a few threads, each seed whole on one.</summary>
public static class Lanes
{
    private const int FailuresMax = 5;

    /// <summary>What failed, as text; after a few failures it stops.</summary>
    public static IReadOnlyList<string> Run(int first, int last, int threads, Action<int> run)
    {
        int next = first - 1;
        List<string> failures = [];
        Thread[] lanes = [.. Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            int seed;
            while ((seed = Interlocked.Increment(ref next)) <= last && failures.Count < FailuresMax)
            {
                try
                {
                    run(seed);
                }
                catch (Exception error)
                {
                    lock (failures)
                    {
                        failures.Add(error is World.SimulationException ? error.Message : error.ToString());
                    }
                }
            }
        }))];
        Array.ForEach(lanes, static lane => lane.Start());
        Array.ForEach(lanes, static lane => lane.Join());
        return failures;
    }
}
