using System.Globalization;

namespace Drive.Core.History;

/// <summary>
/// Which moments history keeps: everything for some hours, then the last one of each day, week, month and year, for so many of each. As text <c>24h,30d,12w,12m,3y</c>,
/// with parts of zero left out, or <c>all</c>. Immutable.
/// </summary>
/// <remarks>Days, weeks (from Monday), months and years are those of UTC, and only those count in which there was a commit. <see cref="Retention"/> applies it.</remarks>
/// <param name="Hours">For how many hours every moment is kept.</param>
/// <param name="Daily">How many days keep their last moment.</param>
/// <param name="Weekly">How many weeks keep their last moment.</param>
/// <param name="Monthly">How many months keep their last moment.</param>
/// <param name="Yearly">How many years keep their last moment.</param>
public sealed record RetentionRule(int Hours, int Daily, int Weekly, int Monthly, int Yearly)
{
    /// <summary>The largest number in a rule: more than any vault has of anything. Arbitrary.</summary>
    public const int CountMax = 1_000_000;

    private const string All = "all";
    private const string Units = "hdwmy";

    /// <summary>Everything for 24 hours, then 30 daily, 12 weekly, 12 monthly and 3 yearly moments.</summary>
    public static RetentionRule Default { get; } = new(24, 30, 12, 12, 3);

    /// <summary>Nothing is ever removed.</summary>
    public static RetentionRule Everything { get; } = new(int.MaxValue, 0, 0, 0, 0);

    /// <summary>From text. <see cref="FormatException"/>, with one line for people, when it makes no sense.</summary>
    public static RetentionRule Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Trim() == All)
        {
            return Everything;
        }

        int?[] counts = new int?[Units.Length];
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            int unit = part.Length < 2 ? -1 : Units.IndexOf(part[^1], StringComparison.Ordinal);
            if (unit < 0 || counts[unit] is not null || !int.TryParse(part.AsSpan(..^1), NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count > CountMax)
            {
                throw new FormatException(
                    $"'{text}' is no rule of retention: write how many hours, days, weeks, months and years to keep, such as {Default}, or 'all'; {CountMax} is the most.");
            }

            counts[unit] = count;
        }

        return new RetentionRule(counts[0] ?? 0, counts[1] ?? 0, counts[2] ?? 0, counts[3] ?? 0, counts[4] ?? 0);
    }

    /// <summary>In the grammar above.</summary>
    public override string ToString()
    {
        if (this == Everything)
        {
            return All;
        }

        int[] counts = [Hours, Daily, Weekly, Monthly, Yearly];
        string text = string.Join(',', counts.Select(static (count, unit) => (count, unit)).Where(static part => part.count > 0)
            .Select(static part => string.Create(CultureInfo.InvariantCulture, $"{part.count}{Units[part.unit]}")));
        return text.Length > 0 ? text : "0h";
    }
}
