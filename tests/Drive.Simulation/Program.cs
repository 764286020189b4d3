using System.Diagnostics;
using System.Globalization;
using Drive.Simulation.Crashes;
using Drive.Simulation.Seeds;
using Drive.Simulation.World;

namespace Drive.Simulation;

/// <summary>The runner: as many crash points as one has time for. Exit code 1 when a run fails.</summary>
internal static class Program
{
    private const string Usage = """
        dotnet run -c Release --project tests/Drive.Simulation -- --seeds A..B [--threads N]
        dotnet run -c Release --project tests/Drive.Simulation -- twice --seeds A..B
            whether the same seed does the same again
        dotnet run -c Release --project tests/Drive.Simulation -- trace --seeds A..A
            every choice, call and result of one seed, until it ends or fails
        dotnet run -c Release --project tests/Drive.Simulation -- crash --workloads A..B [--points N] [--threads N]
            N: so many points of each workload instead of all
        """;

    private static int Main(string[] arguments)
    {
        Dictionary<string, string> options = [];
        for (int index = arguments is ["crash" or "twice" or "trace", ..] ? 1 : 0; index + 1 < arguments.Length; index += 2)
        {
            options[arguments[index]] = arguments[index + 1];
        }

        int threads = int.Parse(options.GetValueOrDefault("--threads", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
        if (arguments is ["crash", ..] && options.TryGetValue("--workloads", out string? workloads))
        {
            int points = int.Parse(options.GetValueOrDefault("--points", int.MaxValue.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
            return Crashes(Range(workloads), points, threads);
        }

        if (options.TryGetValue("--seeds", out string? seeds))
        {
            if (arguments is ["trace", ..])
            {
                SeedRuns.Trace(Range(seeds).First, Console.WriteLine);
                return 0;
            }

            return arguments is ["twice", ..] ? Twice(Range(seeds)) : Seeds(Range(seeds), threads);
        }

        Console.Error.WriteLine(Usage);
        return 2;
    }

    private static (int First, int Last) Range(string text)
    {
        string[] ends = text.Split("..");
        return (int.Parse(ends[0], CultureInfo.InvariantCulture), int.Parse(ends[^1], CultureInfo.InvariantCulture));
    }

    private static int Seeds((int First, int Last) seeds, int threads)
    {
        Stopwatch watch = Stopwatch.StartNew();
        Lock gate = new();
        int done = 0;
        long deaths = 0;
        long faults = 0;
        ulong hashes = 0;
        IReadOnlyList<string> failures = Lanes.Run(seeds.First, seeds.Last, threads, seed =>
        {
            SeedResult result = SeedRuns.Run(seed);
            lock (gate)
            {
                done++;
                deaths += result.Deaths;
                faults += result.Faults;
                hashes ^= result.Hash;
                if (done % 500 == 0)
                {
                    Console.WriteLine($"{done} seeds, {deaths} deaths, {faults} other faults, {watch.Elapsed.TotalSeconds:F0} s");
                }
            }
        });
        Console.WriteLine($"{done} seeds, {deaths} deaths, {faults} other faults, {failures.Count} failed, {watch.Elapsed.TotalSeconds:F1} s, hash of all {hashes:x16}");
        return failures.Count == 0 ? 0 : 1;
    }

    private static int Twice((int First, int Last) seeds)
    {
        int parted = 0;
        for (int seed = seeds.First; seed <= seeds.Last; seed++)
        {
            if (SeedRuns.FindParting(seed) is { } parting)
            {
                parted++;
                Console.WriteLine($"Seed {seed}: {parting}");
            }
        }

        Console.WriteLine($"{parted} parted");
        return parted == 0 ? 0 : 1;
    }

    private static int Crashes((int First, int Last) workloads, int pointsMax, int threads)
    {
        Stopwatch watch = Stopwatch.StartNew();
        Lock gate = new();
        int done = 0;
        long points = 0;
        long deaths = 0;
        IReadOnlyList<string> failures = Lanes.Run(workloads.First, workloads.Last, threads, workload =>
        {
            CrashCount count = CrashPoints.Run(workload, pointsMax);
            lock (gate)
            {
                done++;
                points += count.Points;
                deaths += count.Deaths;
                if (done % 20 == 0)
                {
                    Console.WriteLine($"{done} workloads, {points} points, {deaths} deaths, {watch.Elapsed.TotalSeconds:F0} s");
                }
            }
        });
        Console.WriteLine($"{done} workloads, {points} points, {deaths} deaths, {failures.Count} failed, {watch.Elapsed.TotalSeconds:F1} s");
        return failures.Count == 0 ? 0 : 1;
    }
}
