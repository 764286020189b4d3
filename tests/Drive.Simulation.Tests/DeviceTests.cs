using Drive.Simulation.Devices;
using Drive.Simulation.Seeds;
using Xunit.Abstractions;

namespace Drive.Simulation.Tests;

/// <summary>Two to five devices of one vault on a simulated store: they end in one tree, and what anybody wrote is in it unless somebody who saw it did away with it.</summary>
public sealed class DeviceTests(ITestOutputHelper output)
{
    [Fact]
    public void Two_hundred_seeds_of_several_devices_end_in_one_tree_that_lost_nothing() => Run(1, 200);

    [Fact]
    public void Two_thousand_short_seeds_of_several_devices_end_in_one_tree_that_lost_nothing() => Run(DeviceRuns.FirstShortSeed, 2000);

    [Fact]
    public void Seeds_of_several_devices_that_nobody_chose_end_in_one_tree_that_lost_nothing() => Run(Random.Shared.Next(1_000_000, int.MaxValue - 100), 50);

    [Fact]
    public void The_same_seed_of_several_devices_does_the_same_again()
    {
        for (int seed = 1; seed <= 5; seed++)
        {
            ulong hash = DeviceRuns.Run(seed).Hash;
            Assert.True(hash == DeviceRuns.Run(seed).Hash, DeviceRuns.FindParting(seed) ?? $"Seed {seed} gave another hash, and the same at the third time.");
            Assert.NotEqual(hash, DeviceRuns.Run(seed + 1).Hash);
        }
    }

    /// <summary>All of a merge had been sent, and the database did not know that the journal's record of it was gone: the next record did not join. Seed 208, shrunk.</summary>
    [Fact]
    public void A_device_that_is_away_starts_after_a_power_cut_in_its_first_save_point_since_a_merge() => DeviceRuns.Replay(
        208,
        new DeviceStep(0, StepKind.Pause, 212513560),
        new DeviceStep(1, StepKind.PowerCut, 162760222),
        new DeviceStep(1, StepKind.GoOffline, 2024814153),
        new DeviceStep(1, StepKind.Call, 1845059603),
        new DeviceStep(0, StepKind.Pause, 1692699901));

    private void Run(int first, int count)
    {
        int[] sums = new int[5];
        IReadOnlyList<string> failures = Lanes.Run(first, first + count - 1, Environment.ProcessorCount, seed =>
        {
            DeviceResult result = DeviceRuns.Run(seed);
            int[] counts = [result.Calls, result.Deaths, result.Faults, result.Merges, result.Copies];
            for (int index = 0; index < sums.Length; index++)
            {
                Interlocked.Add(ref sums[index], counts[index]);
            }
        });
        output.WriteLine($"Seeds {first}..{first + count - 1}: {sums[0]} calls, {sums[1]} deaths, {sums[2]} other faults, {sums[3]} merges, {sums[4]} conflict copies");
        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
        if (count >= 100)
        {
            // A few seeds may well have no death, or no copy.
            Assert.All(sums, static sum => Assert.NotEqual(0, sum));
        }
    }
}
