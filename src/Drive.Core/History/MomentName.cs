using System.Globalization;
using System.Text.RegularExpressions;

namespace Drive.Core.History;

/// <summary>
/// Times as people write them to name a state of the past. A name stands for a whole period, a second, minute, hour or day, and means the last state that was made in it or before it. So
/// a date alone is the end of that day. Pure.
/// </summary>
/// <remarks>
/// <c>2026-11-20</c>, <c>2026-11-20T14</c>, <c>2026-11-20T14:00</c>, <c>2026-11-20T14:00:05</c>, with <c>T</c> or a space, in local time, or with <c>Z</c> or an offset such as <c>+01:00</c>
/// behind the time. Besides, for commands: <c>90s</c>, <c>30m</c>, <c>2h</c>, <c>3d</c>, <c>1w</c>, so long ago, with or without <c>ago</c>. A local time that there was twice is the later one.
/// </remarks>
public static partial class MomentName
{
    /// <summary>The name of the newest state.</summary>
    public const string Latest = "latest";

    private const string LocalSeconds = "yyyy-MM-dd'T'HH:mm:ss";

    /// <summary>Reads a written time. False when it is none.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="zone">Where local times are read.</param>
    /// <param name="start">When the period begins.</param>
    /// <param name="end">Just before the next period begins: what was made up to then counts.</param>
    public static bool TryParse(string text, TimeZoneInfo zone, out DateTimeOffset start, out DateTimeOffset end)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(zone);
        (start, end) = (default, default);
        Match match = Written().Match(text);
        if (!match.Success || !DateTime.TryParseExact(match.Groups["date"].Value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime from))
        {
            return false;
        }

        TimeSpan length = TimeSpan.FromDays(1);
        if (match.Groups["hour"].Success)
        {
            (int hour, int minute, int second) = (Number(match, "hour"), Number(match, "minute"), Number(match, "second"));
            if (hour > 23 || minute > 59 || second > 59)
            {
                return false;
            }

            from += new TimeSpan(hour, minute, second);
            length = match.Groups["second"].Success ? TimeSpan.FromSeconds(1) : match.Groups["minute"].Success ? TimeSpan.FromMinutes(1) : TimeSpan.FromHours(1);
        }

        if (from.Year is < 1970 or > 2200 || !TryReadOffset(match.Groups["zone"].Value, out TimeSpan? offset))
        {
            return false;
        }

        start = ToTime(from, offset, zone);
        end = ToTime(from + length, offset, zone) - TimeSpan.FromTicks(1);
        return end >= start;
    }

    /// <summary>Reads how long ago something was. False when that is not what was written.</summary>
    public static bool TryParseAge(string text, out TimeSpan age)
    {
        ArgumentNullException.ThrowIfNull(text);
        age = default;
        Match match = Age().Match(text);
        if (!match.Success || !int.TryParse(match.Groups["count"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count > 100_000)
        {
            return false;
        }

        age = match.Groups["unit"].Value[0] switch
        {
            's' => TimeSpan.FromSeconds(count),
            'm' => TimeSpan.FromMinutes(count),
            'h' => TimeSpan.FromHours(count),
            'd' => TimeSpan.FromDays(count),
            _ => TimeSpan.FromDays(7L * count),
        };
        return true;
    }

    /// <summary>The name of the second in which a time lies: local, or with Z where local time would mean another one.</summary>
    public static string Format(DateTimeOffset time, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        string local = TimeZoneInfo.ConvertTime(time, zone).ToString(LocalSeconds, CultureInfo.InvariantCulture);
        return TryParse(local, zone, out DateTimeOffset start, out DateTimeOffset end) && start <= time && time <= end
            ? local
            : time.UtcDateTime.ToString(LocalSeconds, CultureInfo.InvariantCulture) + "Z";
    }

    private static int Number(Match match, string group) => match.Groups[group].Success ? int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture) : 0;

    private static bool TryReadOffset(string written, out TimeSpan? offset)
    {
        offset = written switch { "" => null, "Z" or "z" => TimeSpan.Zero, _ => TimeSpan.ParseExact(written[1..], "hh\\:mm", CultureInfo.InvariantCulture) };
        offset = written.StartsWith('-') ? -offset : offset;
        return offset is null || offset.Value.Duration() <= TimeSpan.FromHours(14);
    }

    private static DateTimeOffset ToTime(DateTime written, TimeSpan? offset, TimeZoneInfo zone)
    {
        if (offset is { } said)
        {
            return new DateTimeOffset(written, said);
        }

        if (zone.IsInvalidTime(written))
        {
            // The hour that summer time leaves out: what the clock would have shown without.
            return new DateTimeOffset(written, zone.GetUtcOffset(written.AddHours(-1)));
        }

        return new DateTimeOffset(written, zone.IsAmbiguousTime(written) ? zone.GetAmbiguousTimeOffsets(written).Min() : zone.GetUtcOffset(written));
    }

    [GeneratedRegex(@"^(?<date>\d{4}-\d\d-\d\d)(?:[T ](?<hour>\d\d)(?::(?<minute>\d\d)(?::(?<second>\d\d))?)?(?<zone>[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)?)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Written();

    [GeneratedRegex(@"^(?<count>\d+) ?(?<unit>[smhdw])(?: ?ago)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Age();
}
