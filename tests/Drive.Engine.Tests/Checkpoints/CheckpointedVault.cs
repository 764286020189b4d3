using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Disk;
using Drive.Engine.Upload;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Model;
using Drive.Vault;
using Drive.Vault.Checkpoints;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Engine.Tests.Checkpoints;

/// <summary>A vault whose first device wrote a checkpoint and went on, and the ways in which other devices come to it.</summary>
internal sealed class CheckpointedVault : IAsyncDisposable
{
    /// <summary>Commits after the last checkpoint, at least.</summary>
    public const int CommitsAfter = 4;

    public static readonly CheckpointRule Never = new() { CommitsMax = int.MaxValue, CommitsMin = int.MaxValue };

    private static readonly Lazy<Task<CheckpointedVault>> Made = new(MakeOnceAsync);
    private static readonly Lazy<Task<CheckpointedVault>> MadeStranger = new(MakeOnceAsync);

    private CheckpointedVault(EngineFixture fixture) => Fixture = fixture;

    public EngineFixture Fixture { get; }

    public IObjectStore Store => Fixture.Store;

    /// <summary>The tree that every device must show.</summary>
    public TreeSnapshot Expected { get; private set; } = null!;

    /// <summary>The log's head.</summary>
    public VaultState Head { get; private set; } = null!;

    public CheckpointRef Checkpoint => Head.LastCheckpoint!;

    public static VolumeSettings Often(VolumeSettings settings) => settings with { Checkpoints = new CheckpointRule { CommitsMax = 24, CommitsMin = 24 } };

    /// <summary>
    /// Files of several sizes, directories in directories, xattrs, changed and removed things; many commits, one checkpoint, and some commits after it. Made once; everybody
    /// gets a copy of the store and of the first device's state.
    /// </summary>
    public static Task<CheckpointedVault> MakeAsync() => CopyAsync(Made.Value);

    /// <summary>Another vault with the same content.</summary>
    public static Task<CheckpointedVault> MakeStrangerAsync() => CopyAsync(MadeStranger.Value);

    private static async Task<CheckpointedVault> CopyAsync(Task<CheckpointedVault> made)
    {
        CheckpointedVault from = await made;
        MemoryStore store = new();
        await foreach (ObjectInfo info in from.Store.ListAsync("", CancellationToken.None))
        {
            await store.PutIfAbsentAsync(info.Name, await from.Store.GetAsync(info.Name, int.MaxValue, CancellationToken.None), CancellationToken.None);
        }

        CheckpointedVault copy = new(EngineFixture.Of(store, from.Fixture.Keys, from.Fixture.RecoveryKey)) { Expected = from.Expected, Head = from.Head };
        CopyDirectory(from.Fixture.Settings().StateDirectory, copy.Fixture.Settings().StateDirectory);
        return copy;
    }

    private static async Task<CheckpointedVault> MakeOnceAsync()
    {
        CheckpointedVault vault = new(await EngineFixture.CreateAsync());
        NodeId inner;
        await using (Volume volume = await vault.Fixture.OpenAsync(Often(vault.Fixture.Settings())))
        {
            Random random = new(11);
            NodeId folder = volume.MakeDirectory(NodeId.Root, "folder");
            inner = volume.MakeDirectory(folder, "inner");
            for (int i = 0; i < 20; i++)
            {
                byte[] content = new byte[random.Next(200_000)];
                random.NextBytes(content);
                NodeId file = volume.WriteFile(i % 2 == 0 ? folder : inner, $"file {i}", content);
                Assert.Equal(FsStatus.Ok, volume.SetExtendedAttribute(file, "user.number"u8, BitConverter.GetBytes(i), AttributeSetOptions.None));
                await volume.WaitAsync();
            }

            Assert.Equal(FsStatus.Ok, volume.Rename(folder, "file 0"u8, NodeId.Root, "moved"u8, RenameOptions.None));
            Assert.Equal(FsStatus.Ok, volume.Unlink(folder, "file 2"u8));
            await vault.GoOnUntilCheckpointAsync(volume);
        }

        // On a busy machine the first run may have written one more checkpoint: the first commit here names it, and no other begins.
        await using (Volume volume = await vault.Fixture.OpenAsync(vault.Fixture.Settings() with { Checkpoints = Never }))
        {
            for (int i = 0; i < CommitsAfter; i++)
            {
                volume.WriteFile(inner, $"after the checkpoint {i}", [1, 2, 3]);
                await volume.WaitAsync();
            }

            Assert.False(volume.HasWrittenCheckpoint);
            vault.Expected = await TreeSnapshot.CaptureAsync(volume);
        }

        vault.Head = await vault.ReadHeadAsync();
        return vault;
    }

    /// <summary>More commits, until one names a new checkpoint.</summary>
    public async Task<VaultState> GoOnUntilCheckpointAsync(Volume volume)
    {
        CheckpointRef? before = (await ReadHeadAsync()).LastCheckpoint;
        NodeId folder = volume.MakeDirectory(NodeId.Root, $"more after {before?.Seq ?? 0}");
        for (int i = 0; i < 500; i++)
        {
            volume.MakeDirectory(folder, $"more {i}");
            await volume.WaitAsync();
            if (i % 6 == 5 && await ReadHeadAsync() is { LastCheckpoint: { } now } head && now != before)
            {
                return head;
            }
        }

        throw new Xunit.Sdk.XunitException("No commit named a checkpoint.");
    }

    public async Task<VaultState> ReadHeadAsync()
    {
        using VaultKeys keys = VaultKeys.Import(Fixture.Keys);
        return await VaultSetup.ReadHeadAsync(Store, keys, SystemRandomSource.Instance, CancellationToken.None);
    }

    /// <summary>A new device with what its enrolment has proven, in a directory of its own.</summary>
    public async Task<byte[]> EnrolAsync(string state)
    {
        RecoveredVault recovered = await VaultSetup.RecoverAsync(
            Store, Fixture.RecoveryKey, state, null, TimeProvider.System, SystemRandomSource.Instance, CancellationToken.None);
        using VaultKeys keys = recovered.Keys;
        Volume.KeepProvenHead(Fixture.Settings(state), keys, new LocalDisk(), recovered.Head);
        return keys.Export();
    }

    public Task<Volume> OpenAsync(string state, byte[] keys, IObjectStore? store = null) => Volume.OpenAsync(
        Fixture.Settings(state), VaultKeys.Import(keys), new KeptStore(store ?? Store), new LocalDisk(), TimeProvider.System, SystemRandomSource.Instance,
        NullLogger.Instance, CancellationToken.None);

    /// <summary>A commit that decides on a floor at the last checkpoint, the floor, and the slots up to it gone.</summary>
    public async Task<FloorRef> CutLogAsync(byte[] deviceKeys)
    {
        using VaultKeys keys = VaultKeys.Import(deviceKeys);
        VaultLog log = new(Store, keys, SystemRandomSource.Instance);
        VaultState head = await VaultSetup.ReadHeadAsync(Store, keys, SystemRandomSource.Instance, CancellationToken.None);
        FloorRef floor = new(head.Floor + 1, head.LastCheckpoint!.Seq, head.LastCheckpoint);
        Attempt attempt = log.Prepare(head, new CommitDraft { Floor = floor, Time = 1 });
        var committed = Assert.IsType<AppendOutcome.Committed>(await log.SubmitAsync(head, attempt, CancellationToken.None));
        await log.PublishFloorAsync(committed.Next, floor, CancellationToken.None);
        for (long seq = 1; seq <= floor.Seq; seq++)
        {
            await Store.DeleteAsync(VaultNames.Commit(1, seq), CancellationToken.None);
        }

        return floor;
    }

    /// <summary>The parts of the last checkpoint on which nothing but the past depends.</summary>
    public async Task<IReadOnlyList<string>> PastPartsAsync()
    {
        using VaultKeys keys = VaultKeys.Import(Fixture.Keys);
        CheckpointStore asked = new(Store);
        CheckpointReader reader = await CheckpointReader.OpenAsync(asked, keys, Checkpoint, CancellationToken.None);
        asked.Asked.Clear();
        await foreach (Core.Rows.PastRows part in reader.ReadPastAsync(CancellationToken.None))
        {
            _ = part;
        }

        return [.. asked.Asked];
    }

    public async Task ShowsExpectedAsync(Volume volume)
    {
        Assert.Null(volume.GetStatus().ReadOnlyReason);
        Assert.Empty(Expected.Differences(await TreeSnapshot.CaptureAsync(volume)));
    }

    public static void CopyDirectory(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    public ValueTask DisposeAsync() => Fixture.DisposeAsync();
}
