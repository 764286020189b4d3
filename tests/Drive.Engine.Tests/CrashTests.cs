using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Model;
using Drive.Testing.Stores;
using Xunit.Abstractions;

namespace Drive.Engine.Tests;

/// <summary>
/// Crashes: the local state is copied between two calls, with an upload held at a chosen point, and a volume opens on the copy. It must show the state
/// after some prefix of the calls that holds all that was synced, go on from there, and end with everything in the store.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    private const int Operations = 220;

    /// <summary>How far the upload has come when the machine dies.</summary>
    private enum Moment
    {
        /// <summary>Nothing is being sent.</summary>
        NoUpload,

        /// <summary>The epoch has ended; its packs are not in the store.</summary>
        BeforePacks,

        /// <summary>The attempt is saved; the store has not seen the commit.</summary>
        BeforeCommit,

        /// <summary>The store has the commit; the answer never came.</summary>
        AfterCommit,

        /// <summary>As before, and the store is away when the volume opens again.</summary>
        AfterCommitStoreAway,

        /// <summary>All is landed.</summary>
        Landed,
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public Task A_crash_leaves_the_state_after_a_prefix_of_the_calls(int seed) => RunAsync(seed);

    [Fact]
    public Task A_crash_leaves_the_state_after_a_prefix_of_the_calls_for_a_seed_nobody_chose()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"Seed {seed}");
        return RunAsync(seed);
    }

    private async Task RunAsync(int seed)
    {
        ManualTime time = new();
        FaultyStore store = new(new MemoryStore());
        await using EngineFixture fixture = await EngineFixture.CreateAsync(store);
        fixture.Time = time;
        Volume volume = await fixture.OpenAsync(Settings(fixture.Settings(), seed % 2 == 0));
        VolumeModel model = new(volume, time);
        Random random = new(seed);
        string state = "state";
        int step = 0;
        int crashes = 0;
        try
        {
            foreach (VolumeOperation operation in VolumeOperations.Generate(seed, Operations))
            {
                step++;
                await model.StepAsync(operation);
                if (random.Next(25) != 0)
                {
                    continue;
                }

                // The copy is taken while an upload is held; more calls run meanwhile, some of them synced.
                Moment moment = (Moment)random.Next(6);
                if (random.Next(2) == 0)
                {
                    await model.StepAsync(new VolumeOperation(OperationKind.FsyncAll));
                }

                await HoldAsync(store, volume, time, moment);
                int stepsMin = moment == Moment.Landed ? model.StepCount : model.SyncedStepCount;
                foreach (VolumeOperation later in VolumeOperations.Generate(random.Next(), random.Next(12)))
                {
                    await model.StepAsync(later);
                }

                if (random.Next(2) == 0)
                {
                    await model.StepAsync(new VolumeOperation(OperationKind.FsyncAll));
                }

                stepsMin = Math.Max(stepsMin, model.SyncedStepCount);
                VolumeSettings image = Settings(fixture.CopyState($"image{++crashes}", state), seed % 2 == 0);
                FaultyStore copy = new(await Inner(store).CloneAsync());
                await volume.DisposeAsync();
                state = $"image{crashes}";
                store = copy;
                fixture.Store = store;
                bool isAway = moment == Moment.AfterCommitStoreAway;
                store.Script = call => isAway && (call.Kind == StoreCallKind.Put || call.Name.StartsWith("log/", StringComparison.Ordinal))
                    ? StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true)
                    : null;
                output.WriteLine($"Step {step}, {moment}, {model.StepCount} steps, {stepsMin} must be there.");
                volume = await fixture.OpenAsync(image);
                int prefix = await model.CrashedAsync(volume, stepsMin);
                output.WriteLine($"    {prefix} are.");
                if (isAway)
                {
                    // Goes on for a while before the store is back. Packs can be read meanwhile, so that trees can be compared.
                    foreach (VolumeOperation later in VolumeOperations.Generate(random.Next(), 10))
                    {
                        await model.StepAsync(later);
                    }

                    store.Script = _ => null;
                }

                if (random.Next(2) == 0)
                {
                    await volume.WaitAsync(time);
                    await model.CompareAsync();
                    await CompareRecoveredAsync(fixture, volume, $"check{crashes}");
                }
            }

            await volume.WaitAsync(time);
            await model.CompareAsync();
            await CompareRecoveredAsync(fixture, volume, "last");
        }
        catch (Exception error) when (error is not ModelException)
        {
            throw new ModelException($"Seed {seed}, step {step}: {error}");
        }
        catch (ModelException error)
        {
            throw new ModelException($"Seed {seed}, step {step}: {error.Message}\n{volume.GetStatus()}");
        }
        finally
        {
            await volume.DisposeAsync();
        }
    }

    private static IObjectStore Inner(FaultyStore store) => store.Inner;

    /// <summary>Local commits only when a call asks for one; files soon large enough to be left out of commits.</summary>
    /// <summary>Small limits, so that every way of the data is taken; with a tight memory bytes also reach the dirty log before their rows are saved.</summary>
    private static VolumeSettings Settings(VolumeSettings settings, bool isMemoryTight) => settings with
    {
        SaveInterval = TimeSpan.FromDays(30),
        NodesCachedMax = 40,
        LateFileBytes = 100_000,
        MemoryBytesMax = isMemoryTight ? 8_000 : 32 << 20,
    };

    /// <summary>Starts an upload and returns when it has come to the moment.</summary>
    private static async Task HoldAsync(FaultyStore store, Volume volume, ManualTime time, Moment moment)
    {
        if (moment == Moment.NoUpload)
        {
            return;
        }

        if (moment == Moment.Landed)
        {
            await volume.WaitAsync(time);
            return;
        }

        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource never = new();
        store.Script = call =>
        {
            bool isPack = call.Name.StartsWith("packs/", StringComparison.Ordinal);
            bool isCommit = call.Name.StartsWith("log/", StringComparison.Ordinal);
            if (call.Kind != StoreCallKind.Put || !(isCommit || (isPack && moment == Moment.BeforePacks)))
            {
                return null;
            }

            reached.TrySetResult();
            return moment is Moment.AfterCommit or Moment.AfterCommitStoreAway
                ? StoreFault.FailAfter(StoreErrorKind.Unreachable, isTransient: true)
                : new StoreFault { Delay = never.Task };
        };
        using CancellationTokenSource gone = new();
        Task<UploadProgress> waiting = volume.WaitUploadedAsync(null, gone.Token);
        await VolumeFiles.PumpAsync(Task.WhenAny(reached.Task, waiting), time);
        if (moment is Moment.AfterCommit or Moment.AfterCommitStoreAway && reached.Task.IsCompleted)
        {
            // The store did it when its status shows that the engine was told of a failure.
            await VolumeFiles.PumpAsync(UploadTests.EventuallyAsync(() => volume.GetStatus().Store == StoreCondition.Unreachable, "the failure is known"), time);
        }

        await gone.CancelAsync();
        await waiting;
    }

    private static async Task CompareRecoveredAsync(EngineFixture fixture, Volume volume, string name)
    {
        await using MemoryStore copy = await Inner((FaultyStore)fixture.Store).CloneAsync();
        await using Volume second = await fixture.RecoverAsync(name, copy);
        List<string> differences = (await TreeSnapshot.CaptureAsync(volume)).Differences(await TreeSnapshot.CaptureAsync(second));
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }
}
