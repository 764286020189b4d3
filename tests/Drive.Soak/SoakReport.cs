using System.Globalization;
using System.Text;

namespace Drive.Soak;

/// <summary>What came of a soak, and whether it was flat: the last quarter of the samples against the second, by their medians.</summary>
internal sealed class SoakReport(IReadOnlyList<Worker> workers)
{
    private readonly List<string> _failures = [];

    /// <summary>By how much a measure may be higher at the end than after the first quarter, when everything was warm.</summary>
    private static readonly (string Name, Func<Sample, double> Of, double Slack)[] Flat =
    [
        ("resident memory, MiB", static sample => sample.MemoryMiB, 24),
        ("handles", static sample => sample.Handles, 8),
        ("threads", static sample => sample.Threads, 6),
        ("dirty log, MiB", static sample => sample.DirtyLogMiB, 64),
        ("block cache, MiB", static sample => sample.CacheMiB, 64),
        ("daemon's own log, MiB", static sample => sample.LogMiB, 4),
    ];

    public IReadOnlyList<Worker> Workers => workers;

    public List<Sample> Samples { get; } = [];

    /// <summary>Whether every call worked and every byte was found again.</summary>
    public bool IsExact => _failures.Count == 0;

    public bool IsGood => IsExact && Rising().Count == 0;

    public void Note(string? failure)
    {
        if (failure is not null)
        {
            _failures.Add(failure);
        }
    }

    /// <summary>The measures that are not flat.</summary>
    public IReadOnlyList<string> Rising()
    {
        // Without quarters nothing can be compared, and what was not compared is not flat.
        if (Samples.Count < 8)
        {
            return ["too few samples"];
        }

        return [.. Flat.Where(measure => Median(Quarter(3), measure.Of) > Median(Quarter(1), measure.Of) + measure.Slack).Select(static measure => measure.Name)];
    }

    public override string ToString()
    {
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Samples.LastOrDefault()?.Calls ?? 0} calls, {Samples.LastOrDefault()?.At ?? default:hh\\:mm\\:ss}");
        if (Samples.Count >= 8)
        {
            text.AppendLine("| measure | first quarter | second | third | last | highest |");
            text.AppendLine("| --- | ---: | ---: | ---: | ---: | ---: |");
            foreach ((string name, Func<Sample, double> of, _) in Flat.Append(("database, MiB", static sample => sample.DatabaseMiB, 0)).Append(("store, MiB", static sample => sample.StoreMiB, 0)))
            {
                string quarters = string.Join(" | ", Enumerable.Range(0, 4).Select(quarter => Median(Quarter(quarter), of).ToString("0.0", CultureInfo.InvariantCulture)));
                text.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {quarters} | {Samples.Max(of):0.0} |");
            }
        }

        foreach (string rising in Rising())
        {
            text.AppendLine("NOT FLAT: " + rising);
        }

        _failures.ForEach(failure => text.AppendLine("FAILED: " + failure));
        return text.Append(IsGood ? "good" : "not good").ToString();
    }

    private List<Sample> Quarter(int number) => [.. Samples.Skip(Samples.Count * number / 4).Take((Samples.Count * (number + 1) / 4) - (Samples.Count * number / 4))];

    private static double Median(List<Sample> samples, Func<Sample, double> of)
    {
        double[] sorted = [.. samples.Select(of).Order()];
        return sorted[sorted.Length / 2];
    }
}
