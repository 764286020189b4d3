using System.Globalization;
using Drive.Benchmarks.Backups;
using Drive.Benchmarks.Growth;
using Drive.Benchmarks.Report;
using Drive.Benchmarks.Sides;

namespace Drive.Benchmarks;

/// <summary>Runs a mode and hands out what it found: tables, figures, a picture. False when the drive failed at something.</summary>
internal static class Outcome
{
    public static bool Local(Options options, string home, Dictionary<string, string> circumstances)
    {
        using LocalRun run = new(options, home);
        run.Run();
        Say(run.Results);
        Table.Of(run.Results, run.Sides).Print(Console.Out);
        Console.WriteLine("\nProcessor seconds of the process behind each mount, and what went to the drive's store:\n");
        Side[] served = [.. run.Sides.Where(static side => side is not NativeSide)];
        Table cost = new(["median of the rounds", "unit", .. served.Select(static side => side.Name)]);
        foreach (Measure measure in run.Cost.Measures)
        {
            cost.Add([measure.Name, measure.Unit, .. served.Select(side => Table.Number(run.Cost.Median(measure, side.Name)))]);
        }

        cost.Print(Console.Out);
        Save(options, run.Results, NamesOf(run.Sides), circumstances);
        if (options.Chart is { } chart)
        {
            string rounds = options.Rounds == 1 ? "one round" : $"medians of {options.Rounds} rounds";
            Side[] shown = [.. run.Sides.Where(static side => side is DriveSide), .. run.Sides.Where(static side => side is PeerSide)];
            new BarChart(
                $"Drive and others against the machine's own file system ({rounds})", "speed against the machine's own file system, more is better", "native = 1",
                [.. shown.Select(static side => side.Name)])
            { TargetLabel = "Drive's target" }.Save(chart, RatioRows(run.Results, shown));
            Console.WriteLine($"Picture: {chart}");
        }

        return !run.Results.HasFailure(DriveSide.DriveName);
    }

    public static bool Cloud(Options options, string home, Dictionary<string, string> circumstances)
    {
        using CloudRun run = new(options, home);
        run.Run();
        Say(run.Results);
        Table.Of(run.Results, run.Sides).Print(Console.Out);
        circumstances["latency"] = options.Latency;
        circumstances["rate"] = options.Rate;
        Save(options, run.Results, NamesOf(run.Sides), circumstances);
        if (options.Chart is { } chart)
        {
            new BarChart(
                $"Drive on a store {options.Latency} and {options.Rate}/s away, against its targets", "how well the target is met: 2 is twice as good, 0.5 half as good", "target = 1",
                [DriveSide.DriveName])
            { Least = 0.01, Most = 20 }.Save(chart, TargetRows(run.Results));
            Console.WriteLine($"Picture: {chart}");
        }

        return !run.Results.HasFailure(DriveSide.DriveName);
    }

    public static bool Backup(Options options, string home, Dictionary<string, string> circumstances)
    {
        BackupRun run = new(options, home);
        run.Run();
        Say(run.Results);
        string[] peers = [.. run.Sides.Where(static side => side is ResticSide.Program or BorgSide.Program)];
        Table table = new(["median of the rounds", "unit", .. run.Sides, .. peers.Select(static peer => $"times as good as {peer}"), "target", ""]);
        foreach (Measure measure in run.Results.Measures)
        {
            table.Add(
            [
                measure.Name, measure.Unit,
                .. run.Sides.Select(side => run.Results.Failure(measure, side) is null ? Table.Number(run.Results.Median(measure, side)) : "fails"),
                .. peers.Select(peer => Table.Number(run.Results.Speed(measure, DriveSide.DriveName, peer))),
                measure.Target?.Text ?? "", run.Results.Meets(measure, DriveSide.DriveName, NativeSide.NativeName) switch { true => "met", false => "MISSED", null => "" },
            ]);
        }

        table.Print(Console.Out);
        Save(options, run.Results, run.Sides, circumstances);
        if (options.Chart is { } chart && peers.Length > 0)
        {
            new BarChart("Backups with Drive, restic and borg", "how many times as good Drive is: twice the speed, half of the seconds, memory or bytes", "equal", [.. peers.Select(static peer => $"against {peer}")])
            { Least = 0.1, Most = 20 }.Save(chart, [.. run.Results.Measures.Select(measure => new BarRow(
                $"{measure.Name} ({measure.Unit})", [.. peers.Select(peer => (run.Results.Speed(measure, DriveSide.DriveName, peer), run.Results.Failure(measure, peer) is not null))], null))]);
            Console.WriteLine($"Picture: {chart}");
        }

        return !run.Results.HasFailure(DriveSide.DriveName);
    }

    public static bool Growth(Options options, string home, Dictionary<string, string> circumstances)
    {
        using GrowthRun run = new(options, home);
        run.Run();
        Console.WriteLine();
        run.Results.Print(Console.Out);
        if (options.Json is { } json)
        {
            run.Results.Save(json, circumstances);
            Console.WriteLine($"All figures: {json}");
        }

        if (options.Chart is { } chart)
        {
            LineChart.Save(chart, "What an operation costs as the drive grows", [.. run.Results.All.Where(static growing => growing.Costs.Count > 1).GroupBy(static growing => (growing.Part, IsFast: growing.Unit == "µs")).Select(static panel => new ChartPanel(
                panel.Key.Part,
                panel.Key.IsFast ? "µs of the daemon's CPU" : "ms, MiB",
                [.. panel.Select(static growing => new ChartLine(growing.Operation, [.. growing.Costs.Select(static cost => ((double)cost.Size, cost.Judged))]))]))]);
            Console.WriteLine($"Picture: {chart}");
        }

        return true;
    }

    private static List<BarRow> RatioRows(Results results, Side[] shown) =>
    [
        .. results.Measures.Where(measure => measure.Target is { IsRatio: true } && results.Rounds(measure, NativeSide.NativeName).Count > 0).Select(measure => new BarRow(
            measure.Name,
            [.. shown.Select(side => (results.Speed(measure, side.Name, NativeSide.NativeName), results.Failure(measure, side.Name) is not null))],
            measure.Target!.IsLeast ? measure.Target.Bound : 1 / measure.Target.Bound)),
    ];

    // A target of nothing can't be divided by: met it counts as 1, else as the least that is drawn.
    private static List<BarRow> TargetRows(Results results) =>
    [
        .. from measure in results.Measures
           let target = measure.Target
           let value = target is null ? null : target.IsRatio ? results.Ratio(measure, DriveSide.DriveName, NativeSide.NativeName) : results.Median(measure, DriveSide.DriveName)
           where value is not null
           let share = target.IsLeast ? value.Value / target.Bound : Math.Max(target.Bound, 1e-9) / Math.Max(value.Value, 1e-9)
           select new BarRow($"{measure.Name} ({target.Text}{(target.IsRatio ? "" : " " + measure.Unit)})", [(share, false)], null),
    ];

    private static string[] NamesOf(IReadOnlyList<Side> sides) => [.. sides.Select(static side => side.Name).Distinct()];

    private static void Say(Results results)
    {
        Console.WriteLine();
        results.Notes.ForEach(Console.WriteLine);
        Console.WriteLine();
    }

    private static void Save(Options options, Results results, IReadOnlyList<string> sides, Dictionary<string, string> circumstances)
    {
        bool?[] verdicts = [.. results.Measures.Select(measure => results.Meets(measure, DriveSide.DriveName, NativeSide.NativeName))];
        Console.WriteLine($"\n{verdicts.Count(static met => met == true)} of {verdicts.Count(static met => met is not null)} targets met.");
        if (options.Json is { } json)
        {
            circumstances["loadAfter"] = File.ReadAllText("/proc/loadavg").Trim();
            JsonReport.Save(json, results, sides, circumstances);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Figures of all rounds: {json}"));
        }
    }
}
