using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Disk;
using Drive.Stores.Folder;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Stores;

namespace Drive.Engine.Tests;

/// <summary>A store that takes a call and never answers, as a network folder does whose server is gone, and what statfs tells of a store.</summary>
public sealed class HangingStoreTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TaskCompletionSource _never = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task Saving_goes_on_while_the_store_leaves_the_question_for_its_space_open()
    {
        FaultyStore store = new(new MemoryStore());
        await using EngineFixture fixture = await EngineFixture.CreateAsync(store);
        ManualTime time = new();
        fixture.Time = time;
        await using Volume volume = await fixture.OpenAsync(fixture.Settings() with { UploadRest = TimeSpan.FromDays(1), UploadDeadline = TimeSpan.FromDays(1) });
        HangAt(store, StoreCallKind.GetSpace);
        await VolumeFiles.PumpAsync(_reached.Task, time);
        volume.WriteFile(NodeId.Root, "f", VolumeFiles.Bytes(1, 100_000));
        await VolumeFiles.PumpAsync(SavedAsync(fixture, 100_000), time).WaitAsync(Limit);
    }

    [Fact]
    public async Task Stopping_keeps_everything_before_it_waits_for_the_store()
    {
        FaultyStore store = new(new MemoryStore());
        await using EngineFixture fixture = await EngineFixture.CreateAsync(store);
        VolumeSettings settings = fixture.Settings() with { UploadRest = TimeSpan.Zero, SaveInterval = TimeSpan.FromDays(1) };
        await using Volume volume = await fixture.OpenAsync(settings);
        HangAt(store, StoreCallKind.Put);
        volume.WriteFile(NodeId.Root, "sending", VolumeFiles.Bytes(1, 1000));
        await _reached.Task.WaitAsync(Limit);
        byte[] content = VolumeFiles.Bytes(2, 200_000);
        volume.WriteFile(NodeId.Root, "f", content);
        Task<bool> stopping = volume.StopAsync();
        await SavedAsync(fixture, content.Length).WaitAsync(Limit);
        Assert.False(stopping.IsCompleted);
        _never.SetResult();
        Assert.True(await stopping.WaitAsync(Limit));
    }

    [Fact]
    public async Task The_space_of_the_store_is_told_from_the_start()
    {
        string path = Directory.CreateTempSubdirectory("drive-space-").FullName;
        await using FolderStore store = FolderStore.Open(new LocalDisk(), Path.Combine(path, "vault"), create: true, SystemRandomSource.Instance);
        await using (EngineFixture fixture = await EngineFixture.CreateAsync(store))
        {
            fixture.Time = new ManualTime();
            await using Volume volume = await fixture.OpenAsync();
            volume.GetSpace(out VolumeSpace space);
            Assert.Equal((await store.GetSpaceAsync(CancellationToken.None))!.Value.TotalBytes, space.TotalBytes);
        }

        Directory.Delete(path, recursive: true);
    }

    private void HangAt(FaultyStore store, StoreCallKind kind) =>
        store.Script = call =>
        {
            if (call.Kind != kind)
            {
                return null;
            }

            _reached.TrySetResult();
            return new StoreFault { Delay = _never.Task, IsDeaf = true };
        };

    /// <summary>Done when so many bytes are in the dirty log, where only a local commit puts them.</summary>
    private static async Task SavedAsync(EngineFixture fixture, long bytes)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(5));
        while (Directory.EnumerateFiles(fixture.Settings().StateDirectory, "*.log", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length) < bytes)
        {
            await timer.WaitForNextTickAsync();
        }
    }
}
