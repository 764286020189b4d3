using Drive.Backup;
using Drive.Backup.Schedules;
using Drive.Service.Backups;

namespace Drive.Service.Tests.Backups;

/// <summary>When sets run, with a clock that moves only when a test says so.</summary>
public sealed class BackupSchedulerTests
{
    [Fact]
    public async Task A_set_runs_at_its_times_and_only_then()
    {
        await using SchedulerHarness harness = new();
        Assert.Null(await harness.LookAsync());
        harness.Add("docs", "0 */6 * * *");
        harness.Add("by-hand", null);
        harness.Add("resting", "hourly", isPaused: true);
        await harness.PassAsync(TimeSpan.FromHours(24));
        Assert.Equal([6, 12, 18, 0], harness.Runs.Select(at => at.ToOffset(TimeZoneInfo.Local.GetUtcOffset(at)).Hour));
        Assert.All(harness.Runs, static at => Assert.True(at.Minute == 0 && at.Second < 2));
        Assert.Empty(harness.Notices);
        Assert.Equal(4, harness.Kept.Count);
    }

    [Fact]
    public async Task What_was_missed_in_sleep_is_made_up_for_once()
    {
        await using SchedulerHarness harness = new();
        harness.Add("docs", "hourly");
        await harness.LookAsync();

        // The machine sleeps: the wall clock goes on, and no timer does.
        harness.Time.Jump(TimeSpan.FromDays(2));
        await harness.PassAsync(TimeSpan.FromMinutes(5));
        Assert.Single(harness.Runs);
    }

    [Theory]
    [InlineData(-4000)]
    [InlineData(4000)]
    public async Task A_clock_that_leaps_by_years_costs_a_run_and_stops_none(int days)
    {
        await using SchedulerHarness harness = new();
        harness.Add("docs", "hourly");
        await harness.PassAsync(TimeSpan.FromHours(3));
        harness.Time.Jump(TimeSpan.FromDays(days));
        int before = harness.Runs.Count;
        await harness.PassAsync(TimeSpan.FromHours(3));
        Assert.InRange(harness.Runs.Count - before, 3, 4);
        harness.Time.Jump(TimeSpan.FromDays(-days));
        before = harness.Runs.Count;
        await harness.PassAsync(TimeSpan.FromHours(3));
        Assert.InRange(harness.Runs.Count - before, 3, 4);
    }

    [Fact]
    public async Task The_store_is_waited_for_and_that_is_no_failure()
    {
        await using SchedulerHarness harness = new() { Away = "It waits for the store." };
        harness.Add("docs", "hourly");
        await harness.PassAsync(TimeSpan.FromHours(30));
        Assert.Empty(harness.Runs);
        Assert.Equal("It waits for the store.", harness.Scheduler.Stand(harness.Sets.Find("docs")!).Waits);
        Assert.Empty(harness.Sets.Reports("docs"));
        Assert.Empty(harness.Notices);
        harness.Away = null;
        await harness.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Single(harness.Runs);
        Assert.Null(harness.Scheduler.Stand(harness.Sets.Find("docs")!).Waits);
    }

    [Fact]
    public async Task Days_without_a_backup_are_told_once_a_day_whatever_is_waited_for()
    {
        await using SchedulerHarness harness = new() { Rest = "battery" };
        harness.Add("docs", "daily 02:00");
        await harness.PassAsync(TimeSpan.FromDays(2.9));
        Assert.Empty(harness.Notices);
        await harness.PassAsync(TimeSpan.FromDays(2));
        Assert.Equal(["docs stale", "docs stale"], harness.Notices);
    }

    [Fact]
    public async Task A_machine_that_rests_runs_what_a_person_asks_for()
    {
        await using SchedulerHarness harness = new() { Rest = "battery" };
        harness.Add("docs", "hourly");
        await harness.PassAsync(TimeSpan.FromHours(2));
        Assert.Empty(harness.Runs);
        await harness.Scheduler.RunNowAsync(harness.Sets.Find("docs")!, false, static _ => { }, CancellationToken.None);
        Assert.Single(harness.Runs);
    }

    [Fact]
    public async Task What_fails_is_tried_again_with_growing_pauses_and_told_once()
    {
        await using SchedulerHarness harness = new();
        harness.Run = (set, _, _) => Task.FromResult(harness.Finish(set, BackupOutcome.Failed));
        harness.Add("docs", "0 12 * * *");
        harness.Time.AdvanceTo(harness.Time.Elapsed.Date.AddHours(12) - TimeZoneInfo.Local.GetUtcOffset(harness.Time.Elapsed));
        await harness.PassAsync(TimeSpan.FromMinutes(70));
        double[] pauses = [.. harness.Runs.Zip(harness.Runs.Skip(1), static (one, next) => Math.Round((next - one).TotalMinutes))];
        Assert.Equal([1, 2, 4, 8, 16, 32], pauses);
        Assert.Equal(["docs failed"], harness.Notices);
        Assert.Empty(harness.Kept);

        harness.Run = (set, _, _) => Task.FromResult(harness.Finish(set, BackupOutcome.Done));
        await harness.PassAsync(TimeSpan.FromHours(2));
        Assert.Equal(8, harness.Runs.Count);
        harness.Run = (set, _, _) => Task.FromResult(harness.Finish(set, BackupOutcome.Incomplete));
        await harness.PassAsync(TimeSpan.FromHours(24));
        Assert.Equal(["docs failed", "docs incomplete"], harness.Notices);
    }

    [Fact]
    public async Task A_runner_that_throws_is_a_run_that_failed_and_the_other_sets_go_on()
    {
        await using SchedulerHarness harness = new();
        harness.Run = (set, _, _) => set.Name == "bad" ? throw new InvalidOperationException("broken") : Task.FromResult(harness.Finish(set, BackupOutcome.Done));
        harness.Add("bad", "hourly");
        harness.Add("docs", "hourly");
        harness.Add("odd", "no schedule at all");
        await harness.PassAsync(TimeSpan.FromHours(1));
        Assert.Single(harness.Runs);
        Assert.Equal((BackupOutcome.Failed, "broken"), (harness.Sets.Reports("bad")[0].Outcome, harness.Sets.Reports("bad")[0].Reason));
        Assert.Equal(["bad failed"], harness.Notices);
    }

    [Fact]
    public async Task There_is_one_run_at_a_time()
    {
        await using SchedulerHarness harness = new();
        TaskCompletionSource through = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int running = 0;
        harness.Run = async (set, progress, _) =>
        {
            Assert.Equal(1, Interlocked.Increment(ref running));
            progress(new BackupProgress(1, 2, 3, 4, "/d/f"));
            await through.Task;
            Interlocked.Decrement(ref running);
            return harness.Finish(set, BackupOutcome.Done);
        };
        harness.Add("docs", "hourly");
        harness.Add("photos", "hourly");
        harness.Time.Advance(TimeSpan.FromHours(1));
        Task<TimeSpan?> look = harness.LookAsync();
        Task<BackupReport> asked = harness.Scheduler.RunNowAsync(harness.Sets.Find("docs")!, false, static _ => { }, CancellationToken.None);
        Assert.Equal("/d/f", harness.Scheduler.Stand(harness.Sets.Find("docs")!).Running!.Value.Path);
        Assert.Null(harness.Scheduler.Stand(harness.Sets.Find("photos")!).Running);
        Assert.False(look.IsCompleted || asked.IsCompleted);
        through.SetResult();
        await Task.WhenAll(look, asked);
        Assert.Equal(3, harness.Runs.Count);
        Assert.Null(harness.Scheduler.Stand(harness.Sets.Find("docs")!).Running);
    }

    [Fact]
    public async Task A_set_on_change_runs_when_it_is_quiet_again()
    {
        await using SchedulerHarness harness = new();
        harness.Add("docs", "on-change");

        // What changed before somebody watched is not known, so it runs once.
        await harness.PassAsync(ChangeTrigger.Quiet);
        Assert.Single(harness.Runs);
        await harness.PassAsync(TimeSpan.FromHours(5));
        Assert.Single(harness.Runs);
        for (int i = 0; i < 5; i++)
        {
            harness.Changed!();
            await harness.PassAsync(TimeSpan.FromSeconds(30));
        }

        Assert.Single(harness.Runs);
        await harness.PassAsync(ChangeTrigger.Quiet);
        Assert.Equal(2, harness.Runs.Count);
        Assert.Equal(1, harness.Watches);

        // Changed all the time, it runs now and then all the same.
        for (int i = 0; i < 60; i++)
        {
            harness.Changed!();
            await harness.PassAsync(TimeSpan.FromSeconds(30));
        }

        Assert.InRange(harness.Runs.Count, 3, 4);

        // Other folders are watched anew.
        harness.Sets.Put(harness.Sets.Find("docs")! with { Paths = ["/e"] });
        await harness.PassAsync(ChangeTrigger.Quiet);
        Assert.Equal(2, harness.Watches);
    }

    [Fact]
    public async Task What_changes_during_a_run_is_for_the_next_one()
    {
        await using SchedulerHarness harness = new();
        harness.Add("docs", "on-change");
        harness.Run = (set, _, _) =>
        {
            if (harness.Runs.Count == 0)
            {
                harness.Changed!();
            }

            return Task.FromResult(harness.Finish(set, BackupOutcome.Done));
        };
        await harness.PassAsync(TimeSpan.FromMinutes(10));
        Assert.Equal(2, harness.Runs.Count);
    }

    [Fact]
    public async Task The_loop_itself_looks_when_it_is_told_and_when_it_is_time_and_its_end_ends_a_run()
    {
        await using SchedulerHarness harness = new();
        TaskCompletionSource began = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isEnded = false;
        harness.Run = async (set, _, cancellation) =>
        {
            began.TrySetResult();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, harness.Time, cancellation);
            }
            finally
            {
                isEnded = true;
            }

            return harness.Finish(set, BackupOutcome.Done);
        };
        harness.Scheduler.Start();
        harness.Add("docs", "hourly");
        harness.Scheduler.LookSoon();
        while (!began.Task.IsCompleted)
        {
            // Slowly: were it days ahead before the loop gets to run, the set would be stale.
            harness.Time.Advance(TimeSpan.FromSeconds(10));
            await Task.Delay(1);
        }

        await harness.Scheduler.DisposeAsync();
        Assert.True(isEnded);
        Assert.Equal(BackupOutcome.Failed, Assert.Single(harness.Sets.Reports("docs")).Outcome);
        Assert.Empty(harness.Notices);
    }
}
