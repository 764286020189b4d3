using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Disk;
using Drive.Engine.Repair;
using Drive.Metadata;
using Drive.Stores.Memory;
using Drive.Testing.Model;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace Drive.Engine.Tests.Checkpoints;

/// <summary>Starting from a checkpoint: who may, what it costs, and what is not believed.</summary>
public sealed class CheckpointStartTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_new_device_starts_at_the_last_checkpoint_and_shows_the_same_tree()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        byte[] keys = await vault.EnrolAsync("second");
        CheckpointStore store = new(vault.Store);
        await using (Volume second = await vault.OpenAsync("second", keys, store))
        {
            int asked = store.Asked.Count;
            int behind = store.Asked.Count(name => name.StartsWith(VaultNames.LogPrefix, StringComparison.Ordinal) && string.CompareOrdinal(name, VaultNames.Commit(1, vault.Head.Seq + 1).Value) > 0);
            await vault.ShowsExpectedAsync(second);
            long tail = vault.Head.Seq + 1 - vault.Checkpoint.Seq;
            output.WriteLine($"{asked} gets for a log of {vault.Head.Seq + 1} commits, {tail} of them after the checkpoint");
            Assert.DoesNotContain(VaultNames.Commit(1, 1).Value, store.Asked);
            Assert.DoesNotContain(VaultNames.Commit(1, vault.Checkpoint.Seq).Value, store.Asked);

            // Manifest, one part and one of the past, the tail; the floor twice, the pin. And slots behind the head, which are asked for ahead of time: no more than were found.
            Assert.InRange(asked - behind, tail + 2, tail + 8);
            Assert.InRange(behind, 1, 16 + 2);
        }

        await GoesOnAsync(vault, "second", keys);
    }

    [Fact]
    public async Task A_device_without_a_proven_head_reads_the_log_from_its_beginning()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        CheckpointStore store = new(vault.Store);
        await using Volume second = await vault.Fixture.RecoverAsync("second", store);
        await vault.ShowsExpectedAsync(second);
        Assert.DoesNotContain(store.Asked, static name => name.StartsWith("checkpoints/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_new_device_joins_a_log_that_was_cut()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        await vault.CutLogAsync(vault.Fixture.Keys);
        byte[] keys = await vault.EnrolAsync("second");
        await using (Volume second = await vault.OpenAsync("second", keys))
        {
            await vault.ShowsExpectedAsync(second);
        }

        // Without what the enrolment has proven, the floor is the way.
        await using Volume third = await vault.Fixture.RecoverAsync("third");
        await vault.ShowsExpectedAsync(third);
    }

    [Theory]
    [InlineData("lost")]
    [InlineData("flipped")]
    [InlineData("cut")]
    [InlineData("swapped")]
    [InlineData("of another vault")]
    public async Task A_checkpoint_that_is_not_what_it_was_sends_a_new_device_to_the_log(string what)
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        await using CheckpointedVault stranger = await CheckpointedVault.MakeStrangerAsync();
        byte[] keys = await vault.EnrolAsync("second");
        foreach (string victim in await NamesAsync(vault.Store))
        {
            byte[]? other = await OtherAsync(vault, stranger, victim, what);
            CheckpointStore store = new(vault.Store) { Answer = (name, content) => name == victim ? other : content };
            string state = "second " + victim[^8..];
            CheckpointedVault.CopyDirectory(vault.Fixture.Settings("second").StateDirectory, vault.Fixture.Settings(state).StateDirectory);
            await using Volume second = await vault.OpenAsync(state, keys, store);
            await vault.ShowsExpectedAsync(second);
            Assert.Contains(VaultNames.Commit(1, 1).Value, store.Asked);
        }
    }

    [Theory]
    [InlineData("lost", IntegrityKind.Missing)]
    [InlineData("flipped", IntegrityKind.WrongObject)]
    [InlineData("swapped", IntegrityKind.WrongObject)]
    [InlineData("of another vault", IntegrityKind.WrongObject)]
    public async Task A_checkpoint_that_is_not_what_it_was_is_refused_by_name_where_the_log_is_cut(string what, IntegrityKind kind)
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        await using CheckpointedVault stranger = await CheckpointedVault.MakeStrangerAsync();
        await vault.CutLogAsync(vault.Fixture.Keys);
        byte[] keys = await vault.EnrolAsync("second");

        // What it has of the past is another matter: CheckpointHistoryTests.
        foreach (string victim in (await NamesAsync(vault.Store)).Except(await vault.PastPartsAsync()))
        {
            byte[]? other = await OtherAsync(vault, stranger, victim, what);
            CheckpointStore store = new(vault.Store) { Answer = (name, content) => name == victim ? other : content };
            VaultIntegrityException error = await Assert.ThrowsAsync<VaultIntegrityException>(() => vault.OpenAsync("second", keys, store));
            Assert.Equal((victim, kind), (error.ObjectName, error.Kind));
        }

        // Nothing was spoilt by it.
        await using Volume second = await vault.OpenAsync("second", keys);
        await vault.ShowsExpectedAsync(second);
    }

    [Fact]
    public async Task A_store_that_was_put_back_to_before_the_enrolment_is_refused()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        byte[] keys = await vault.EnrolAsync("second");
        string enrolment = VaultNames.Commit(1, vault.Head.Seq + 1).Value;
        CheckpointStore store = new(vault.Store) { Answer = (name, content) => name == enrolment ? null : content };
        VaultIntegrityException error = await Assert.ThrowsAsync<VaultIntegrityException>(() => vault.OpenAsync("second", keys, store));
        Assert.Equal((enrolment, IntegrityKind.RolledBack), (error.ObjectName, error.Kind));
    }

    [Fact]
    public async Task A_device_that_slept_while_the_log_was_cut_starts_at_the_floor()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        TreeSnapshot after = await GoOnElsewhereAsync(vault);
        await using Volume sleeper = await vault.Fixture.OpenAsync();
        Assert.Null(sleeper.GetStatus().ReadOnlyReason);
        Assert.Empty(after.Differences(await TreeSnapshot.CaptureAsync(sleeper)));
        NodeId made = sleeper.WriteFile(NodeId.Root, "by the sleeper", [7]);
        await sleeper.WaitAsync();
        Assert.Equal([7], await sleeper.ReadFileAsync(made));
        Assert.Empty(Directory.GetFiles(vault.Fixture.Settings().StateDirectory, "*damaged*"));
        Assert.Empty(Directory.GetFiles(vault.Fixture.Settings().StateDirectory, "*rebuilding*"));
    }

    [Fact]
    public async Task A_device_with_unsent_changes_keeps_them_and_stays_read_only_when_the_log_was_cut()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        byte[] content = new byte[100_000];
        new Random(3).NextBytes(content);
        await using (Volume volume = await OpenAwayAsync(vault))
        {
            volume.WriteFile(NodeId.Root, "unsent", content);
            Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
        }

        await GoOnElsewhereAsync(vault);
        for (int i = 0; i < 2; i++)
        {
            await using Volume sleeper = await vault.Fixture.OpenAsync();
            Assert.Contains("changes of its own", sleeper.GetStatus().ReadOnlyReason);
            Assert.Equal(content, await sleeper.ReadFileAsync(sleeper.Find(NodeId.Root, "unsent")));
        }
    }

    [Theory]
    [InlineData("lost")]
    [InlineData("of another vault")]
    [InlineData("an older one")]
    public async Task A_floors_checkpoint_that_fails_its_proof_leaves_a_sleeper_with_its_last_good_state(string what)
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        await using CheckpointedVault stranger = await CheckpointedVault.MakeStrangerAsync();
        await GoOnElsewhereAsync(vault);
        VaultState head = await vault.ReadHeadAsync();
        string victim = VaultNames.Checkpoint(head.LastCheckpoint!.Id).Value;
        byte[]? other = what switch
        {
            "lost" => null,
            "an older one" => await vault.Store.GetAsync(VaultNames.Checkpoint(vault.Checkpoint.Id), int.MaxValue, CancellationToken.None),
            _ => await stranger.Store.GetAsync(VaultNames.Checkpoint(stranger.Checkpoint.Id), int.MaxValue, CancellationToken.None),
        };
        CheckpointStore store = new(vault.Store) { Answer = (name, content) => name == victim ? other : content };
        await using (Volume sleeper = await vault.OpenAsync("state", vault.Fixture.Keys, store))
        {
            Assert.Contains(victim, sleeper.GetStatus().ReadOnlyReason);
            Assert.Empty(vault.Expected.Differences(await TreeSnapshot.CaptureAsync(sleeper)));
        }

        await using Volume again = await vault.Fixture.OpenAsync();
        Assert.Null(again.GetStatus().ReadOnlyReason);
    }

    [Fact]
    public async Task A_rebuild_starts_at_the_last_checkpoint_that_the_old_database_had_proven()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        VolumeSettings image = vault.Fixture.CopyState("image");
        CheckpointStore store = new(vault.Store);
        using (VaultKeys keys = VaultKeys.Import(vault.Fixture.Keys))
        {
            RebuildReport report = await StateRebuild.RunAsync(
                image, keys, store, new LocalDisk(), TimeProvider.System, SystemRandomSource.Instance, NullLogger.Instance, RebuildMode.Asked, CancellationToken.None);
            Assert.Equal(vault.Head.Seq, report.Seq);
            Assert.True(report.IsComplete);
        }

        Assert.DoesNotContain(VaultNames.Commit(1, 1).Value, store.Asked);
        await using Volume volume = await vault.OpenAsync("image", vault.Fixture.Keys);
        await vault.ShowsExpectedAsync(volume);
        volume.MakeDirectory(NodeId.Root, "it goes on");
        await volume.WaitAsync();
    }

    [Fact]
    public async Task A_rebuild_that_is_to_prove_history_too_reads_the_whole_log()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        VolumeSettings image = vault.Fixture.CopyState("image");

        // One that starts at the checkpoint takes its word for the past.
        foreach (RebuildMode mode in new[] { RebuildMode.Asked, RebuildMode.AskedForHistory })
        {
            CheckpointStore store = new(vault.Store);
            using (VaultKeys keys = VaultKeys.Import(vault.Fixture.Keys))
            {
                RebuildReport report = await StateRebuild.RunAsync(
                    image, keys, store, new LocalDisk(), TimeProvider.System, SystemRandomSource.Instance, NullLogger.Instance, mode, CancellationToken.None);
                Assert.True(report.IsComplete);
                Assert.Equal(mode == RebuildMode.AskedForHistory, store.Asked.Contains(VaultNames.Commit(1, 1).Value));
            }

            await using Volume volume = await vault.OpenAsync("image", vault.Fixture.Keys);
            await vault.ShowsExpectedAsync(volume);
            Assert.False((await volume.CollectGarbageAsync(new GarbageOptions { IsTrial = true }, CancellationToken.None)).IsPastUnknown);
            Assert.Single(volume.ReadMoments(1, 1, 1));
        }
    }

    [Fact]
    public async Task A_device_that_lost_everything_but_its_keys_never_gives_a_node_number_twice_after_a_cut()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        HashSet<ulong> used = await NodesOfAsync(vault);
        await vault.CutLogAsync(vault.Fixture.Keys);
        await using Volume volume = await vault.OpenAsync("empty", vault.Fixture.Keys);
        await vault.ShowsExpectedAsync(volume);
        NodeId made = volume.MakeDirectory(NodeId.Root, "new");
        Assert.True(made.Value > used.Max() + (1UL << 31), $"{made} after {used.Max():x}");
        await volume.WaitAsync();
    }

    private static async Task GoesOnAsync(CheckpointedVault vault, string state, byte[] keys)
    {
        await using (Volume again = await vault.OpenAsync(state, keys))
        {
            await vault.ShowsExpectedAsync(again);
            again.WriteFile(again.Find(NodeId.Root, "folder"), "by the second", [1, 2]);
            await again.WaitAsync();
        }

        await using Volume first = await vault.Fixture.OpenAsync();
        Assert.Null(first.GetStatus().ReadOnlyReason);
        Assert.Equal([1, 2], await first.ReadFileAsync(first.Find(first.Find(NodeId.Root, "folder"), "by the second")));
    }

    /// <summary>Another device writes more than the first has seen, and a checkpoint above it, and cuts the log there.</summary>
    private static async Task<TreeSnapshot> GoOnElsewhereAsync(CheckpointedVault vault)
    {
        byte[] keys = await vault.EnrolAsync("other");
        using CancellationTokenSource none = new();
        Volume other = await Volume.OpenAsync(
            CheckpointedVault.Often(vault.Fixture.Settings("other")), VaultKeys.Import(keys), new KeptStore(vault.Store), new LocalDisk(), TimeProvider.System,
            SystemRandomSource.Instance, NullLogger.Instance, none.Token);
        TreeSnapshot tree;
        await using (other)
        {
            await vault.GoOnUntilCheckpointAsync(other);
            tree = await TreeSnapshot.CaptureAsync(other);
        }

        await vault.CutLogAsync(keys);
        return tree;
    }

    /// <summary>The first device, while the store is away.</summary>
    private static Task<Volume> OpenAwayAsync(CheckpointedVault vault)
    {
        CheckpointStore store = new(vault.Store)
        {
            Answer = static (_, _) => throw new StoreException(StoreErrorKind.Unreachable, isTransient: true, "away"),
            Refuses = static _ => true,
        };
        return vault.OpenAsync("state", vault.Fixture.Keys, store);
    }

    private static async Task<HashSet<ulong>> NodesOfAsync(CheckpointedVault vault)
    {
        using VaultKeys keys = VaultKeys.Import(vault.Fixture.Keys);
        VaultLog log = new(vault.Store, keys, SystemRandomSource.Instance);
        VaultState state = VaultState.BeforeGenesis(keys);
        string path = Path.Combine(vault.Fixture.Home, "nodes.db");
        using MetadataStore tree = MetadataStore.Open(path, keys.DeriveLocalKey("metadata"), new MetadataOptions());
        HashSet<ulong> nodes = [];
        while (await log.ReadNextAsync(state, rows => tree.ResolveClosed(rows)!, CancellationToken.None) is ReadResult.Next next)
        {
            tree.ApplyCommit(new CommitNote(new MomentRow(next.State.Seq, next.Commit.Time, next.Commit.Device)), next.Commit.Rows, []);
            nodes.UnionWith(next.Commit.Rows.Opened.Nodes.Select(static row => row.Node.Value));
            state = next.State;
        }

        return nodes;
    }

    private static async Task<byte[]?> OtherAsync(CheckpointedVault vault, CheckpointedVault stranger, string victim, string what)
    {
        byte[] own = (await vault.Store.GetAsync(new ObjectName(victim), int.MaxValue, CancellationToken.None))!;
        switch (what)
        {
            case "lost":
                return null;
            case "flipped":
                own[own.Length / 2] ^= 4;
                return own;
            case "cut":
                return own[..^1];
            case "swapped":
                string other = (await NamesAsync(vault.Store)).First(name => name != victim);
                return await vault.Store.GetAsync(new ObjectName(other), int.MaxValue, CancellationToken.None);
            default:
                return await stranger.Store.GetAsync(VaultNames.Checkpoint(stranger.Checkpoint.Id), int.MaxValue, CancellationToken.None);
        }
    }

    /// <summary>The objects of the last checkpoint only: of a store with one.</summary>
    private static async Task<IReadOnlyList<string>> NamesAsync(IObjectStore store)
    {
        List<string> names = [];
        await foreach (ObjectInfo info in store.ListAsync(VaultNames.CheckpointPrefix, CancellationToken.None))
        {
            names.Add(info.Name.Value);
        }

        return names;
    }
}
