using System.Buffers.Binary;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Engine;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using VaultNames = Drive.Vault.VaultNames;

namespace Drive.Security.Tests;

/// <summary>The rows of the threat table (docs/security.md) about keys, slots and who may join.</summary>
public sealed class KeyThreatTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Row_01_Slots_of_another_vault_mixed_in_any_way_open_nothing_and_nothing_is_put()
    {
        KnownVault own = await KnownVault.CreateAsync(1);
        KnownVault other = await KnownVault.CreateAsync(2);
        string ownSlot = SlotOf(own);
        byte[] otherSlot = other.Puts.First(put => put.Key == SlotOf(other)).Value;
        for (int mix = 1; mix < 8; mix++)
        {
            EvilStore store = await own.EvilStoreAsync();
            if ((mix & 1) != 0)
            {
                store.Show(new ObjectName(ownSlot), otherSlot);
            }

            if ((mix & 2) != 0)
            {
                store.Show(VaultNames.Vault, other.Puts.First(static put => put.Key == "vault").Value);
                store.Show(new ObjectName(SlotOf(other)), otherSlot);
            }

            if ((mix & 4) != 0)
            {
                foreach ((string name, byte[] content) in other.Puts.Where(static put => put.Key.StartsWith("log/", StringComparison.Ordinal)))
                {
                    store.Show(new ObjectName(name), content);
                }
            }

            int puts = store.Puts;
            Exception? error = await Record.ExceptionAsync(() => JoinAsync(store, own.RecoveryKey));
            Assert.True(error is not null && Verdict.Complain(error) is null, $"mix {mix}: {error?.ToString() ?? "opened"}");
            Assert.Equal(puts, store.Puts);
        }
    }

    [Fact]
    public async Task Row_02_A_device_enters_by_a_signed_commit_of_a_member_only()
    {
        KnownVault own = await KnownVault.CreateAsync(1);
        KnownVault other = await KnownVault.CreateAsync(2);
        EvilStore foreign = await other.EvilStoreAsync();
        await JoinAsync(foreign, other.RecoveryKey);
        ObjectName slot = VaultNames.Commit(1, own.Head.State.Seq + 1);
        byte[] enrolment = (await foreign.ShownAsync(VaultNames.Commit(1, other.Head.State.Seq + 1)))!;

        // The store answers a device that joins with an enrolment of its own making.
        EvilStore store = await own.EvilStoreAsync();
        store.Lie = call =>
        {
            if (call.Kind == StoreCallKind.Put && call.Name == slot.Value)
            {
                store.Show(slot, enrolment);
            }

            return EvilLie.None;
        };
        var error = await Assert.ThrowsAsync<VaultIntegrityException>(() => JoinAsync(store, own.RecoveryKey));
        Assert.Equal((slot.Value, IntegrityKind.WrongVault), (error.ObjectName, error.Kind));

        // And so does a member that was revoked, with a key that was good once.
        EvilStore honest = await own.EvilStoreAsync();
        RecoveredVault thief = await VaultSetup.RecoverAsync(honest, own.RecoveryKey, "thief", null, new ManualTime(), new SeededRandom(3), None);
        using VaultKeys stolen = thief.Keys;
        using VaultKeys keys = own.Keys();
        using var device = new LightClient(honest, keys, own.Head.State, own.Head.Tree.Clone());
        await device.CatchUpAsync(None);
        Attempt revoke = device.Log.Prepare(device.State, new CommitDraft { Members = [new Revoke(stolen.DeviceId)], Time = 1 });
        VaultState after = Assert.IsType<AppendOutcome.Committed>(await device.Log.SubmitAsync(device.State, revoke, None)).Next;
        var pretended = after with { Members = [.. after.Members.Select(static member => member with { Active = true })] };
        var friend = new VaultMember { Id = new DeviceId(new string('7', 32)), Kind = MemberKind.Device, Number = after.NextDeviceNumber, Name = "friend", SigningPublicKey = KnownVault.Noise(1, 64) };
        Attempt enrol = new VaultLog(honest, stolen, new SeededRandom(4)).Prepare(pretended, new CommitDraft { Members = [new Enrol(friend)], Time = 1 });
        await honest.PutIfAbsentAsync(enrol.Name, enrol.Bytes, None);
        await device.CatchUpRefusedAsync(IntegrityKind.Signer);
    }

    [Theory]
    [InlineData("vault", 8, 0)]
    [InlineData("vault", 9, 0)]
    [InlineData("vault", 9, 2)]
    [InlineData("vault", 10, 0)]
    [InlineData("vault", 10, 2)]
    [InlineData("vault", 11, 1)]
    [InlineData("slots/", 4, 0)]
    [InlineData("slots/", 4, 2)]
    [InlineData("slots/", 5, 1)]
    [InlineData("slots/", 5, 3)]
    [InlineData("slots/", 41, 1)]
    [InlineData("log/", 4, 0)]
    [InlineData("log/", 4, 2)]
    [InlineData("log/", 5, 2)]
    [InlineData("log/", 41, 0)]
    [InlineData("log/", 41, 2)]
    public async Task Row_03_Another_version_suite_class_epoch_or_cost_is_refused_and_never_negotiated(string folder, int offset, byte value)
    {
        KnownVault vault = await KnownVault.StartAsync(1);
        EvilStore store = await vault.EvilStoreAsync();
        var name = new ObjectName(vault.Puts.First(put => put.Key.StartsWith(folder, StringComparison.Ordinal)).Key);
        byte[] before = (await store.ShownAsync(name))!;
        await store.DowngradeAsync(name, offset, [value]);
        byte[] after = (await store.ShownAsync(name))!;
        bool isChanged = !before.AsSpan().SequenceEqual(after);
        Exception? error = await Record.ExceptionAsync(() => JoinAsync(store, vault.RecoveryKey));
        Assert.Equal(isChanged, error is not null);
        Assert.True(error is null || Verdict.Complain(error) is null, error?.ToString());
    }

    [Fact]
    public async Task Row_03_A_passphrase_that_costs_too_little_is_neither_written_nor_opened()
    {
        KnownVault vault = await KnownVault.StartAsync(1);
        using VaultKeys keys = vault.Keys();
        Assert.Throws<VaultIntegrityException>(() => keys.ExportSealed("secret"u8, SystemRandomSource.Instance, PassphraseCost.IterationsMin - 1));
        byte[] slot = keys.ExportSealed("secret"u8, SystemRandomSource.Instance);
        foreach (uint cost in new uint[] { 0, 1, PassphraseCost.IterationsMin - 1, PassphraseCost.IterationsMax + 1, uint.MaxValue })
        {
            BinaryPrimitives.WriteUInt32BigEndian(slot.AsSpan(38), cost);
            Assert.Equal(VaultErrorKind.MalformedKeys, Assert.Throws<VaultException>(() => VaultKeys.ImportSealed(slot, "secret"u8)).Kind);
        }
    }

    [Fact]
    public async Task Row_04_There_are_no_links_to_share_and_no_key_is_in_anything_that_is_sent()
    {
        Assert.DoesNotContain(
            new[] { typeof(Volume), typeof(VaultKeys), typeof(IObjectStore) }.SelectMany(static type => type.Assembly.GetExportedTypes()),
            static type => type.Name.Contains("Share", StringComparison.Ordinal) && type.Name.Contains("Link", StringComparison.Ordinal));
        await using VolumeTrials vault = await VolumeTrials.CreateAsync(4);
        using VaultKeys keys = vault.Keys();
        byte[] export = keys.Export();

        // Where the secrets stand in an export (docs/vault-format.md, Keys): the first master key, then, from the end, number, device secret, account secret.
        foreach (Range secret in new[] { 74..106, ^128..^96, ^96..^64, ^64..^32 })
        {
            foreach ((string name, byte[] content) in vault.Puts)
            {
                byte[] start = export.AsSpan()[secret][..12].ToArray();
                Assert.True(content.AsSpan().IndexOf(start) < 0, name);
                Assert.DoesNotContain(Convert.ToHexStringLower(start), name, StringComparison.Ordinal);
            }
        }

        string recovery = vault.RecoveryKey.Replace("-", "", StringComparison.Ordinal);
        Assert.All(vault.Puts, put => Assert.True(put.Value.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(recovery).AsSpan(0, 12)) < 0));
    }

    [Fact]
    public async Task Row_11_Every_wrong_key_is_refused_in_one_way_and_none_leaves_a_trace_in_the_store()
    {
        KnownVault vault = await KnownVault.StartAsync(1);
        EvilStore store = await vault.EvilStoreAsync();
        int puts = store.Puts;
        HashSet<string> answers = [];
        for (int seed = 0; seed < 100; seed++)
        {
            KnownVault stranger = await KnownVault.StartAsync(1000 + seed);
            answers.Add((await Assert.ThrowsAsync<VaultException>(() => JoinAsync(store, stranger.RecoveryKey))).Message);
        }

        for (int bit = 42 * 8; bit < 106 * 8; bit += 5)
        {
            // Salt and commitment: with the right key the same answer, so a damaged slot tells nothing about a key.
            await store.FlipAsync(new ObjectName(SlotOf(vault)), bit);
            answers.Add((await Assert.ThrowsAsync<VaultException>(() => JoinAsync(store, vault.RecoveryKey))).Message);
            store.Heal();
        }

        Assert.Single(answers);
        Assert.Equal(puts, store.Puts);
    }

    [Fact]
    public async Task Row_13_No_bit_of_the_vaults_header_can_change()
    {
        KnownVault vault = await KnownVault.StartAsync(1);
        EvilStore store = await vault.EvilStoreAsync();
        for (int bit = 0; bit < 76 * 8; bit++)
        {
            await store.FlipAsync(VaultNames.Vault, bit);
            Exception? error = await Record.ExceptionAsync(() => JoinAsync(store, vault.RecoveryKey));
            Assert.True(error is not null && Verdict.Complain(error) is null, $"bit {bit}");
            store.Heal();
        }
    }

    [Fact]
    public async Task Row_13_Each_field_of_this_machines_keys_behind_a_passphrase_is_guarded()
    {
        // One bit in each field: behind each that is not refused at once stand 210,000 rounds. The code is that of the slots, which the flips cover bit by bit.
        KnownVault vault = await KnownVault.StartAsync(1);
        using VaultKeys keys = vault.Keys();
        byte[] whole = keys.ExportSealed("secret"u8, SystemRandomSource.Instance);
        foreach (int offset in new[] { 0, 4, 5, 20, 38, 50, 80, 120, whole.Length - 1 })
        {
            byte[] changed = [.. whole];
            changed[offset] ^= 0x80;
            Assert.True(Assert.Throws<VaultException>(() => VaultKeys.ImportSealed(changed, "secret"u8)).Kind is VaultErrorKind.MalformedKeys or VaultErrorKind.WrongSecret, $"{offset}");
        }

        VaultKeys.ImportSealed(whole, "secret"u8).Dispose();
    }

    [Fact]
    public async Task Row_14_Each_slot_has_a_fresh_salt_and_name()
    {
        // Each passphrase slot costs its 210,000 rounds, so there are few of them here; the salt comes from the same call every time.
        HashSet<string> salts = [];
        HashSet<string> names = [];
        KnownVault vault = await KnownVault.StartAsync(1);
        EvilStore store = await vault.EvilStoreAsync();
        using VaultKeys keys = vault.Keys();
        for (int i = 0; i < 4; i++)
        {
            await vault.PutPassphraseAsync(store, keys, "the same"u8.ToArray());
            (string name, byte[] slot) = Assert.Single(await store.ShownAsync(), pair => pair.Key.StartsWith("slots/", StringComparison.Ordinal) && pair.Key != SlotOf(vault));
            Assert.True(salts.Add(Convert.ToHexString(slot.AsSpan(42, 32))) && names.Add(name));
        }

        for (int seed = 0; seed < 300; seed++)
        {
            KnownVault other = await KnownVault.StartAsync(seed);
            Assert.True(salts.Add(Convert.ToHexString(other.Puts.First(put => put.Key == SlotOf(other)).Value.AsSpan(42, 32))));
        }
    }

    [Fact]
    public async Task Row_22_An_object_opens_under_one_key_only_and_that_is_checked_first()
    {
        KnownVault own = await KnownVault.CreateAsync(1);
        KnownVault other = await KnownVault.CreateAsync(2);
        byte[] foreign = [.. other.Puts.First(static put => put.Key == VaultNames.Commit(1, 2).Value).Value];
        own.Puts[0].Value.AsSpan(12, 32).CopyTo(foreign.AsSpan(6));
        EvilStore store = await own.EvilStoreAsync();
        using VaultKeys keys = own.Keys();
        store.Show(VaultNames.Commit(1, 2), foreign);
        using var device = new LightClient(store, keys, own.Versions[0].State, own.Versions[0].Tree.Clone());
        await device.CatchUpRefusedAsync(IntegrityKind.CommitTag);
        for (int bit = 74 * 8; bit < 106 * 8; bit++)
        {
            store.Heal();
            await store.FlipAsync(VaultNames.Commit(1, 2), bit);
            await device.CatchUpRefusedAsync(IntegrityKind.CommitTag);
        }
    }

    [Fact]
    public async Task Row_26_Another_vault_in_the_configured_place_is_an_alarm_and_gets_nothing()
    {
        await using VolumeTrials own = await VolumeTrials.CreateAsync(5, commits: 2);
        await using VolumeTrials other = await VolumeTrials.CreateAsync(6, commits: 4);
        EvilStore store = await other.EvilStoreAsync();
        int puts = store.Puts;
        var time = new ManualTime();
        await using (Volume volume = await own.Home.OpenAsync(own.TakeDevice(3), own.Keys(), store, time, None))
        {
            Assert.True(volume.IsReadOnly);
            Assert.Contains(VaultNames.Commit(1, 3).Value, volume.GetStatus().ReadOnlyReason, StringComparison.Ordinal);
            await volume.UploadAsync(time, None);
        }

        await Assert.ThrowsAsync<VaultIntegrityException>(() => own.Home.OpenAsync(own.TakeDevice(), own.Keys(), store, time, None));
        await Assert.ThrowsAsync<VaultException>(() => JoinAsync(store, own.RecoveryKey));
        Assert.Equal(puts, store.Puts);
    }

    private static string SlotOf(KnownVault vault) => vault.Puts.First(static put => put.Key.StartsWith("slots/", StringComparison.Ordinal)).Key;

    private static async Task JoinAsync(IObjectStore store, string recoveryKey)
    {
        RecoveredVault recovered = await VaultSetup.RecoverAsync(store, recoveryKey, "new", null, new ManualTime(), new SeededRandom(8), None);
        recovered.Keys.Dispose();
    }
}
