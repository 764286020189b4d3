using Drive.Core.History;

namespace Drive.Core.Tests;

public sealed class MomentNameTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Theory]
    [InlineData("2026-11-20T14:00:05Z", "2026-11-20T14:00:05Z", 1)]
    [InlineData("2026-11-20T14:00Z", "2026-11-20T14:00:00Z", 60)]
    [InlineData("2026-11-20 14Z", "2026-11-20T14:00:00Z", 3600)]
    [InlineData("2026-11-20T14:00+05:30", "2026-11-20T08:30:00Z", 60)]
    [InlineData("2026-11-20T14:00", "2026-11-20T13:00:00Z", 60)]
    [InlineData("2026-07-20T14:00", "2026-07-20T12:00:00Z", 60)]
    [InlineData("2026-11-20", "2026-11-19T23:00:00Z", 86_400)]
    [InlineData("2026-03-29", "2026-03-28T23:00:00Z", 82_800)] // summer time begins
    [InlineData("2026-10-25", "2026-10-24T22:00:00Z", 90_000)] // and ends
    [InlineData("2026-10-25T02:30", "2026-10-25T01:30:00Z", 60)] // twice: the later one
    [InlineData("2026-03-29T02:30", "2026-03-29T01:30:00Z", 60)] // never: as without summer time
    public void A_time_stands_for_a_whole_period(string text, string start, long seconds)
    {
        Assert.True(MomentName.TryParse(text, Berlin, out DateTimeOffset from, out DateTimeOffset end));
        Assert.Equal(DateTimeOffset.Parse(start, System.Globalization.CultureInfo.InvariantCulture), from);
        Assert.Equal(seconds * TimeSpan.TicksPerSecond, (end - from).Ticks + 1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("latest")]
    [InlineData("2026-13-01")]
    [InlineData("2026-02-30")]
    [InlineData("2026-11-20T24:00")]
    [InlineData("2026-11-20T14:60")]
    [InlineData("2026-11-20T")]
    [InlineData("2026-11-20Z")]
    [InlineData("2026-11-20T14:00+15:00")]
    [InlineData("1969-12-31")]
    [InlineData("9999-12-31")]
    [InlineData("2026-11-20T14:00 or so")]
    [InlineData("２０２６-11-20")]
    public void Anything_else_is_no_time(string text) => Assert.False(MomentName.TryParse(text, Berlin, out _, out _));

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("30m", 1800)]
    [InlineData("2h ago", 7200)]
    [InlineData("3 d", 259_200)]
    [InlineData("1w", 604_800)]
    public void Ages_are_read(string text, long seconds)
    {
        Assert.True(MomentName.TryParseAge(text, out TimeSpan age));
        Assert.Equal(TimeSpan.FromSeconds(seconds), age);
    }

    [Theory]
    [InlineData("h")]
    [InlineData("-2h")]
    [InlineData("2y")]
    [InlineData("99999999999h")]
    [InlineData("999999h")]
    public void Anything_else_is_no_age(string text) => Assert.False(MomentName.TryParseAge(text, out _));

    [Fact]
    public void Every_moment_has_a_name_that_leads_back_to_it()
    {
        int seed = Random.Shared.Next();
        Random random = new(seed);
        foreach (TimeZoneInfo zone in (TimeZoneInfo[])[TimeZoneInfo.Utc, Berlin, TimeZoneInfo.FindSystemTimeZoneById("America/St_Johns")])
        {
            for (int count = 0; count < 2000; count++)
            {
                // Often around the end of summer time, when an hour comes twice.
                DateTimeOffset time = count % 2 == 0
                    ? DateTimeOffset.UnixEpoch.AddTicks(random.NextInt64(TimeSpan.TicksPerDay, TimeSpan.TicksPerDay * 70_000))
                    : new DateTimeOffset(2026, 10, 25, 0, 0, 0, TimeSpan.Zero).AddTicks(random.NextInt64(TimeSpan.TicksPerDay));
                string name = MomentName.Format(time, zone);
                Assert.True(MomentName.TryParse(name, zone, out DateTimeOffset start, out DateTimeOffset end) && start <= time && time <= end, $"Seed {seed}: {time:o} is called {name}");
            }
        }
    }
}
