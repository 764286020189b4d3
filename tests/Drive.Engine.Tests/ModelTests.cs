using Drive.Core.Volumes;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Model;
using Xunit.Abstractions;

namespace Drive.Engine.Tests;

/// <summary>The engine against the reference: random calls, with restarts, uploads in the background and at once, and other devices that recover.</summary>
public sealed class ModelTests(ITestOutputHelper output)
{
    private const int Operations = 450;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public Task The_engine_agrees_with_the_reference(int seed) => RunAsync(seed);

    [Fact]
    public Task The_engine_agrees_with_the_reference_for_a_seed_nobody_chose()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"Seed {seed}");
        return RunAsync(seed);
    }

    private static async Task RunAsync(int seed)
    {
        EngineFixture? fixture = null;
        VolumeModelRun run = new(async time =>
        {
            fixture = await EngineFixture.CreateAsync();
            fixture.Time = time;
            return await fixture.OpenAsync(Settings(fixture));
        })
        {
            ShrinkRunsMax = 40,
            AfterStep = (model, step) => AfterStepAsync(fixture!, model, new Random((seed * 10_000) + step), step),
            AfterRun = async model =>
            {
                await model.Volume.DisposeAsync();
                await fixture!.DisposeAsync();
            },
        };
        await run.RunAsync(seed, Operations);
    }

    /// <summary>A small node cache, so that what is read again comes from the database; and files soon large enough to be left out of commits.</summary>
    private static VolumeSettings Settings(EngineFixture fixture) => fixture.Settings() with { NodesCachedMax = 16, LateFileBytes = 100_000 };

    private static async Task AfterStepAsync(EngineFixture fixture, VolumeModel model, Random random, int step)
    {
        Volume volume = (Volume)model.Volume;
        switch (random.Next(60))
        {
            case 0:
                model.CloseSlots();
                await volume.DisposeAsync();
                await model.ReopenedAsync(await fixture.OpenAsync(Settings(fixture)));
                break;
            case 1:
                await volume.WaitAsync(model.Time);
                await model.CompareAsync();
                break;
            case 2 or 3 or 4:
                // Wakes the uploader; it works while the next steps run.
                await volume.WaitUploadedAsync(null, new CancellationToken(canceled: true));
                break;
            case 5 or 6:
                model.Time.Advance(TimeSpan.FromSeconds(random.Next(1, 3)));
                break;
            case 7:
                await volume.FsyncAsync(HandleId.None, false, CancellationToken.None);
                break;
        }

        if (step % 150 == 0)
        {
            await CompareRecoveredAsync(fixture, model, step);
        }
    }

    private static async Task CompareRecoveredAsync(EngineFixture fixture, VolumeModel model, int step)
    {
        Volume volume = (Volume)model.Volume;
        await volume.WaitAsync(model.Time);
        await using MemoryStore copy = await fixture.Store.CloneAsync();
        await using Volume second = await fixture.RecoverAsync($"second-{step}", copy);
        List<string> differences = (await TreeSnapshot.CaptureAsync(volume)).Differences(await TreeSnapshot.CaptureAsync(second));
        if (differences.Count > 0)
        {
            throw new ModelException($"After step {step} the recovered tree differs:\n{string.Join('\n', differences)}");
        }
    }
}
