using System.Globalization;

namespace Drive.Soak;

/// <summary>A long mixed load on a real mount. Exit code 1 when bytes differ, a call fails, or something is not flat.</summary>
internal static class Program
{
    private const string Usage = """
        dotnet run -c Release --project tests/Drive.Soak -- [--minutes 60] [--workers 4] [--pause 20] [--seed N] [--at DIRECTORY]
            --pause: milliseconds between two calls of a worker, on average
            --at: where vault and state lie while it runs; a temporary directory otherwise
        Needs root and /dev/fuse.
        """;

    private static int Main(string[] arguments)
    {
        Dictionary<string, string> options = [];
        for (int index = 0; index + 1 < arguments.Length; index += 2)
        {
            options[arguments[index]] = arguments[index + 1];
        }

        if (arguments.Length % 2 != 0 || options.Keys.Except(["--minutes", "--workers", "--pause", "--seed", "--at"]).Any())
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        double Number(string name, double usual) => options.TryGetValue(name, out string? text) ? double.Parse(text, CultureInfo.InvariantCulture) : usual;
        SoakReport report = new SoakRun(
            TimeSpan.FromMinutes(Number("--minutes", 60)),
            (int)Number("--workers", 4),
            TimeSpan.FromMilliseconds(Number("--pause", 20)),
            (int)Number("--seed", Environment.TickCount & 0xFFFFFF),
            options.GetValueOrDefault("--at"),
            Console.WriteLine).Run();
        Console.WriteLine(report);
        return report.IsGood ? 0 : 1;
    }
}
