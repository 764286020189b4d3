using Drive.Core.Volumes;
using Drive.Engine.Repair;
using Drive.Testing;
using Drive.Testing.Model;

namespace Drive.Engine.Tests.Repair;

/// <summary>Suspend and resume, and clocks that jump by years in both directions: times on files follow the clock, nothing else does.</summary>
public sealed class ClockTests
{
    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    public async Task A_clock_that_jumps_by_years_changes_nothing(int seed)
    {
        JumpingTime time = new();
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        fixture.Time = time;
        VolumeSettings settings = fixture.Settings();
        Random random = new(seed);
        Dictionary<string, byte[]> files = [];
        Volume volume = await fixture.OpenAsync(settings);
        try
        {
            for (int step = 0; step < 24; step++)
            {
                string name = $"f{random.Next(8)}";
                byte[] content = VolumeFiles.Bytes(seed + step, random.Next(1, 40_000));
                if (files.ContainsKey(name))
                {
                    Assert.Equal(FsStatus.Ok, volume.Unlink(NodeId.Root, System.Text.Encoding.UTF8.GetBytes(name)));
                }

                volume.WriteFile(NodeId.Root, name, content);
                files[name] = content;
                time.Jump(TimeSpan.FromDays(random.Next(-3650, 3650)));
                switch (random.Next(4))
                {
                    case 0:
                        // A suspend: timers fall due all at once when it is over.
                        time.Advance(TimeSpan.FromHours(3));
                        break;
                    case 1:
                        await volume.WaitAsync(time.Inner);
                        break;
                    case 2:
                        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
                        await volume.DisposeAsync();
                        volume = await fixture.OpenAsync(settings);
                        break;
                    default:
                        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
                        break;
                }

                Assert.False(volume.IsReadOnly, volume.GetStatus().ToString());
            }

            await volume.WaitAsync(time.Inner);
            foreach ((string name, byte[] content) in files)
            {
                Assert.Equal(content, await volume.ReadFileAsync(volume.Find(NodeId.Root, name)));
            }

            await using Volume second = await fixture.RecoverAsync("second");
            List<string> differences = (await TreeSnapshot.CaptureAsync(volume)).Differences(await TreeSnapshot.CaptureAsync(second));
            Assert.True(differences.Count == 0, $"seed {seed}: {string.Join('\n', differences)}");
        }
        finally
        {
            await volume.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_rebuild_under_a_clock_that_went_back_is_the_same()
    {
        await using DamagedState state = await DamagedState.CreateAsync(seed: 33, isClosed: true);
        VolumeSettings image = state.Image();
        RebuildReport first = await state.RepairAsync(image);
        JumpingTime back = new();
        back.Jump(TimeSpan.FromDays(-20_000));
        state.Fixture.Time = back;
        RebuildReport second = await state.RepairAsync(image);
        Assert.Equal((first.Seq, first.UnsentBytes, true), (second.Seq, second.UnsentBytes, second.IsComplete));
        Assert.Null(await state.CompareAsync(image));
    }

    /// <summary>A clock whose time of day jumps, with timers that follow the time that really passes.</summary>
    private sealed class JumpingTime : TimeProvider
    {
        private TimeSpan _offset;

        public ManualTime Inner { get; } = new();

        public override long TimestampFrequency => Inner.TimestampFrequency;

        public void Jump(TimeSpan by) => _offset += by;

        public void Advance(TimeSpan by) => Inner.Advance(by);

        public override DateTimeOffset GetUtcNow() => Inner.GetUtcNow() + _offset;

        public override long GetTimestamp() => Inner.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => Inner.CreateTimer(callback, state, dueTime, period);
    }
}
