namespace Drive.Core.History;

/// <summary>
/// Which moments a rule keeps: pure arithmetic, and it leans to keeping. The order of moments is that of their seqs; their times are claims of many clocks. Moments whose
/// times fit together form a <see cref="Line"/>, and the rule is applied to each line by itself. With right clocks there is one line. A clock that runs backwards or is off by
/// years makes another one, and because parts never keep less than the whole, it costs no moment that right clocks would have kept.
/// </summary>
/// <remarks>
/// Kept are the newest moment, the named and the flagged ones, those that lie in the future by <c>now</c>, all of the rule's hours (counted back from the newest, so that
/// nobody's clock makes all of them old at once), and the last moment of each counted day, week, month and year. Flagged and future moments are not counted and stand for no
/// day. Thinning in many steps comes to the same as thinning once.
/// </remarks>
public static class Retention
{
    /// <summary>How far times may fall from one moment to the next: the clocks of devices differ a little.</summary>
    private static readonly TimeSpan FallMax = TimeSpan.FromHours(1);

    /// <summary>A longer step ahead is taken for a clock that leapt. Moments that stand for years lie less than two years apart, so that thinning makes no leaps.</summary>
    private static readonly TimeSpan LeapMin = TimeSpan.FromDays(2 * 366);

    /// <summary>Beyond so many lines no clock is believed, and all is kept. Arbitrary.</summary>
    private const int LinesMax = 16;

    /// <summary>The seqs of the moments to keep. All others may go.</summary>
    /// <param name="rule">What to keep.</param>
    /// <param name="moments">All moments that are still there, in any order, each seq once.</param>
    /// <param name="now">By the clock of this machine, which may be wrong too.</param>
    public static IReadOnlySet<long> Keep(RetentionRule rule, IReadOnlyCollection<Moment> moments, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(rule);
        ArgumentNullException.ThrowIfNull(moments);
        if (rule == RetentionRule.Everything || moments.Count == 0)
        {
            return moments.Select(static moment => moment.Seq).ToHashSet();
        }

        HashSet<long> kept = [moments.Max(static moment => moment.Seq)];
        List<Line> lines = [];
        foreach (Moment moment in moments.OrderBy(static moment => moment.Seq))
        {
            long time = moment.Time.UtcTicks;
            bool isDoubted = moment.IsFlagged || time > now.UtcTicks;
            if (isDoubted || moment.IsNamed)
            {
                kept.Add(moment.Seq);
            }

            if (isDoubted)
            {
                continue;
            }

            if (lines.Where(line => line.Fits(time)).MinBy(line => Math.Abs(line.Last - time)) is { } line)
            {
                line.Add(moment.Seq, time);
            }
            else if (lines.Count < LinesMax)
            {
                lines.Add(new Line(moment.Seq, time));
            }
            else
            {
                kept.Add(moment.Seq);
            }
        }

        foreach (Line line in lines)
        {
            line.Keep(rule, kept);
        }

        return kept;
    }

    /// <summary>Moments in the order of seqs whose times do not fall.</summary>
    private sealed class Line(long seq, long time)
    {
        private readonly List<(long Seq, long Time)> _moments = [(seq, time)];

        public long Last => _moments[^1].Time;

        public bool Fits(long time) => time - Last >= -FallMax.Ticks && time - Last < LeapMin.Ticks;

        public void Add(long seq, long time) => _moments.Add((seq, Math.Max(time, Last)));

        public void Keep(RetentionRule rule, HashSet<long> kept)
        {
            kept.UnionWith(_moments.Where(moment => rule.Hours > 0 && Last - moment.Time <= rule.Hours * TimeSpan.TicksPerHour).Select(static moment => moment.Seq));
            KeepLast(rule.Daily, static time => time.Ticks / TimeSpan.TicksPerDay, kept);
            KeepLast(rule.Weekly, static time => time.Ticks / TimeSpan.TicksPerDay / 7, kept); // The first day that there is was a Monday.
            KeepLast(rule.Monthly, static time => (time.Year * 12) + time.Month, kept);
            KeepLast(rule.Yearly, static time => time.Year, kept);
        }

        /// <summary>From the newest back: the first moment met of each period is its last.</summary>
        private void KeepLast(int count, Func<DateTime, long> periodOf, HashSet<long> kept)
        {
            long? period = null;
            for (int index = _moments.Count - 1; index >= 0; index--)
            {
                long next = periodOf(new DateTime(_moments[index].Time, DateTimeKind.Utc));
                if (next != period && count-- <= 0)
                {
                    return;
                }

                if (next != period)
                {
                    kept.Add(_moments[index].Seq);
                    period = next;
                }
            }
        }
    }
}
