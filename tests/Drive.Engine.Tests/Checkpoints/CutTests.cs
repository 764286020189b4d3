using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Checks;
using Drive.Engine.Upload;
using Drive.Testing.Model;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Engine.Tests.Checkpoints;

/// <summary>Cutting the log: what is below a floor goes, everybody goes on, and whoever joins has the tree and its past.</summary>
public sealed class CutTests
{
    private const int Min = 8;

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task The_log_is_cut_at_the_checkpoint_and_a_new_device_has_tree_and_past()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        long at = vault.Checkpoint.Seq;
        IReadOnlyList<MomentRow> moments;
        await using (Volume first = await vault.Fixture.OpenAsync(Cutting(vault)))
        {
            GarbageReport trial = await first.CollectGarbageAsync(new GarbageOptions { IsTrial = true }, None);
            Assert.Equal(at - 1, trial.CommitsToCut);
            Assert.Null(first.Head.LastFloor);

            GarbageReport report = await first.CollectGarbageAsync(new GarbageOptions(), None);
            Assert.Equal((at - 1, at + 1), (report.DeletedCommits, report.LogFrom));
            Assert.Empty(report.LogWaitsFor);
            Assert.Equal(at, first.Head.LastFloor!.Seq);
            string[] left = [VaultNames.Commit(1, 1).Value, .. Enumerable.Range(1, (int)(first.Head.Seq - at)).Select(i => VaultNames.Commit(1, at + i).Value)];
            Assert.Equal(left, await NamesAsync(vault.Store, "log/"));
            Assert.Equal(VaultNames.Floor(1).Value, Assert.Single(await NamesAsync(vault.Store, "floor/")));

            // Once more there is nothing to do, and it goes on writing.
            Assert.Equal(0, (await first.CollectGarbageAsync(new GarbageOptions(), None)).DeletedCommits);
            moments = first.ReadMoments(1, at, int.MaxValue);
            Assert.Equal(at, moments.Count);
        }

        byte[] keys = await vault.EnrolAsync("second");
        await using (Volume second = await vault.OpenAsync("second", keys))
        {
            await vault.ShowsExpectedAsync(second);
            Assert.Equal(moments, second.ReadMoments(1, at, int.MaxValue));
            Assert.Single(second.TimeMachine.Versions("folder/file 2"));
            second.WriteFile(NodeId.Root, "from the second", [1]);
            await second.WaitAsync();
        }

        await using Volume again = await vault.Fixture.OpenAsync(Cutting(vault));
        Assert.Equal(FsStatus.Ok, again.Lookup(NodeId.Root, "from the second"u8, out _));
        Assert.Null(again.GetStatus().ReadOnlyReason);
    }

    [Fact]
    public async Task A_device_that_slept_is_waited_for_and_merges_what_it_has()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        byte[] keys = await vault.EnrolAsync("second");
        await using (Volume second = await vault.OpenAsync("second", keys))
        {
            await second.WaitAsync();
        }

        CheckpointRef checkpoint;
        await using (Volume first = await vault.Fixture.OpenAsync(CheckpointedVault.Often(Cutting(vault))))
        {
            // The second one says nothing by itself before a checkpoint has another one above it.
            checkpoint = (await vault.GoOnUntilCheckpointAsync(first)).LastCheckpoint!;
            await vault.GoOnUntilCheckpointAsync(first);
            GarbageReport report = await first.CollectGarbageAsync(new GarbageOptions(), None);
            Assert.Equal("second", Assert.Single(report.LogWaitsFor).Name);
            Assert.True(first.Head.LastFloor!.Seq < checkpoint.Seq, "It was cut above the second device.");
            Assert.True(first.Head.LastFloor.Seq <= first.Head.FindMember(SecondOf(first))!.LastSeq - 2);
        }

        // It has something that it did not send; the store was away.
        await using (Volume second = await vault.OpenAsync("second", keys, new FaultyStore(new KeptStore(vault.Store)) { IsUnreachable = true }))
        {
            second.WriteFile(NodeId.Root, "made asleep", [1, 2, 3]);
        }

        await using (Volume second = await vault.OpenAsync("second", keys))
        {
            await second.WaitAsync();
            Assert.Null(second.GetStatus().ReadOnlyReason);
        }

        await using Volume last = await vault.Fixture.OpenAsync(Cutting(vault));
        GarbageReport after = await last.CollectGarbageAsync(new GarbageOptions(), None);
        Assert.True(after.LogFrom > checkpoint.Seq);
        Assert.Equal(FsStatus.Ok, last.Lookup(NodeId.Root, "made asleep"u8, out _));
    }

    [Fact]
    public async Task An_idle_device_gives_its_word_once_a_checkpoint_has_another_above_it()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        byte[] keys = await vault.EnrolAsync("second");
        await using Volume second = await vault.OpenAsync("second", keys);
        await second.WaitAsync();
        await using Volume first = await vault.Fixture.OpenAsync(CheckpointedVault.Often(Cutting(vault)));
        await vault.GoOnUntilCheckpointAsync(first);
        CheckpointRef last = (await vault.GoOnUntilCheckpointAsync(first)).LastCheckpoint!;
        second.LookSoon();
        await UploadTests.EventuallyAsync(() => second.Head.FindMember(second.DeviceId)!.LastSeq > last.Seq, "the second gives its word");
        first.LookSoon();
        await UploadTests.EventuallyAsync(() => first.Head.FindMember(second.DeviceId)!.LastSeq > last.Seq, "the first hears it");
        first.WriteFile(NodeId.Root, "one more", [1]);
        await first.WaitAsync();
        Assert.True((await first.CollectGarbageAsync(new GarbageOptions(), None)).LogFrom > last.Seq);
    }

    [Theory]
    [InlineData("floor/", StoreCallKind.Put)]
    [InlineData("log/", StoreCallKind.Delete)]
    [InlineData("checkpoints/", StoreCallKind.Get)]
    public async Task A_cut_that_broke_off_is_finished_by_another_device(string prefix, StoreCallKind kind)
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        byte[] keys = await vault.EnrolAsync("second");
        await using (Volume second = await vault.OpenAsync("second", keys))
        {
            await second.WaitAsync();
        }

        bool isBroken = true;
        int calls = 0;
        FaultyStore store = new(new KeptStore(vault.Store))
        {
            Script = call => isBroken && call.Kind == kind && call.Name.StartsWith(prefix, StringComparison.Ordinal) && (kind != StoreCallKind.Delete || ++calls > 5)
                ? StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true)
                : null,
        };
        await using (Volume first = await OpenAsync(vault, store))
        {
            await Assert.ThrowsAsync<StoreException>(() => first.CollectGarbageAsync(new GarbageOptions(), None));
        }

        isBroken = false;
        await using Volume other = await Volume.OpenAsync(
            Cutting(vault, "second"), VaultKeys.Import(keys), new KeptStore(vault.Store), new Disk.LocalDisk(), TimeProvider.System, SystemRandomSource.Instance,
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, None);
        GarbageReport report = await other.CollectGarbageAsync(new GarbageOptions(), None);
        Assert.Equal(1, other.Head.Floor);
        Assert.Equal(other.Head.LastFloor!.Seq + 1, report.LogFrom);
        Assert.DoesNotContain(VaultNames.Commit(1, 2).Value, await NamesAsync(vault.Store, "log/"));
        Assert.DoesNotContain(VaultNames.Commit(1, report.LogFrom - 1).Value, await NamesAsync(vault.Store, "log/"));
        await vault.ShowsExpectedAsync(other);
        await using Volume third = await vault.OpenAsync("third", await vault.EnrolAsync("third"));
        await vault.ShowsExpectedAsync(third);
    }

    [Fact]
    public async Task A_store_that_deletes_nothing_gets_no_second_floor()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        bool isDenied = true;
        FaultyStore store = new(new KeptStore(vault.Store))
        {
            Script = call => isDenied && call.Kind == StoreCallKind.Delete ? StoreFault.FailBefore(StoreErrorKind.Denied, isTransient: false) : null,
        };
        await using Volume first = await OpenAsync(vault, store, often: true);
        GarbageReport report = await first.CollectGarbageAsync(new GarbageOptions(), None);
        Assert.NotNull(report.RefusedReason);
        long floor = first.Head.LastFloor!.Seq;
        await vault.GoOnUntilCheckpointAsync(first);
        await vault.GoOnUntilCheckpointAsync(first);
        report = await first.CollectGarbageAsync(new GarbageOptions(), None);
        Assert.Equal((1, floor), (first.Head.Floor, first.Head.LastFloor!.Seq));
        isDenied = false;
        report = await first.CollectGarbageAsync(new GarbageOptions(), None);
        Assert.Equal(2, first.Head.Floor);
        Assert.True(report.DeletedCommits >= floor - 1);
        Assert.DoesNotContain(VaultNames.Commit(1, 2).Value, await NamesAsync(vault.Store, "log/"));
    }

    [Fact]
    public async Task Checkpoints_that_nothing_needs_go_and_the_others_stay()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        await using Volume first = await vault.Fixture.OpenAsync(CheckpointedVault.Often(Cutting(vault)));
        for (int i = 0; i < 5; i++)
        {
            await vault.GoOnUntilCheckpointAsync(first);
        }

        await first.CollectGarbageAsync(new GarbageOptions(), None);
        VaultState state = first.Head;
        Assert.NotEmpty(state.DroppedCheckpoints);
        string[] names = await NamesAsync(vault.Store, "checkpoints/");
        Assert.All(state.DroppedCheckpoints, dropped => Assert.DoesNotContain(VaultNames.Checkpoint(dropped.Id).Value, names));
        Assert.All([.. state.OlderCheckpoints, state.LastCheckpoint!, state.LastFloor!.Checkpoint], kept => Assert.Contains(VaultNames.Checkpoint(kept.Id).Value, names));
        using VaultKeys keys = VaultKeys.Import(vault.Fixture.Keys);
        int needed = 0;
        foreach (CheckpointRef kept in ((CheckpointRef[])[.. state.OlderCheckpoints, state.LastCheckpoint!, state.LastFloor!.Checkpoint]).Distinct())
        {
            Vault.Checkpoints.CheckpointReader reader = await Vault.Checkpoints.CheckpointReader.OpenAsync(vault.Store, keys, kept, None);
            await reader.ProveAsync(None);
            needed += reader.ObjectNames.Count();
        }

        // One that waits for the next commit to name it may lie there too.
        Assert.InRange(names.Length, needed, needed + 4);
    }

    [Fact]
    public async Task A_checkpoint_that_the_store_has_lost_is_no_floor()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        await vault.Store.DeleteAsync(VaultNames.Checkpoint(vault.Checkpoint.Id), None);
        await using Volume first = await vault.Fixture.OpenAsync(Cutting(vault));
        first.WriteFile(NodeId.Root, "first", [1]);
        await first.WaitAsync();
        GarbageReport report = await first.CollectGarbageAsync(new GarbageOptions(), None);
        Assert.Contains(VaultNames.Checkpoint(vault.Checkpoint.Id).Value, report.LogProblem, StringComparison.Ordinal);
        Assert.Null(first.Head.LastFloor);
        Assert.Equal(1, report.LogFrom);

        // It is replaced at once: the next commit names the new one, and the log is cut there once a second has followed.
        await UploadTests.EventuallyAsync(() => first.HasWrittenCheckpoint, "a new checkpoint");
        for (int i = 0; i < 4; i++)
        {
            first.WriteFile(NodeId.Root, $"later {i}", [1]);
            await first.WaitAsync();
        }

        report = await first.CollectGarbageAsync(new GarbageOptions(), None);
        Assert.Null(report.LogProblem);
        Assert.NotEqual(vault.Checkpoint.Seq, first.Head.LastFloor!.Seq);
    }

    [Fact]
    public async Task What_another_device_has_cut_is_not_missing()
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        await using Volume second = await vault.OpenAsync("second", await vault.EnrolAsync("second"));
        await second.WaitAsync();
        await using Volume first = await vault.Fixture.OpenAsync(CheckpointedVault.Often(Cutting(vault)));
        await first.CollectGarbageAsync(new GarbageOptions(), None);
        await vault.GoOnUntilCheckpointAsync(first);
        await vault.GoOnUntilCheckpointAsync(first);
        Assert.Null(second.Head.LastFloor);
        CheckReport report = await second.CheckAsync(new CheckRequest(0, Repairs: false), static _ => { }, None);
        Assert.Empty(report.BadLog);
        Assert.NotNull(second.Head.LastFloor);
    }

    [Theory]
    [InlineData("commit")]
    [InlineData("manifest")]
    [InlineData("part")]
    public async Task What_the_store_lost_of_the_log_is_found_and_a_device_that_has_it_lets_others_join_again(string what)
    {
        await using CheckpointedVault vault = await CheckpointedVault.MakeAsync();
        await using (Volume first = await vault.Fixture.OpenAsync(Cutting(vault)))
        {
            await first.CollectGarbageAsync(new GarbageOptions(), None);
            Assert.Empty((await first.CheckAsync(new CheckRequest(1, Repairs: false), static _ => { }, None)).BadLog);
            ObjectName lost = what switch
            {
                "commit" => VaultNames.Commit(1, first.Head.LastFloor!.Seq + 2),
                "manifest" => VaultNames.Checkpoint(vault.Checkpoint.Id),
                _ => new ObjectName((await NamesAsync(vault.Store, "checkpoints/")).First(name => name != VaultNames.Checkpoint(vault.Checkpoint.Id).Value)),
            };
            await vault.Store.DeleteAsync(lost, None);
            CheckReport report = await first.CheckAsync(new CheckRequest(0, Repairs: false), static _ => { }, None);
            Assert.Equal((lost.Value, "is missing"), (report.BadLog[0].Name, report.BadLog[0].Problem));
            Assert.True(report.IsSound);

            await first.CheckAsync(new CheckRequest(0, Repairs: true), static _ => { }, None);
            GarbageReport cut = await first.CollectGarbageAsync(new GarbageOptions(), None);
            Assert.Equal(2, first.Head.Floor);
            Assert.Null(cut.LogProblem);
            Assert.Empty((await first.CheckAsync(new CheckRequest(1, Repairs: false), static _ => { }, None)).BadLog);
        }

        await using Volume third = await vault.OpenAsync("third", await vault.EnrolAsync("third"));
        await vault.ShowsExpectedAsync(third);
    }

    private static DeviceId SecondOf(Volume first) => first.Head.Members.Single(static member => member.Name == "second").Id;

    private static VolumeSettings Cutting(CheckpointedVault vault, string state = "state") =>
        vault.Fixture.Settings(state) with { CutCommitsMin = Min, Checkpoints = CheckpointedVault.Never };

    private static Task<Volume> OpenAsync(CheckpointedVault vault, IObjectStore store, bool often = false) => Volume.OpenAsync(
        often ? CheckpointedVault.Often(Cutting(vault)) : Cutting(vault), VaultKeys.Import(vault.Fixture.Keys), store, new Disk.LocalDisk(), TimeProvider.System, SystemRandomSource.Instance,
        Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, None);

    private static async Task<string[]> NamesAsync(IObjectStore store, string prefix)
    {
        List<string> names = [];
        await foreach (ObjectInfo info in store.ListAsync(prefix, None))
        {
            names.Add(info.Name.Value);
        }

        return [.. names.Order(StringComparer.Ordinal)];
    }
}
