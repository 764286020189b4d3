using Drive.Core.Volumes;

namespace Drive.Engine.Tests;

/// <summary>The dirty log stays near what is live in it, however long the store is away.</summary>
public sealed class CompactTests
{
    [Fact]
    public async Task A_few_live_records_do_not_keep_many_dead_bytes()
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        VolumeSettings settings = fixture.Settings() with
        {
            UploadRest = TimeSpan.FromHours(1),
            UploadDeadline = TimeSpan.FromHours(1),
            UploadBatchBytes = long.MaxValue,
            DeadLogBytesMax = 8 << 20,
            SaveInterval = TimeSpan.FromMilliseconds(20),
        };
        byte[] kept = VolumeFiles.Bytes(1, 30_000);
        await using (Volume volume = await fixture.OpenAsync(settings))
        {
            NodeId hot = volume.WriteFile(NodeId.Root, "hot", VolumeFiles.Bytes(2, 1 << 20));
            Assert.Equal(FsStatus.Ok, volume.Open(hot, OpenOptions.Write, out HandleId handle));
            for (int round = 0; round < 200; round++)
            {
                if (round % 10 == 0)
                {
                    volume.WriteFile(NodeId.Root, $"kept{round}", kept);
                }

                FsStatus written = volume.Write(handle, 0, VolumeFiles.Bytes(round, 1 << 20), WriteOptions.None);
                Assert.True(written == FsStatus.Ok, $"{written}, {volume.GetStatus()}");
                Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(handle, false, CancellationToken.None));
            }

            long deadline = Environment.TickCount64 + 30_000;
            while (volume.GetStatus().CacheUsedBytes > 96 << 20)
            {
                Assert.True(Environment.TickCount64 < deadline, volume.GetStatus().ToString());
                await Task.Yield();
            }
        }

        await using Volume again = await fixture.OpenAsync(settings);
        for (int round = 0; round < 200; round += 10)
        {
            Assert.Equal(kept, await again.ReadFileAsync(again.Find(NodeId.Root, $"kept{round}")));
        }

        Assert.Equal(VolumeFiles.Bytes(199, 1 << 20), await again.ReadFileAsync(again.Find(NodeId.Root, "hot")));
    }
}
