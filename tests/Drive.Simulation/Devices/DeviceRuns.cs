using Drive.Simulation.Seeds;

namespace Drive.Simulation.Devices;

/// <summary>Runs seeds with several devices; a failing one is shrunk and says how to repeat it.</summary>
public static class DeviceRuns
{
    /// <summary>Seeds from here on are short: starting, settling and comparing cost more than what happens between, so many short ones find more than few long ones.</summary>
    public const int FirstShortSeed = 1000;

    // Of users: one to some ten calls each.
    private const int Acts = 120;
    private const int ShortActs = 24;

    public static DeviceResult Run(int seed)
    {
        List<DeviceStep> steps = Generate(seed);
        DeviceRun run = new(seed, steps);
        try
        {
            return run.Run();
        }
        catch (Exception failure)
        {
            throw SeedRuns.Report($"Seed {seed} of several devices", run.At, $"--devices --seeds {seed}..{seed}", steps, failure, list => new DeviceRun(seed, list).Run());
        }
    }

    /// <summary>Runs a given list on the world of a seed, as a failure printed it.</summary>
    public static DeviceResult Replay(int seed, params DeviceStep[] steps) => new DeviceRun(seed, steps).Run();

    /// <summary>Runs a seed twice and finds the first line where the runs part; null when there is none.</summary>
    public static string? FindParting(int seed) => SeedRuns.FindParting(tell => new DeviceRun(seed, Generate(seed)) { TraceListener = tell }.Run());

    /// <summary>Runs a seed and tells each line of its trace; a failure is a line too.</summary>
    public static void Trace(int seed, Action<string> tell) => SeedRuns.Trace(() => new DeviceRun(seed, Generate(seed)) { TraceListener = tell }.Run(), tell);

    private static List<DeviceStep> Generate(int seed)
    {
        (int devices, bool isTame) = DeviceRun.Shape(seed);
        List<DeviceStep> steps = DeviceStep.Generate(seed, devices, seed < FirstShortSeed ? Acts : ShortActs, isTame);
        return DeviceRun.Collects(seed) ? DeviceStep.WithGarbage(seed, devices, steps) : steps;
    }
}
