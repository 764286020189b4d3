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

    /// <summary>Rows of holes that a commit held stayed until the next local commit: after a power cut between the two the file was a changed one, and came back where another device had removed it. Seed 3009, shrunk.</summary>
    [Fact]
    public void A_file_whose_hole_was_sent_before_a_power_cut_is_no_changed_one() => DeviceRuns.Replay(
        3009,
        new DeviceStep(3, StepKind.Call, 188916306),
        new DeviceStep(3, StepKind.Call, 876427569),
        new DeviceStep(0, StepKind.Hurry, 914935214),
        new DeviceStep(0, StepKind.Collect, 376776239),
        new DeviceStep(1, StepKind.Call, 23510054),
        new DeviceStep(1, StepKind.Call, 1024175022),
        new DeviceStep(1, StepKind.Call, 1477253702),
        new DeviceStep(1, StepKind.Call, 1683476178),
        new DeviceStep(1, StepKind.Collect, 245370722),
        new DeviceStep(3, StepKind.FairWeather, 2004002308),
        new DeviceStep(0, StepKind.Call, 1406719923),
        new DeviceStep(0, StepKind.Call, 2011027292),
        new DeviceStep(2, StepKind.Call, 949013184),
        new DeviceStep(2, StepKind.Call, 536882604),
        new DeviceStep(3, StepKind.Pause, 1258548732),
        new DeviceStep(1, StepKind.Call, 1251222370),
        new DeviceStep(0, StepKind.Call, 945090133),
        new DeviceStep(0, StepKind.Call, 2122995852),
        new DeviceStep(3, StepKind.Call, 612296018),
        new DeviceStep(4, StepKind.Call, 403204146),
        new DeviceStep(4, StepKind.Call, 1395872585),
        new DeviceStep(2, StepKind.Call, 1521680350),
        new DeviceStep(2, StepKind.Pause, 1968773139),
        new DeviceStep(3, StepKind.Call, 179699962),
        new DeviceStep(2, StepKind.GoOffline, 1366248898),
        new DeviceStep(3, StepKind.Pause, 302473235),
        new DeviceStep(3, StepKind.PowerCut, 477818822),
        new DeviceStep(2, StepKind.Collect, 1133083818),
        new DeviceStep(1, StepKind.Call, 98106264),
        new DeviceStep(3, StepKind.Call, 1891214211));

    /// <summary>A name was freed and given to another file, which another device had moved elsewhere. Seed 3143, shrunk.</summary>
    [Fact]
    public void A_name_goes_back_to_what_it_led_to_where_the_move_to_it_is_not_made() => DeviceRuns.Replay(
        3143,
        new DeviceStep(3, StepKind.Call, 1475915604),
        new DeviceStep(3, StepKind.Call, 484715485),
        new DeviceStep(3, StepKind.Call, 1206504977),
        new DeviceStep(3, StepKind.Call, 1758236494),
        new DeviceStep(3, StepKind.Call, 1109700016),
        new DeviceStep(3, StepKind.Call, 1841232554),
        new DeviceStep(3, StepKind.Call, 788728785),
        new DeviceStep(3, StepKind.Call, 140317269),
        new DeviceStep(3, StepKind.Pause, 1121472703),
        new DeviceStep(3, StepKind.Call, 656655546),
        new DeviceStep(3, StepKind.Call, 80741849),
        new DeviceStep(3, StepKind.Call, 2063133230),
        new DeviceStep(4, StepKind.Call, 16660163),
        new DeviceStep(4, StepKind.Call, 1715225679),
        new DeviceStep(4, StepKind.Pause, 2057853814));

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
