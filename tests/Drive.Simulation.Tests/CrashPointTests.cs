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

    [Fact]
    public void Four_hundred_points_of_forty_merges_lose_nothing_of_either_side()
    {
        int points = 0;
        IReadOnlyList<string> failures = Lanes.Run(1, 40, Environment.ProcessorCount, workload => Interlocked.Add(ref points, MergePoints.Run(workload, pointsMax: 11).Points));
        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
        Assert.InRange(points, 400, 440);
    }

    [Fact]
    public void Points_of_giving_space_back_lose_nothing_and_leave_nothing()
    {
        int points = 0;
        IReadOnlyList<string> failures = Lanes.Run(1, 20, Environment.ProcessorCount, workload => Interlocked.Add(ref points, GarbagePoints.Run(workload, pointsMax: 3).Points));
        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
        Assert.Equal(60, points);
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
        for (int workload = 1; workload <= 160; workload++)
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

    /// <summary>
    /// The journal makes a local commit durable, the database is flushed behind it. Whatever of the log goes, the database that no longer needs it must be on the disk: an older one
    /// would need those records again. (Should it be missing all the same, a start rebuilds the database, so no crash shows this.)
    /// </summary>
    [Fact]
    public void No_segment_of_the_log_goes_before_the_database_that_does_not_need_it_is_flushed()
    {
        int gone = 0;
        List<string> early = [];
        for (int workload = 1; workload <= 40; workload++)
        {
            bool isFlushed = true;
            CrashPoints.Watch(workload, call =>
            {
                if (call.Path.EndsWith("-wal", StringComparison.Ordinal))
                {
                    isFlushed = call.Operation == DiskOperation.Sync || (isFlushed && call.Operation != DiskOperation.Write);
                }
                else if (call.Operation == DiskOperation.Delete && call.Path.Contains("/dirty/", StringComparison.Ordinal))
                {
                    gone++;
                    if (!isFlushed)
                    {
                        early.Add($"workload {workload}: {call.Path} goes before the database is flushed");
                    }
                }
            });
        }

        Assert.Empty(early);
        Assert.True(gone > 20, $"{gone} segments went");
    }
}
