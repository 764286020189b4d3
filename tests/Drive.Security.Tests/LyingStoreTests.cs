using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Security.Tests;

/// <summary>A store that answers falsely: nothing is called sent that is not there, and nothing old is taken for the newest by who can know better.</summary>
public sealed class LyingStoreTests : IAsyncLifetime
{
    private readonly ManualTime _time = new();
    private VolumeTrials _vault = null!;
    private EvilStore _store = null!;

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync()
    {
        _vault = await VolumeTrials.CreateAsync(1, commits: 2);
        _store = await _vault.EvilStoreAsync();
    }

    public async Task DisposeAsync() => await _vault.DisposeAsync();

    [Theory]
    [InlineData("packs/", EvilLie.KeepNothing)]
    [InlineData("packs/", EvilLie.SayTaken)]
    [InlineData("log/", EvilLie.KeepNothing)]
    [InlineData("log/", EvilLie.SayTaken)]
    public async Task Nothing_is_called_sent_while_the_store_does_not_have_it(string folder, EvilLie lie)
    {
        byte[] content = KnownVault.Noise(7, 50_000);
        string state = _vault.TakeDevice(3);
        await using (Volume volume = await OpenAsync(state))
        {
            _store.Lie = call => call.Kind == StoreCallKind.Put && call.Name.StartsWith(folder, StringComparison.Ordinal) ? lie : EvilLie.None;
            Assert.Equal(FsStatus.Ok, volume.Write("new", content));
            Assert.False(await volume.UploadAsync(_time, None));
            Assert.True(Verdict.NamesAnObject(volume.GetStatus().LastError), volume.GetStatus().LastError);
            _store.Heal();
            Assert.True(await volume.UploadAsync(_time, None), volume.GetStatus().LastError);
        }

        RecoveredVault recovered = await RecoverAsync();
        await using Volume other = await _vault.Home.OpenAsync(_vault.TakeDevice(), recovered.Keys, _store, _time, None);
        Assert.Equal(content, (await other.ReadAsync("new", None)).Content);
    }

    [Fact]
    public async Task Another_object_under_a_new_packs_name_is_an_alarm()
    {
        await using Volume volume = await OpenAsync(_vault.TakeDevice(3));
        _store.Lie = call =>
        {
            if (call.Kind == StoreCallKind.Put && call.Name.StartsWith("packs/", StringComparison.Ordinal))
            {
                _store.Show(new ObjectName(call.Name), [1, 2, 3]);
            }

            return EvilLie.None;
        };
        Assert.Equal(FsStatus.Ok, volume.Write("new", KnownVault.Noise(7, 50_000)));
        Assert.False(await volume.UploadAsync(_time, None));
        Assert.True(volume.IsReadOnly);
        Assert.Contains("packs/", volume.GetStatus().ReadOnlyReason, StringComparison.Ordinal);
        Assert.Equal(KnownVault.Noise(7, 50_000), (await volume.ReadAsync("new", None)).Content);
    }

    [Fact]
    public async Task A_new_device_that_is_shown_a_log_without_its_own_enrolment_says_so()
    {
        int before = _store.Moment;
        RecoveredVault recovered = await RecoverAsync();
        _store.RollBackTo(before);
        await using Volume volume = await _vault.Home.OpenAsync(_vault.TakeDevice(), recovered.Keys, _store, _time, None);
        Assert.True(volume.IsReadOnly);
        Assert.Contains(VaultNames.Commit(1, recovered.Head.Seq).Value, volume.GetStatus().ReadOnlyReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_commit_under_way_does_not_hide_that_the_store_was_put_back()
    {
        string state = await InterruptedAsync();
        _store.RollBackTo(_vault.Puts.ToList().FindIndex(put => put.Key == VaultNames.Commit(1, 2).Value) + 1);
        await using Volume volume = await OpenAsync(state);
        Assert.True(volume.IsReadOnly);
        Assert.Contains(VaultNames.Commit(1, 3).Value, volume.GetStatus().ReadOnlyReason, StringComparison.Ordinal);
        Assert.Equal(KnownVault.Noise(7, 50_000), (await volume.ReadAsync("new", None)).Content);
        Assert.Null(await _store.ShownAsync(VaultNames.Commit(1, 4)));
    }

    [Fact]
    public async Task A_pack_that_the_store_lost_before_its_commit_was_in_the_log_is_made_again_from_what_this_machine_still_has()
    {
        string state = await InterruptedAsync();
        foreach ((string name, _) in (await _store.ShownAsync()).Where(pair => pair.Key.StartsWith("packs/", StringComparison.Ordinal) && _vault.Puts.All(put => put.Key != pair.Key)))
        {
            await _store.DeleteAsync(new ObjectName(name), None);
        }

        await using (Volume volume = await OpenAsync(state))
        {
            Assert.Equal(KnownVault.Noise(7, 50_000), (await volume.ReadAsync("new", None)).Content);
            Assert.True(await volume.UploadAsync(_time, None), volume.GetStatus().LastError);
            Assert.Equal(5, volume.GetStatus().Seq);
        }

        RecoveredVault recovered = await RecoverAsync();
        await using Volume other = await _vault.Home.OpenAsync(_vault.TakeDevice(), recovered.Keys, _store, _time, None);
        Assert.Equal(KnownVault.Noise(7, 50_000), (await other.ReadAsync("new", None)).Content);
    }

    [Fact]
    public async Task A_mount_for_reading_with_a_commit_under_way_notices_a_store_that_was_put_back()
    {
        string state = await InterruptedAsync();
        _store.RollBackTo(_vault.Puts.ToList().FindIndex(put => put.Key == VaultNames.Commit(1, 2).Value) + 1);
        VolumeSettings settings = _vault.Home.Settings(state) with { ReadOnly = true };
        await using Volume volume = await Volume.OpenAsync(
            settings, _vault.Keys(), _store, new Drive.Disk.LocalDisk(), _time, SystemRandomSource.Instance, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, None);
        Assert.Equal(StoreCondition.Stopped, volume.GetStatus().Store);
        Assert.Contains(VaultNames.Commit(1, 3).Value, volume.GetStatus().LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_put_back_while_a_commit_is_put_is_noticed_by_that_commit()
    {
        await using Volume volume = await OpenAsync(_vault.TakeDevice(3));
        _store.Lie = call =>
        {
            if (call.Kind == StoreCallKind.Put && call.Name.StartsWith("log/", StringComparison.Ordinal))
            {
                _store.RollBackTo(_vault.Puts.ToList().FindIndex(put => put.Key == VaultNames.Commit(1, 2).Value) + 1);
            }

            return EvilLie.None;
        };
        Assert.Equal(FsStatus.Ok, volume.Write("new", KnownVault.Noise(7, 50_000)));
        Assert.False(await volume.UploadAsync(_time, None));
        Assert.Contains(VaultNames.Commit(1, 3).Value, volume.GetStatus().ReadOnlyReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_shows_a_commit_to_one_question_and_hides_it_from_the_next_does_not_keep_a_device_joining_for_ever()
    {
        RecoveredVault first = await RecoverAsync();
        first.Keys.Dispose();
        string hidden = VaultNames.Commit(1, first.Head.Seq).Value;
        bool wasPut = false;
        _store.CallsMax = 10_000;
        _store.Lie = call =>
        {
            bool isPut = call.Kind == StoreCallKind.Put && call.Name == hidden;
            EvilLie lie = call.Name == hidden && !isPut && !wasPut ? EvilLie.SayAbsent : EvilLie.None;
            wasPut = isPut;
            return lie;
        };
        var error = await Assert.ThrowsAsync<VaultIntegrityException>(RecoverAsync);
        Assert.Equal(hidden, error.ObjectName);
    }

    [Fact]
    public async Task A_file_whose_block_is_damaged_can_still_be_changed_and_sent()
    {
        string state = _vault.TakeDevice(3);
        byte[] content = KnownVault.Noise(9, 1 << 20);
        await using Volume volume = await OpenAsync(state);
        Assert.Equal(FsStatus.Ok, volume.Write("big", content));
        Assert.True(await volume.UploadAsync(_time, None));
        string pack = (await _store.ShownAsync()).Where(static pair => pair.Key.StartsWith("packs/", StringComparison.Ordinal)).MaxBy(static pair => pair.Value.Length).Key;
        for (int byteOffset = 500_000; byteOffset < 600_000; byteOffset += 10_000)
        {
            await _store.FlipAsync(new ObjectName(pack), byteOffset * 8L);
        }

        volume.Lookup(NodeId.Root, "big"u8, out NodeAttributes attributes);
        Assert.Equal(FsStatus.Ok, volume.Open(attributes.Node, OpenOptions.Read | OpenOptions.Write, out HandleId handle));
        for (int piece = 0; piece < 12; piece++)
        {
            Assert.Equal(FsStatus.Ok, volume.Write(handle, piece * 80_000, KnownVault.Noise(piece, 100), WriteOptions.None));
        }

        Assert.True(await volume.UploadAsync(_time, None), volume.GetStatus().LastError);
        Assert.False(volume.IsReadOnly);
        var piece0 = new byte[100];
        Assert.Equal(100, (await volume.ReadAsync(handle, 0, piece0, None)).Count);
        Assert.Equal(KnownVault.Noise(0, 100), piece0);
        Assert.Equal(FsStatus.Corrupt, (await volume.ReadAsync(handle, 510_000, piece0, None)).Status);
        volume.Close(handle);
    }

    /// <summary>The state of a device with a commit in its database that the store never got.</summary>
    private async Task<string> InterruptedAsync()
    {
        string state = _vault.TakeDevice(3);
        await using Volume volume = await OpenAsync(state);
        _store.Lie = static call => call.Kind == StoreCallKind.Put && call.Name.StartsWith("log/", StringComparison.Ordinal) ? EvilLie.LoseRequest : EvilLie.None;
        Assert.Equal(FsStatus.Ok, volume.Write("new", KnownVault.Noise(7, 50_000)));
        Assert.False(await volume.UploadAsync(_time, None));
        _store.Lie = static _ => EvilLie.None;
        return state;
    }

    private Task<Volume> OpenAsync(string state) => _vault.Home.OpenAsync(state, _vault.Keys(), _store, _time, None);

    private Task<RecoveredVault> RecoverAsync() =>
        VaultSetup.RecoverAsync(_store, _vault.RecoveryKey, "another", null, _time, SystemRandomSource.Instance, None);
}
