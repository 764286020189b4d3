using Drive.Backup.Schedules;
using Drive.Testing;

namespace Drive.Backup.Tests.Schedules;

public sealed class RunPlanTests
{
    private static readonly DateTimeOffset Now = ScheduleTests.Moment("2026-11-23 14:30 +0");
    private static readonly Schedule Daily = Schedule.Parse("daily 02:00");

    [Fact]
    public void A_new_set_waits_for_its_first_time_and_one_of_unknown_age_does_not()
    {
        Assert.Equal(Now.Date.AddDays(1).AddHours(2), Next([], created: Now)!.Value.DateTime);
        Assert.Equal(Now, Next([], created: null));
    }

    [Fact]
    public void A_set_without_a_schedule_never_runs_by_itself() => Assert.Null(RunPlan.Next(null, null, [Report(BackupOutcome.Failed, Now)], Now, TimeZoneInfo.Utc));

    [Fact]
    public void However_many_times_were_missed_one_run_makes_up_for_them()
    {
        DateTimeOffset due = Next([Report(BackupOutcome.Done, Now.AddDays(-30))])!.Value;
        Assert.True(due <= Now);
        Assert.Equal(Now.Date.AddDays(1).AddHours(2), Next([Report(BackupOutcome.Done, Now), Report(BackupOutcome.Done, Now.AddDays(-30))])!.Value.DateTime);
    }

    [Theory]
    [InlineData(BackupOutcome.Incomplete)]
    [InlineData(BackupOutcome.Suspicious)]
    public void A_run_that_was_not_all_good_is_not_repeated_before_its_time(BackupOutcome outcome) => Assert.True(Next([Report(outcome, Now)]) > Now.AddHours(1));

    [Fact]
    public void A_run_that_failed_is_repeated_with_growing_pauses()
    {
        BackupReport good = Report(BackupOutcome.Done, Now.AddDays(-1));
        List<BackupReport> reports = [good];
        List<double> minutes = [];
        for (int i = 0; i < 9; i++)
        {
            reports.Insert(0, Report(BackupOutcome.Failed, Now));
            minutes.Add((Next(reports)!.Value - Now).TotalMinutes);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60, 60], minutes);
        Assert.Equal(TimeSpan.FromHours(1), RunPlan.Backoff(int.MaxValue));
    }

    [Fact]
    public void A_run_on_demand_that_failed_does_not_bring_the_next_time_nearer()
    {
        BackupReport good = Report(BackupOutcome.Done, Now.AddHours(-1));
        Assert.Equal(Next([good]), Next([Report(BackupOutcome.Failed, Now.AddMinutes(-1)), good]));
    }

    [Fact]
    public void Reports_from_the_future_do_not_stop_it()
    {
        // The clock was years ahead, then was set right.
        Assert.Equal(Now, Next([Report(BackupOutcome.Done, Now.AddYears(9))]));
        Assert.Equal(Now, Next([Report(BackupOutcome.Failed, Now.AddYears(9))], created: Now.AddDays(-2))!.Value);

        // What the wrong clock wrote is passed over, wherever it stands.
        Assert.True(Next([Report(BackupOutcome.Done, Now), Report(BackupOutcome.Done, Now.AddYears(9))]) > Now.AddHours(1));
        Assert.True(Next([Report(BackupOutcome.Failed, Now.AddYears(9)), Report(BackupOutcome.Done, Now)]) > Now.AddHours(1));

        // A correction by seconds is no reason for another run.
        Assert.True(Next([Report(BackupOutcome.Done, Now.AddSeconds(20))]) > Now.AddHours(1));
    }

    [Fact]
    public void A_set_that_runs_on_changes_is_only_repeated()
    {
        Schedule onChange = Schedule.Parse("on-change");
        Assert.Null(RunPlan.Next(onChange, null, [], Now, TimeZoneInfo.Utc));
        Assert.Equal(Now.AddMinutes(1), RunPlan.Next(onChange, null, [Report(BackupOutcome.Failed, Now)], Now, TimeZoneInfo.Utc));
    }

    [Fact]
    public void Days_without_a_backup_are_told_whatever_the_reason()
    {
        BackupSet set = new() { Name = "s", Paths = ["/d"], StaleDays = 3, Created = Now.AddDays(-10) };
        Assert.False(RunPlan.IsStale(set, [Report(BackupOutcome.Done, Now.AddDays(-2.9))], Now));
        Assert.True(RunPlan.IsStale(set, [Report(BackupOutcome.Done, Now.AddDays(-3.1))], Now));
        Assert.True(RunPlan.IsStale(set, [Report(BackupOutcome.Failed, Now), Report(BackupOutcome.Done, Now.AddDays(-3.1))], Now));
        Assert.False(RunPlan.IsStale(set, [Report(BackupOutcome.Incomplete, Now)], Now));
        Assert.True(RunPlan.IsStale(set, [], Now));
        Assert.True(RunPlan.IsStale(set with { IsPaused = true }, [], Now));
        Assert.False(RunPlan.IsStale(set with { Created = Now.AddDays(-1) }, [], Now));

        // A backup that a wrong clock dated hides nothing.
        Assert.True(RunPlan.IsStale(set, [Report(BackupOutcome.Done, Now.AddYears(5)), Report(BackupOutcome.Done, Now.AddDays(-4))], Now));
    }

    [Fact]
    public void Changes_are_waited_out_but_not_for_ever()
    {
        ManualTime time = new();
        ChangeTrigger trigger = new();
        Assert.Null(trigger.Remaining(time));
        trigger.Note(time.GetTimestamp());
        Assert.Equal(ChangeTrigger.Quiet, trigger.Remaining(time));
        time.Advance(TimeSpan.FromSeconds(59));
        time.Jump(TimeSpan.FromDays(-400));
        trigger.Note(time.GetTimestamp());
        Assert.Equal(ChangeTrigger.Quiet, trigger.Remaining(time));
        time.Advance(ChangeTrigger.Quiet);
        Assert.Equal(TimeSpan.Zero, trigger.Remaining(time));
        trigger.Clear();
        Assert.Null(trigger.Remaining(time));

        for (int i = 0; i < 20; i++)
        {
            trigger.Note(time.GetTimestamp());
            time.Advance(TimeSpan.FromSeconds(50));
        }

        Assert.True(trigger.Remaining(time) <= TimeSpan.Zero);
    }

    private static DateTimeOffset? Next(IReadOnlyList<BackupReport> reports, DateTimeOffset? created = null) => RunPlan.Next(Daily, created, reports, Now, TimeZoneInfo.Utc);

    private static BackupReport Report(BackupOutcome outcome, DateTimeOffset at) => new() { Set = "s", Outcome = outcome, Started = at, Ended = at };
}
