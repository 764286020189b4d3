using Drive.Simulation.Seeds;
using Xunit.Abstractions;

namespace Drive.Simulation.Tests;

/// <summary>Whole runs on a simulated machine, store and clock. The runner does millions; here are enough to notice a change that broke something.</summary>
public sealed class SeedTests(ITestOutputHelper output)
{
    [Fact]
    public void Five_hundred_seeds_lose_nothing_and_go_on()
    {
        IReadOnlyList<string> failures = Lanes.Run(1, 500, Environment.ProcessorCount, seed => SeedRuns.Run(seed));
        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
    }

    [Fact]
    public void Seeds_that_nobody_chose_lose_nothing_and_go_on()
    {
        int first = Random.Shared.Next(1_000_000, int.MaxValue - 100);
        output.WriteLine($"Seeds {first}..{first + 19}");
        IReadOnlyList<string> failures = Lanes.Run(first, first + 19, Environment.ProcessorCount, seed => SeedRuns.Run(seed));
        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
    }

    [Fact]
    public void The_same_seed_does_the_same_again()
    {
        for (int seed = 1; seed <= 10; seed++)
        {
            ulong hash = SeedRuns.Run(seed).Hash;
            Assert.True(hash == SeedRuns.Run(seed).Hash, SeedRuns.FindParting(seed) ?? $"Seed {seed} gave another hash, and the same at the third time.");
            Assert.NotEqual(hash, SeedRuns.Run(seed + 1).Hash);
        }
    }
}
