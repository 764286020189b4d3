using Drive.Core;

namespace Drive.Mistakes.Tests;

/// <summary>A suite that nothing can fail proves nothing: each mistake is made on purpose, and the check that has to notice it must fail.</summary>
public sealed class MistakeTests
{
#if DEBUG
    public static TheoryData<Mistake> All => [.. Enum.GetValues<Mistake>()];

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_mistake_is_noticed(Mistake mistake)
    {
        Check check = Checks.Of(mistake);
        Task run = Task.Run(() =>
        {
            Core.Mistakes.Plant(mistake);
            return check.RunAsync();
        });
        Exception? noticed = await Record.ExceptionAsync(() => run);
        Assert.True(noticed is not null, $"{mistake}: {check.Name} notices nothing.");
    }

    [Fact]
    public void The_table_names_each_mistake_and_the_layer_that_notices_it()
    {
        string[] table = File.ReadAllLines(Path.Combine(Root(), "docs", "testing.md"));
        Assert.All(Enum.GetValues<Mistake>(), mistake =>
            Assert.Contains(table, line => line.StartsWith($"| `{mistake}` |", StringComparison.Ordinal) && line.EndsWith($"| {Checks.Of(mistake).Layer} |", StringComparison.Ordinal)));
    }

    private static string Root()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Drive.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new DirectoryNotFoundException("The sources are not above the tests.");
        }

        return directory;
    }
#else
    [Fact]
    public void A_release_build_makes_no_mistakes()
    {
        Assert.False(Core.Mistakes.CanBePlanted);
        Assert.All(Enum.GetValues<Mistake>(), static mistake => Assert.False(Core.Mistakes.Has(mistake)));
    }
#endif
}
