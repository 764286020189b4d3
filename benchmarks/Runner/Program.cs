using System.Globalization;
using Drive.Benchmarks;
using Drive.Benchmarks.Report;

if (args.Contains("--help"))
{
    Console.WriteLine(Options.Usage);
    return 0;
}

Options options;
try
{
    options = Options.Parse(args);
}
catch (FormatException refusal)
{
    Console.Error.WriteLine($"{refusal.Message}\n{Options.Usage}");
    return 2;
}

string home = Path.Combine(options.At, $"drive-benchmark-{Environment.ProcessId}");
Directory.CreateDirectory(home);
Dictionary<string, string> circumstances = new()
{
    ["mode"] = options.Mode,
    ["rounds"] = options.Rounds.ToString(CultureInfo.InvariantCulture),
    ["bytes"] = options.Bytes?.ToString(CultureInfo.InvariantCulture) ?? "default",
    ["files"] = options.Files?.ToString(CultureInfo.InvariantCulture) ?? "default",
    ["cores"] = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture),
    ["kernel"] = File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
    ["loadBefore"] = File.ReadAllText("/proc/loadavg").Trim(),
};
bool isWhole = options.Mode switch
{
    "growth" => Outcome.Growth(options, home, circumstances),
    "cloud" => Outcome.Cloud(options, home, circumstances),
    "backup" => Outcome.Backup(options, home, circumstances),
    _ => Outcome.Local(options, home, circumstances),
};
Directory.Delete(home, recursive: true);
return isWhole ? 0 : 1;
