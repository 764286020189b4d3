using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Disk;
using Drive.Engine.Repair;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Model;
using Drive.Testing.Stores;
using Drive.Vault.Keys;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Engine.Tests.Repair;

/// <summary>
/// Local state with a past: commits, then changes that are synced and nowhere else. Images of it are damaged, opened, and compared with the tree as it was.
/// </summary>
internal sealed class DamagedState : IAsyncDisposable
{
    private int _images;

    private DamagedState(EngineFixture fixture, TreeSnapshot expected)
    {
        Fixture = fixture;
        Expected = expected;
    }

    public EngineFixture Fixture { get; }

    /// <summary>The tree at the last fsync.</summary>
    public TreeSnapshot Expected { get; }

    /// <summary>Makes it from a seed. A crash image has its last changes in the WAL, a closed one all in the database.</summary>
    public static async Task<DamagedState> CreateAsync(int seed, bool isClosed, int committed = 150, int synced = 100)
    {
        ManualTime time = new();
        FaultyStore store = new(new MemoryStore());
        EngineFixture fixture = await EngineFixture.CreateAsync(store);
        fixture.Time = time;
        VolumeSettings settings = Settings(fixture.Settings());
        await using Volume volume = await fixture.OpenAsync(settings);
        VolumeModel model = new(volume, time);
        foreach (VolumeOperation operation in VolumeOperations.Generate(seed, committed))
        {
            await model.StepAsync(operation);
        }

        await volume.WaitAsync(time);
        foreach (VolumeOperation operation in VolumeOperations.Generate(seed + 1000, synced))
        {
            await model.StepAsync(operation);
        }

        // What no generator need come by: a long file over several records, a hole, an attribute, a name that moves.
        NodeId big = volume.WriteFile(NodeId.Root, "big file", VolumeFiles.Bytes(seed, 300_000));
        NodeId folder = volume.MakeDirectory(NodeId.Root, "folder of the last hour");
        volume.WriteFile(folder, "note", VolumeFiles.Bytes(seed + 1, 5000));
        Assert.Equal(FsStatus.Ok, volume.SetExtendedAttribute(big, "user.colour"u8, "blue"u8, default));
        await model.StepAsync(new VolumeOperation(OperationKind.FsyncAll));
        Assert.Equal(FsStatus.Ok, volume.Open(big, OpenOptions.Write, out HandleId handle));
        Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(handle, false, CancellationToken.None));
        volume.Close(handle);
        TreeSnapshot expected = await TreeSnapshot.CaptureAsync(volume);
        if (isClosed)
        {
            await volume.DisposeAsync();
        }

        fixture.CopyState("origin");
        return new DamagedState(fixture, expected);
    }

    /// <summary>A fresh copy of the state.</summary>
    public VolumeSettings Image() => Settings(Fixture.CopyState($"damaged{++_images}", "origin"));

    public string FileOf(VolumeSettings image, string name) => Path.Combine(image.StateDirectory, name);

    /// <summary>Opens it; null and the reason when it does not open or shows something else than it should.</summary>
    public async Task<string?> CompareAsync(VolumeSettings image)
    {
        try
        {
            await using Volume volume = await Fixture.OpenAsync(image);
            List<string> differences = Expected.Differences(await TreeSnapshot.CaptureAsync(volume));
            return differences.Count == 0 ? null : string.Join('\n', differences);
        }
        catch (Exception error) when (error is LocalStateException or Metadata.MetadataVersionException or IOException
            or Metadata.MetadataCorruptException or Vault.VaultIntegrityException or Cache.Dirty.CorruptLogException or FsException)
        {
            return $"{error.GetType().Name}: {error.Message}";
        }
    }

    public async Task<RebuildReport> RepairAsync(VolumeSettings image, IObjectStore? store = null, Core.Platform.IDisk? disk = null)
    {
        using VaultKeys keys = VaultKeys.Import(Fixture.Keys);
        return await StateRebuild.RunAsync(
            image, keys, store ?? Fixture.Store, disk ?? new LocalDisk(), Fixture.Time, SystemRandomSource.Instance, NullLogger.Instance, RebuildMode.Asked,
            CancellationToken.None);
    }

    public static void Forget(VolumeSettings image)
    {
        Directory.Delete(image.StateDirectory, recursive: true);
        Directory.Delete(image.CacheDirectory, recursive: true);
    }

    public ValueTask DisposeAsync() => Fixture.DisposeAsync();

    private static VolumeSettings Settings(VolumeSettings settings) => settings with { SaveInterval = TimeSpan.FromDays(30) };
}
