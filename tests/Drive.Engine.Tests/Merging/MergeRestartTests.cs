using Drive.Core.Volumes;

namespace Drive.Engine.Tests.Merging;

/// <summary>A machine that dies about a merge: before it, after it, while its upload was on the way; and one that loses its database too.</summary>
public sealed class MergeRestartTests
{
    private const string Expected = "doc (conflict, second)=second | doc=first | kept=edited, and longer | new=2 | own/ | own/a=2";

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task What_was_synced_here_and_committed_there_is_all_there_after_a_restart(bool isMerged, bool isDatabaseLost)
    {
        await using TwoDevices devices = await PrepareAsync();
        if (isMerged)
        {
            await devices.SecondFollowsAsync();
        }

        VolumeSettings image = devices.CrashSecond("image");
        if (isDatabaseLost)
        {
            foreach (string file in Directory.GetFiles(image.StateDirectory, "metadata.db*"))
            {
                File.Delete(file);
            }
        }

        Assert.Equal(Expected, await devices.ShowRestartedAsync(image));
    }

    [Fact]
    public async Task What_is_done_after_a_merge_is_kept_as_well()
    {
        await using TwoDevices devices = await PrepareAsync();
        await devices.SecondFollowsAsync();
        devices.Second.Write("later", "3");
        devices.Second.Remove("new");
        Assert.Equal(FsStatus.Ok, await devices.Second.Volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
        VolumeSettings image = devices.CrashSecond("image");
        VolumeSettings lost = devices.CrashSecond("lost");
        string expected = Expected.Replace("new=2", "later=3", StringComparison.Ordinal);
        Assert.Equal(expected.Split(" | ").Order(StringComparer.Ordinal), (await devices.ShowRestartedAsync(image)).Split(" | "));
        foreach (string file in Directory.GetFiles(lost.StateDirectory, "metadata.db*"))
        {
            File.Delete(file);
        }

        Assert.Equal(expected.Split(" | ").Order(StringComparer.Ordinal), (await devices.ShowRestartedAsync(lost)).Split(" | "));
    }

    /// <summary>The first has committed, the second has synced and not heard of it.</summary>
    private static async Task<TwoDevices> PrepareAsync()
    {
        TwoDevices devices = await TwoDevices.CreateAsync();
        devices.First.Write("doc", "old");
        devices.First.Write("kept", "original, and longer");
        await devices.MeetAsync();
        devices.First.Write("doc", "first");
        devices.First.Remove("kept");
        devices.Second.Write("doc", "second");
        Assert.Equal(FsStatus.Ok, devices.Second.Volume.Write(HandleId.Of(devices.Second.Find("kept")), 0, "edited  "u8, WriteOptions.None));
        Assert.Equal(FsStatus.Ok, devices.Second.Volume.Write(HandleId.Of(devices.Second.Find("kept")), 6, ", and longer"u8, WriteOptions.None));
        Assert.Equal(FsStatus.Ok, devices.Second.Volume.SetAttributes(
            devices.Second.Find("kept"), HandleId.None, new AttributeChange { Fields = AttributeFields.Size, Size = 18 }, out _));
        devices.Second.MakeFolder("own");
        devices.Second.Write("own/a", "2");
        devices.Second.Write("new", "2");
        Assert.Equal(FsStatus.Ok, await devices.Second.Volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
        await devices.First.Volume.WaitAsync();
        return devices;
    }
}
