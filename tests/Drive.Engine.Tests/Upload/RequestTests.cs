using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Stores.Memory;
using Drive.Stores.Wrappers;
using Drive.Testing.Stores;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Engine.Tests.Upload;

/// <summary>How often a store far away is asked while a drive is filled and changed, and for how much.</summary>
public sealed class RequestTests
{
    [Fact]
    public async Task Ten_thousand_small_files_reach_the_store_in_at_most_sixty_requests()
    {
        (EngineFixture fixture, StoreTraffic traffic) = await CreateAsync();
        await using (fixture)
        {
            await using Volume volume = await fixture.OpenAsync();
            long before = traffic.Calls;
            for (int folder = 0; folder < 10; folder++)
            {
                NodeId parent = volume.MakeDirectory(NodeId.Root, $"{folder}");
                for (int file = 0; file < 1000; file++)
                {
                    volume.WriteFile(parent, $"{file}", VolumeFiles.Bytes((folder * 1000) + file, 4096));
                }
            }

            await volume.WaitAsync();
            Assert.InRange(traffic.Calls - before, 6, 60);
            Assert.InRange(traffic.BytesUp, 10_000 * 4096, 10_000 * 4600);
        }
    }

    [Fact]
    public async Task Ten_bytes_in_a_large_file_send_less_than_two_mebibytes()
    {
        const int FileBytes = 96 << 20;
        (EngineFixture fixture, StoreTraffic traffic) = await CreateAsync();
        await using (fixture)
        {
            await using Volume volume = await fixture.OpenAsync();
            NodeId film = volume.WriteFile(NodeId.Root, "film", VolumeFiles.Bytes(1, FileBytes));
            await volume.WaitAsync();
            (long calls, long up, long down) = (traffic.Calls, traffic.BytesUp, traffic.BytesDown);
            Assert.Equal(FsStatus.Ok, volume.Write(HandleId.Of(film), (FileBytes / 2) + 333, "0123456789"u8, WriteOptions.None));
            await volume.WaitAsync();
            Assert.InRange(traffic.BytesUp - up, 10, 2 << 20);

            // What stands around the ten bytes comes from the cache of what was sent before; the commit is read back.
            Assert.InRange(traffic.BytesDown - down, 0, 64 << 10);
            Assert.InRange(traffic.Calls - calls, 3, 12);
        }
    }

    private static async Task<(EngineFixture Fixture, StoreTraffic Traffic)> CreateAsync()
    {
        StoreTraffic traffic = new();
        FaultyStore far = new(new MemoryStore()) { Description = new StoreDescription("far away", IsLocal: false) };
        return (await EngineFixture.CreateAsync(far.Traced(NullLogger.Instance, traffic)), traffic);
    }
}
