using Drive.Core.Volumes;
using Drive.Testing;
using Drive.Testing.Model;

namespace Drive.Mount.Tests;

/// <summary>The model itself: it agrees with the reference, finds a planted fault, shortens the list, and knows prefixes.</summary>
public sealed class VolumeModelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Two_references_agree(int seed) => await new VolumeModelRun(Fresh).RunAsync(seed, 500);

    [Fact]
    public async Task Most_operations_find_something_to_work_on()
    {
        var reference = new ReferenceVolume(new ManualTime());
        var runner = new OperationRunner(reference);
        Dictionary<OperationKind, int> done = [];
        foreach (VolumeOperation operation in VolumeOperations.Generate(4, 3000))
        {
            OperationResult result = await runner.RunAsync(operation);
            done[operation.Kind] = done.GetValueOrDefault(operation.Kind) + (result.Status == FsStatus.Ok ? 1 : 0);
        }

        Assert.All(Enum.GetValues<OperationKind>(), kind => Assert.True(done.GetValueOrDefault(kind) >= 3, $"{kind}: {done.GetValueOrDefault(kind)}"));
    }

    [Fact]
    public async Task A_planted_fault_is_found_and_the_list_is_short()
    {
        var run = new VolumeModelRun(Fresh)
        {
            AfterStep = (model, _) =>
            {
                // The fault: a directory that is named "d1" in the root gets another mode.
                if (model.Volume.Lookup(NodeId.Root, "d1"u8, out NodeAttributes found) == FsStatus.Ok)
                {
                    model.Volume.SetAttributes(found.Node, HandleId.None, new AttributeChange { Fields = AttributeFields.Mode, Mode = 1 }, out NodeAttributes _);
                }

                return Task.CompletedTask;
            },
        };
        ModelException failure = await Assert.ThrowsAsync<ModelException>(() => run.RunAsync(5, 300));
        Assert.Contains("Seed 5", failure.Message, StringComparison.Ordinal);
        Assert.InRange(failure.Message.Split('\n').Count(line => line.StartsWith("new(", StringComparison.Ordinal)), 1, 4);
    }

    [Fact]
    public async Task A_volume_that_lost_its_last_steps_is_a_prefix()
    {
        var time = new ManualTime();
        var model = new VolumeModel(new ReferenceVolume(time), time);
        List<VolumeOperation> operations = VolumeOperations.Generate(6, 120);
        foreach (VolumeOperation operation in operations)
        {
            await model.StepAsync(operation);
        }

        var otherTime = new ManualTime();
        var behind = new ReferenceVolume(otherTime);
        var runner = new OperationRunner(behind);
        foreach (VolumeOperation operation in operations.Take(100))
        {
            otherTime.Advance(TimeSpan.FromMilliseconds(1));
            await runner.RunAsync(operation);
        }

        int prefix = await model.CrashedAsync(behind, 0);
        Assert.InRange(prefix, 100, 119);
        await model.CompareAsync();
        behind.MakeDirectory(NodeId.Root, "more"u8, 0x1FF, Caller.Root, out _);
        await Assert.ThrowsAsync<ModelException>(() => model.CrashedAsync(behind, 0));
    }

    private static Task<IVolume> Fresh(ManualTime time) => Task.FromResult<IVolume>(new ReferenceVolume(time));
}
