using Xunit.Abstractions;

namespace Drive.Engine.Tests;

/// <summary>Runs of tests that follow from a number, which is printed before each.</summary>
internal static class Seeds
{
    public static async Task RunAsync(ITestOutputHelper output, int first, int count, Func<int, Task> run)
    {
        for (int seed = first; seed < first + count; seed++)
        {
            output.WriteLine($"Seed {seed}");
            await run(seed);
        }
    }

    /// <summary>Seeds that nobody chose.</summary>
    public static Task RunSomeAsync(ITestOutputHelper output, int count, Func<int, Task> run) => RunAsync(output, Random.Shared.Next(int.MaxValue - count), count, run);
}
