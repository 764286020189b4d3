using System.Globalization;

namespace Drive.Benchmarks.Report;

/// <summary>What a measure must show for the drive: a bound of the figure itself, or of its ratio to the native file system's.</summary>
internal sealed record Target(bool IsRatio, bool IsLeast, double Bound)
{
    public static Target RatioAtLeast(double bound) => new(IsRatio: true, IsLeast: true, bound);

    public static Target RatioAtMost(double bound) => new(IsRatio: true, IsLeast: false, bound);

    public static Target AtLeast(double bound) => new(IsRatio: false, IsLeast: true, bound);

    public static Target AtMost(double bound) => new(IsRatio: false, IsLeast: false, bound);

    public string Text => string.Create(CultureInfo.InvariantCulture, $"{(IsLeast ? "≥" : "≤")} {Bound:0.###}{(IsRatio ? " × native" : "")}");

    public bool IsMetBy(double value) => IsLeast ? value >= Bound : value <= Bound;
}

/// <summary>One thing that is measured. A unit "by the second" is better when it is more, any other when it is less.</summary>
internal sealed record Measure(string Name, string Unit, Target? Target = null)
{
    public bool IsRate => Unit.EndsWith("/s", StringComparison.Ordinal);
}
