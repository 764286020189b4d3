using System.Diagnostics;
using System.Globalization;
using Drive.Simulation.Crashes;
using Drive.Simulation.Devices;
using Drive.Simulation.Seeds;
using Drive.Simulation.World;

namespace Drive.Simulation;

/// <summary>The runner: as many crash points as one has time for. Exit code 1 when a run fails.</summary>
internal static class Program
{
    private const string Usage = """
        dotnet run -c Release --project tests/Drive.Simulation -- --seeds A..B [--threads N]
        dotnet run -c Release --project tests/Drive.Simulation -- [twice|trace] --devices --seeds A..B [--threads N]
            several devices of one vault in each seed
        dotnet run -c Release --project tests/Drive.Simulation -- twice --seeds A..B
            whether the same seed does the same again
        dotnet run -c Release --project tests/Drive.Simulation -- trace --seeds A..A
            every choice, call and result of one seed, until it ends or fails
        dotnet run -c Release --project tests/Drive.Simulation -- crash --workloads A..B [--points N] [--images N] [--threads N]
            so many points of each workload instead of all, so many images of the disk for each point instead of one
        dotnet run -c Release --project tests/Drive.Simulation -- merge --workloads A..B [--points N] [--threads N]
            the same about a merge of two devices
        dotnet run -c Release --project tests/Drive.Simulation -- garbage --workloads A..B [--points N] [--threads N]
            the same about giving space back
        """;

    private static int Main(string[] arguments)
    {
        bool isOfSeveral = arguments.Contains("--devices");
        arguments = [.. arguments.Where(static argument => argument != "--devices")];
        Dictionary<string, string> options = [];
        for (int index = arguments is ["crash" or "merge" or "garbage" or "twice" or "trace", ..] ? 1 : 0; index + 1 < arguments.Length; index += 2)
        {
            options[arguments[index]] = arguments[index + 1];
        }

        int threads = int.Parse(options.GetValueOrDefault("--threads", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
        if (arguments is ["crash" or "merge" or "garbage", ..] && options.TryGetValue("--workloads", out string? workloads))
        {
            int points = int.Parse(options.GetValueOrDefault("--points", int.MaxValue.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
            int images = int.Parse(options.GetValueOrDefault("--images", "1"), CultureInfo.InvariantCulture);
            return Crashes(
                Range(workloads),
                workload => arguments[0] switch
                {
                    "merge" => MergePoints.Run(workload, points),
                    "garbage" => GarbagePoints.Run(workload, points),
                    _ => CrashPoints.Run(workload, points, imagesPerPoint: images),
                },
                threads);
        }

        if (options.TryGetValue("--seeds", out string? seeds))
        {
            if (arguments is ["trace", ..])
            {
                Action<int, Action<string>> trace = isOfSeveral ? DeviceRuns.Trace : SeedRuns.Trace;
                trace(Range(seeds).First, Console.WriteLine);
                return 0;
            }

            return arguments is ["twice", ..] ? Twice(Range(seeds), isOfSeveral ? DeviceRuns.FindParting : SeedRuns.FindParting)
                : isOfSeveral ? SeedsOfSeveral(Range(seeds), threads) : Seeds(Range(seeds), threads);
        }

        Console.Error.WriteLine(Usage);
        return 2;
    }

    private static (int First, int Last) Range(string text)
    {
        string[] ends = text.Split("..");
        return (int.Parse(ends[0], CultureInfo.InvariantCulture), int.Parse(ends[^1], CultureInfo.InvariantCulture));
    }

    private static int Seeds((int First, int Last) seeds, int threads) => Seeds(seeds, threads, ["deaths", "other faults"], seed =>
    {
        SeedResult result = SeedRuns.Run(seed);
        return (result.Hash, [result.Deaths, result.Faults]);
    });

    private static int SeedsOfSeveral((int First, int Last) seeds, int threads) =>
        Seeds(seeds, threads, ["devices", "calls", "deaths", "other faults", "merges", "conflict copies"], seed =>
        {
            DeviceResult result = DeviceRuns.Run(seed);
            return (result.Hash, [result.Devices, result.Calls, result.Deaths, result.Faults, result.Merges, result.Copies]);
        });

    private static int Seeds((int First, int Last) seeds, int threads, string[] counted, Func<int, (ulong Hash, int[] Counts)> run)
    {
        Stopwatch watch = Stopwatch.StartNew();
        Lock gate = new();
        int done = 0;
        long[] sums = new long[counted.Length];
        ulong hashes = 0;
        string Counts() => string.Join(", ", sums.Zip(counted, static (sum, what) => $"{sum} {what}"));
        IReadOnlyList<string> failures = Lanes.Run(seeds.First, seeds.Last, threads, seed =>
        {
            (ulong hash, int[] counts) = run(seed);
            lock (gate)
            {
                done++;
                hashes ^= hash;
                for (int index = 0; index < sums.Length; index++)
                {
                    sums[index] += counts[index];
                }

                if (done % 500 == 0)
                {
                    Console.WriteLine($"{done} seeds, {Counts()}, {watch.Elapsed.TotalSeconds:F0} s");
                }
            }
        });
        Console.WriteLine($"{done} seeds, {Counts()}, {failures.Count} failed, {watch.Elapsed.TotalSeconds:F1} s, hash of all {hashes:x16}");
        return failures.Count == 0 ? 0 : 1;
    }

    private static int Twice((int First, int Last) seeds, Func<int, string?> findParting)
    {
        int parted = 0;
        for (int seed = seeds.First; seed <= seeds.Last; seed++)
        {
            if (findParting(seed) is { } parting)
            {
                parted++;
                Console.WriteLine($"Seed {seed}: {parting}");
            }
        }

        Console.WriteLine($"{parted} parted");
        return parted == 0 ? 0 : 1;
    }

    private static int Crashes((int First, int Last) workloads, Func<int, CrashCount> run, int threads)
    {
        Stopwatch watch = Stopwatch.StartNew();
        Lock gate = new();
        int done = 0;
        long points = 0;
        long images = 0;
        long deaths = 0;
        IReadOnlyList<string> failures = Lanes.Run(workloads.First, workloads.Last, threads, workload =>
        {
            CrashCount count = run(workload);
            lock (gate)
            {
                done++;
                points += count.Points;
                images += count.Images;
                deaths += count.Deaths;
                if (done % 20 == 0)
                {
                    Console.WriteLine($"{done} workloads, {points} points, {images} images, {deaths} deaths, {watch.Elapsed.TotalSeconds:F0} s");
                }
            }
        });
        Console.WriteLine($"{done} workloads, {points} points, {images} images, {deaths} deaths, {failures.Count} failed, {watch.Elapsed.TotalSeconds:F1} s");
        return failures.Count == 0 ? 0 : 1;
    }
}
