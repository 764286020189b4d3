using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Stores.Memory;
using Drive.Testing.Stores;
using Xunit.Abstractions;

namespace Drive.Engine.Tests.Repair;

/// <summary>The state directory on a real disk that is full, or that its kernel turned read-only: database and dirty log alike.</summary>
public sealed class RealDiskTests(ITestOutputHelper output)
{
    /// <summary>Room that is left when the fsync comes: none, some pages, enough for the log but not for the database, and so on.</summary>
    private static readonly int[] LeftKibibytes = [0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160, 200, 260, 400];

    [LoopFact]
    public async Task A_disk_that_fills_up_loses_nothing_that_was_synced_and_goes_on_when_there_is_room()
    {
        using LoopDisk disk = new(400);
        int refused = 0;
        for (int round = 0; round < LeftKibibytes.Length; round++)
        {
            await using EngineFixture fixture = await EngineFixture.CreateAsync(Offline());
            VolumeSettings settings = On(disk, fixture, round);
            List<(string Name, byte[] Content)> synced = [];
            await using (Volume volume = await fixture.OpenAsync(settings))
            {
                await WriteAsync(volume, "first", VolumeFiles.Bytes(round, 90_000), synced);
                NodeId node = volume.WriteFile(NodeId.Root, "second", VolumeFiles.Bytes(round + 1, 150_000));
                disk.Fill((long)LeftKibibytes[round] << 10);
                FsStatus full = await FsyncAsync(volume, node);
                Assert.True(full is FsStatus.Ok or FsStatus.NoSpace, $"{LeftKibibytes[round]} KiB left: {full}");
                refused += full == FsStatus.NoSpace ? 1 : 0;
                await CheckAsync(volume, synced);
                disk.Empty();
                Assert.Equal(FsStatus.Ok, await FsyncAsync(volume, node));
                synced.Add(("second", VolumeFiles.Bytes(round + 1, 150_000)));
                await WriteAsync(volume, "third", VolumeFiles.Bytes(round + 2, 5000), synced);
            }

            await using Volume again = await fixture.OpenAsync(settings);
            await CheckAsync(again, synced);
        }

        output.WriteLine($"{refused} of {LeftKibibytes.Length} fsyncs met a full disk.");
        Assert.True(refused > 2, $"{refused} fsyncs were refused");
    }

    [LoopFact]
    public async Task A_disk_that_turns_read_only_is_said_and_keeps_what_was_synced()
    {
        using LoopDisk disk = new(400);
        await using EngineFixture fixture = await EngineFixture.CreateAsync(Offline());
        VolumeSettings settings = On(disk, fixture, 0);
        List<(string Name, byte[] Content)> synced = [];
        await using (Volume volume = await fixture.OpenAsync(settings))
        {
            await WriteAsync(volume, "first", VolumeFiles.Bytes(1, 90_000), synced);
            NodeId node = volume.WriteFile(NodeId.Root, "second", VolumeFiles.Bytes(2, 150_000));
            disk.TurnReadOnly();
            FsStatus status = await FsyncAsync(volume, node);
            Assert.True(status is FsStatus.IoError or FsStatus.ReadOnly, status.ToString());
            Assert.True(volume.IsReadOnly);
            await CheckAsync(volume, synced);
        }

        disk.MountAgain();
        await using Volume again = await fixture.OpenAsync(settings);
        await CheckAsync(again, synced);
        await WriteAsync(again, "third", VolumeFiles.Bytes(3, 5000), synced);
        await CheckAsync(again, synced);
    }

    /// <summary>Nothing leaves the machine: what is synced is on this disk or nowhere.</summary>
    private static FaultyStore Offline() => new(new MemoryStore())
    {
        Script = static call => call.Kind == StoreCallKind.Put && call.Name.StartsWith("packs/", StringComparison.Ordinal) ? StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true) : null,
    };

    private static VolumeSettings On(LoopDisk disk, EngineFixture fixture, int round) => fixture.Settings() with
    {
        StateDirectory = Path.Combine(disk.Root, $"state{round}"),
        SaveInterval = TimeSpan.FromDays(30),
        UploadRest = TimeSpan.FromDays(30),
        UploadDeadline = TimeSpan.FromDays(30),
    };

    private static async Task WriteAsync(Volume volume, string name, byte[] content, List<(string Name, byte[] Content)> synced)
    {
        NodeId node = volume.WriteFile(NodeId.Root, name, content);
        Assert.Equal(FsStatus.Ok, await FsyncAsync(volume, node));
        synced.Add((name, content));
    }

    private static async Task<FsStatus> FsyncAsync(Volume volume, NodeId node)
    {
        Assert.Equal(FsStatus.Ok, volume.Open(node, OpenOptions.Read, out HandleId handle));
        FsStatus status = await volume.FsyncAsync(handle, false, CancellationToken.None);
        volume.Close(handle);
        return status;
    }

    private static async Task CheckAsync(Volume volume, List<(string Name, byte[] Content)> synced)
    {
        foreach ((string name, byte[] content) in synced)
        {
            Assert.Equal(content, await volume.ReadFileAsync(volume.Find(NodeId.Root, name)));
        }
    }
}
