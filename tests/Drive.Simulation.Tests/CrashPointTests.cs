using Drive.Simulation.Crashes;
using Drive.Simulation.World;
using Drive.Testing.Disk;
using Drive.Testing.Model;

namespace Drive.Simulation.Tests;

/// <summary>The machine dies at changes of its disk, the database's among them, and again while it recovers.</summary>
public sealed class CrashPointTests
{
    [Fact]
    public void Two_thousand_points_of_two_hundred_workloads_lose_nothing_that_was_synced()
    {
        int points = 0;
        IReadOnlyList<string> failures = Lanes.Run(
            1, 200, Environment.ProcessorCount, workload => Interlocked.Add(ref points, CrashPoints.Run(workload, pointsMax: 11).Points));
        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
        Assert.InRange(points, 2000, 2200);
    }

    /// <summary>A suite that nothing can fail proves nothing: each sync that promises something is left out in turn.</summary>
    [Theory]
    [InlineData("the dirty log's bytes", DiskOperation.Sync, ".log")]
    [InlineData("the database's WAL", DiskOperation.Sync, "-wal")]
    [InlineData("the database", DiskOperation.Sync, "metadata.db")]
    [InlineData("the dirty log's names", DiskOperation.SyncDirectory, "/drive/state/dirty")]
    [InlineData("the names in the state directory", DiskOperation.SyncDirectory, "/drive/state")]
    [InlineData("the state directory's own name", DiskOperation.SyncDirectory, "/drive")]
    public void A_sync_that_does_nothing_is_found(string what, DiskOperation operation, string end)
    {
        for (int workload = 1; workload <= 60; workload++)
        {
            try
            {
                CrashPoints.Run(workload, pointsMax: 20, call => call.Operation == operation && call.Path.EndsWith(end, StringComparison.Ordinal));
            }
            catch (Exception error) when (error is SimulationException or ModelException)
            {
                return;
            }
        }

        Assert.Fail($"Nobody noticed that {what} are never synced.");
    }
}
