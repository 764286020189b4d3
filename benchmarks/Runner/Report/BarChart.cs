using System.Globalization;

namespace Drive.Benchmarks.Report;

/// <summary>A row of a bar chart: a value for each series (null: none; a failure is said), and where the target lies.</summary>
internal sealed record BarRow(string Label, IReadOnlyList<(double? Value, bool Failed)> Values, double? Target);

/// <summary>Groups of bars on a logarithmic scale around 1: a tenth is as far from it as ten times.</summary>
internal sealed record BarChart(string Title, string Axis, string One, IReadOnlyList<string> Series)
{
    private const int Width = 960;
    private const int Left = 330;
    private const int Right = 60;
    private const int Top = 78;
    private const int Bar = 9;
    private const int Gap = 11;
    private const string TargetColor = "#c0392b";
    private static readonly string[] Colors = ["#1769d2", "#8d99a8", "#c98a2b", "#4b9a6a", "#9a5fb0"];

    /// <summary>Both ends of the scale; what lies beyond ends there, with its figure.</summary>
    public double Least { get; init; } = 0.02;

    public double Most { get; init; } = 2;

    public string? TargetLabel { get; init; }

    public void Save(string path, IReadOnlyList<BarRow> rows)
    {
        int group = (Series.Count * Bar) + Gap;
        int bottom = Top + (rows.Count * group);
        Svg svg = new(Width, bottom + 40);
        svg.Text(20, 28, Title, 16, bold: true);
        DrawLegend(svg);
        foreach (double mark in new[] { 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20 }.Where(mark => mark >= Least && mark <= Most))
        {
            svg.Line(X(mark), Top - 8, X(mark), bottom, mark == 1 ? Svg.Faint : Svg.Rule, mark == 1 ? 1.5 : 1);
            svg.Text(X(mark), bottom + 16, mark == 1 ? One : mark.ToString(CultureInfo.InvariantCulture), 11, Svg.Faint, "middle");
        }

        svg.Text((Left + Width - Right) / 2.0, bottom + 32, Axis, 11, Svg.Faint, "middle");
        for (int row = 0; row < rows.Count; row++)
        {
            DrawRow(svg, rows[row], Top + (row * group));
        }

        svg.Save(path);
    }

    private void DrawLegend(Svg svg)
    {
        double x = 20;
        for (int i = 0; i < Series.Count; i++)
        {
            svg.Rectangle(x, 42, 12, 12, Colors[i % Colors.Length]);
            svg.Text(x + 18, 53, Series[i]);
            x += 40 + (Series[i].Length * 8);
        }

        if (TargetLabel is not null)
        {
            svg.Line(x + 6, 42, x + 6, 54, TargetColor, 2);
            svg.Text(x + 14, 53, TargetLabel);
        }
    }

    private void DrawRow(Svg svg, BarRow row, double y)
    {
        svg.Text(Left - 10, y + (Series.Count * Bar / 2.0) + 4, row.Label, anchor: "end");
        for (int i = 0; i < row.Values.Count; i++)
        {
            double bottom = y + (i * Bar) + Bar - 1;
            if (row.Values[i].Value is { } value)
            {
                svg.Rectangle(Left, y + (i * Bar), X(value) - Left, Bar - 1, Colors[i % Colors.Length]);
                svg.Text(X(value) + 4, bottom, value.ToString(value < 10 ? "0.00" : "0", CultureInfo.InvariantCulture), 9, i == 0 ? Svg.Ink : Svg.Faint, bold: i == 0);
            }
            else if (row.Values[i].Failed)
            {
                svg.Text(Left + 4, bottom, "fails", 9, Svg.Faint);
            }
        }

        if (row.Target is { } target)
        {
            svg.Line(X(target), y - 2, X(target), y + Bar + 1, TargetColor, 2);
        }
    }

    private double X(double value) =>
        Left + ((Width - Left - Right) * (Math.Log(Math.Clamp(value, Least, Most)) - Math.Log(Least)) / (Math.Log(Most) - Math.Log(Least)));
}
