using Drive.Simulation.World;
using Drive.Testing.Model;

namespace Drive.Simulation.Seeds;

/// <summary>Runs seeds; a failing one is shrunk and says how to repeat it.</summary>
public static class SeedRuns
{
    private const int Calls = 220;
    private const int ShrinkRunsMax = 150;

    public static SeedResult Run(int seed)
    {
        List<SimulationStep> steps = SimulationStep.Generate(seed, Calls);
        SeedRun run = new(seed, steps);
        try
        {
            return run.Run();
        }
        catch (Exception failure)
        {
            throw Report($"Seed {seed}", run.At, $"--seeds {seed}..{seed}", steps, failure, list => new SeedRun(seed, list).Run());
        }
    }

    /// <summary>Runs a given list on the world of a seed, as a failure printed it.</summary>
    public static SeedResult Replay(int seed, params SimulationStep[] steps) => new SeedRun(seed, steps).Run();

    /// <summary>Runs a seed twice and finds the first line where the runs part; null when there is none.</summary>
    public static string? FindParting(int seed) => FindParting(tell => new SeedRun(seed, SimulationStep.Generate(seed, Calls)) { TraceListener = tell }.Run());

    /// <summary>Runs a seed and tells each line of its trace; a failure is a line too.</summary>
    public static void Trace(int seed, Action<string> tell) => Trace(() => new SeedRun(seed, SimulationStep.Generate(seed, Calls)) { TraceListener = tell }.Run(), tell);

    /// <summary>Where two runs part that should be one.</summary>
    internal static string? FindParting(Action<Action<string>> run)
    {
        List<string>[] lines = [[], []];
        foreach (List<string> trace in lines)
        {
            run(trace.Add);
        }

        int length = Math.Max(lines[0].Count, lines[1].Count);
        int at = Enumerable.Range(0, length).FirstOrDefault(index => lines[0].ElementAtOrDefault(index) != lines[1].ElementAtOrDefault(index), -1);
        return at < 0 ? null : $"Line {at}: '{lines[0].ElementAtOrDefault(at)}' and '{lines[1].ElementAtOrDefault(at)}', after '{lines[0].ElementAtOrDefault(at - 1)}'";
    }

    internal static void Trace(Action run, Action<string> tell)
    {
        try
        {
            run();
        }
        catch (Exception failure)
        {
            tell(Text(failure));
        }
    }

    /// <summary>What a failure is told as: how to repeat it, and the shortest list found that fails too.</summary>
    internal static SimulationException Report<TStep>(string what, int at, string arguments, List<TStep> steps, Exception failure, Action<IReadOnlyList<TStep>> run)
    {
        Exception last = failure;
        IReadOnlyList<TStep> shortest = VolumeOperations.ShrinkAsync(
            [.. steps.Take(at + 1)],
            list =>
            {
                try
                {
                    run(list);
                    return Task.FromResult(false);
                }
                catch (Exception error)
                {
                    last = error;
                    return Task.FromResult(true);
                }
            },
            ShrinkRunsMax).GetAwaiter().GetResult();
        return new SimulationException($"""
            {what} fails at step {at}; repeat with: dotnet run -c Release --project tests/Drive.Simulation -- {arguments}
            {Text(failure)}
            Shortest list found ({shortest.Count} steps):
            {string.Join('\n', shortest)}
            {Text(last)}
            """);
    }

    private static string Text(Exception error) => error is SimulationException or ModelException ? error.Message : error.ToString();
}
