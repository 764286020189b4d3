using System.Diagnostics;
using System.Globalization;
using Drive.Fuzzing;

// drive fuzzing: dotnet run -c Release --project tests/Drive.Fuzzing -- TARGET|all [--seconds 60] [--seed S] [--keep DIR] [--found DIR]
// The process copies itself, instruments the product's assemblies in the copy, and runs there: branches guide the mutations.
Options? options = Options.Parse(args);
if (options is null)
{
    Console.Error.WriteLine($"Usage: TARGET|all [--seconds 60] [--seed S] [--keep DIR: writes the pool there] [--found DIR: writes findings there]\nTargets: {string.Join(' ', FuzzTarget.All.Keys)}");
    return 2;
}

if (Environment.GetEnvironmentVariable(Instrumented.Mark) != "1")
{
    return Instrumented.RunCopy(args);
}

Coverage.Start();
int failures = 0;
foreach (string name in options.Targets)
{
    using FuzzTarget target = FuzzTarget.All[name]();
    Corpus saved = new(Path.Combine(AppContext.BaseDirectory, "corpus", name));
    FuzzRun run = new(target, options.Seed, isGuided: true);
    run.Replay(target.Seeds.Concat(saved.Read()));
    int known = run.Edges;
    run.Mutate(TimeSpan.FromSeconds(options.Seconds));
    double rate = run.Executions / Math.Max(0.001, run.Elapsed.TotalSeconds);
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{name,-11} seed {options.Seed}: {run.Executions} runs, {rate:0}/s, {run.Edges} edges ({known} from the corpus), pool {run.Pool.Count}, slowest {run.Slowest.TotalMilliseconds:0} ms, "
        + $"most memory {run.AllocatedMax >> 10} KiB, {run.Findings.Count} findings"));
    failures += run.Findings.Count;
    foreach (Finding finding in run.Findings)
    {
        string path = options.Found is null ? Convert.ToHexStringLower(finding.Input) : new Corpus(Path.Combine(options.Found, name)).Write(finding.Input);
        Console.WriteLine($"  {path}\n    {finding.What.ReplaceLineEndings("\n    ")}");
    }

    if (options.Keep is not null)
    {
        Corpus kept = new(Path.Combine(options.Keep, name));
        foreach (byte[] input in run.Pool)
        {
            kept.Write(input);
        }
    }
}

return failures == 0 ? 0 : 1;

/// <summary>The command line.</summary>
internal sealed record Options(IReadOnlyList<string> Targets, double Seconds, int Seed, string? Keep, string? Found)
{
    public static Options? Parse(string[] args)
    {
        string? Value(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
        if (args.Length == 0 || (args[0] != "all" && !FuzzTarget.All.ContainsKey(args[0])))
        {
            return null;
        }

        return new Options(
            args[0] == "all" ? [.. FuzzTarget.All.Keys] : [args[0]],
            double.Parse(Value("--seconds") ?? "60", CultureInfo.InvariantCulture),
            int.Parse(Value("--seed") ?? Process.GetCurrentProcess().StartTime.GetHashCode().ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
            Value("--keep"),
            Value("--found"));
    }
}
