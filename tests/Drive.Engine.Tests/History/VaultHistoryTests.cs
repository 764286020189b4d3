using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Engine.Tests.Merging;
using Drive.Vault;
using Drive.Vault.Log;

namespace Drive.Engine.Tests.History;

/// <summary>What devices say about history, and the moments that each knows.</summary>
public sealed class VaultHistoryTests
{
    [Fact]
    public async Task A_snapshot_holds_what_was_written_before_it_and_every_device_knows_it()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        devices.First.Write("a", "1");
        VaultState state = await devices.First.Volume.ChangeHistoryAsync(
            static state => [new NameSnapshot("one", state.Seq + 1, 5), new SetRetention(RetentionRule.Default)], CancellationToken.None);
        Assert.Equal([new VaultSnapshot("one", state.Seq, 5)], state.History.Snapshots);
        Assert.Equal(0, devices.First.Volume.GetStatus().LocalOnly.Bytes);
        await devices.SecondFollowsAsync();
        Assert.Equal(state.Encode(), devices.Second.Volume.Head.Encode());
        Assert.Equal("a=1", await devices.Second.ShowAsync());

        // Another word for what is taken is the asker's fault, and hurts nobody.
        await Assert.ThrowsAsync<VaultIntegrityException>(
            () => devices.Second.Volume.ChangeHistoryAsync(static _ => [new NameSnapshot("one", 1, 5)], CancellationToken.None));
        await devices.MeetAsync();
    }

    [Fact]
    public async Task Every_device_has_a_moment_for_each_commit_and_finds_the_last_one_at_a_time()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        devices.First.Write("a", "1");
        await devices.MeetAsync();
        devices.Second.Write("b", "2");
        await devices.MeetAsync();
        devices.First.Write("a", "3");
        devices.Second.Write("b", "4");
        await devices.MeetAsync(isBlind: true);
        long seq = devices.First.Volume.Head.Seq;
        IReadOnlyList<MomentRow> first = devices.First.Volume.ReadMoments(1, seq, 1000);
        Assert.Equal(Enumerable.Range(0, (int)seq).Select(i => seq - i), first.Select(static moment => moment.Seq));
        Assert.Equal(first, devices.Second.Volume.ReadMoments(1, seq, 1000));
        Assert.Equal(first.Skip(1).Take(2), devices.Second.Volume.ReadMoments(1, seq - 1, 2));
        Assert.True(first.Select(static moment => moment.Device).Distinct().Count() >= 2);
        long newest = first.Max(static moment => moment.Time);
        Assert.Equal(first.First(moment => moment.Time <= newest), devices.First.Volume.FindMomentAt(newest));
        Assert.Equal(seq, devices.First.Volume.FindMomentAt(long.MaxValue)!.Seq);
        Assert.Null(devices.First.Volume.FindMomentAt(first.Min(static moment => moment.Time) - 1));

        // After a restart they are all there, and forgotten ones are not told of.
        await devices.RestartSecondAsync();
        Assert.Equal(first, devices.Second.Volume.ReadMoments(1, seq, 1000));
        await devices.Second.Volume.ChangeHistoryAsync(state => [new Prune(seq, [2])], CancellationToken.None);
        Assert.Equal([seq + 1, seq, 2], devices.Second.Volume.ReadMoments(1, long.MaxValue, 1000).Select(static moment => moment.Seq));
        Assert.Equal(2, devices.Second.Volume.FindMomentAt(first.Single(moment => moment.Seq == seq).Time - 1)?.Seq);
    }
}
