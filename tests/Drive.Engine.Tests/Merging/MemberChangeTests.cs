using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Engine.Tests.Merging;

/// <summary>Devices come, are named and go while volumes are open.</summary>
public sealed class MemberChangeTests
{
    [Fact]
    public async Task A_revoked_device_keeps_what_it_has_and_sends_nothing_while_the_others_go_on_under_a_new_key()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        devices.First.Write("common", "both");
        await devices.MeetAsync();
        devices.Second.Write("unsent", "of the second");
        VaultState after = await RevokeSecondAsync(devices);
        Assert.Equal(2, after.KeyEpoch);
        devices.First.Write("secret", "after");
        await devices.First.Volume.WaitAsync();

        devices.Second.Volume.LookSoon();
        await UploadTests.EventuallyAsync(() => devices.Second.Volume.GetStatus().ReadOnlyReason is not null, "the second notices");
        VolumeStatus status = devices.Second.Volume.GetStatus();
        Assert.Contains("revoked", status.ReadOnlyReason, StringComparison.Ordinal);
        Assert.Equal(StoreCondition.Stopped, status.Store);
        Assert.Equal("common=both | unsent=of the second", await devices.Second.ShowAsync());
        Assert.True(status.LocalOnly.Bytes > 0);

        // Another start changes nothing of that.
        await devices.RestartSecondAsync();
        Assert.Contains("revoked", devices.Second.Volume.GetStatus().ReadOnlyReason, StringComparison.Ordinal);
        Assert.Equal("common=both | unsent=of the second", await devices.Second.ShowAsync());
        await Assert.ThrowsAsync<VaultException>(() => devices.Second.Volume.ChangeMembersAsync(static _ => [], CancellationToken.None));

        // A third one joins with the recovery key, which learned the new key, and shows what the first does.
        Assert.Equal("common=both | secret=after", await devices.ShowThirdAsync());
        Assert.Equal("common=both | secret=after", await devices.First.ShowAsync());
    }

    [Fact]
    public async Task What_is_written_while_a_change_is_answered_is_not_sent_before_it_has_rested()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        VaultState answered = await devices.First.Volume.ChangeMembersAsync(
            state =>
            {
                devices.First.Write("doc", "just begun");
                return [devices.KeysOfFirst.MakeRotation(state, [], SystemRandomSource.Instance)];
            },
            CancellationToken.None);
        await Task.Delay(TimeSpan.FromMilliseconds(600));
        Assert.Equal(answered.Seq, devices.First.Volume.Head.Seq);
        await devices.First.Volume.WaitAsync();
        Assert.Equal(answered.Seq + 1, devices.First.Volume.Head.Seq);
    }

    [Fact]
    public async Task A_device_that_was_away_during_a_rotation_merges_what_it_did_and_goes_on()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        devices.First.Write("doc", "old");
        await devices.MeetAsync();
        devices.Second.Write("doc", "second");
        await devices.First.Volume.ChangeMembersAsync(state => [devices.KeysOfFirst.MakeRotation(state, [], SystemRandomSource.Instance)], CancellationToken.None);
        devices.First.Write("doc", "first");
        await devices.MeetAsync(isBlind: true);
        Assert.Equal("doc (conflict, second)=second | doc=first", await devices.First.ShowAsync());
        Assert.Equal(2, devices.Second.Volume.Head.KeyEpoch);

        // What the new key seals is read after a restart too, without a look into the store.
        await devices.RestartSecondAsync();
        Assert.Equal("doc (conflict, second)=second | doc=first", await devices.Second.ShowAsync());
        Assert.Equal("doc (conflict, second)=second | doc=first", await devices.ShowThirdAsync());
    }

    [Fact]
    public async Task A_change_of_members_that_loses_its_slot_is_made_anew_on_what_the_other_did()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        devices.First.Write("a", "1");
        await devices.First.Volume.WaitAsync();
        int asked = 0;
        VaultState state = await devices.Second.Volume.ChangeMembersAsync(
            state =>
            {
                asked++;
                return [new Rename(state.Members.Single(static member => member.Number == 1).Id, $"büro {asked}")];
            },
            CancellationToken.None);
        Assert.Equal("büro 2", state.Members.Single(static member => member.Number == 1).Name);
        await devices.FirstFollowsAsync();
        Assert.Equal(state.Head, devices.First.Volume.Head.Head);
    }

    [Fact]
    public async Task A_change_that_the_rules_refuse_comes_back_and_hurts_nobody()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        devices.First.Write("a", "1");
        await Assert.ThrowsAsync<VaultIntegrityException>(
            () => devices.First.Volume.ChangeMembersAsync(static state => [new Revoke(new DeviceId(new string('0', 32)))], CancellationToken.None));
        await Assert.ThrowsAsync<VaultException>(
            () => devices.First.Volume.ChangeMembersAsync(static _ => throw new VaultException(VaultErrorKind.NotReady, "no"), CancellationToken.None));
        await Assert.ThrowsAsync<TimeZoneNotFoundException>(() => devices.First.Volume.ChangeMembersAsync(static _ => throw new TimeZoneNotFoundException("anything"), CancellationToken.None));
        Assert.True((await devices.First.Volume.WaitUploadedAsync(null, CancellationToken.None)).Done);
        Assert.Null(devices.First.Volume.GetStatus().ReadOnlyReason);
        await devices.MeetAsync();
    }

    [Fact]
    public async Task A_volume_that_is_closed_ends_the_wait_for_a_change()
    {
        await using TwoDevices devices = await TwoDevices.CreateAsync();
        await devices.First.Volume.StopAsync();
        await Assert.ThrowsAsync<VaultException>(() => devices.First.Volume.ChangeMembersAsync(static _ => [], CancellationToken.None));
    }

    private static Task<VaultState> RevokeSecondAsync(TwoDevices devices) => devices.First.Volume.ChangeMembersAsync(
        state =>
        {
            Revoke revoke = new(state.Members.Single(static member => member.Name == "second").Id);
            return [revoke, devices.KeysOfFirst.MakeRotation(state, [revoke], SystemRandomSource.Instance)];
        },
        CancellationToken.None);
}
