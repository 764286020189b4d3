namespace Drive.Security.Tests;

/// <summary>The two broad runs at the size that every build can afford; by hand they go on for as long as one likes (docs/testing.md).</summary>
public sealed class RunTests
{
    [Fact]
    public async Task Every_single_bit_flip_of_every_object_of_a_small_vault_is_refused()
    {
        FlipReport report = await new FlipRun(await KnownVault.CreateAsync(1)).RunAsync(CancellationToken.None);
        Assert.True(report.Accepted.Count == 0, report.ToString());
        Assert.True(report.Flips > 50_000 && report.Objects >= 15, report.ToString());
    }

    [Fact]
    public async Task Five_thousand_random_mutations_give_exact_bytes_or_a_typed_error()
    {
        EvilReport report = await EvilRun.RunAsync(new EvilRunOptions { Seed = 1, Mutations = 5_000 }, CancellationToken.None);
        Assert.True(report.Failures.Count == 0, report.ToString());
        Assert.Contains(report.Outcomes.Keys, static key => key.StartsWith("volume", StringComparison.Ordinal));
    }

    /// <summary>Seeds that once showed a fault of the product, each with what it was.</summary>
    [Theory]
    [InlineData(1164)] // A store that took a pack and kept nothing was believed, and the only copy went.
    [InlineData(1440)] // A store that said "taken" of a new pack was believed.
    [InlineData(1248)] // A new device took a log without its own enrolment for the whole.
    [InlineData(2336)] // The same, by an answer cut short.
    [InlineData(2424)]
    [InlineData(3600)]
    [InlineData(110520)] // A store lost a pack that it had shown, before the commit that names it; the only other copy went with the landing.
    [InlineData(113720)]
    [InlineData(120380)]
    public async Task A_seed_that_once_failed_holds(int seed)
    {
        EvilReport report = await EvilRun.RunAsync(new EvilRunOptions { Seed = seed, Mutations = 1, VolumeEvery = 1 }, CancellationToken.None);
        Assert.True(report.Failures.Count == 0, report.ToString());
    }
}
