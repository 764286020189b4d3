using System.Globalization;

namespace Drive.Benchmarks.Report;

/// <summary>All figures of a run: for each measure and side one a round. Ratios are taken round by round, since only what ran side by side can be compared.</summary>
internal sealed class Results
{
    private readonly List<Measure> _measures = [];
    private readonly Dictionary<(Measure Measure, string Side), SortedDictionary<int, double>> _series = [];
    private readonly Dictionary<(Measure Measure, string Side), string> _failures = [];

    public IReadOnlyList<Measure> Measures => _measures;

    /// <summary>What is left out, and why: a peer that is not installed, a measure that needs root.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>The round that figures belong to.</summary>
    public int Round { get; set; }

    public bool HasFailure(string side) => _failures.Keys.Any(key => key.Side == side);

    public void Add(Measure measure, string side, double value)
    {
        Know(measure);
        if (!_series.TryGetValue((measure, side), out SortedDictionary<int, double>? series))
        {
            _series[(measure, side)] = series = [];
        }

        series[Round] = value;
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {measure.Name,-48} {side,-10} {value,12:f3} {measure.Unit}"));
    }

    /// <summary>A side could not do it. That is a result too.</summary>
    public void Fail(Measure measure, string side, string reason)
    {
        Know(measure);
        _failures[(measure, side)] = reason;
        Console.Error.WriteLine($"  {measure.Name,-48} {side,-10} failed: {reason}");
    }

    public string? Failure(Measure measure, string side) => _failures.GetValueOrDefault((measure, side));

    public IReadOnlyDictionary<int, double> Rounds(Measure measure, string side) =>
        _series.TryGetValue((measure, side), out SortedDictionary<int, double>? series) ? series : new SortedDictionary<int, double>();

    public double? Median(Measure measure, string side) => Median([.. Rounds(measure, side).Values]);

    /// <summary>The figure of one side divided by another's: the median over the rounds.</summary>
    public double? Ratio(Measure measure, string side, string other)
    {
        IReadOnlyDictionary<int, double> mine = Rounds(measure, side);
        IReadOnlyDictionary<int, double> theirs = Rounds(measure, other);
        return Median([.. mine.Where(pair => theirs.TryGetValue(pair.Key, out double their) && their > 0).Select(pair => pair.Value / theirs[pair.Key])]);
    }

    /// <summary>How many times as fast one side is as another.</summary>
    public double? Speed(Measure measure, string side, string other) => Ratio(measure, side, other) switch
    {
        { } ratio when measure.IsRate => ratio,
        > 0 and { } ratio => 1 / ratio,
        _ => null,
    };

    /// <summary>Whether the drive meets the measure's target; null when it has none or was not measured.</summary>
    public bool? Meets(Measure measure, string side, string native)
    {
        if (measure.Target is not { } target)
        {
            return null;
        }

        if (Failure(measure, side) is not null)
        {
            return false;
        }

        return (target.IsRatio ? Ratio(measure, side, native) : Median(measure, side)) is { } value ? target.IsMetBy(value) : null;
    }

    public static double? Median(double[] values)
    {
        if (values.Length == 0)
        {
            return null;
        }

        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private void Know(Measure measure)
    {
        if (!_measures.Contains(measure))
        {
            _measures.Add(measure);
        }
    }
}
