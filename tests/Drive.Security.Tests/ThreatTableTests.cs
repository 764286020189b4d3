using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Drive.Security.Tests;

/// <summary>Holds the threat table of docs/security.md and the tests together.</summary>
public sealed partial class ThreatTableTests
{
    private const int Rows = 28;

    [Fact]
    public void Every_row_of_the_table_has_a_test_and_every_test_a_row()
    {
        Dictionary<int, List<string>> tests = [];
        foreach (MethodInfo method in typeof(ThreatTableTests).Assembly.GetTypes().SelectMany(static type => type.GetMethods()))
        {
            if (RowName().Match(method.Name) is { Success: true } match)
            {
                int row = int.Parse(match.Groups[1].Value);
                tests.TryAdd(row, []);
                tests[row].Add(method.Name);
            }
        }

        Assert.Equal(Enumerable.Range(1, Rows), tests.Keys.Order());
        string[] page = File.ReadAllLines(Page());
        foreach (int row in tests.Keys)
        {
            Assert.Single(page, line => line.StartsWith($"| {row} |", StringComparison.Ordinal));
        }
    }

    internal static string Page([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "docs", "security.md");

    [GeneratedRegex(@"^Row_(\d\d)_")]
    private static partial Regex RowName();
}
