using System.Globalization;
using Drive.Control;

namespace Drive.Cli;

/// <summary>Amounts as people write and read them.</summary>
internal static class Quantity
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>Bytes from "500M", "20G", "1.5T", "123": units are powers of 1024. Null when it is none.</summary>
    public static long? ParseBytes(string text)
    {
        ReadOnlySpan<char> number = text.AsSpan().Trim();
        if (number.EndsWith("iB", StringComparison.OrdinalIgnoreCase))
        {
            number = number[..^2];
        }
        else if (number.Length > 1 && number[^1] is 'b' or 'B' && !char.IsAsciiDigit(number[^2]))
        {
            number = number[..^1];
        }

        int power = number.IsEmpty ? 0 : "KMGTP".IndexOf(char.ToUpperInvariant(number[^1])) + 1;
        if (power > 0)
        {
            number = number[..^1];
        }

        return decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value)
            && value * (1L << (10 * power)) is var bytes and > 0 and < long.MaxValue
                ? (long)bytes
                : null;
    }

    /// <summary>A time from "90", "90s", "5m", "2h". Null when it is none.</summary>
    public static TimeSpan? ParseTime(string text)
    {
        ReadOnlySpan<char> number = text.AsSpan().Trim();
        double unit = 1;
        if (!number.IsEmpty && !char.IsAsciiDigit(number[^1]))
        {
            unit = number[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, _ => 0 };
            number = number[..^1];
        }

        // A hundred days: beyond it a timer would refuse, and nobody means it.
        return unit > 0 && double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value * unit <= 8_640_000
            ? TimeSpan.FromSeconds(value * unit)
            : null;
    }

    /// <summary>"1.5 GiB".</summary>
    public static string Bytes(double bytes)
    {
        int unit = 0;
        while (bytes >= 1024 && unit < Units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return bytes.ToString(unit == 0 || bytes >= 100 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + Units[unit];
    }

    /// <summary>"3 files, 1.5 GiB".</summary>
    public static string Files(FileAmount amount) => $"{amount.Files} {(amount.Files == 1 ? "file" : "files")}, {Bytes(amount.Bytes)}";

    /// <summary>"40 s", "12 min", "3 h", "5 days".</summary>
    public static string Age(TimeSpan age) => age switch
    {
        { TotalSeconds: < 90 } => $"{Math.Max(0, (int)age.TotalSeconds)} s",
        { TotalMinutes: < 90 } => $"{(int)age.TotalMinutes} min",
        { TotalHours: < 48 } => $"{(int)age.TotalHours} h",
        _ => $"{(int)age.TotalDays} days",
    };
}
