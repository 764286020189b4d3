using System.Text.Json;
using Drive.Benchmarks.Sides;

namespace Drive.Benchmarks.Report;

/// <summary>Every figure of every round, for whoever wants to calculate something else.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Save(string path, Results results, IReadOnlyList<string> sides, IReadOnlyDictionary<string, string> circumstances)
    {
        var document = new
        {
            circumstances,
            notes = results.Notes,
            measures = results.Measures.Select(measure => new
            {
                name = measure.Name,
                unit = measure.Unit,
                target = measure.Target?.Text,
                met = results.Meets(measure, DriveSide.DriveName, NativeSide.NativeName),
                sides = sides.Where(side => results.Rounds(measure, side).Count > 0 || results.Failure(measure, side) is not null).ToDictionary(static side => side, side => new
                {
                    rounds = results.Rounds(measure, side).Values,
                    median = results.Median(measure, side),
                    ratioToNative = results.Ratio(measure, side, NativeSide.NativeName),
                    failure = results.Failure(measure, side),
                }),
            }),
        };
        File.WriteAllText(path, JsonSerializer.Serialize(document, Format));
    }
}
