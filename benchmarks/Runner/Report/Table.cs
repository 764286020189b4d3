using System.Globalization;
using Drive.Benchmarks.Sides;

namespace Drive.Benchmarks.Report;

/// <summary>A table in Markdown whose columns line up in a terminal too.</summary>
internal sealed class Table(params string[] heads)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Print(TextWriter writer)
    {
        int[] widths = [.. heads.Select((head, i) => Math.Max(3, _rows.Select(row => row[i].Length).Append(head.Length).Max()))];
        writer.WriteLine(Line(heads, widths));
        writer.WriteLine($"| {string.Join(" | ", widths.Select((width, i) => i == 0 ? new string('-', width) : new string('-', width - 1) + ":"))} |");
        _rows.ForEach(row => writer.WriteLine(Line(row, widths)));
    }

    /// <summary>Figures of all sides, ratios to the native one, the best encrypting peer, and the target.</summary>
    public static Table Of(Results results, IReadOnlyList<Side> sides)
    {
        string[] others = [.. sides.Where(static side => side is not NativeSide).Select(static side => side.Name)];
        Table table = new(
        [
            "median of the rounds", "unit", .. sides.Select(static side => side.Name), .. others.Select(static name => $"{name} / native"),
            "speed / best encrypting peer", "target", "",
        ]);
        foreach (Measure measure in results.Measures)
        {
            string verdict = results.Meets(measure, DriveSide.DriveName, NativeSide.NativeName) switch { true => "met", false => "MISSED", null => "" };
            double[] toPeers = [.. sides.Where(static side => side is PeerSide { Encrypts: true })
                .Select(side => results.Speed(measure, DriveSide.DriveName, side.Name)).OfType<double>()];
            table.Add(
            [
                measure.Name, measure.Unit,
                .. sides.Select(side => results.Failure(measure, side.Name) is null ? Number(results.Median(measure, side.Name)) : "fails"),
                .. others.Select(name => Ratio(results.Ratio(measure, name, NativeSide.NativeName))),
                toPeers.Length == 0 ? "" : Ratio(toPeers.Min()) + " ×",
                measure.Target?.Text ?? "", verdict,
            ]);
        }

        return table;
    }

    public static string Number(double? value) => value switch
    {
        null => "",
        0 => "0",
        < 0.1 and > -0.1 => value.Value.ToString("0.0000", CultureInfo.InvariantCulture),
        < 10 => value.Value.ToString("0.00", CultureInfo.InvariantCulture),
        < 100 => value.Value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("#,0", CultureInfo.InvariantCulture),
    };

    private static string Ratio(double? value) => value is null ? "" : value.Value.ToString(value < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture);

    private static string Line(string[] cells, int[] widths) =>
        $"| {string.Join(" | ", cells.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i])))} |";
}
