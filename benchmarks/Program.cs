using System.Globalization;
using Drive.Benchmarks;

string? program = null, json = null, only = null, at = null;
int rounds = 3, files = 10_000, mebibytes = 1024;
for (int i = 0; i + 1 < args.Length; i += 2)
{
    string value = args[i + 1];
    switch (args[i])
    {
        case "--drive": program = value; break;
        case "--json": json = value; break;
        case "--only": only = value; break;
        case "--at": at = value; break;
        case "--rounds": rounds = int.Parse(value, CultureInfo.InvariantCulture); break;
        case "--files": files = int.Parse(value, CultureInfo.InvariantCulture); break;
        case "--bytes": mebibytes = int.Parse(value, CultureInfo.InvariantCulture); break;
        default: Console.Error.WriteLine($"There is no option {args[i]}."); return 2;
    }
}

if (program is null || args.Length % 2 != 0)
{
    Console.Error.WriteLine("Usage: benchmarks/run [--rounds N] [--files N] [--bytes MIB] [--only large,small,busy,mount,help] [--at DIRECTORY] [--json FILE]");
    return 2;
}

string[] wanted = only?.Split(',') ?? [];
Results results = new(
[
    new("write large, fsync", "native", 0.4),
    new("read large, warm", "native", 0.4),
    new("create small files", "gocryptfs", 2),
    new("create small files during upload", "gocryptfs", 2),
    new("ls -lR, warm", "native", 0.5),
    new("drive --help", null, 0.15),
    new("mount, until usable", null, 0.5),
    new("peak resident memory", null, 200),
]);
string home = Path.Combine(at ?? Path.GetTempPath(), $"drive-benchmark-{Environment.ProcessId}");
DriveSide drive = new(Path.Combine(home, "drive"), program);
List<Side> sides = [new NativeSide(Path.Combine(home, "native")), new GocryptfsSide(Path.Combine(home, "gocryptfs")), drive];
try
{
    sides.ForEach(static side => side.Begin());

    // 320 MiB: more than the volume lets gather before it sends, so that an upload begins at once.
    new Rounds(sides, drive, new Load(files, mebibytes, seed: 1), new Load(files, 320, seed: 2), results, name => wanted.Length == 0 || wanted.Contains(name)).Run(rounds);
}
finally
{
    sides.ForEach(static side => side.Dispose());
}

Directory.Delete(home, recursive: true);
results.Print();
if (json is not null)
{
    results.Save(json, new Dictionary<string, string>
    {
        ["rounds"] = rounds.ToString(CultureInfo.InvariantCulture),
        ["files"] = files.ToString(CultureInfo.InvariantCulture),
        ["mebibytes"] = mebibytes.ToString(CultureInfo.InvariantCulture),
        ["cores"] = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture),
        ["kernel"] = File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        ["load"] = File.ReadAllText("/proc/loadavg").Trim(),
    });
    Console.WriteLine($"\nFigures of all rounds: {json}");
}

return 0;
