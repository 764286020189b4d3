using Drive.Core.Rows;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Tests.Keys;

/// <summary>A vault in which one device's commits count.</summary>
public sealed class SingleWriterTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task The_maker_writes_and_what_the_log_says_of_it_is_read_back()
    {
        using TestVault vault = await TestVault.CreateAsync(singleWriter: true);
        Assert.Equal(vault.Keys.DeviceId, vault.State.SingleWriter);
        await vault.CommitAsync();
        Assert.Equal(vault.Keys.DeviceId, VaultState.Decode(vault.State.Encode()).SingleWriter);
        (VaultState replayed, _, _) = await TestVault.ReplayAsync(vault.Store, vault.Keys);
        Assert.True(replayed.IsSameAs(vault.State));
        Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, vault.Draft() with { Writer = WriterChange.Open }));
    }

    [Fact]
    public async Task A_pairing_code_is_answered_by_the_writer_and_the_new_device_may_only_take_over()
    {
        using TestVault vault = await TestVault.CreateAsync(singleWriter: true);
        using VaultKeys laptop = await PairAsync(vault);
        Assert.Equal(2, laptop.DeviceNumber);
        Assert.Single(await vault.Store.NamesAsync("slots/"));

        // Nothing of its own counts: neither rows, nor a name, nor an appointment of somebody else.
        VaultLog log = new(vault.Store, laptop, new SeededRandom(3));
        foreach (CommitDraft draft in (CommitDraft[])[vault.Draft(), Members(new Rename(laptop.DeviceId, "other")), Members(new Appoint(vault.Keys.DeviceId))])
        {
            VaultIntegrityException refused = Assert.Throws<VaultIntegrityException>(() => log.Prepare(vault.State, draft));
            Assert.Equal(IntegrityKind.Signer, refused.Kind);
        }

        Attempt taking = log.Prepare(vault.State, Members(new Appoint(laptop.DeviceId)));
        vault.State = Assert.IsType<AppendOutcome.Committed>(await log.SubmitAsync(vault.State, taking, None)).Next;
        Assert.Equal(laptop.DeviceId, vault.State.SingleWriter);
        Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, vault.Draft()));

        // Whose place was taken may have what it never sent; who only followed, or handed over, has nothing.
        Assert.True(VaultState.Decode(vault.State.Encode()).FindMember(vault.Keys.DeviceId)!.WasReplaced);
        Assert.Equal(["desk", "laptop"], vault.State.Holders.Select(static member => member.Name).Order(StringComparer.Ordinal));

        // Handing back; then the writer may be revoked by nobody, and not by itself either.
        Attempt back = log.Prepare(vault.State, Members(new Appoint(vault.Keys.DeviceId)));
        vault.State = Assert.IsType<AppendOutcome.Committed>(await log.SubmitAsync(vault.State, back, None)).Next;
        Assert.Equal(["desk"], vault.State.Holders.Select(static member => member.Name));
        Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, Members(new Revoke(vault.Keys.DeviceId))));
        Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, Members(new Appoint(new DeviceId(new string('a', 32))))));
        await vault.CommitAsync();
    }

    [Fact]
    public async Task The_recovery_key_joins_only_as_the_next_writer_and_when_that_was_asked_for()
    {
        using TestVault vault = await TestVault.CreateAsync(singleWriter: true);
        JoinSecret key = new JoinSecret.RecoveryKey(vault.Created.RecoveryKey);
        VaultException refused = await Assert.ThrowsAsync<VaultException>(() => JoinAsync(vault, key));
        Assert.Equal(VaultErrorKind.NotReady, refused.Kind);
        Assert.Contains("'desk'", refused.Message, StringComparison.Ordinal);
        RecoveredVault recovered = await JoinAsync(vault, key with { TakesOver = true });
        using VaultKeys keys = recovered.Keys;
        Assert.Equal(keys.DeviceId, recovered.Head.SingleWriter);
        Assert.Equal(recovered.Head.Encode(), (await TestVault.ReplayAsync(vault.Store, keys)).State.Encode());
    }

    [Fact]
    public async Task A_vault_of_many_writers_appoints_none_and_is_not_joined_where_one_is_required()
    {
        using TestVault vault = await TestVault.CreateAsync();
        Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(vault.State, Members(new Appoint(vault.Keys.DeviceId))));
        VaultException refused = await Assert.ThrowsAsync<VaultException>(
            () => JoinAsync(vault, new JoinSecret.RecoveryKey(vault.Created.RecoveryKey) { RequiresSingleWriter = true }));
        Assert.Contains("several devices", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_writer_that_lost_its_place_puts_nothing_over_the_other_ones_commit()
    {
        using TestVault vault = await TestVault.CreateAsync(singleWriter: true);
        using VaultKeys laptop = await PairAsync(vault);
        (CarelessStore careless, VaultLog old, Attempt late, VaultLog taker, Attempt taking) = TakeOver(vault, laptop);
        VaultState taken = Assert.IsType<AppendOutcome.Committed>(await taker.SubmitAsync(vault.State, taking, None)).Next;

        Assert.IsType<AppendOutcome.Lost>(await old.SubmitAsync(vault.State, late, None));
        Assert.Empty(careless.Replaced);
        Assert.IsType<AppendOutcome.Committed>(await taker.LookAgainAsync(vault.State, taking, None));
        Assert.Null(await taker.VerifyPinAsync(taken, None));
    }

    [Fact]
    public async Task A_commit_that_another_ones_replaced_is_noticed_by_a_later_look()
    {
        using TestVault vault = await TestVault.CreateAsync(singleWriter: true);
        using VaultKeys laptop = await PairAsync(vault);
        (CarelessStore careless, VaultLog old, Attempt ours, VaultLog taker, Attempt taking) = TakeOver(vault, laptop);

        // Both looked, saw nothing, and put.
        Assert.IsType<AppendOutcome.Committed>(await old.SubmitAsync(vault.State, ours, None));
        await careless.PutIfAbsentAsync(taking.Name, taking.Bytes, None);
        Assert.IsType<AppendOutcome.Lost>(await old.LookAgainAsync(vault.State, ours, None));
        Assert.IsType<AppendOutcome.Committed>(await taker.LookAgainAsync(vault.State, taking, None));
    }

    /// <summary>The writer has a commit ready, and the other device one by which it takes its place.</summary>
    private static (CarelessStore Store, VaultLog Old, Attempt Ours, VaultLog Taker, Attempt Taking) TakeOver(TestVault vault, VaultKeys laptop)
    {
        CarelessStore careless = new(vault.Store);
        VaultLog old = new(careless, vault.Keys, new SeededRandom(4));
        VaultLog taker = new(careless, laptop, new SeededRandom(5));
        return (careless, old, old.Prepare(vault.State, vault.Draft()), taker, taker.Prepare(vault.State, Members(new Appoint(laptop.DeviceId))));
    }

    private static async Task<VaultKeys> PairAsync(TestVault vault)
    {
        using JoinIdentity offer = JoinIdentity.ForPairing(vault.Source);
        await vault.CommitAsync(Members([.. offer.Changes]));
        await offer.PutPairingSlotAsync(vault.Store, vault.Keys, vault.State, vault.Source, None);
        Assert.Null(await PairingRequest.FindAsync(vault.Store, vault.Keys, offer.PairingCode!, None));
        Task<RecoveredVault> joining = VaultSetup.JoinAsync(
            vault.Store, new JoinSecret.PairingCode(offer.PairingCode!), "laptop", null, TimeProvider.System, new SeededRandom(7), None);
        PairingRequest? request;
        while ((request = await PairingRequest.FindAsync(vault.Store, vault.Keys, offer.PairingCode!, None)) is null)
        {
            Assert.False(joining.IsFaulted, joining.Exception?.Message);
            await Task.Delay(20);
        }

        Assert.False(joining.IsCompleted);
        await vault.CommitAsync(Members([.. request.Changes(vault.State, offer.Id)]));
        await VaultSetup.RemovePairingSlotsAsync(vault.Store, vault.State, None);
        RecoveredVault joined = await joining;
        Assert.Equal(vault.State.Encode(), joined.Head.Encode());
        return joined.Keys;
    }

    private static CommitDraft Members(params MemberChange[] changes) => new() { Members = changes, Time = 7 };

    private static Task<RecoveredVault> JoinAsync(TestVault vault, JoinSecret secret) =>
        VaultSetup.JoinAsync(vault.Store, secret, "laptop", null, new ManualTime(), vault.Source, None);
}
