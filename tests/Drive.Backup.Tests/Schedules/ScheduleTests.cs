using System.Globalization;
using Drive.Backup.Schedules;

namespace Drive.Backup.Tests.Schedules;

public sealed class ScheduleTests
{
    // Central Europe's rules, without the machine's data of time zones.
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.CreateCustomTimeZone(
        "test", TimeSpan.FromHours(1), "test", "test", "test summer",
        [TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(
            DateTime.MinValue.Date, DateTime.MaxValue.Date, TimeSpan.FromHours(1),
            TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 2, 0, 0), 3, 5, DayOfWeek.Sunday),
            TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 3, 0, 0), 10, 5, DayOfWeek.Sunday))]);

    [Theory]
    [InlineData("hourly", "2026-11-23 14:30 +1", "2026-11-23 15:00 +1")]
    [InlineData("hourly", "2026-11-23 15:00 +1", "2026-11-23 16:00 +1")]
    [InlineData("daily", "2026-11-23 14:30 +1", "2026-11-24 02:00 +1")]
    [InlineData("daily 02:00", "2026-11-23 01:30 +1", "2026-11-23 02:00 +1")]
    [InlineData("Daily  9:05", "2026-11-23 14:30 +1", "2026-11-24 09:05 +1")]
    [InlineData("weekly", "2026-11-23 14:30 +1", "2026-11-29 03:00 +1")]
    [InlineData("weekly mon 15:00", "2026-11-23 14:30 +1", "2026-11-23 15:00 +1")]
    [InlineData("weekly Monday 14:00", "2026-11-23 14:30 +1", "2026-11-30 14:00 +1")]
    [InlineData("monthly 1 04:00", "2026-11-23 14:30 +1", "2026-12-01 04:00 +1")]
    [InlineData("monthly 23 14:31", "2026-11-23 14:30 +1", "2026-11-23 14:31 +1")]
    [InlineData("monthly last 04:00", "2026-02-03 00:00 +1", "2026-02-28 04:00 +1")]
    [InlineData("*/15 8-18 * * mon-fri", "2026-11-20 18:50 +1", "2026-11-23 08:00 +1")]
    [InlineData("0 0 29 2 *", "2026-11-23 00:00 +1", "2028-02-29 00:00 +1")]

    // 02:30 does not come on 29 March 2026: it is made up for at 03:00. On 25 October it comes twice, and counts once.
    [InlineData("daily 02:30", "2026-03-28 12:00 +1", "2026-03-29 03:00 +2")]
    [InlineData("daily 02:30", "2026-03-29 03:00 +2", "2026-03-30 02:30 +2")]
    [InlineData("daily 02:30", "2026-10-24 12:00 +2", "2026-10-25 02:30 +2")]
    [InlineData("daily 02:30", "2026-10-25 02:30 +2", "2026-10-26 02:30 +1")]
    [InlineData("daily 02:30", "2026-10-25 02:15 +1", "2026-10-26 02:30 +1")]
    [InlineData("hourly", "2026-03-29 01:00 +1", "2026-03-29 03:00 +2")]
    [InlineData("hourly", "2026-10-25 02:00 +2", "2026-10-25 02:00 +1")]
    public void The_next_time_is_that_of_the_machines_zone(string text, string after, string next) =>
        Assert.Equal(Moment(next), Schedule.Parse(text).NextAfter(Moment(after), Berlin));

    [Fact]
    public void On_change_has_no_times()
    {
        Assert.True(Schedule.Parse("on-change").IsOnChange);
        Assert.Null(Schedule.Parse("on-change").NextAfter(Moment("2026-11-23 14:30 +1"), Berlin));
        Assert.False(Schedule.Parse("hourly").IsOnChange);
    }

    [Theory]
    [InlineData("")]
    [InlineData("sometimes")]
    [InlineData("daily 25:00")]
    [InlineData("daily 2")]
    [InlineData("daily 02:00 03:00")]
    [InlineData("weekly so")]
    [InlineData("weekly xyz 03:00")]
    [InlineData("monthly 0")]
    [InlineData("monthly 32")]
    [InlineData("* * * *")]
    [InlineData("61 * * * *")]
    [InlineData("a b c d e")]
    public void What_is_no_schedule_is_refused_with_the_forms_there_are(string text)
    {
        FormatException refusal = Assert.Throws<FormatException>(() => Schedule.Parse(text));
        Assert.Contains(Schedule.Forms, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("monthly 31", "monthly last")]
    [InlineData("0 0 30 2 *", "never comes")]
    public void A_day_that_does_not_always_come_is_refused(string text, string why) =>
        Assert.Contains(why, Assert.Throws<FormatException>(() => Schedule.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("hourly", 3)]
    [InlineData("daily", 3)]
    [InlineData("0 2 * * mon-fri", 5)]
    [InlineData("weekly", 9)]
    [InlineData("monthly", 33)]
    [InlineData("on-change", 3)]
    public void How_long_may_pass_without_a_backup_goes_by_the_schedule(string text, int days) => Assert.Equal(days, Schedule.Parse(text).StaleDays(Moment("2026-11-23 14:30 +1")));

    internal static DateTimeOffset Moment(string text) => DateTimeOffset.ParseExact(text, "yyyy-MM-dd HH:mm z", CultureInfo.InvariantCulture);
}
