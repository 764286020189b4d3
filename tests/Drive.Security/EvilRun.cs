using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Drive.Security;

/// <summary>How many trials, from which seed on.</summary>
public sealed record EvilRunOptions
{
    public int Seed { get; init; } = 1;

    public int Mutations { get; init; } = 5_000;

    /// <summary>One trial in so many is made with whole volumes on a disk.</summary>
    public int VolumeEvery { get; init; } = 50;

    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>For one trial; beyond it the client hangs.</summary>
    public TimeSpan TrialMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Called now and then with the trials done.</summary>
    public Action<int>? Progress { get; init; }
}

/// <summary>What a run came to.</summary>
public sealed record EvilReport(int Trials, IReadOnlyDictionary<string, int> Outcomes, IReadOnlyList<Failure> Failures, TimeSpan Elapsed)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Trials} trials in {Elapsed.TotalSeconds:f1} s, {Failures.Count} failed")
        + string.Concat(Outcomes.OrderBy(static pair => pair.Key, StringComparer.Ordinal).Select(static pair => $"\n  {pair.Value,7}  {pair.Key}"))
        + string.Concat(Failures.Take(20).Select(static failure => $"\nFAILED {failure}"));
}

/// <summary>
/// Random mutations of a store against clients. Trial <c>i</c> has the seed <c>Seed + i</c> and nothing else decides it, so
/// <c>--mutations 1 --seed S</c> repeats one (but for the signing keys, which are fresh in every vault).
/// </summary>
public static class EvilRun
{
    private const int VaultSeed = 1;

    public static async Task<EvilReport> RunAsync(EvilRunOptions options, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        KnownVault vault = await KnownVault.CreateAsync(VaultSeed);
        await using VolumeTrials volumes = await VolumeTrials.CreateAsync(VaultSeed);
        ConcurrentDictionary<string, int> outcomes = new();
        ConcurrentQueue<Failure> failures = new();
        int done = 0;
        await Parallel.ForEachAsync(
            Enumerable.Range(options.Seed, options.Mutations),
            new ParallelOptions { MaxDegreeOfParallelism = options.Workers, CancellationToken = cancellationToken },
            async (seed, token) =>
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
                limit.CancelAfter(options.TrialMax);
                try
                {
                    string outcome = seed % options.VolumeEvery == 0
                        ? await volumes.RunAsync(seed, limit.Token).WaitAsync(options.TrialMax, token)
                        : await RunLightAsync(vault, seed, limit.Token);
                    outcomes.AddOrUpdate(outcome, 1, static (_, count) => count + 1);
                }
                catch (Exception error) when (!token.IsCancellationRequested)
                {
                    failures.Enqueue(new Failure(seed, error is TrialException ? error.Message : error.ToString()));
                }

                int count = Interlocked.Increment(ref done);
                if (count % 1000 == 0)
                {
                    options.Progress?.Invoke(count);
                }
            });
        return new EvilReport(options.Mutations, outcomes, [.. failures], Stopwatch.GetElapsedTime(start));
    }

    private static async Task<string> RunLightAsync(KnownVault vault, int seed, CancellationToken cancellationToken)
    {
        (Outcome outcome, LightTrial trial) = await LightTrial.RunAsync(vault, seed, cancellationToken);
        return trial.Mutations.Count == 1 ? $"{trial.Mutations[0].Operator}: {outcome}" : $"several: {outcome}";
    }
}
