using System.Text;
using Drive.Core.Volumes;

namespace Drive.Testing.Model;

/// <summary>
/// A run of the model from a seed: generates, runs, compares, and when it fails shrinks the list and says how to repeat it.
/// <paramref name="create"/> makes a fresh empty volume for each attempt.
/// </summary>
public sealed class VolumeModelRun(Func<ManualTime, Task<IVolume>> create)
{
    /// <summary>How often the whole trees are compared; they always are at the end.</summary>
    public int CompareEvery { get; init; } = 25;

    /// <summary>Called after each step with the number of the step from 1; may reopen, crash, upload and compare.</summary>
    public Func<VolumeModel, int, Task>? AfterStep { get; init; }

    /// <summary>Called at the end of each attempt, also of a failed one, with the volume that it ended with.</summary>
    public Func<VolumeModel, Task>? AfterRun { get; init; }

    /// <summary>How many attempts to shorten a failing list.</summary>
    public int ShrinkRunsMax { get; init; } = 200;

    public async Task RunAsync(int seed, int count)
    {
        List<VolumeOperation> operations = VolumeOperations.Generate(seed, count);
        if (await TryAsync(operations) is not { } failure)
        {
            return;
        }

        IReadOnlyList<VolumeOperation> shortest =
            await VolumeOperations.ShrinkAsync(operations, async list => await TryAsync(list) is not null, ShrinkRunsMax);
        Exception last = await TryAsync(shortest) ?? failure;
        var report = new StringBuilder();
        report.AppendLine($"Seed {seed}, {count} operations. {failure.Message}");
        report.AppendLine($"Shortest list found ({shortest.Count}; repeat with {nameof(ReplayAsync)}):");
        report.AppendJoin('\n', shortest);
        report.AppendLine();
        report.Append(last.Message);
        throw new ModelException(report.ToString());
    }

    /// <summary>Runs a given list, as a failure printed it.</summary>
    public async Task ReplayAsync(IReadOnlyList<VolumeOperation> operations)
    {
        if (await TryAsync(operations) is { } failure)
        {
            throw new ModelException(failure.Message);
        }
    }

    private async Task<Exception?> TryAsync(IReadOnlyList<VolumeOperation> operations)
    {
        var time = new ManualTime();
        var model = new VolumeModel(await create(time), time);
        try
        {
            for (int step = 1; step <= operations.Count; step++)
            {
                await model.StepAsync(operations[step - 1]);
                if (AfterStep is not null)
                {
                    await AfterStep(model, step);
                }

                if (step % CompareEvery == 0)
                {
                    await model.CompareAsync();
                }
            }

            await model.CompareAsync();
            return null;
        }
        catch (Exception exception)
        {
            return exception is ModelException ? exception : new ModelException(exception.ToString());
        }
        finally
        {
            model.CloseSlots();
            await (AfterRun?.Invoke(model) ?? model.Volume.DisposeAsync().AsTask());
        }
    }
}
