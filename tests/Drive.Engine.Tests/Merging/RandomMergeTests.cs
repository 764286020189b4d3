using Drive.Core.Volumes;
using Drive.Testing.Model;
using Xunit.Abstractions;

namespace Drive.Engine.Tests.Merging;

/// <summary>Two devices do random things without seeing each other, and meet: one tree each time, on a new device too, also when one of them died about the merge.</summary>
public sealed class RandomMergeTests(ITestOutputHelper output)
{
    private const int Rounds = 8;
    private const int OperationsMax = 25;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(66)]
    public Task Two_devices_end_in_one_tree_whatever_they_do(int seed) => RunAsync(seed);

    [Fact]
    public Task Two_devices_end_in_one_tree_whatever_they_do_for_seeds_nobody_chose() => Seeds.RunSomeAsync(output, 5, RunAsync);

    private static async Task RunAsync(int seed)
    {
        Random random = new(seed);
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        OperationRunner first = new(devices.First.Volume);
        OperationRunner second = new(devices.Second.Volume);
        for (int round = 0; round < Rounds; round++)
        {
            try
            {
                await DoAsync(first, random);
                await DoAsync(second, random);
                Assert.Equal(FsStatus.Ok, await devices.Second.Volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
                if (round % 4 == 3)
                {
                    await devices.First.Volume.WaitAsync();
                    if (random.Next(2) == 0)
                    {
                        await devices.SecondFollowsAsync();
                    }

                    await devices.ShowRestartedAsync(devices.CrashSecond($"image {round}"));
                }

                await devices.MeetAsync(isBlind: random.Next(2) == 0);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"Seed {seed}, round {round}: {error.Message}", error);
            }
        }

        await devices.ShowThirdAsync();
        first.CloseSlots();
        second.CloseSlots();
    }

    private static async Task DoAsync(OperationRunner runner, Random random)
    {
        foreach (VolumeOperation operation in VolumeOperations.Generate(random.Next(), random.Next(OperationsMax)))
        {
            await runner.RunAsync(operation);
        }
    }
}
