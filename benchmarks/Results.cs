using System.Text.Json;

namespace Drive.Benchmarks;

/// <summary>What a measure must show: a ratio of speeds to another side, or an upper bound.</summary>
internal sealed record Goal(string Measure, string? ComparedTo, double Bound)
{
    public string Text => ComparedTo is null ? $"< {Bound:g4}" : $"≥ {Bound:g3} × {ComparedTo}";
}

/// <summary>All figures of a run, a series of rounds for each measure and side.</summary>
internal sealed class Results(IReadOnlyList<Goal> goals)
{
    private const string Own = "drive";
    private readonly List<(string Measure, string Unit)> _measures = [];
    private readonly Dictionary<(string Measure, string Side), List<double>> _series = [];

    public void Add(string measure, string unit, string side, double value)
    {
        if (!_measures.Contains((measure, unit)))
        {
            _measures.Add((measure, unit));
        }

        if (!_series.TryGetValue((measure, side), out List<double>? series))
        {
            _series[(measure, side)] = series = [];
        }

        series.Add(value);
        Console.Error.WriteLine($"  {measure,-34} {side,-10} {value,10:f3} {unit}");
    }

    public void Print()
    {
        Console.WriteLine($"| {"measure (median)",-34} | {"unit",-4} | {"native",9} | {"gocryptfs",9} | {"drive",9} | drive/native | gocryptfs/native | drive/gocryptfs | {"goal",-16} |      |");
        Console.WriteLine($"|{new string('-', 36)}|{new string('-', 6)}|{new string('-', 10)}:|{new string('-', 10)}:|{new string('-', 10)}:|-------------:|-----------------:|----------------:|{new string('-', 18)}|------|");
        foreach ((string measure, string unit) in _measures)
        {
            Goal? goal = goals.FirstOrDefault(goal => goal.Measure == measure);
            string verdict = goal is null ? "" : Meets(goal) ? "met" : "MISS";
            Console.WriteLine(
                $"| {measure,-34} | {unit,-4} | {Figure(measure, "native"),9} | {Figure(measure, "gocryptfs"),9} | {Figure(measure, Own),9} "
                + $"| {Factor(measure, unit, Own, "native"),12} | {Factor(measure, unit, "gocryptfs", "native"),16} | {Factor(measure, unit, Own, "gocryptfs"),15} | {goal?.Text,-16} | {verdict,-4} |");
        }
    }

    public void Save(string path, IReadOnlyDictionary<string, string> circumstances)
    {
        var document = new
        {
            circumstances,
            measures = _measures.Select(measure => new
            {
                name = measure.Measure,
                unit = measure.Unit,
                rounds = _series.Where(pair => pair.Key.Measure == measure.Measure).ToDictionary(static pair => pair.Key.Side, static pair => pair.Value),
                driveToNative = Speed(measure.Measure, Own, "native"),
                gocryptfsToNative = Speed(measure.Measure, "gocryptfs", "native"),
                driveToGocryptfs = Speed(measure.Measure, Own, "gocryptfs"),
                goal = goals.FirstOrDefault(goal => goal.Measure == measure.Measure)?.Text,
                met = goals.FirstOrDefault(goal => goal.Measure == measure.Measure) is { } goal ? Meets(goal) : (bool?)null,
            }),
        };
        File.WriteAllText(path, JsonSerializer.Serialize(document, JsonFormat));
    }

    private static JsonSerializerOptions JsonFormat { get; } = new() { WriteIndented = true };

    private bool Meets(Goal goal) => goal.ComparedTo is { } other
        ? Speed(goal.Measure, Own, other) >= goal.Bound
        : _series.TryGetValue((goal.Measure, Own), out List<double>? series) && Median(series) < goal.Bound;

    private string Figure(string measure, string side) =>
        _series.TryGetValue((measure, side), out List<double>? series) ? $"{Median(series):f3}" : "";

    private string Factor(string measure, string unit, string side, string other) =>
        unit == "s" && Speed(measure, side, other) is { } speed ? $"{speed:f2}" : "";

    /// <summary>How fast one side is against another: the median over the rounds, since only what ran side by side can be compared.</summary>
    private double? Speed(string measure, string side, string other) =>
        _series.TryGetValue((measure, side), out List<double>? mine) && _series.TryGetValue((measure, other), out List<double>? theirs)
            ? Median([.. mine.Zip(theirs, static (mine, theirs) => theirs / mine)])
            : null;

    private static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
