using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Drive.Benchmarks.Report;
using Drive.Benchmarks.Sides;

namespace Drive.Benchmarks.Growth;

/// <summary>One operation at one size: the median and the 99th percentile of its samples, and the daemon's processor time for one of them where it is known.</summary>
internal readonly record struct Cost(long Size, double Median, double High, double? Cpu = null)
{
    /// <summary>What is judged: processor time, since time on the clock says more about what else the machine does.</summary>
    public double Judged => Cpu ?? Median;

    /// <summary>A figure that was taken once.</summary>
    public static Cost Once(long size, double value) => new(size, value, value);
}

/// <summary>An operation over growing sizes, in a part of the run.</summary>
internal sealed record Growing(string Part, string Operation, string Unit)
{
    public List<Cost> Costs { get; } = [];

    /// <summary>How many times as dear it is at the largest size as where it was least dear (the smallest sizes pay for code that is compiled on its first use).</summary>
    public double Factor => Costs[^1].Judged / Math.Max(Costs.Min(static cost => cost.Judged), 1e-9);

    /// <summary>What a logarithm would have come to.</summary>
    public double LogarithmicFactor => Math.Log(Costs[^1].Size) / Math.Log(Math.Max(Costs[0].Size, 2));

    /// <summary>Twice a logarithm is given to noise; beyond it something grows that should not.</summary>
    public bool IsSteep => Costs.Count > 1 && Costs[^1].Size >= 10 * Costs[0].Size && Factor > 2 * LogarithmicFactor;
}

/// <summary>All costs of a run.</summary>
internal sealed class GrowthResults
{
    private const double Microseconds = 1e6;
    private readonly List<Growing> _all = [];

    public IReadOnlyList<Growing> All => _all;

    /// <summary>Does something again and again and notes what one costs, in microseconds.</summary>
    public void Sample(DriveSide drive, string part, string operation, long size, int times, Action<int> action)
    {
        double cpu = drive.CpuSeconds();
        double[] costs = new double[times];
        for (int i = 0; i < times; i++)
        {
            long start = Stopwatch.GetTimestamp();
            action(i);
            costs[i] = Stopwatch.GetElapsedTime(start).TotalSeconds * Microseconds;
        }

        cpu = (drive.CpuSeconds() - cpu) * Microseconds / times;
        Array.Sort(costs);
        Note(part, operation, "µs", new Cost(size, costs[times / 2], costs[Math.Min(times - 1, times * 99 / 100)], cpu));
    }

    public void Note(string part, string operation, string unit, Cost cost)
    {
        Growing? growing = _all.Find(growing => growing.Part == part && growing.Operation == operation);
        if (growing is null)
        {
            growing = new Growing(part, operation, unit);
            _all.Add(growing);
        }

        growing.Costs.Add(cost);
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {part,-10} {cost.Size,10:n0}  {operation,-34} {cost.Median,12:f1} {unit} (99 %: {cost.High:f1}, cpu: {cost.Cpu ?? 0:f1})"));
    }

    public void Print(TextWriter writer)
    {
        foreach (IGrouping<string, Growing> part in _all.GroupBy(static growing => growing.Part))
        {
            long[] sizes = [.. part.SelectMany(static growing => growing.Costs).Select(static cost => cost.Size).Distinct().Order()];
            Table table = new([part.Key, "unit", .. sizes.Select(static size => size.ToString("n0", CultureInfo.InvariantCulture)), "last / least", "a logarithm", ""]);
            foreach (Growing growing in part)
            {
                table.Add(
                [
                    growing.Operation, growing.Unit, .. sizes.Select(size => Figure(growing, size)), Table.Number(growing.Factor), Table.Number(growing.LogarithmicFactor),
                    growing.IsSteep ? "GROWS" : "",
                ]);
            }

            table.Print(writer);
            writer.WriteLine();
        }

        writer.WriteLine("Each cell: median / 99th percentile / processor time of the daemon. Where that is known it is what the last columns are about.");
    }

    public void Save(string path, IReadOnlyDictionary<string, string> circumstances)
    {
        var document = new
        {
            circumstances,
            series = _all.Select(static growing => new
            {
                part = growing.Part,
                operation = growing.Operation,
                unit = growing.Unit,
                factor = growing.Factor,
                steep = growing.IsSteep,
                costs = growing.Costs.Select(static cost => new { size = cost.Size, median = cost.Median, high = cost.High, cpu = cost.Cpu }),
            }),
        };
        File.WriteAllText(path, JsonSerializer.Serialize(document, Format));
    }

    private static JsonSerializerOptions Format { get; } = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Figure(Growing growing, long size) =>
        growing.Costs.Where(cost => cost.Size == size).Select(static cost => cost.Cpu is { } cpu
            ? $"{Table.Number(cost.Median)} / {Table.Number(cost.High)} / {Table.Number(cpu)}"
            : Table.Number(cost.Median)).FirstOrDefault("");
}
