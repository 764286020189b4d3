using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Testing;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Sealing;

namespace Drive.Vault.Tests.Keys;

/// <summary>Who may sign and read: joining, names, revocation with a new key.</summary>
public sealed class MemberTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_pairing_code_lets_one_device_in_and_ends_with_that()
    {
        using TestVault vault = await TestVault.CreateAsync();
        using JoinIdentity offer = await OfferAsync(vault);
        RecoveredVault joined = await JoinAsync(vault, new JoinSecret.PairingCode(offer.PairingCode!), "laptop");
        using VaultKeys keys = joined.Keys;
        Assert.Equal(2, keys.DeviceNumber);
        Assert.False(joined.Head.FindMember(offer.Id)!.Active);
        Assert.True(joined.Head.FindMember(keys.DeviceId)!.Active);
        Assert.Equal(joined.Head.Encode(), (await TestVault.ReplayAsync(vault.Store, keys)).State.Encode());
        Assert.Single(await vault.Store.NamesAsync("slots/"));
        VaultException again = await Assert.ThrowsAsync<VaultException>(() => JoinAsync(vault, new JoinSecret.PairingCode(offer.PairingCode!), "thief"));
        Assert.Equal(VaultErrorKind.WrongSecret, again.Kind);
    }

    [Fact]
    public async Task A_new_recovery_key_ends_the_old_one_and_begins_a_key_that_it_does_not_open()
    {
        using TestVault vault = await TestVault.CreateAsync(passphrase: "pass"u8.ToArray());
        ObjectName oldSlot = (await vault.Store.NamesAsync("slots/")).Select(static name => new ObjectName(name)).First(name => !IsPassphrase(vault, name).Result);
        byte[] kept = await vault.Store.BytesAsync(oldSlot);
        string fresh = await RecoveryKeyChange.PutAsync(vault.Store, vault.Keys, vault.State, vault.Source, None);

        // Until the commit the old one is in force and the new one is not.
        Assert.Equal(VaultErrorKind.WrongSecret, await JoinFails(vault, new JoinSecret.RecoveryKey(fresh)));
        (await JoinAsync(vault, new JoinSecret.RecoveryKey(vault.Created.RecoveryKey), "laptop")).Keys.Dispose();
        vault.State = (await TestVault.ReplayAsync(vault.Store, vault.Keys)).State;
        using (RecoveryKeyChange change = await RecoveryKeyChange.OpenAsync(vault.Store, vault.Keys, fresh, None))
        {
            await vault.CommitAsync(Members([.. change.Changes(vault.State, vault.Keys, vault.Source)]));
            await change.RemoveOldSlotsAsync(vault.Store, None);
            Assert.Throws<VaultException>(() => change.Changes(vault.State, vault.Keys, vault.Source));
        }

        Assert.Equal(2, vault.State.KeyEpoch);
        await vault.CommitAsync();
        Assert.Null(await vault.Store.GetLengthAsync(oldSlot, None));
        Assert.Equal(VaultErrorKind.WrongSecret, await JoinFails(vault, new JoinSecret.RecoveryKey(vault.Created.RecoveryKey)));

        // A store that kept the old slot keeps something that lets nobody in.
        await vault.Store.PutIfAbsentAsync(oldSlot, kept, None);
        VaultException replaced = await Assert.ThrowsAsync<VaultException>(() => JoinAsync(vault, new JoinSecret.RecoveryKey(vault.Created.RecoveryKey), "thief"));
        Assert.Contains("replaced by another", replaced.Message, StringComparison.Ordinal);
        RecoveredVault recovered = await JoinAsync(vault, new JoinSecret.RecoveryKey(fresh), "new");
        using VaultKeys keys = recovered.Keys;
        Assert.Equal(2, keys.KeyEpoch);
        Assert.Equal(recovered.Head.Encode(), (await TestVault.ReplayAsync(vault.Store, keys)).State.Encode());
        using VaultKeys byPassphrase = (await JoinAsync(vault, new JoinSecret.Passphrase("pass"u8.ToArray(), vault.Keys.FormatAccountKey()), "tablet")).Keys;
    }

    [Fact]
    public async Task A_recovery_key_that_was_shown_before_another_rotation_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync();
        string fresh = await RecoveryKeyChange.PutAsync(vault.Store, vault.Keys, vault.State, vault.Source, None);
        await vault.CommitAsync(Members(vault.Keys.MakeRotation(vault.State, [], vault.Source)));
        using RecoveryKeyChange change = await RecoveryKeyChange.OpenAsync(vault.Store, vault.Keys, fresh, None);
        Assert.Contains("begin again", Assert.Throws<VaultException>(() => change.Changes(vault.State, vault.Keys, vault.Source)).Message, StringComparison.Ordinal);
        using VaultKeys keys = (await JoinAsync(vault, new JoinSecret.RecoveryKey(vault.Created.RecoveryKey), "laptop")).Keys;
    }

    private static async Task<bool> IsPassphrase(TestVault vault, ObjectName slot) => (await vault.Store.BytesAsync(slot))[5] == 1;

    [Fact]
    public async Task A_pairing_code_whose_slot_the_store_kept_lets_nobody_in_a_second_time()
    {
        using TestVault vault = await TestVault.CreateAsync();
        using JoinIdentity offer = await OfferAsync(vault);
        Dictionary<string, byte[]> kept = [];
        foreach (string name in await vault.Store.NamesAsync("slots/"))
        {
            kept[name] = await vault.Store.BytesAsync(new ObjectName(name));
        }

        using VaultKeys first = (await JoinAsync(vault, new JoinSecret.PairingCode(offer.PairingCode!), "laptop")).Keys;
        foreach ((string name, byte[] slot) in kept)
        {
            await vault.Store.PutIfAbsentAsync(new ObjectName(name), slot, None);
        }

        VaultException again = await Assert.ThrowsAsync<VaultException>(() => JoinAsync(vault, new JoinSecret.PairingCode(offer.PairingCode!), "thief"));
        Assert.Equal(VaultErrorKind.WrongSecret, again.Kind);
        Assert.Contains("used already", again.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_slot_of_a_withdrawn_code_goes_when_no_other_code_waits()
    {
        using TestVault vault = await TestVault.CreateAsync();
        using JoinIdentity one = await OfferAsync(vault);
        using JoinIdentity two = await OfferAsync(vault);
        await vault.CommitAsync(Members(new Revoke(one.Id)));
        await VaultSetup.RemovePairingSlotsAsync(vault.Store, vault.State, None);
        Assert.Equal(3, (await vault.Store.NamesAsync("slots/")).Count);
        await vault.CommitAsync(Members(new Revoke(two.Id)));
        await VaultSetup.RemovePairingSlotsAsync(vault.Store, vault.State, None);
        Assert.Single(await vault.Store.NamesAsync("slots/"));
        Assert.Equal(VaultErrorKind.WrongSecret, await JoinFails(vault, new JoinSecret.PairingCode(two.PairingCode!)));
    }

    [Fact]
    public async Task A_pairing_identity_may_do_nothing_else()
    {
        using TestVault vault = await TestVault.CreateAsync();
        VaultState pretended = vault.State with { Members = [.. vault.State.Members.Select(member => member with { Kind = MemberKind.Pairing })] };
        Assert.Equal(IntegrityKind.Signer, Refused(vault, pretended, vault.Draft()));
        Assert.Equal(IntegrityKind.Signer, Refused(vault, pretended, Members(new Revoke(vault.State.Members[1].Id))));
        Assert.Equal(IntegrityKind.Rule, Refused(vault, pretended, Members(new Enrol(NewMember("b", pretended)))));
    }

    [Fact]
    public async Task A_passphrase_opens_the_vault_with_the_account_key_only_or_alone_where_that_was_chosen()
    {
        using TestVault vault = await TestVault.CreateAsync(passphrase: "old"u8.ToArray());
        string account = vault.Keys.FormatAccountKey();
        Assert.False(SecretText.Recovery.IsWellFormed(account));
        Assert.Equal(VaultErrorKind.NeedsAccountKey, await JoinFails(vault, new JoinSecret.Passphrase("old"u8.ToArray(), null)));
        Assert.Equal(VaultErrorKind.WrongSecret, await JoinFails(vault, new JoinSecret.Passphrase("wrong"u8.ToArray(), account)));
        Assert.Equal(VaultErrorKind.MalformedSecret, await JoinFails(vault, new JoinSecret.Passphrase("old"u8.ToArray(), vault.Created.RecoveryKey)));
        using (VaultKeys keys = (await JoinAsync(vault, new JoinSecret.Passphrase("old"u8.ToArray(), account), "laptop")).Keys)
        {
            Assert.Equal(2, keys.DeviceNumber);
            Assert.Equal(account, keys.FormatAccountKey());
        }

        vault.State = (await TestVault.ReplayAsync(vault.Store, vault.Keys)).State;
        await vault.ChangePassphraseAsync("new"u8.ToArray(), isAlone: true);
        Assert.Equal(VaultErrorKind.WrongSecret, await JoinFails(vault, new JoinSecret.Passphrase("old"u8.ToArray(), account)));
        using VaultKeys third = (await JoinAsync(vault, new JoinSecret.Passphrase("new"u8.ToArray(), null), "phone")).Keys;
        Assert.Equal(3, third.DeviceNumber);
    }

    [Fact]
    public async Task An_old_passphrase_slot_that_the_store_kept_lets_nobody_in()
    {
        using TestVault vault = await TestVault.CreateAsync(passphrase: "old"u8.ToArray());
        string name = (await PassphraseSlotsAsync(vault)).Single();
        byte[] slot = await vault.Store.BytesAsync(new ObjectName(name));
        await vault.ChangePassphraseAsync("new"u8.ToArray());
        await vault.Store.PutIfAbsentAsync(new ObjectName(name), slot, None);
        Assert.Equal(VaultErrorKind.WrongSecret, await JoinFails(vault, new JoinSecret.Passphrase("old"u8.ToArray(), vault.Keys.FormatAccountKey())));
    }

    [Fact]
    public async Task After_a_revocation_the_others_read_on_under_a_new_key_and_the_revoked_device_reads_nothing_new()
    {
        using TestVault vault = await TestVault.CreateAsync(passphrase: "pass"u8.ToArray());
        using VaultKeys laptop = (await JoinAsync(vault, new JoinSecret.RecoveryKey(vault.Created.RecoveryKey), "laptop")).Keys;
        using VaultKeys thief = (await JoinAsync(vault, new JoinSecret.RecoveryKey(vault.Created.RecoveryKey), "stolen")).Keys;
        using VaultKeys asKept = VaultKeys.Import(laptop.Export());
        vault.State = (await TestVault.ReplayAsync(vault.Store, vault.Keys)).State;
        Revoke revoke = new(thief.DeviceId);
        await vault.CommitAsync(Members(revoke, vault.Keys.MakeRotation(vault.State, [revoke], vault.Source)));
        Assert.Equal(2, vault.State.KeyEpoch);
        Assert.Equal(2, vault.Keys.KeyEpoch);
        await vault.CommitAsync();

        // Who stays learns the key from the log, also from keys that were saved before.
        foreach (VaultKeys keys in new[] { laptop, asKept })
        {
            Assert.Equal(vault.State.Encode(), (await TestVault.ReplayAsync(vault.Store, keys)).State.Encode());
            Assert.Equal(2, keys.KeyEpoch);
        }

        // Who was revoked follows to its revocation, and opens nothing after it.
        var log = new VaultLog(vault.Store, thief, new SeededRandom(3));
        (VaultState seen, Tree tree) = (VaultState.BeforeGenesis(thief), new Tree());
        VaultIntegrityException? end = null;
        while (end is null)
        {
            try
            {
                var next = Assert.IsType<ReadResult.Next>(await log.ReadNextAsync(seen, tree.Resolve, None));
                tree.Apply(next.Commit.Rows);
                seen = next.State;
            }
            catch (VaultIntegrityException error)
            {
                end = error;
            }
        }

        Assert.Equal(IntegrityKind.KeyEpoch, end.Kind);
        Assert.Equal(vault.State.Seq - 1, seen.Seq);
        Assert.False(seen.FindMember(thief.DeviceId)!.Active);
        Assert.Equal(1, thief.KeyEpoch);
        Assert.Equal(VaultErrorKind.NotMember, Assert.Throws<VaultException>(() => log.Prepare(seen, vault.Draft())).Kind);

        // Recovery key, passphrase and pairing go on letting devices in, which learn the new key too.
        using VaultKeys fourth = (await JoinAsync(vault, new JoinSecret.RecoveryKey(vault.Created.RecoveryKey), "fourth")).Keys;
        using VaultKeys fifth = (await JoinAsync(vault, new JoinSecret.Passphrase("pass"u8.ToArray(), vault.Keys.FormatAccountKey()), "fifth")).Keys;
        vault.State = (await TestVault.ReplayAsync(vault.Store, vault.Keys)).State;
        using JoinIdentity offer = await OfferAsync(vault);
        using VaultKeys sixth = (await JoinAsync(vault, new JoinSecret.PairingCode(offer.PairingCode!), "sixth")).Keys;
        Assert.Equal([2, 2, 2], new[] { fourth, fifth, sixth }.Select(static keys => keys.KeyEpoch));
    }

    [Fact]
    public async Task Two_rotations_are_both_learned_by_who_was_away()
    {
        using TestVault vault = await TestVault.CreateAsync();
        using VaultKeys laptop = (await JoinAsync(vault, new JoinSecret.RecoveryKey(vault.Created.RecoveryKey), "laptop")).Keys;
        vault.State = (await TestVault.ReplayAsync(vault.Store, vault.Keys)).State;
        for (int epoch = 2; epoch <= 3; epoch++)
        {
            await vault.CommitAsync(Members(vault.Keys.MakeRotation(vault.State, [], vault.Source)));
            await vault.CommitAsync();
        }

        Assert.Equal(vault.State.Encode(), (await TestVault.ReplayAsync(vault.Store, laptop)).State.Encode());
        Assert.Equal(3, laptop.KeyEpoch);

        // What is kept of the state is enough: keys that were saved before, and no log.
        using VaultKeys fresh = VaultKeys.Import(laptop.Export());
        fresh.Learn(VaultState.Decode(vault.State.Encode()));
        Assert.Equal(3, fresh.KeyEpoch);
    }

    [Fact]
    public async Task A_rotation_is_for_exactly_the_active_members_one_epoch_on_and_last()
    {
        using TestVault vault = await TestVault.CreateAsync();
        using VaultKeys laptop = (await JoinAsync(vault, new JoinSecret.RecoveryKey(vault.Created.RecoveryKey), "laptop")).Keys;
        vault.State = (await TestVault.ReplayAsync(vault.Store, vault.Keys)).State;
        Rotate right = vault.Keys.MakeRotation(vault.State, [], vault.Source);
        Revoke revoke = new(laptop.DeviceId);
        Rotate without = vault.Keys.MakeRotation(vault.State, [revoke], vault.Source);
        Assert.Equal(IntegrityKind.Rule, Refused(vault, vault.State, Members(without)));
        Assert.Equal(IntegrityKind.Rule, Refused(vault, vault.State, Members(revoke, right)));
        Assert.Equal(IntegrityKind.Rule, Refused(vault, vault.State, Members(right, new Rename(laptop.DeviceId, "x"))));
        Assert.Equal(IntegrityKind.Rule, Refused(vault, vault.State, Members(right, right)));
        Assert.Equal(IntegrityKind.Rule, Refused(vault, vault.State, Members(new Rotate(right.Rotation with { Epoch = 3 }))));
    }

    [Fact]
    public async Task A_key_that_was_wrapped_wrongly_is_an_alarm_and_not_a_key()
    {
        using TestVault vault = await TestVault.CreateAsync();
        using VaultKeys laptop = (await JoinAsync(vault, new JoinSecret.RecoveryKey(vault.Created.RecoveryKey), "laptop")).Keys;
        vault.State = (await TestVault.ReplayAsync(vault.Store, vault.Keys)).State;
        Rotate one = vault.Keys.MakeRotation(vault.State, [], vault.Source);
        Rotate other = vault.Keys.MakeRotation(vault.State, [], vault.Source);
        KeyRotation[] wrong =
        [
            one.Rotation with { Check = other.Rotation.Check },
            one.Rotation with { Ephemeral = other.Rotation.Ephemeral },
            one.Rotation with { Wrapped = [.. one.Rotation.Wrapped.Select(wrapped => wrapped with { Bytes = [.. wrapped.Bytes.Reverse()] })] },
            one.Rotation with { Ephemeral = new byte[WrappingKey.PublicKeyBytes] },
        ];
        foreach (KeyRotation rotation in wrong)
        {
            VaultState state = vault.State with { KeyEpoch = 2, Rotations = [rotation] };
            Assert.Equal(IntegrityKind.KeyEpoch, Assert.Throws<VaultIntegrityException>(() => laptop.Learn(state)).Kind);
            Assert.Equal(1, laptop.KeyEpoch);
        }

        laptop.Learn(vault.State with { KeyEpoch = 2, Rotations = [one.Rotation] });
        Assert.Equal(2, laptop.KeyEpoch);
    }

    [Fact]
    public async Task A_vault_of_before_says_who_has_to_do_what_before_its_key_can_change_and_then_it_can()
    {
        using TestVault vault = await TestVault.CreateAsync();
        using VaultKeys laptop = (await JoinAsync(vault, new JoinSecret.RecoveryKey(vault.Created.RecoveryKey), "laptop")).Keys;
        VaultState now = (await TestVault.ReplayAsync(vault.Store, vault.Keys)).State;
        VaultState before = now with { Members = [.. now.Members.Select(static member => member with { WrappingPublicKey = null })] };
        VaultException refusal = Assert.Throws<VaultException>(() => vault.Keys.MakeRotation(before, [], vault.Source));
        Assert.Equal(VaultErrorKind.NotReady, refusal.Kind);

        // Each member says its key with its next commit.
        Attempt first = vault.Log.Prepare(before, new CommitDraft { Time = 1 });
        Assert.NotNull(first.Next.FindMember(vault.Keys.DeviceId)!.WrappingPublicKey);
        Assert.Null(first.Next.FindMember(laptop.DeviceId)!.WrappingPublicKey);
        Attempt second = new VaultLog(vault.Store, laptop, vault.Source).Prepare(first.Next, new CommitDraft { Time = 1 });
        Assert.NotNull(second.Next.FindMember(laptop.DeviceId)!.WrappingPublicKey);
        refusal = Assert.Throws<VaultException>(() => vault.Keys.MakeRotation(second.Next, [], vault.Source));
        Assert.Contains("drive recover", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_state_of_before_is_still_read()
    {
        using TestVault vault = await TestVault.CreateAsync();
        VaultState before = vault.State with { Members = [.. vault.State.Members.Select(static member => member with { WrappingPublicKey = null, LastTime = 0, LastSeq = 0 })] };
        byte[] now = before.Encode();

        // Version 1 had the floor's number behind the head, and neither the last six fields of each member nor the rotations, nor at its end floor, older checkpoints and history, of which there are none.
        int at = 1 + Bytes32.Size + 2 + Bytes32.Size;
        List<byte> old = [1, .. now[1..at], 0];
        foreach (VaultMember member in before.Members)
        {
            byte[] mark = [.. member.SigningPublicKey, 1];
            int end = now.AsSpan(at).IndexOf(mark) + at + mark.Length + 2;
            old.AddRange(now[at..end]);
            at = end + 12;
        }

        old.AddRange(now[(at + 1)..^9]);
        Assert.Equal(now, VaultState.Decode(old.ToArray()).Encode());
    }

    [Fact]
    public async Task A_device_is_renamed_by_a_commit()
    {
        using TestVault vault = await TestVault.CreateAsync();
        await vault.CommitAsync(Members(new Rename(vault.Keys.DeviceId, "büro")));
        Assert.Equal("büro", vault.State.FindMember(vault.Keys.DeviceId)!.Name);
        Assert.Equal(5, vault.State.FindMember(vault.Keys.DeviceId)!.LastTime);
        Assert.Equal(IntegrityKind.Rule, Refused(vault, vault.State, Members(new Rename(vault.Keys.DeviceId, " "))));
        Assert.Equal(IntegrityKind.Rule, Refused(vault, vault.State, Members(new Rename(new DeviceId(new string('0', 32)), "x"))));
        using VaultKeys other = (await JoinAsync(vault, new JoinSecret.RecoveryKey(vault.Created.RecoveryKey), "laptop")).Keys;
        Assert.Equal("büro", (await TestVault.ReplayAsync(vault.Store, other)).State.FindMember(vault.Keys.DeviceId)!.Name);
    }

    [Fact]
    public async Task Nobody_announces_a_key_for_another_or_one_that_is_none()
    {
        using TestVault vault = await TestVault.CreateAsync();
        using var stranger = SigningKey.Create(new DeviceId(new string('a', 32)));
        VaultState before = vault.State with { Members = [.. vault.State.Members.Select(static member => member with { WrappingPublicKey = null })] };
        Assert.Equal(IntegrityKind.Rule, Refused(vault, before, Members(new Announce(vault.State.Members[1].Id, stranger.Wrapping.PublicKey))));
        Assert.Equal(IntegrityKind.Rule, Refused(vault, before, Members(new Announce(vault.Keys.DeviceId, new byte[64]))));
        Assert.Equal(IntegrityKind.Rule, Refused(vault, vault.State, Members(new Announce(vault.Keys.DeviceId, stranger.Wrapping.PublicKey))));
    }

    private static CommitDraft Members(params MemberChange[] changes) => new() { Members = changes, Time = 5 };

    private static VaultMember NewMember(string name, VaultState state)
    {
        using var key = SigningKey.Create(new DeviceId(new string('b', 32)));
        return new VaultMember { Id = key.Device, Kind = MemberKind.Device, Number = state.NextDeviceNumber, Name = name, SigningPublicKey = key.PublicKey };
    }

    private static IntegrityKind Refused(TestVault vault, VaultState state, CommitDraft draft) =>
        Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(state, draft)).Kind;

    private static async Task<JoinIdentity> OfferAsync(TestVault vault)
    {
        JoinIdentity offer = JoinIdentity.ForPairing(vault.Source);
        await vault.CommitAsync(new CommitDraft { Members = offer.Changes, Time = 7 });
        await offer.PutPairingSlotAsync(vault.Store, vault.Keys, vault.State, vault.Source, None);
        return offer;
    }

    private static Task<RecoveredVault> JoinAsync(TestVault vault, JoinSecret secret, string name) =>
        VaultSetup.JoinAsync(vault.Store, secret, name, null, new ManualTime(), vault.Source, None);

    private static async Task<VaultErrorKind> JoinFails(TestVault vault, JoinSecret secret) =>
        (await Assert.ThrowsAsync<VaultException>(() => JoinAsync(vault, secret, "x"))).Kind;

    private static async Task<IReadOnlyList<string>> PassphraseSlotsAsync(TestVault vault)
    {
        List<string> found = [];
        foreach (string name in await vault.Store.NamesAsync("slots/"))
        {
            if (PassphraseSlot.IsOne(await vault.Store.BytesAsync(new ObjectName(name))))
            {
                found.Add(name);
            }
        }

        return found;
    }
}
