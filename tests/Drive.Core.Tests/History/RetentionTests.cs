using Drive.Core.History;

namespace Drive.Core.Tests.History;

public sealed class RetentionTests
{
    private static readonly DateTimeOffset Start = new(2020, 1, 1, 12, 0, 0, TimeSpan.Zero); // A Wednesday.

    [Fact]
    public void Nothing_comes_to_nothing() => Assert.Empty(Retention.Keep(RetentionRule.Default, [], Start));

    [Fact]
    public void Hours_keep_everything_counted_from_the_newest()
    {
        Moment[] moments = [.. Enumerable.Range(0, 10).Select(static hour => new Moment(hour, Start.AddHours(hour)))];
        Assert.Equal([6, 7, 8, 9], Kept("3h", moments, Start.AddHours(9)));
        Assert.Equal([6, 7, 8, 9], Kept("3h", moments, Start.AddYears(9)));
    }

    [Fact]
    public void A_day_a_week_a_month_and_a_year_keep_their_last_moment()
    {
        // Two a day at noon and at six, from Wednesday 1 January 2020 on, for 800 days: the last is Thursday 10 March 2022.
        Moment[] moments = [.. Enumerable.Range(0, 1600).Select(static number => new Moment(number, Start.AddDays(number / 2).AddHours(6 * (number % 2))))];
        DateTimeOffset now = moments[^1].Time;
        Assert.Equal(["2022-03-09", "2022-03-10"], Days("2d"));
        Assert.Equal(["2022-02-27", "2022-03-06", "2022-03-10"], Days("3w"));
        Assert.Equal(["2021-12-31", "2022-01-31", "2022-02-28", "2022-03-10"], Days("4m"));
        Assert.Equal(["2020-12-31", "2021-12-31", "2022-03-10"], Days("9y"));
        Assert.Equal(["2022-02-28", "2022-03-06", "2022-03-09", "2022-03-10"], Days("2d,2w,2m"));

        string[] Days(string rule) => [.. Kept(rule, moments, now).Select(seq =>
        {
            Assert.Equal(18, moments[seq].Time.Hour);
            return moments[seq].Time.ToString("yyyy-MM-dd");
        })];
    }

    [Fact]
    public void Only_days_with_a_commit_count()
    {
        Moment[] moments = [.. Enumerable.Range(0, 5).Select(static number => new Moment(number, Start.AddDays(100 * number)))];
        Assert.Equal([2, 3, 4], Kept("3d", moments, Start.AddDays(1000)));
    }

    [Fact]
    public void The_newest_stays_by_any_rule() => Assert.Equal([7], Kept("0h", [new(3, Start), new(7, Start.AddDays(1)), new(5, Start.AddDays(2))], Start.AddYears(1)));

    [Fact]
    public void All_is_all() => Assert.Equal([1, 2], Kept("all", [new(1, Start), new(2, Start)], Start));

    [Fact]
    public void Named_moments_stay_and_stand_for_their_day() =>
        Assert.Equal([1, 3, 4], Kept("2d", [new(1, Start, IsNamed: true), new(2, Start.AddDays(1)), new(3, Start.AddDays(1)), new(4, Start.AddDays(2))], Start.AddYears(1)));

    [Fact]
    public void Flagged_moments_stay_and_stand_for_nothing() =>
        Assert.Equal([1, 2, 3], Kept("1d", [new(0, Start), new(1, Start), new(2, Start.AddHours(1), IsFlagged: true), new(3, Start.AddDays(1), IsFlagged: true)], Start.AddYears(1)));

    [Fact]
    public void A_device_five_years_ahead_takes_no_place_of_the_others()
    {
        Moment[] moments = [.. Enumerable.Range(0, 60).Select(static number => new Moment(number, Start.AddDays(number).AddYears(number == 50 ? 5 : 0)))];
        Assert.Equal(Enumerable.Range(29, 31), Kept("30d", moments, Start.AddDays(60)));
    }

    [Fact]
    public void Times_at_the_ends_of_the_calendar_are_no_trouble()
    {
        Moment[] moments = [new(1, DateTimeOffset.MinValue), new(2, DateTimeOffset.MaxValue), new(3, Start), new(4, DateTimeOffset.MinValue)];
        Assert.Equal([2, 3, 4], Kept("1d", moments, Start).Where(static seq => seq != 1));
        Assert.Equal([2, 3, 4], Kept("1d", moments, DateTimeOffset.MaxValue).Where(static seq => seq != 1));
        Assert.Equal([2, 3, 4], Kept("1d", moments, DateTimeOffset.MinValue).Where(static seq => seq != 1));
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_newest_the_named_and_the_flagged_are_kept_and_nothing_is_made_up(int seed)
    {
        Random random = new(seed);
        RetentionRule rule = RandomRule(random);
        Moment[] moments = [.. RandomMoments(random, random.Next(1, 300)).Select(moment => moment with
        {
            Time = random.Next(4) == 0 ? moment.Time.AddDays(random.Next(-5000, 5000)) : moment.Time,
            IsNamed = random.Next(20) == 0,
            IsFlagged = random.Next(20) == 0,
        })];
        random.Shuffle(moments);
        IReadOnlySet<long> kept = Retention.Keep(rule, moments, Start.AddDays(random.Next(-5000, 5000)));
        Assert.Subset(moments.Select(static moment => moment.Seq).ToHashSet(), kept.ToHashSet());
        Assert.Contains(moments.Max(static moment => moment.Seq), kept);
        Assert.All(moments.Where(static moment => moment.IsNamed || moment.IsFlagged), moment => Assert.Contains(moment.Seq, kept));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Thinning_in_steps_comes_to_the_same_as_thinning_once(int seed)
    {
        Random random = new(seed);
        RetentionRule rule = RandomRule(random);
        Moment[] all = RandomMoments(random, 400);
        List<Moment> stepwise = [];
        foreach (Moment moment in all)
        {
            stepwise.Add(moment);
            if (random.Next(10) == 0)
            {
                IReadOnlySet<long> kept = Retention.Keep(rule, stepwise, moment.Time);
                stepwise.RemoveAll(other => !kept.Contains(other.Seq));
            }
        }

        Assert.Equal(Retention.Keep(rule, all, all[^1].Time).Order(), Retention.Keep(rule, stepwise, all[^1].Time).Order());
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_wrong_clock_of_this_machine_removes_no_more(int seed)
    {
        Random random = new(seed);
        RetentionRule rule = RandomRule(random);
        Moment[] moments = RandomMoments(random, random.Next(1, 400));
        IReadOnlySet<long> right = Retention.Keep(rule, moments, moments[^1].Time);
        IReadOnlySet<long> wrong = Retention.Keep(rule, moments, moments[^1].Time.AddDays(random.Next(-5000, 5000)));
        Assert.Superset(right.ToHashSet(), wrong.ToHashSet());
    }

    /// <summary>Devices whose clocks are off by whole 400 years have the same weekdays, months and leap years, so the right answer can be compared to the moment.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Clocks_of_devices_that_are_years_off_remove_no_more(int seed)
    {
        Random random = new(seed);
        RetentionRule rule = RandomRule(random);
        Moment[] moments = RandomMoments(random, random.Next(1, 400));
        int[] yearsOff = [0, 400, -400, 800];
        bool inRuns = random.Next(2) == 0;
        int years = 0;
        Moment[] claimed = [.. moments.Select(moment =>
        {
            years = !inRuns || random.Next(50) == 0 ? yearsOff[random.Next(yearsOff.Length)] : years;
            return moment with { Time = moment.Time.AddYears(years) };
        })];
        IReadOnlySet<long> right = Retention.Keep(rule, moments, moments[^1].Time);
        DateTimeOffset now = moments[^1].Time.AddYears(yearsOff[random.Next(yearsOff.Length)]);
        Assert.Superset(right.ToHashSet(), Retention.Keep(rule, claimed, now).ToHashSet());
    }

    private static int[] Kept(string rule, Moment[] moments, DateTimeOffset now) => [.. Retention.Keep(RetentionRule.Parse(rule), moments, now).Order().Select(static seq => (int)seq)];

    private static RetentionRule RandomRule(Random random) => new(random.Next(49), random.Next(40), random.Next(15), random.Next(15), random.Next(5));

    /// <summary>Moments in order, minutes to weeks apart.</summary>
    private static Moment[] RandomMoments(Random random, int count)
    {
        DateTimeOffset time = Start;
        return [.. Enumerable.Range(1, count).Select(number => new Moment(number, time = time.AddMinutes(Math.Pow(10, random.NextDouble() * 4.3))))];
    }
}
