using Xunit.Abstractions;

namespace Drive.Fuzzing.Tests;

/// <summary>
/// The saved corpus against every parser, and some mutations of it from a seed of the day. What guides the runner to new inputs is not needed here: each input of the corpus
/// was kept because it reached something that no other did.
/// </summary>
public sealed class CorpusTests(ITestOutputHelper output)
{
    private const int MutationsUsually = 20_000;
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(6);

    public static TheoryData<string> Targets => [.. FuzzTarget.All.Keys];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Saved_inputs_and_mutations_of_them_give_a_value_or_a_typed_refusal(string name)
    {
        int seed = Environment.TickCount;
        using FuzzTarget target = FuzzTarget.All[name]();
        IReadOnlyList<byte[]> saved = new Corpus(Path.Combine(AppContext.BaseDirectory, "corpus", name)).Read();
        FuzzRun run = new(target, seed, isGuided: false);
        run.Replay(target.Seeds.Concat(saved));
        run.Mutate(TimeMax, MutationsUsually);
        output.WriteLine($"Seed {seed}: {saved.Count} saved inputs, {run.Executions} runs, slowest {run.Slowest.TotalMilliseconds:0} ms, most memory {run.AllocatedMax >> 10} KiB");
        Assert.True(saved.Count > 0, $"no corpus of {name}");
        Assert.True(run.Findings.Count == 0, string.Join("\n\n", run.Findings.Select(finding => $"{name}, seed {seed}: {Convert.ToHexStringLower(finding.Input)}\n{finding.What}")));
    }
}
