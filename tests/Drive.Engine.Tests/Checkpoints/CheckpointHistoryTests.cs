using Drive.Core.History;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Disk;
using Drive.Engine.History;
using Drive.Engine.Tests.History;
using Drive.Engine.Upload;
using Drive.Stores.Memory;
using Drive.Testing.Model;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace Drive.Engine.Tests.Checkpoints;

/// <summary>What a device that starts at a checkpoint shows of the past: what the one that was there all along shows.</summary>
public sealed class CheckpointHistoryTests(ITestOutputHelper output)
{
    private const int Operations = 110;
    private const int SeedsOfCase = 10;

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public Task A_device_that_starts_at_a_checkpoint_shows_each_state_of_a_random_history(int part) =>
        Seeds.RunAsync(output, 1000 + (part * SeedsOfCase), SeedsOfCase, RunAsync);

    [Fact]
    public Task So_it_does_for_a_history_that_nobody_chose() => Seeds.RunSomeAsync(output, 2, RunAsync);

    [Fact]
    public async Task A_device_that_starts_at_a_checkpoint_knows_the_past_and_gives_space_back()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        GarbageReport there;
        await using (Volume first = await vault.Fixture.OpenAsync())
        {
            there = await first.CollectGarbageAsync(new GarbageOptions { IsTrial = true }, None);
        }

        byte[] keys = await vault.EnrolAsync("second");
        await using Volume second = await vault.OpenAsync("second", keys);
        GarbageReport here = await second.CollectGarbageAsync(new GarbageOptions { IsTrial = true }, None);
        Assert.False(here.IsPastUnknown);
        Assert.Equal((there.PackBytes, there.NeededBytes), (here.PackBytes, here.NeededBytes));

        // The removed file's name is from before the checkpoint.
        PathVersion gone = Assert.Single(second.TimeMachine.Versions("folder/file 2"));
        Assert.Equal(VersionEnd.Deleted, gone.End);
        Assert.NotEmpty(await second.OpenPast(gone.From).ReadFileAsync(gone.Row.Node));
    }

    [Theory]
    [InlineData("lost")]
    [InlineData("flipped")]
    public async Task Where_the_log_is_cut_a_damaged_past_keeps_nobody_from_the_present(string what)
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        await vault.CutLogAsync(vault.Fixture.Keys);
        byte[] keys = await vault.EnrolAsync("second");
        IReadOnlyList<string> past = await vault.PastPartsAsync();
        Assert.NotEmpty(past);
        CheckpointStore store = new(vault.Store)
        {
            Answer = (name, content) => !past.Contains(name) ? content : what == "lost" ? null : [.. content!.Select((value, i) => (byte)(i == content!.Length / 2 ? value ^ 4 : value))],
        };
        await using Volume second = await vault.OpenAsync("second", keys, store);
        await vault.ShowsExpectedAsync(second);
        Assert.True((await second.CollectGarbageAsync(new GarbageOptions { IsTrial = true }, None)).IsPastUnknown);
        Assert.Empty(second.ReadMoments(1, vault.Checkpoint.Seq, 1));
    }

    private static async Task RunAsync(int seed)
    {
        await using EngineFixture fixture = await EngineFixture.CreateAsync();
        Random random = new(seed);
        VolumeSettings settings = fixture.Settings() with
        {
            SaveInterval = TimeSpan.FromDays(1),
            UploadRest = TimeSpan.FromDays(1),
            UploadDeadline = TimeSpan.FromDays(1),
            NodesCachedMax = 64,
            Checkpoints = new CheckpointRule { CommitsMax = random.Next(2, 12), CommitsMin = 2 },
        };
        Volume volume = await fixture.OpenAsync(settings);
        RecordedHistory history = new();
        OperationRunner runner = new(volume);
        List<VolumeOperation> operations = VolumeOperations.Generate(seed, Operations);
        for (int step = 0; step < operations.Count; step++)
        {
            await runner.RunAsync(operations[step]);
            switch (random.Next(30))
            {
                case 0 or 1 or 2:
                    await volume.WaitAsync();
                    await history.NoteAsync(volume);
                    break;
                case 3:
                    await volume.FsyncAsync(HandleId.None, false, None);
                    break;
                case 4 when step % 3 == 0:
                    runner.CloseSlots();
                    await volume.DisposeAsync();
                    volume = await fixture.OpenAsync(settings);
                    runner = new OperationRunner(volume);
                    break;
            }
        }

        // Some files stay open without a name while the last checkpoint is written.
        VaultState head = await UntilCheckpointAsync(fixture, volume, random.Next(2) == 0 ? 0 : volume.GetStatus().Seq);
        await history.NoteAsync(volume);
        if (random.Next(2) == 0)
        {
            KeptHistory kept = new(random.NextInt64(1, head.Seq), history.Seqs.Where(_ => random.Next(3) > 0));
            await volume.ChangeHistoryAsync(_ => [new Prune(kept.Below, kept.Seqs)], None);
            history.Forget(kept);
            if (random.Next(2) == 0)
            {
                await UntilCheckpointAsync(fixture, volume, volume.GetStatus().Seq);
                await history.NoteAsync(volume);
            }
        }

        await CompareWithJoinedAsync(fixture, volume, history, seed);
        runner.CloseSlots();
        await volume.DisposeAsync();
    }

    private static async Task CompareWithJoinedAsync(EngineFixture fixture, Volume volume, RecordedHistory history, int seed)
    {
        CheckpointStore store = new(fixture.Store);
        (byte[] keys, CheckpointRef checkpoint) = await EnrolAsync(fixture, "joined");
        await using Volume joined = await Volume.OpenAsync(
            fixture.Settings("joined"), VaultKeys.Import(keys), new KeptStore(store), new LocalDisk(), TimeProvider.System, SystemRandomSource.Instance, NullLogger.Instance, None);
        Assert.Contains(VaultNames.Checkpoint(checkpoint.Id).Value, store.Asked);
        Assert.DoesNotContain(VaultNames.Commit(1, 1).Value, store.Asked);
        await history.CompareAsync(joined.OpenPast, $"Seed {seed}, from the checkpoint at {checkpoint.Seq}");
        long last = volume.GetStatus().Seq;
        Assert.Equal(volume.ReadMoments(1, last, int.MaxValue), joined.ReadMoments(1, last, int.MaxValue));
        foreach (string path in Paths(volume, history.Seqs.Append(last)))
        {
            Assert.Equal(Versions(volume, path), Versions(joined, path));
        }
    }

    /// <summary>Names in the root of any state.</summary>
    private static HashSet<string> Paths(Volume volume, IEnumerable<long> seqs)
    {
        HashSet<string> paths = [];
        foreach (long seq in seqs)
        {
            Testing.DirectoryCollector entries = new();
            IVolume past = volume.OpenPast(seq);
            Assert.Equal(FsStatus.Ok, past.OpenDirectory(NodeId.Root, out HandleId handle));
            Assert.Equal(FsStatus.Ok, past.ReadDirectory(handle, 0, entries));
            past.CloseDirectory(handle);
            paths.UnionWith(entries.Entries.Select(static entry => System.Text.Encoding.Latin1.GetString(entry.Name)).Where(static name => name is not ("." or "..") && name.All(char.IsAsciiLetterOrDigit)));
        }

        return paths;
    }

    private static IReadOnlyList<string> Versions(Volume volume, string path) =>
        [.. volume.TimeMachine.Versions(path).Where(static version => !Epochs.IsProvisional(version.From))
            .Select(version => $"{path} {version.Row.Node} {version.From}-{(Epochs.IsProvisional(version.To) ? Epochs.Open : version.To)} {version.Row.Size} {version.Row.ModifyTime} {version.Row.LinkCount}")];

    private static async Task<VaultState> UntilCheckpointAsync(EngineFixture fixture, Volume volume, long above)
    {
        using VaultKeys keys = VaultKeys.Import(fixture.Keys);
        for (int i = 0; i < 1000; i++)
        {
            Assert.Equal(FsStatus.Ok, volume.MakeDirectory(NodeId.Root, System.Text.Encoding.ASCII.GetBytes($"more{above}x{i}"), 0x1ED, Caller.Root, out _));
            await volume.WaitAsync();
            VaultState head = await VaultSetup.ReadHeadAsync(fixture.Store, keys, SystemRandomSource.Instance, None);
            if (head.LastCheckpoint?.Seq > above)
            {
                return head;
            }
        }

        throw new Xunit.Sdk.XunitException("No commit named a checkpoint.");
    }

    private static async Task<(byte[] Keys, CheckpointRef Checkpoint)> EnrolAsync(EngineFixture fixture, string state)
    {
        RecoveredVault recovered = await VaultSetup.RecoverAsync(
            fixture.Store, fixture.RecoveryKey, state, null, TimeProvider.System, SystemRandomSource.Instance, None);
        using VaultKeys keys = recovered.Keys;
        Volume.KeepProvenHead(fixture.Settings(state), keys, new LocalDisk(), recovered.Head);
        return (keys.Export(), recovered.Head.LastCheckpoint!);
    }
}
