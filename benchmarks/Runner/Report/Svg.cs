using System.Globalization;
using System.Net;
using System.Text;

namespace Drive.Benchmarks.Report;

/// <summary>The few shapes that a chart needs, on a light card of its own, so that it can be read on any page.</summary>
internal sealed class Svg(int width, int height)
{
    public const string Ink = "#1f2733";
    public const string Faint = "#5b6675";
    public const string Rule = "#d5dbe3";
    private const string Card = "#fbfcfd";

    private readonly StringBuilder _body = new();

    public void Rectangle(double x, double y, double w, double h, string fill) =>
        Append($"""<rect x="{x:0.#}" y="{y:0.#}" width="{Math.Max(0, w):0.#}" height="{h:0.#}" rx="1.5" fill="{fill}"/>""");

    public void Line(double x1, double y1, double x2, double y2, string stroke, double thickness = 1, string dashes = "") =>
        Append($"""<line x1="{x1:0.#}" y1="{y1:0.#}" x2="{x2:0.#}" y2="{y2:0.#}" stroke="{stroke}" stroke-width="{thickness:0.#}"{(dashes.Length == 0 ? "" : $" stroke-dasharray=\"{dashes}\"")}/>""");

    public void Path(IEnumerable<(double X, double Y)> points, string stroke) =>
        Append($"""<polyline points="{string.Join(' ', points.Select(static point => string.Create(CultureInfo.InvariantCulture, $"{point.X:0.#},{point.Y:0.#}")))}" fill="none" stroke="{stroke}" stroke-width="2"/>""");

    public void Dot(double x, double y, string fill) => Append($"""<circle cx="{x:0.#}" cy="{y:0.#}" r="3" fill="{fill}"/>""");

    public void Text(double x, double y, string text, int size = 12, string fill = Ink, string anchor = "start", bool bold = false) =>
        Append($"""<text x="{x:0.#}" y="{y:0.#}" font-size="{size}" fill="{fill}" text-anchor="{anchor}"{(bold ? " font-weight=\"600\"" : "")}>{WebUtility.HtmlEncode(text)}</text>""");

    public void Save(string path) => File.WriteAllText(path, string.Create(CultureInfo.InvariantCulture, $"""
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif">
        <rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="{Card}" stroke="{Rule}"/>
        {_body}</svg>

        """));

    private void Append(FormattableString shape) => _body.Append(shape.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
