using System.Text;
using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.Tests.Merging;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Log;

namespace Drive.Engine.Tests.History;

/// <summary>Giving space back: what nothing needs goes, in the order of the log, and what anything needs stays.</summary>
public sealed class GarbageTests
{
    private static readonly RetentionRule NewestOnly = new(0, 0, 0, 0, 0);

    [Fact]
    public async Task What_was_removed_and_forgotten_goes_from_the_store_and_the_rest_is_exact()
    {
        await using TwoDevices devices = await ForgetfulAsync();
        WriteLarge(devices.First, "gone", 1);
        await devices.First.Volume.WaitAsync();
        WriteLarge(devices.First, "stays", 2);
        await devices.MeetAsync();
        int before = (await devices.Store.PacksAsync()).Count;
        devices.First.Erase("gone");
        await devices.MeetAsync();
        GarbageReport trial = await devices.First.Volume.CollectGarbageAsync(new GarbageOptions { IsTrial = true }, CancellationToken.None);
        Assert.Equal(before, (await devices.Store.PacksAsync()).Count);
        Assert.Equal(0, trial.DeletedPacks);
        Assert.Equal(1, trial.UnneededPacks);
        Assert.Equal(0, devices.First.Volume.Head.History.PrunedBelow);

        await CollectAsync(devices);
        Assert.Equal(before - 1, (await devices.Store.PacksAsync()).Count);
        Assert.Empty(devices.First.Volume.Head.History.Condemned);
        Assert.Equal(Large(2), await ReadAsync(devices.First, "stays"));
        Assert.Equal(Large(2), await ReadAsync(devices.Second, "stays"));
        await devices.MeetAsync();
        GarbageReport again = await CollectAsync(devices);
        Assert.Equal(0, again.DeletedPacks);
        Assert.True(again.PackBytes - again.NeededBytes < again.PackBytes / 5);

        // Written once more, it is sent once more: where it lay is forgotten.
        WriteLarge(devices.Second, "again", 1);
        await devices.MeetAsync();
        Assert.Equal(before, (await devices.Store.PacksAsync()).Count);
        await using Volume third = (await devices.AddAsync("third")).Volume;
        Assert.Equal(Large(1), await ReadAsync(new TwoDevices.Device(third), "again"));
    }

    [Fact]
    public async Task What_a_snapshot_shows_stays_until_its_name_is_dropped()
    {
        await using TwoDevices devices = await ForgetfulAsync();
        WriteLarge(devices.First, "old", 1);
        await devices.First.Volume.ChangeHistoryAsync(static state => [new NameSnapshot("then", state.Seq + 1, 1)], CancellationToken.None);
        int before = (await devices.Store.PacksAsync()).Count;
        devices.First.Erase("old");
        await devices.MeetAsync();
        await CollectAsync(devices);
        Assert.Equal(before, (await devices.Store.PacksAsync()).Count);
        await devices.First.Volume.ChangeHistoryAsync(static _ => [new DropSnapshot("then")], CancellationToken.None);
        await CollectAsync(devices);
        Assert.Equal(before - 1, (await devices.Store.PacksAsync()).Count);
    }

    [Fact]
    public async Task While_retention_is_frozen_nothing_is_forgotten()
    {
        await using TwoDevices devices = await ForgetfulAsync();
        WriteLarge(devices.First, "old", 1);
        await devices.First.Volume.WaitAsync();
        devices.First.Erase("old");
        await devices.First.Volume.ChangeHistoryAsync(static _ => [new FreezeRetention("too much vanished")], CancellationToken.None);
        int before = (await devices.Store.PacksAsync()).Count;
        GarbageReport report = await CollectAsync(devices);
        Assert.Equal("too much vanished", report.FrozenReason);
        Assert.Equal(before, (await devices.Store.PacksAsync()).Count);
        await devices.First.Volume.ChangeHistoryAsync(static _ => [new ThawRetention()], CancellationToken.None);
        await CollectAsync(devices);
        Assert.Equal(before - 1, (await devices.Store.PacksAsync()).Count);
    }

    [Fact]
    public async Task A_device_that_is_away_is_waited_for_and_what_it_has_shared_meanwhile_is_rescued()
    {
        await using TwoDevices devices = await ForgetfulAsync();
        WriteLarge(devices.First, "film", 1);
        await devices.MeetAsync();

        // A copy that shares every block, which the second has not sent, and a file without a name that somebody reads there.
        devices.Second.Share("film", "copy");
        Assert.Equal(FsStatus.Ok, devices.Second.Volume.Open(devices.Second.Find("film"), OpenOptions.Read, out HandleId open));
        devices.First.Erase("film");
        await devices.First.Volume.WaitAsync();
        GarbageReport report = await devices.First.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Equal("second", Assert.Single(report.WaitsFor).Name);
        Assert.Equal(0, report.DeletedPacks);
        Assert.Equal(Large(1), await ReadAsync(devices.Second, "copy"));

        // It follows, keeps what it needs, and says so by itself.
        await devices.SecondFollowsAsync();
        await UploadTests.EventuallyAsync(() => devices.Second.Volume.Head.WaitsFor(report.Seq, devices.First.Volume.DeviceId).Count == 0, "the second gives its word");
        await devices.FirstFollowsAsync();
        report = await devices.First.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Equal(1, report.DeletedPacks);
        Assert.Equal(Large(1), await ReadAsync(devices.Second, "copy"));
        Assert.Equal(Large(1), await devices.Second.Volume.ReadHandleAsync(open));
        devices.Second.Volume.Close(open);
        await devices.MeetAsync();
        Assert.Equal(Large(1), await ReadAsync(devices.First, "copy"));
        await using Volume third = (await devices.AddAsync("third")).Volume;
        Assert.Equal(Large(1), await ReadAsync(new TwoDevices.Device(third), "copy"));
    }

    [Fact]
    public async Task What_only_a_file_without_a_name_shows_that_is_open_here_is_not_condemned()
    {
        await using TwoDevices devices = await ForgetfulAsync();
        WriteLarge(devices.First, "film", 1);
        await devices.MeetAsync();
        NodeId film = devices.Second.Find("film");
        Assert.Equal(FsStatus.Ok, devices.Second.Volume.Open(film, OpenOptions.Read, out HandleId open));
        devices.First.Erase("film");
        await devices.First.Volume.WaitAsync();
        await devices.SecondFollowsAsync();
        await CollectAsync(devices.Second, devices.First);
        Assert.Single(await devices.Store.PacksAsync());
        Assert.Equal(Large(1), await devices.Second.Volume.ReadHandleAsync(open));
        devices.Second.Volume.Close(open);
        devices.Second.Volume.Forget(film);
        await CollectAsync(devices.Second, devices.First);
        Assert.Empty(await devices.Store.PacksAsync());
    }

    [Fact]
    public async Task A_commit_that_was_made_of_condemned_content_is_made_anew()
    {
        await using TwoDevices devices = await ForgetfulAsync();
        WriteLarge(devices.First, "film", 1);
        await devices.MeetAsync();
        devices.First.Erase("film");
        await devices.First.Volume.WaitAsync();

        // The same bytes again, which the second's vault still has, while the first condemns them.
        WriteLarge(devices.Second, "again", 1);
        await devices.First.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        await devices.Second.Volume.WaitAsync();
        await devices.FirstFollowsAsync();
        GarbageReport report = await devices.First.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Equal(1, report.DeletedPacks);
        Assert.Equal(Large(1), await ReadAsync(devices.First, "again"));
        await using Volume third = (await devices.AddAsync("third")).Volume;
        Assert.Equal(Large(1), await ReadAsync(new TwoDevices.Device(third), "again"));
    }

    [Fact]
    public async Task What_is_needed_of_a_wasteful_pack_moves_and_every_device_reads_it_there()
    {
        await using TwoDevices devices = await ForgetfulAsync();
        WriteLarge(devices.First, "gone", 1);
        devices.First.Write("small", "what stays");
        await devices.MeetAsync();
        devices.Second.Share("small", "shared");
        devices.First.Erase("gone");
        await devices.MeetAsync();
        GarbageReport report = await CollectAsync(devices);
        Assert.True(report.MovedPacks > 0 || devices.First.Volume.Head.History.PrunedBelow > 0);
        await CollectAsync(devices);
        report = await CollectAsync(devices);
        Assert.True(report.PackBytes < 100_000, $"{report.PackBytes} bytes are left");
        await devices.MeetAsync();
        Assert.Equal("shared=what stays | small=what stays", await devices.First.ShowAsync());
        Assert.Equal("shared=what stays | small=what stays", await devices.Second.ShowAsync());
        Assert.Equal("shared=what stays | small=what stays", await devices.ShowThirdAsync());
    }

    [Fact]
    public async Task A_device_that_lapsed_is_not_waited_for_and_sends_again_what_it_had()
    {
        await using TwoDevices devices = await ForgetfulAsync();
        WriteLarge(devices.First, "film", 1);
        await devices.MeetAsync();
        devices.First.Erase("film");
        await devices.First.Volume.WaitAsync();
        WriteLarge(devices.Second, "again", 1);
        GarbageReport report = await devices.First.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        VaultMember second = Assert.Single(report.WaitsFor);
        await devices.First.Volume.ChangeHistoryAsync(_ => [new Lapse(second.Id)], CancellationToken.None);
        report = await devices.First.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Equal(1, report.DeletedPacks);
        await devices.MeetAsync();
        Assert.False(devices.First.Volume.Head.FindMember(second.Id)!.IsLapsed);
        Assert.Equal(Large(1), await ReadAsync(devices.First, "again"));
    }

    [Fact]
    public async Task A_store_that_refuses_to_delete_is_said_and_asked_again()
    {
        FaultyStore store = new(new Drive.Stores.Memory.MemoryStore());
        await using EngineFixture fixture = await EngineFixture.CreateAsync(store);
        await using Volume volume = await fixture.OpenAsync();
        await WithGarbageAsync(volume);
        store.Script = static call => call.Kind == StoreCallKind.Delete ? StoreFault.FailBefore(StoreErrorKind.Denied, isTransient: false) : null;
        GarbageReport report = await volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Contains("Denied", report.RefusedReason, StringComparison.Ordinal);
        Assert.Equal(0, report.DeletedPacks);
        store.Script = static _ => null;
        report = await volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Equal(1, report.DeletedPacks);
        Assert.Null(report.RefusedReason);
        Assert.Empty(await store.PacksAsync());
    }

    [Fact]
    public async Task A_device_that_condemns_what_is_needed_stops_the_others_and_deletes_nothing()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        WriteLarge(devices.First, "film", 1);
        await devices.MeetAsync();
        PackId pack = VaultNames.FindPack(Assert.Single(await devices.Store.PacksAsync()))!.Value;
        await devices.First.Volume.ChangeHistoryAsync(_ => [new Condemn([pack])], CancellationToken.None);
        devices.Second.Volume.LookSoon();
        await UploadTests.EventuallyAsync(() => devices.Second.Volume.GetStatus().ReadOnlyReason is not null, "the second refuses");
        Assert.Contains("condemns a pack", devices.Second.Volume.GetStatus().ReadOnlyReason, StringComparison.Ordinal);
        GarbageReport report = await devices.First.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Equal("second", Assert.Single(report.WaitsFor).Name);
        Assert.Single(await devices.Store.PacksAsync());
        Assert.Equal(Large(1), await ReadAsync(devices.First, "film"));
        Assert.Equal(Large(1), await ReadAsync(devices.Second, "film"));
    }

    [Fact]
    public async Task A_round_that_is_given_up_in_the_middle_of_its_commit_leaves_the_log_whole()
    {
        FaultyStore store = new(new Drive.Stores.Memory.MemoryStore());
        await using EngineFixture fixture = await EngineFixture.CreateAsync(store);
        await using Volume volume = await fixture.OpenAsync();
        TwoDevices.Device device = await WithGarbageAsync(volume);
        TaskCompletionSource held = new();
        TaskCompletionSource met = new();
        int commits = 0;
        store.Script = call =>
        {
            // The first one forgets, the second condemns.
            if (call.Kind != StoreCallKind.Put || !call.Name.StartsWith("log/", StringComparison.Ordinal) || Interlocked.Increment(ref commits) != 2)
            {
                return null;
            }

            met.TrySetResult();
            return new StoreFault { Delay = held.Task };
        };
        using CancellationTokenSource asker = new();
        Task<GarbageReport> round = volume.CollectGarbageAsync(new GarbageOptions(), asker.Token);
        await met.Task;
        await asker.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => round);
        held.SetResult();
        device.Write("after", "it");
        await volume.WaitAsync();
        Assert.Single(volume.Head.History.Condemned);
        GarbageReport report = await volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Equal(1, report.DeletedPacks);
        Assert.Equal("after=it", await device.ShowAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Wherever_the_store_goes_away_in_a_round_the_next_start_goes_on_and_nothing_is_lost(bool afterTheCall)
    {
        int calls = int.MaxValue;
        for (int at = 0; at < calls; at++)
        {
            FaultyStore store = new(new Drive.Stores.Memory.MemoryStore());
            await using EngineFixture fixture = await EngineFixture.CreateAsync(store);
            Volume volume = await fixture.OpenAsync();
            TwoDevices.Device device = new(volume);
            await volume.ChangeHistoryAsync(static _ => [new SetRetention(NewestOnly)], CancellationToken.None);
            device.Write("small", "what stays");
            WriteLarge(device, "gone", 1);
            await volume.WaitAsync();
            device.Erase("gone");
            await volume.WaitAsync();
            int before = store.Calls;
            int failing = at;
            store.Script = call => call.Index < before + failing ? null
                : call.Index == before + failing && afterTheCall ? StoreFault.FailAfter(StoreErrorKind.Unreachable, isTransient: true)
                : StoreFault.FailBefore(StoreErrorKind.Unreachable, isTransient: true);
            Task<GarbageReport> round = volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
            await Task.WhenAny(round, UploadTests.EventuallyAsync(() => store.Calls > before + failing || round.IsCompleted, "the store goes away"));
            await volume.DisposeAsync();
            if (round.IsCompletedSuccessfully)
            {
                calls = at;
            }
            else
            {
                await Assert.ThrowsAnyAsync<Exception>(() => round);
            }

            store.Script = static _ => null;
            await using Volume again = await fixture.OpenAsync();
            Assert.Null(again.GetStatus().ReadOnlyReason);
            for (int rounds = 0; rounds < 3; rounds++)
            {
                await again.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
            }

            GarbageReport last = await again.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
            Assert.True(last is { MissingPacks: 0, CondemnedPacks: 0 } && last.StoredBytes < 100_000, $"after call {at}: {last.StoredBytes} bytes");
            Assert.Equal("small=what stays", await new TwoDevices.Device(again).ShowAsync());
            await using Volume third = await fixture.RecoverAsync("third");
            Assert.Equal("small=what stays", await new TwoDevices.Device(third).ShowAsync());
        }

        Assert.InRange(calls, 10, 1000);
    }

    [Fact]
    public async Task Packs_that_no_commit_names_go_when_no_device_can_name_them()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        WriteLarge(devices.First, "film", 1);
        await devices.MeetAsync();
        int before = (await devices.Store.PacksAsync()).Count;
        ObjectName stray = VaultNames.Pack(new PackId(new Bytes32(VolumeFiles.Bytes(5, 32))));
        await devices.Store.PutIfAbsentAsync(stray, new byte[1000], CancellationToken.None);
        await devices.First.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        Assert.Equal(before + 1, (await devices.Store.PacksAsync()).Count);

        // It may be the second's, whose run goes on; and what the run before had saved, the next one may send.
        for (int restarts = 0; restarts < 2; restarts++)
        {
            Assert.Contains(stray, await devices.Store.PacksAsync());
            await devices.RestartSecondAsync();
            devices.Second.Write("word", $"{restarts}");
            await devices.MeetAsync();
            await devices.First.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        }

        Assert.DoesNotContain(stray, await devices.Store.PacksAsync());
        Assert.Equal(Large(1), await ReadAsync(devices.Second, "film"));
    }

    private static Task<GarbageReport> CollectAsync(TwoDevices devices) => CollectAsync(devices.First, devices.Second);

    /// <summary>A round by one device, the other's word, and the round that sweeps.</summary>
    private static async Task<GarbageReport> CollectAsync(TwoDevices.Device one, TwoDevices.Device other)
    {
        await one.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        await TwoDevices.FollowAsync(other, one);
        VaultState state = one.Volume.Head;
        await UploadTests.EventuallyAsync(
            () => state.History.Condemned.All(pack => other.Volume.Head.WaitsFor(pack.Seq, one.Volume.DeviceId).Count == 0), "the other gives its word");
        await TwoDevices.FollowAsync(one, other);
        GarbageReport report = await one.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
        await TwoDevices.FollowAsync(other, one);
        return report;
    }

    /// <summary>Two devices of a vault that forgets everything at once.</summary>
    private static async Task<TwoDevices> ForgetfulAsync()
    {
        TwoDevices devices = await TwoDevices.CreateAsync();
        await devices.First.Volume.ChangeHistoryAsync(static _ => [new SetRetention(NewestOnly)], CancellationToken.None);
        return devices;
    }

    /// <summary>A device of such a vault that wrote a large file, sent it, and removed it.</summary>
    private static async Task<TwoDevices.Device> WithGarbageAsync(Volume volume)
    {
        TwoDevices.Device device = new(volume);
        await volume.ChangeHistoryAsync(static _ => [new SetRetention(NewestOnly)], CancellationToken.None);
        WriteLarge(device, "gone", 1);
        await volume.WaitAsync();
        device.Erase("gone");
        await volume.WaitAsync();
        return device;
    }

    private static byte[] Large(int seed) => VolumeFiles.Bytes(seed, 3_000_000);

    private static void WriteLarge(TwoDevices.Device device, string name, int seed) => device.Volume.WriteFile(NodeId.Root, name, Large(seed));

    private static Task<byte[]> ReadAsync(TwoDevices.Device device, string name) => device.Volume.ReadFileAsync(device.Find(name));
}
