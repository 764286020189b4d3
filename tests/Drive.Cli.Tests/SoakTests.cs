using Drive.Soak;

namespace Drive.Cli.Tests;

/// <summary>The soak itself takes an hour and is run by hand; here it is short, and its judgement is held against what is known.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class SoakTests(Xunit.Abstractions.ITestOutputHelper output)
{
    [MountFact]
    public void A_mixed_load_finds_every_byte_again_here_and_on_a_machine_that_has_only_the_store()
    {
        SoakReport report = new SoakRun(TimeSpan.FromSeconds(12), 3, TimeSpan.FromMilliseconds(4), Environment.TickCount & 0xFFFFFF, null, output.WriteLine).Run();
        output.WriteLine(report.ToString());

        // Whether it is flat only a run that is longer than the way of a byte to the store can tell.
        Assert.True(report.IsExact, report.ToString());
        Assert.True(report.Samples[^1].Calls > 100, "the workers worked");
    }

    [Theory]
    [InlineData("resident memory, MiB", 40, 0, 0, 0)]
    [InlineData("handles", 0, 20, 0, 0)]
    [InlineData("threads", 0, 0, 20, 0)]
    [InlineData("dirty log, MiB", 0, 0, 0, 200)]
    public void What_rises_through_a_run_is_not_flat(string measure, double memory, double handles, double threads, double log)
    {
        SoakReport report = new([]);
        for (int index = 0; index < 40; index++)
        {
            double share = index / 20.0;
            report.Samples.Add(new Sample(TimeSpan.FromSeconds(index), index, 90 + (memory * share), 100 + (handles * share), 20 + (threads * share), 50 + (log * share), 10, 0, 0, 10 * index));
        }

        Assert.Equal([measure], report.Rising());
        Assert.False(report.IsGood);
    }

    [Fact]
    public void A_run_too_short_to_compare_is_not_called_flat() => Assert.False(new SoakReport([]).IsGood);
}
