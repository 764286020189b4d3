using System.Globalization;
using Cronos;

namespace Drive.Backup.Schedules;

/// <summary>
/// When a set runs by itself. Times are those of the machine's zone: one that a change to summer time leaves out comes at the first moment after it, one that
/// comes twice counts once (an hourly one goes on by the hour). All forms become five cron fields, and the arithmetic is Cronos'.
/// </summary>
public sealed class Schedule
{
    /// <summary>The forms there are, for messages.</summary>
    public const string Forms = "hourly, daily 02:00, weekly sun 03:00, monthly 1 04:00, on-change, or five cron fields";

    private static readonly string[] Days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

    // Arbitrary: any moment shows whether a day of a month ever comes.
    private static readonly DateTimeOffset Sometime = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly CronExpression? _fields;
    private readonly string _text;

    private Schedule(string text, CronExpression? fields)
    {
        _text = text;
        _fields = fields;
    }

    /// <summary>Whether it runs when something changed.</summary>
    public bool IsOnChange => _fields is null;

    /// <summary>The schedule that a text means, or a <see cref="FormatException"/> that says the forms.</summary>
    public static Schedule Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] words = text.ToLowerInvariant().Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        string? fields = words switch
        {
            ["on-change"] => null,
            ["hourly"] => "0 * * * *",
            ["daily"] => At("02:00") + " * * *",
            ["daily", var time] => At(time) + " * * *",
            ["weekly"] => At("03:00") + " * * 0",
            ["weekly", var day] => $"{At("03:00")} * * {DayOfWeek(day)}",
            ["weekly", var day, var time] => $"{At(time)} * * {DayOfWeek(day)}",
            ["monthly"] => At("04:00") + " 1 * *",
            ["monthly", var day] => $"{At("04:00")} {DayOfMonth(day)} * *",
            ["monthly", var day, var time] => $"{At(time)} {DayOfMonth(day)} * *",
            [_, _, _, _, _] => string.Join(' ', words),
            _ => throw Refusal(),
        };
        return new Schedule(string.Join(' ', words), fields is null ? null : Fields(fields));

        FormatException Refusal(Exception? cause = null) => new($"'{text}' is no schedule: write {Forms}.", cause);

        CronExpression Fields(string written)
        {
            try
            {
                CronExpression parsed = CronExpression.Parse(written);
                return parsed.GetNextOccurrence(Sometime, TimeZoneInfo.Utc) is null ? throw new FormatException($"'{text}' never comes: there is no such day.") : parsed;
            }
            catch (CronFormatException error)
            {
                throw Refusal(error);
            }
        }

        string At(string time) => TimeOnly.TryParseExact(time, ["H:mm", "HH:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out TimeOnly at) ? $"{at.Minute} {at.Hour}" : throw Refusal();

        int DayOfWeek(string name) => name.Length >= 3 && Array.FindIndex(Days, day => day.StartsWith(name, StringComparison.Ordinal)) is var day and >= 0 ? day : throw Refusal();

        string DayOfMonth(string name) => name == "last" ? "L"
            : !int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int day) || day is < 1 or > 31 ? throw Refusal()
            : day <= 28 ? day.ToString(CultureInfo.InvariantCulture)
            : throw new FormatException($"Not every month has a day {day}: write 'monthly last' for the last one.");
    }

    /// <summary>The first time after a moment; null for one that runs on changes.</summary>
    public DateTimeOffset? NextAfter(DateTimeOffset moment, TimeZoneInfo zone) => _fields?.GetNextOccurrence(moment, zone);

    /// <summary>After so many days without a backup something is wrong: the longest time between its next runs, and two days.</summary>
    public int StaleDays(DateTimeOffset from)
    {
        const int LeastDays = 3;
        double longest = 0;
        DateTimeOffset last = from;

        // Arbitrary: enough to see each weekend and each month.
        for (int i = 0; i < 60 && NextAfter(last, TimeZoneInfo.Utc) is { } next; i++)
        {
            longest = i == 0 ? 0 : Math.Max(longest, (next - last).TotalDays);
            last = next;
        }

        return Math.Max(LeastDays, (int)Math.Ceiling(longest) + 2);
    }

    /// <summary>As it is written.</summary>
    public override string ToString() => _text;
}
