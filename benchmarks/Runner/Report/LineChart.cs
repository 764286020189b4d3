using System.Globalization;

namespace Drive.Benchmarks.Report;

/// <summary>A line: what it is, and its points.</summary>
internal sealed record ChartLine(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>A panel of lines over a common x axis.</summary>
internal sealed record ChartPanel(string Title, string YLabel, IReadOnlyList<ChartLine> Lines);

/// <summary>Panels side by side, both scales logarithmic: what grows as a power is a slope, what does not grow is flat.</summary>
internal static class LineChart
{
    private const int PanelWidth = 480;
    private const int PanelHeight = 330;
    private const int Left = 72;
    private const int Right = 12;
    private const int Top = 34;
    private const int PlotBottom = 200;
    private const int Header = 44;
    private static readonly string[] Colors = ["#1769d2", "#c98a2b", "#4b9a6a", "#9a5fb0", "#c0392b", "#2aa1a8", "#7a6a58", "#d264a0", "#30343b", "#a3b118"];

    public static void Save(string path, string title, IReadOnlyList<ChartPanel> panels)
    {
        int rows = (panels.Count + 1) / 2;
        Svg svg = new(2 * PanelWidth, Header + (rows * PanelHeight));
        svg.Text(20, 28, title, 16, bold: true);
        for (int i = 0; i < panels.Count; i++)
        {
            Draw(svg, panels[i], i % 2 * PanelWidth, Header + (i / 2 * PanelHeight));
        }

        svg.Save(path);
    }

    private static void Draw(Svg svg, ChartPanel panel, double x0, double y0)
    {
        (double X, double Y)[] points = [.. panel.Lines.SelectMany(static line => line.Points)];
        (int Least, int Most) xs = Decades(points.Select(static point => point.X));
        (int Least, int Most) ys = Decades(points.Select(static point => point.Y));

        // Up to the largest size, and not to the next power of ten.
        double xMost = Math.Max(Math.Log10(points.Max(static point => point.X)), xs.Least + 0.1);
        double X(double value) => x0 + Left + ((PanelWidth - Left - Right) * (Math.Log10(value) - xs.Least) / (xMost - xs.Least));
        double Y(double value) => y0 + PlotBottom - ((PlotBottom - Top) * (Math.Log10(value) - ys.Least) / (ys.Most - ys.Least));
        svg.Text(x0 + 20, y0 + 18, panel.Title, 13, bold: true);
        svg.Text(x0 + PanelWidth - Right, y0 + 18, panel.YLabel, 11, Svg.Faint, "end");
        for (int decade = xs.Least; decade <= xMost; decade++)
        {
            svg.Line(X(Math.Pow(10, decade)), y0 + Top, X(Math.Pow(10, decade)), y0 + PlotBottom, Svg.Rule);
            svg.Text(X(Math.Pow(10, decade)), y0 + PlotBottom + 15, Mark(decade), 11, Svg.Faint, xMost - decade < 0.2 ? "end" : "middle");
        }

        for (int decade = ys.Least; decade <= ys.Most; decade++)
        {
            svg.Line(x0 + Left, Y(Math.Pow(10, decade)), x0 + PanelWidth - Right, Y(Math.Pow(10, decade)), Svg.Rule);
            svg.Text(x0 + Left - 6, Y(Math.Pow(10, decade)) + 4, Mark(decade), 11, Svg.Faint, "end");
        }

        for (int i = 0; i < panel.Lines.Count; i++)
        {
            string color = Colors[i % Colors.Length];
            (double X, double Y)[] line = [.. panel.Lines[i].Points.Select(point => (X(point.X), Y(Math.Max(point.Y, Math.Pow(10, ys.Least)))))];
            svg.Path(line, color);
            foreach ((double x, double y) in line)
            {
                svg.Dot(x, y, color);
            }

            double legendX = x0 + 20 + (i % 2 * ((PanelWidth - 20) / 2));
            double legendY = y0 + PlotBottom + 38 + (i / 2 * 18);
            svg.Rectangle(legendX, legendY - 9, 12, 10, color);
            svg.Text(legendX + 18, legendY, panel.Lines[i].Name, 11);
        }
    }

    private static (int Least, int Most) Decades(IEnumerable<double> values)
    {
        double[] positive = [.. values.Where(static value => value > 0)];
        int least = (int)Math.Floor(Math.Log10(positive.Min()));
        return (least, Math.Max(least + 1, (int)Math.Ceiling(Math.Log10(positive.Max()))));
    }

    private static string Mark(int decade) => Math.Pow(10, decade).ToString("#,0.###", CultureInfo.InvariantCulture);
}
