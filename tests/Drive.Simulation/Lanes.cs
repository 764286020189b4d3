namespace Drive.Simulation;

/// <summary>Runs a range of seeds on a few threads, each seed whole on one.</summary>
public static class Lanes
{
    private const int FailuresMax = 5;

    /// <summary>What failed, as text, which is also printed at once; after a few failures it stops.</summary>
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
                    string text = error is World.SimulationException ? error.Message : error.ToString();
                    lock (failures)
                    {
                        failures.Add(text);
                        Console.WriteLine(text);
                    }
                }
            }
        }))];
        Array.ForEach(lanes, static lane => lane.Start());
        Array.ForEach(lanes, static lane => lane.Join());
        return failures;
    }
}
