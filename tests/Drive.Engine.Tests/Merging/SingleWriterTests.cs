using Drive.Core.History;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine.History;
using Drive.Stores.Memory;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Engine.Tests.Merging;

/// <summary>Volumes on a store of class C, where one device writes and the others follow.</summary>
public sealed class SingleWriterTests : IAsyncLifetime
{
    private EngineFixture _fixture = null!;
    private CarelessStore _store = null!;
    private byte[] _secondKeys = null!;
    private TwoDevices.Device _first = null!;
    private TwoDevices.Device _second = null!;

    private static readonly RetentionRule NewestOnly = new(0, 0, 0, 0, 0);

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync()
    {
        _store = new CarelessStore(new MemoryStore());
        _fixture = await EngineFixture.CreateAsync(_store, singleWriter: true);
        _first = new(await _fixture.OpenAsync(Lazy("state")));
        _secondKeys = await EnrolAsync();
        _second = new(await OpenSecondAsync());
    }

    public async Task DisposeAsync()
    {
        await _first.Volume.DisposeAsync();
        await _second.Volume.DisposeAsync();
        Assert.Empty(_store.Replaced);
        await _fixture.DisposeAsync();
    }

    [Fact]
    public async Task The_writer_writes_the_other_follows_and_after_a_hand_over_they_have_changed_places()
    {
        _first.Write("doc", "one");
        await SendAsync(_first);
        await FollowAsync(_second, _first);
        Assert.Equal("doc=one", await _second.ShowAsync());
        Assert.Equal(FsStatus.ReadOnly, _second.Volume.MakeDirectory(NodeId.Root, "x"u8, 0x1ED, Caller.Root, out _));
        Assert.Equal(FsStatus.ReadOnly, _second.Volume.Write(HandleId.Of(_second.Find("doc")), 0, "two"u8, WriteOptions.None));
        Assert.Contains("Only 'first' writes", _second.Volume.GetStatus().ReadOnlyReason, StringComparison.Ordinal);
        Assert.Null(_first.Volume.GetStatus().ReadOnlyReason);
        await Assert.ThrowsAsync<VaultException>(() => _second.Volume.ChangeMembersAsync(static _ => [], None));
        await Assert.ThrowsAsync<VaultException>(() => _second.Volume.HandOverAsync(_second.Volume.Head.Members[^1].Id, None));

        // What was not sent goes with the hand-over.
        _first.Write("last", "words");
        await _first.Volume.HandOverAsync(Id(_second), None);
        Assert.Equal(FsStatus.ReadOnly, _first.Volume.MakeDirectory(NodeId.Root, "x"u8, 0x1ED, Caller.Root, out _));
        await FollowAsync(_second, _first);
        Assert.Equal("doc=one | last=words", await _second.ShowAsync());
        Assert.Null(_second.Volume.GetStatus().ReadOnlyReason);
        _second.Write("doc", "two");
        await SendAsync(_second);
        await FollowAsync(_first, _second);
        Assert.Equal("doc=two | last=words", await _first.ShowAsync());
    }

    [Fact]
    public async Task The_log_is_cut_when_followers_had_time_and_one_that_slept_for_longer_starts_at_the_checkpoint()
    {
        await _first.Volume.DisposeAsync();
        _first = new(await _fixture.OpenAsync(Cutting(TimeSpan.FromDays(7))));
        await _second.Volume.DisposeAsync();
        await WriteManyAsync("a");
        await _first.Volume.CollectGarbageAsync(new GarbageOptions(), None);
        Assert.Equal(1, _first.Volume.Head.Floor);
        Assert.NotNull(await _store.GetLengthAsync(VaultNames.Commit(1, 2), None));

        // It slept for less than that, and goes on where it was.
        _second = new(await OpenSecondAsync());
        await FollowAsync(_second, _first);
        Assert.Equal(await _first.ShowAsync(), await _second.ShowAsync());
        await _second.Volume.DisposeAsync();

        await WriteManyAsync("b");
        await _first.Volume.CollectGarbageAsync(new GarbageOptions(), None);
        Assert.Equal(1, _first.Volume.Head.Floor);
        await _first.Volume.DisposeAsync();
        _first = new(await _fixture.OpenAsync(Cutting(TimeSpan.Zero)));
        await WriteManyAsync("c");
        await _first.Volume.CollectGarbageAsync(new GarbageOptions(), None);
        Assert.Equal(2, _first.Volume.Head.Floor);
        Assert.Null(await _store.GetLengthAsync(VaultNames.Commit(1, _first.Volume.Head.LastFloor!.Seq), None));
        _second = new(await OpenSecondAsync());
        await FollowAsync(_second, _first);
        Assert.Equal(await _first.ShowAsync(), await _second.ShowAsync());
        Assert.Contains("Only 'first' writes", _second.Volume.GetStatus().ReadOnlyReason, StringComparison.Ordinal);

        VolumeSettings Cutting(TimeSpan away) => Lazy("state") with { CutCommitsMin = 3, FollowersAway = away, Checkpoints = new() { CommitsMax = 4, CommitsMin = 4 } };

        async Task WriteManyAsync(string name)
        {
            long last = _first.Volume.Head.LastCheckpoint?.Seq ?? 0;
            for (int i = 0; i < 6 || (_first.Volume.Head.LastCheckpoint?.Seq ?? 0) <= last; i++)
            {
                Assert.True(i < 100, "No commit named a checkpoint.");
                _first.Write($"{name}{i % 6}", $"{i}");
                await SendAsync(_first);
            }

            // Two commits above it.
            for (int i = 0; i < 3; i++)
            {
                _first.Write($"{name} last", $"{i}");
                await SendAsync(_first);
            }
        }
    }

    [Fact]
    public async Task A_writer_that_comes_back_after_a_take_over_keeps_what_it_had_and_sends_it_when_it_writes_again()
    {
        _first.Write("doc", "old");
        await SendAsync(_first);
        await FollowAsync(_second, _first);
        _first.Write("doc", "of the first");
        _first.Write("unsent", "mine");
        await _first.Volume.DisposeAsync();

        await _second.Volume.TakeOverAsync(None);
        Assert.Equal(Id(_second), _second.Volume.Head.SingleWriter);
        _second.Write("doc", "of the second");
        await SendAsync(_second);

        // Back, with a save point that was made before: nothing is sent, nothing is lost.
        _first = new(await _fixture.OpenAsync(Lazy("state")));
        await FollowAsync(_first, _second);
        Assert.Contains("Changes of this machine that were not sent", _first.Volume.GetStatus().ReadOnlyReason, StringComparison.Ordinal);
        UploadProgress waited = await _first.Volume.WaitUploadedAsync(null, None);
        Assert.False(waited.Done);
        Assert.Contains("Only 'second' writes", waited.LastError, StringComparison.Ordinal);
        Assert.Equal("doc (conflict, first)=of the first | doc=of the second | unsent=mine", await _first.ShowAsync());

        await _second.Volume.HandOverAsync(Id(_first), None);
        await FollowAsync(_first, _second);
        await SendAsync(_first);
        await FollowAsync(_second, _first);
        Assert.Equal("doc (conflict, first)=of the first | doc=of the second | unsent=mine", await _second.ShowAsync());
        Assert.Equal(0, _first.Volume.GetStatus().LocalOnly.Files);
    }

    [Fact]
    public async Task A_writer_that_sends_while_another_takes_over_loses_its_slot_and_nothing_else()
    {
        _first.Write("doc", "old");
        await SendAsync(_first);
        await FollowAsync(_second, _first);

        // Its attempt is saved and about to be put when the other takes over: it looks, and finds the slot taken.
        TaskCompletionSource taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.BeforePut = async name =>
        {
            if (name.Value.StartsWith(VaultNames.PackPrefix, StringComparison.Ordinal))
            {
                _store.BeforePut = static _ => Task.CompletedTask;
                await _second.Volume.TakeOverAsync(None);
                taken.TrySetResult();
            }
        };
        _first.Write("mine", "unsent");
        UploadProgress progress = await _first.Volume.WaitUploadedAsync(null, None);
        Assert.False(progress.Done);
        await taken.Task.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(Id(_second), _first.Volume.Head.SingleWriter);
        Assert.Equal("doc=old | mine=unsent", await _first.ShowAsync());
        _second.Write("doc", "new");
        await SendAsync(_second);
        await FollowAsync(_first, _second);
        Assert.Equal("doc=new | mine=unsent", await _first.ShowAsync());
        Assert.Equal("doc=new", await _second.ShowAsync());
    }

    [Fact]
    public async Task A_commit_that_the_store_shows_no_more_a_while_later_is_sent_again()
    {
        ObjectName? gone = null;
        _store.BeforePut = name =>
        {
            if (gone is null && name.Value.StartsWith(VaultNames.LogPrefix, StringComparison.Ordinal))
            {
                gone = name;
                _ = ForgetAsync(name);
            }

            return Task.CompletedTask;
        };
        _first.Write("doc", "kept");
        await SendAsync(_first);
        Assert.NotNull(gone);
        Assert.NotNull(await _store.GetLengthAsync(gone.Value, None));
        await FollowAsync(_second, _first);
        Assert.Equal("doc=kept", await _second.ShowAsync());

        // The store had shown it once, and forgot it before the second look.
        async Task ForgetAsync(ObjectName name)
        {
            while (await _store.GetLengthAsync(name, None) is null)
            {
                await Task.Delay(10);
            }

            await Task.Delay(400);
            await _store.DeleteAsync(name, None);
        }
    }

    [Fact]
    public async Task The_writer_gives_space_back_alone_and_who_follows_only_counts_and_forgets()
    {
        await _first.Volume.ChangeHistoryAsync(static _ => [new SetRetention(NewestOnly)], None);
        await WriteAndEraseAsync(_first);
        await FollowAsync(_second, _first);
        GarbageReport trial = await _second.Volume.CollectGarbageAsync(new GarbageOptions { IsTrial = true }, None).WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(1, trial.UnneededPacks);
        VaultException refused = await Assert.ThrowsAsync<VaultException>(() => _second.Volume.CollectGarbageAsync(new GarbageOptions(), None));
        Assert.Contains("Only 'first' writes", refused.Message, StringComparison.Ordinal);

        // Nobody else can have anything that is not sent, so nobody's word is waited for.
        GarbageReport report = await _first.Volume.CollectGarbageAsync(new GarbageOptions(), None);
        Assert.Empty(report.WaitsFor);
        Assert.Equal(1, report.DeletedPacks);
        Assert.Empty(await _store.PacksAsync());
        await FollowAsync(_second, _first);
        Assert.Null(_second.Volume.GetStatus().LastError);
    }

    [Fact]
    public async Task Who_follows_looks_at_the_past_and_sets_nothing_back()
    {
        _first.Write("doc", "old");
        await SendAsync(_first);
        await FollowAsync(_second, _first);
        StateOfPast then = _second.Volume.TimeMachine.Find("latest");
        _first.Write("doc", "newer");
        await SendAsync(_first);
        await FollowAsync(_second, _first);
        FsException refused = await Assert.ThrowsAsync<FsException>(() => _second.Volume.TimeMachine.RewindAsync(then, "doc", None));
        Assert.Equal(FsStatus.ReadOnly, refused.Status);
        Assert.Contains("Only 'first' writes", refused.Message, StringComparison.Ordinal);
        Assert.Throws<FsException>(() => _second.Volume.TimeMachine.Restore(then, "doc", null, overwrite: true, None));
        PastVolume past = _second.Volume.Past(then.Seq);
        Assert.Equal(FsStatus.Ok, past.FindFile(HandleId.Of(_second.Find("doc")), out PastFile file));
        Assert.Equal(FsStatus.ReadOnly, _second.Volume.SetContent(_second.Find("doc"), file));
        Assert.Equal("doc=newer", await _second.ShowAsync());
    }

    [Fact]
    public async Task A_writer_whose_place_was_taken_is_waited_for_and_loses_nothing_that_it_shares()
    {
        byte[] film = VolumeFiles.Bytes(1, 3_000_000);
        _first.Volume.WriteFile(NodeId.Root, "film", film);
        await SendAsync(_first);
        await FollowAsync(_second, _first);
        _first.Share("film", "copy");
        Assert.Equal(FsStatus.Ok, await _first.Volume.FsyncAsync(HandleId.None, false, None));
        await _first.Volume.DisposeAsync();
        await _second.Volume.TakeOverAsync(None);
        await _second.Volume.ChangeHistoryAsync(static _ => [new SetRetention(NewestOnly)], None);
        _second.Erase("film");
        await SendAsync(_second);
        GarbageReport report = await _second.Volume.CollectGarbageAsync(new GarbageOptions(), None);
        Assert.Equal("first", Assert.Single(report.WaitsFor).Name);
        Assert.Single(await _store.PacksAsync());

        _first = new(await _fixture.OpenAsync(Lazy("state")));
        await FollowAsync(_first, _second);
        Assert.Equal(film, await _first.Volume.ReadFileAsync(_first.Find("copy")));
        await _second.Volume.HandOverAsync(Id(_first), None);
        await FollowAsync(_first, _second);
        await SendAsync(_first);
        report = await _first.Volume.CollectGarbageAsync(new GarbageOptions(), None);
        Assert.Empty(report.WaitsFor);
        Assert.Equal(1, report.DeletedPacks);
        await FollowAsync(_second, _first);
        Assert.Equal(film, await _first.Volume.ReadFileAsync(_first.Find("copy")));
        Assert.Equal(film, await _second.Volume.ReadFileAsync(_second.Find("copy")));
    }

    [Fact]
    public async Task A_round_of_a_writer_that_loses_its_place_in_it_ends_with_the_reason_and_the_drive_follows()
    {
        await _first.Volume.ChangeHistoryAsync(static _ => [new SetRetention(NewestOnly)], None);
        _first.Write("small", "what stays");
        await WriteAndEraseAsync(_first);

        // It moves what is needed out of the pack, and is about to condemn that.
        _store.BeforePut = async name =>
        {
            if (name.Value.StartsWith(VaultNames.PackPrefix, StringComparison.Ordinal))
            {
                _store.BeforePut = static _ => Task.CompletedTask;
                await FollowAsync(_second, _first);
                await _second.Volume.TakeOverAsync(None);
            }
        };
        VaultException refused = await Assert.ThrowsAsync<VaultException>(() => _first.Volume.CollectGarbageAsync(new GarbageOptions(), None));
        Assert.Contains("Only 'second' writes", refused.Message, StringComparison.Ordinal);
        await FollowAsync(_first, _second);
        Assert.Equal("small=what stays", await _first.ShowAsync());
        Assert.NotEqual(StoreCondition.Stopped, _first.Volume.GetStatus().Store);
        Assert.Contains("Only 'second' writes", _first.Volume.GetStatus().ReadOnlyReason, StringComparison.Ordinal);
    }

    private static async Task WriteAndEraseAsync(TwoDevices.Device device)
    {
        device.Volume.WriteFile(NodeId.Root, "gone", VolumeFiles.Bytes(1, 3_000_000));
        await SendAsync(device);
        device.Erase("gone");
        await SendAsync(device);
    }

    private static async Task SendAsync(TwoDevices.Device device) => await device.Volume.WaitAsync();

    private static Task FollowAsync(TwoDevices.Device device, TwoDevices.Device ahead)
    {
        device.Volume.LookSoon();
        return UploadTests.EventuallyAsync(() => device.Volume.Head.Seq >= ahead.Volume.Head.Seq, "the other's commit is taken over");
    }

    private DeviceId Id(TwoDevices.Device device) => device.Volume.Head.Members.Single(member => member.Name == (device == _first ? "first" : "second")).Id;

    private VolumeSettings Lazy(string state) => _fixture.Settings(state) with
    {
        SaveInterval = TimeSpan.FromDays(1),
        UploadRest = TimeSpan.FromDays(1),
        UploadDeadline = TimeSpan.FromDays(1),
        SecondLook = TimeSpan.FromSeconds(1),
    };

    private Task<Volume> OpenSecondAsync() => _fixture.OpenAsync(Lazy("second"), _secondKeys);

    private async Task<byte[]> EnrolAsync()
    {
        using JoinIdentity offer = JoinIdentity.ForPairing(SystemRandomSource.Instance);
        VaultState head = await _first.Volume.ChangeMembersAsync(_ => offer.Changes, None);
        using VaultKeys keys = VaultKeys.Import(_fixture.Keys);
        await offer.PutPairingSlotAsync(_store, keys, head, SystemRandomSource.Instance, None);
        Task<RecoveredVault> joining = VaultSetup.JoinAsync(
            _store, new JoinSecret.PairingCode(offer.PairingCode!), "second", null, TimeProvider.System, SystemRandomSource.Instance, None);
        PairingRequest? request;
        while ((request = await PairingRequest.FindAsync(_store, keys, offer.PairingCode!, None)) is null)
        {
            await Task.Delay(20);
        }

        await _first.Volume.ChangeMembersAsync(state => request.Changes(state, offer.Id), None);
        RecoveredVault joined = await joining;
        using VaultKeys second = joined.Keys;
        return second.Export();
    }
}
