using System.Globalization;

namespace Drive.Core.Stores;

/// <summary>
/// A limit of bytes per second that may depend on the time of day: <c>2M</c>, or <c>08:00-18:00=1M,2M</c>. Parts stand between commas, or semicolons where a comma
/// means something else already: any number of windows, then at most one rate for the rest of the day. <c>off</c> is no limit. Immutable; equal when all parts are.
/// </summary>
/// <remarks>
/// A window has its first minute and not its last, and may go over midnight (<c>22:00-06:00</c>); the first one that has a moment decides. Outside all windows the last
/// rate holds, or no limit where there is none. Times are those of the machine's own time zone.
/// </remarks>
public sealed record RateSchedule
{
    /// <summary>The least rate: below it a single pack would take hours. Arbitrary.</summary>
    public const long BytesPerSecondMin = 1024;

    private const string Off = "off";
    private const string Usage = "write a rate such as 2M (bytes per second), 'off', or windows of the day before it: 08:00-18:00=1M,2M";

    private readonly IReadOnlyList<Window> _windows;
    private readonly long? _otherwise;
    private readonly string _text;

    private RateSchedule(IReadOnlyList<Window> windows, long? otherwise)
    {
        _windows = windows;
        _otherwise = otherwise;
        IEnumerable<string> parts = windows.Select(static window => $"{window.Start:HH\\:mm}-{window.End:HH\\:mm}={Write(window.Rate)}");
        _text = string.Join(',', windows.Count > 0 && otherwise is null ? parts : parts.Append(Write(otherwise)));
    }

    /// <summary>No limit at any time.</summary>
    public static RateSchedule None { get; } = new([], null);

    /// <summary>Whether there is no limit at any time.</summary>
    public bool IsNone => _otherwise is null && _windows.All(static window => window.Rate is null);

    /// <summary>From text. <see cref="FormatException"/>, with one line for people, when it makes no sense.</summary>
    /// <param name="text">In the grammar above.</param>
    /// <param name="parseBytes">What an amount of bytes comes to in the units of the place that the text is from; null for what is none.</param>
    public static RateSchedule Parse(string text, Func<string, long?> parseBytes)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(parseBytes);
        List<Window> windows = [];
        string[] parts = text.Split([',', ';'], StringSplitOptions.TrimEntries);
        for (int number = 0; number < parts.Length; number++)
        {
            string[] sides = parts[number].Split('=', StringSplitOptions.TrimEntries);
            if (sides.Length == 1 && number == parts.Length - 1)
            {
                return new RateSchedule(windows, Rate(sides[0]));
            }

            string[] times = sides[0].Split('-', StringSplitOptions.TrimEntries);
            if (sides.Length != 2 || times.Length != 2 || !TryTime(times[0], out TimeOnly start) || !TryTime(times[1], out TimeOnly end) || start == end)
            {
                throw Refusal();
            }

            windows.Add(new Window(start, end, Rate(sides[1])));
        }

        return new RateSchedule(windows, null);

        long? Rate(string rate) => rate == Off ? null : parseBytes(rate) is { } bytes and >= BytesPerSecondMin ? bytes : throw Refusal();

        FormatException Refusal() => new($"'{text}' is no limit: {Usage}; 1K is the least.");
    }

    /// <summary>As <see cref="ToString"/> writes it: amounts are plain numbers.</summary>
    public static RateSchedule ParseWritten(string text) =>
        Parse(text, static amount => long.TryParse(amount, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) ? bytes : null);

    /// <summary>Bytes per second at a time of day; null for no limit.</summary>
    public long? At(TimeOnly time)
    {
        foreach (Window window in _windows)
        {
            if (time.IsBetween(window.Start, window.End))
            {
                return window.Rate;
            }
        }

        return _otherwise;
    }

    /// <inheritdoc/>
    public bool Equals(RateSchedule? other) => other is not null && other._text == _text;

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_text);

    /// <summary>In the grammar above, amounts in bytes.</summary>
    public override string ToString() => _text;

    private static bool TryTime(string text, out TimeOnly time) => TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);

    private static string Write(long? rate) => rate?.ToString(CultureInfo.InvariantCulture) ?? Off;

    private sealed record Window(TimeOnly Start, TimeOnly End, long? Rate);
}
