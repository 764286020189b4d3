using Drive.Core.Platform;
using Drive.Core.Volumes;
using Drive.Disk;
using Drive.Engine.Upload;
using Drive.Testing.Model;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Microsoft.Extensions.Logging.Abstractions;
using SQLitePCL;

namespace Drive.Engine.Tests.Checkpoints;

/// <summary>Writing checkpoints: when, and that nothing which may go wrong with one touches anything else.</summary>
public sealed class CheckpointWriteTests
{
    [Theory]
    [InlineData(63, long.MaxValue, 0, false)]
    [InlineData(999, (64 << 20) - 1, 0, false)]
    [InlineData(64, 64 << 20, 0, true)]
    [InlineData(1000, 0, 0, true)]
    [InlineData(1000, 0, 1 << 30, true)]
    [InlineData(63, 1 << 20, 1, false)]
    [InlineData(64, 250, 1000, true)]
    [InlineData(64, 249, 1000, false)]
    public void A_checkpoint_is_due_after_many_commits_or_many_bytes(long commits, long replayBytes, long checkpointBytes, bool isDue) =>
        Assert.Equal(isDue, new CheckpointRule().IsDue(commits, replayBytes, checkpointBytes));

    [Fact]
    public async Task A_store_that_takes_no_checkpoint_delays_it_and_nothing_else()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        CheckpointStore store = new(vault.Store) { Refuses = static name => name.StartsWith("checkpoints/", StringComparison.Ordinal) };
        await using (Volume volume = await OpenEagerAsync(vault, store))
        {
            await CommitAsync(volume, "refused", 20);
            Assert.Null(volume.GetStatus().ReadOnlyReason);
        }

        Assert.Equal(vault.Checkpoint, (await vault.ReadHeadAsync()).LastCheckpoint);
        await using Volume later = await OpenEagerAsync(vault, new CheckpointStore(vault.Store));
        Assert.NotEqual(vault.Checkpoint, (await vault.GoOnUntilCheckpointAsync(later)).LastCheckpoint);
    }

    [Fact]
    public async Task A_checkpoint_that_was_written_before_a_restart_is_named_after_it()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        await using (Volume volume = await OpenEagerAsync(vault, new CheckpointStore(vault.Store)))
        {
            volume.MakeDirectory(NodeId.Root, "one commit");
            await volume.WaitAsync();
            await UploadTests.EventuallyAsync(() => volume.HasWrittenCheckpoint, "the checkpoint is written");
        }

        HashSet<string> written = await NamesAsync(vault);
        for (int run = 0; run < 2; run++)
        {
            await using Volume volume = await OpenEagerAsync(vault, new CheckpointStore(vault.Store));
            volume.MakeDirectory(NodeId.Root, $"run {run}");
            await volume.WaitAsync();
        }

        VaultState head = await vault.ReadHeadAsync();
        Assert.NotEqual(vault.Checkpoint, head.LastCheckpoint);
        Assert.Contains(VaultNames.Checkpoint(head.LastCheckpoint!.Id).Value, written);
    }

    [Fact]
    public async Task A_checkpoint_that_the_store_does_not_give_back_is_not_named()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        CheckpointStore store = new(vault.Store) { Answer = static (name, content) => name.StartsWith("checkpoints/", StringComparison.Ordinal) ? null : content };
        await using (Volume volume = await OpenEagerAsync(vault, store))
        {
            await CommitAsync(volume, "forgotten", 20);
            Assert.Contains(store.Asked, static name => name.StartsWith("checkpoints/", StringComparison.Ordinal));
            Assert.Null(volume.GetStatus().ReadOnlyReason);
        }

        Assert.Equal(vault.Checkpoint, (await vault.ReadHeadAsync()).LastCheckpoint);
    }

    [Fact]
    public async Task A_checkpoint_that_comes_back_changed_stops_the_sending()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        CheckpointStore store = new(vault.Store)
        {
            Answer = static (name, content) =>
            {
                if (name.StartsWith("checkpoints/", StringComparison.Ordinal))
                {
                    content![content.Length / 2] ^= 1;
                }

                return content;
            },
        };
        await using (Volume volume = await OpenEagerAsync(vault, store))
        {
            await UntilReadOnlyAsync(volume);
            Assert.Contains("checkpoints/", volume.GetStatus().ReadOnlyReason);
        }

        Assert.Equal(vault.Checkpoint, (await vault.ReadHeadAsync()).LastCheckpoint);
    }

    /// <summary>A flipped bit in a number of a row shows in no check of pages: the sum over all rows finds it, before another device is stopped by what follows from it.</summary>
    [Fact]
    public async Task A_row_that_was_damaged_on_this_machine_is_found_and_nothing_more_is_sent()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        VolumeSettings settings = vault.Fixture.Settings();
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_open(Path.Combine(settings.StateDirectory, "metadata.db"), out sqlite3 database));
        using (database)
        {
            const string Current = "to_seq = 9223372036854775807";
            Assert.Equal(raw.SQLITE_OK, raw.sqlite3_exec(database, $"UPDATE node SET mtime = mtime + 1 WHERE node = (SELECT max(node) FROM node WHERE {Current}) AND {Current}"));
        }

        await using (Volume volume = await OpenEagerAsync(vault, new CheckpointStore(vault.Store)))
        {
            await UntilReadOnlyAsync(volume);
            Assert.Contains("drive repair", volume.GetStatus().ReadOnlyReason);
        }

        Assert.Equal(vault.Checkpoint, (await vault.ReadHeadAsync()).LastCheckpoint);
    }

    [Fact]
    public async Task A_checkpoint_holds_the_tree_of_its_commit_while_calls_and_commits_go_on()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        await using (Volume volume = await OpenEagerAsync(vault, new CheckpointStore(vault.Store)))
        {
            for (int round = 0; round < 4; round++)
            {
                await vault.GoOnUntilCheckpointAsync(volume);
                NodeId file = volume.WriteFile(NodeId.Root, $"busy {round}", [1]);
                Assert.Equal(FsStatus.Ok, volume.Open(file, OpenOptions.Write, out HandleId open));
                Assert.Equal(FsStatus.Ok, volume.Unlink(NodeId.Root, System.Text.Encoding.ASCII.GetBytes($"busy {round}")));
                await volume.WaitAsync();
                volume.Close(open);
            }

            byte[] keys = await vault.EnrolAsync("second");
            TreeSnapshot tree = await TreeSnapshot.CaptureAsync(volume);
            await using Volume second = await vault.OpenAsync("second", keys);
            Assert.Empty(tree.Differences(await TreeSnapshot.CaptureAsync(second)));
        }
    }

    private static async Task<HashSet<string>> NamesAsync(CheckpointedVault vault)
    {
        HashSet<string> names = [];
        await foreach (Core.Stores.ObjectInfo info in vault.Store.ListAsync(VaultNames.CheckpointPrefix, CancellationToken.None))
        {
            names.Add(info.Name.Value);
        }

        return names;
    }

    private static Task<Volume> OpenEagerAsync(CheckpointedVault vault, CheckpointStore store) => Volume.OpenAsync(
        vault.Fixture.Settings() with { Checkpoints = new CheckpointRule { CommitsMax = CheckpointedVault.CommitsAfter } },
        VaultKeys.Import(vault.Fixture.Keys), store, new LocalDisk(), TimeProvider.System, SystemRandomSource.Instance, NullLogger.Instance, CancellationToken.None);

    private static async Task CommitAsync(Volume volume, string name, int commits)
    {
        NodeId folder = volume.MakeDirectory(NodeId.Root, name);
        for (int i = 0; i < commits; i++)
        {
            volume.MakeDirectory(folder, $"{i}");
            await volume.WaitAsync();
        }
    }

    /// <summary>Commits until it takes no more.</summary>
    private static async Task UntilReadOnlyAsync(Volume volume)
    {
        for (int i = 0; volume.GetStatus().ReadOnlyReason is null; i++)
        {
            Assert.True(i < 500, "Nothing was found.");
            FsStatus made = volume.MakeDirectory(NodeId.Root, System.Text.Encoding.ASCII.GetBytes($"more {i}"), 0x1ED, Caller.Root, out _);
            Assert.True(made is FsStatus.Ok or FsStatus.ReadOnly, made.ToString());
            using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
            await volume.WaitUploadedAsync(null, limit.Token);
        }
    }
}
