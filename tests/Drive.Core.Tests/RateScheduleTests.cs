using Drive.Core.Stores;

namespace Drive.Core.Tests;

public sealed class RateScheduleTests
{
    private static long? Kibi(string text) => text.EndsWith('K') && long.TryParse(text[..^1], out long value) ? value * 1024 : null;

    [Theory]
    [InlineData("2K", "00:00", 2048L)]
    [InlineData("08:00-18:00=1K,2K", "07:59", 2048L)]
    [InlineData("08:00-18:00=1K,2K", "08:00", 1024L)]
    [InlineData("08:00-18:00=1K;2K", "17:59", 1024L)]
    [InlineData("08:00-18:00=1K,2K", "18:00", 2048L)]
    [InlineData("22:00-06:00=off,2K", "23:00", null)]
    [InlineData("22:00-06:00=off,2K", "05:59", null)]
    [InlineData("22:00-06:00=off, 2K", "06:00", 2048L)]
    [InlineData("08:00-18:00=1K", "19:00", null)]
    [InlineData("08:00-12:00=1K,10:00-18:00=3K,2K", "11:00", 1024L)]
    [InlineData("08:00-12:00=1K,10:00-18:00=3K,2K", "12:00", 3072L)]
    [InlineData("off", "12:00", null)]
    public void A_limit_holds_by_the_time_of_day(string text, string time, long? rate)
    {
        RateSchedule schedule = RateSchedule.Parse(text, Kibi);
        Assert.Equal(rate, schedule.At(TimeOnly.Parse(time, System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal(schedule, RateSchedule.ParseWritten(schedule.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("fast")]
    [InlineData("0K")]
    [InlineData("2K,1K")]
    [InlineData("08:00-18:00")]
    [InlineData("08:00-18:00=")]
    [InlineData("08:00-08:00=1K")]
    [InlineData("08:00-25:00=1K")]
    [InlineData("8-18=1K")]
    [InlineData("08:00-18:00=1K=2K")]
    [InlineData("08:00-18:00=1K,")]
    [InlineData("2K,08:00-18:00=1K")]
    public void What_is_no_limit_is_refused_in_one_line(string text) =>
        Assert.Contains("write a rate", Assert.Throws<FormatException>(() => RateSchedule.Parse(text, Kibi)).Message, StringComparison.Ordinal);

    [Fact]
    public void No_limit_at_any_time_is_none()
    {
        Assert.True(RateSchedule.Parse("off", Kibi).IsNone);
        Assert.Equal(RateSchedule.None, RateSchedule.Parse("off", Kibi));
        Assert.True(RateSchedule.Parse("08:00-18:00=off", Kibi).IsNone);
        Assert.False(RateSchedule.Parse("08:00-18:00=1K", Kibi).IsNone);
    }
}
