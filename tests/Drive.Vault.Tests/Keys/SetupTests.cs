using System.Text;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Vault.Tests.Keys;

public sealed class SetupTests
{
    private static readonly CreateVaultOptions Options = new() { DeviceName = "desk" };

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_new_vault_has_a_root_its_members_and_probes_as_present()
    {
        using TestVault vault = await TestVault.CreateAsync(passphrase: "secret"u8.ToArray());
        Assert.Equal(["log/1/00000000000000000001", "vault"], (await vault.Store.NamesAsync("")).Where(name => !name.StartsWith("slots/", StringComparison.Ordinal)));
        Assert.Equal(2, (await vault.Store.NamesAsync("slots/")).Count);
        NodeRow root = Assert.Single(vault.Created.Genesis.Rows.Opened.Nodes);
        Assert.Equal(NodeId.Root, root.Node);
        Assert.True(FileMode.IsDirectory(root.Mode));
        Assert.Equal(1, vault.Keys.DeviceNumber);
        Assert.Equal(vault.State.Head, vault.Keys.GenesisHash);
        Assert.Equal([MemberKind.Device, MemberKind.Recovery, MemberKind.Recovery], vault.State.Members.Select(member => member.Kind));
        VaultInfo info = await VaultSetup.ProbeAsync(vault.Store, None);
        Assert.Equal(new VaultInfo(VaultPresence.Present, vault.Keys.VaultId), info);
    }

    [Fact]
    public async Task A_store_with_a_vault_is_refused_and_left_as_it_is()
    {
        using TestVault vault = await TestVault.CreateAsync();
        List<string> before = await vault.Store.NamesAsync("");
        Assert.Equal(VaultErrorKind.AlreadyExists, (await CreateFails(vault.Store, Options)).Kind);
        Assert.Equal(VaultErrorKind.AlreadyExists, (await CreateFails(vault.Store, Options with { ReplaceInterrupted = true })).Kind);
        Assert.Equal(before, await vault.Store.NamesAsync(""));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task An_interrupted_making_is_refused_until_it_may_be_replaced(int puts)
    {
        var store = new FaultyStore(new MemoryStore());
        store.RefusePut = _ => store.Puts.Count >= puts;
        await Assert.ThrowsAsync<StoreException>(() => Create(store, Options));
        store.RefusePut = null;
        if (puts > 0)
        {
            Assert.Equal(VaultPresence.Interrupted, (await VaultSetup.ProbeAsync(store, None)).Presence);
            Assert.Equal(VaultErrorKind.Interrupted, (await CreateFails(store, Options)).Kind);
        }

        CreatedVault created = await Create(store, Options with { ReplaceInterrupted = true });
        using VaultKeys keys = created.Keys;
        Assert.Single(await store.NamesAsync("slots/"));
        RecoveredVault recovered = await VaultSetup.RecoverAsync(store, created.RecoveryKey, "b", null, new ManualTime(), new SeededRandom(3), None);
        recovered.Keys.Dispose();
    }

    [Fact]
    public async Task A_lost_reply_to_the_last_put_leaves_a_vault_that_is_refused_a_second_time()
    {
        var store = new FaultyStore(new MemoryStore()) { LoseReply = name => name.Value.StartsWith("log/", StringComparison.Ordinal) };
        await Assert.ThrowsAsync<StoreException>(() => Create(store, Options));
        store.LoseReply = null;
        Assert.Equal(VaultErrorKind.AlreadyExists, (await CreateFails(store, Options with { ReplaceInterrupted = true })).Kind);
    }

    [Fact]
    public async Task A_store_that_does_not_keep_what_it_was_given_is_refused()
    {
        foreach (string victim in new[] { "vault", "slots/", "log/" })
        {
            var store = new FaultyStore(new MemoryStore());
            store.Replace = (name, bytes) => name.Value.StartsWith(victim, StringComparison.Ordinal) ? null : bytes;
            await Assert.ThrowsAsync<VaultIntegrityException>(() => Create(store, Options));
        }
    }

    [Fact]
    public async Task Recovery_enrols_a_second_device_that_replays_the_same_tree()
    {
        using TestVault vault = await TestVault.CreateAsync();
        for (int i = 0; i < 5; i++)
        {
            await vault.CommitAsync();
        }

        string typed = vault.Created.RecoveryKey.ToLowerInvariant().Replace('-', ' ').Replace('0', 'o').Replace('1', 'l');
        RecoveredVault recovered = await VaultSetup.RecoverAsync(
            vault.Store, typed, "laptop", new LogPin(vault.State.Seq, vault.State.Head), new ManualTime(), new SeededRandom(50), None);
        using VaultKeys keys = recovered.Keys;
        Assert.Equal(2, keys.DeviceNumber);
        (VaultState state, Tree tree, _) = await TestVault.ReplayAsync(vault.Store, keys);
        Assert.Equal(recovered.Head.Encode(), state.Encode());
        Assert.Equal(vault.Tree.Rows().Nodes.Count, tree.Rows().Nodes.Count);
        Assert.Equal(vault.Keys.IdentifyBlock("x"u8), keys.IdentifyBlock("x"u8));
        Assert.NotEqual(vault.Keys.DeriveLocalKey("cache"), keys.DeriveLocalKey("cache"));
        var log = new VaultLog(vault.Store, keys, new SeededRandom(4));
        Assert.IsType<AppendOutcome.Committed>(await log.SubmitAsync(state, log.Prepare(state, new CommitDraft { Writer = WriterChange.Open, Time = 1 }), None));

        // The recovery identity counts on: a second recovery finds its number taken and goes one further.
        RecoveredVault third = await VaultSetup.RecoverAsync(vault.Store, typed, "third", null, new ManualTime(), new SeededRandom(51), None);
        Assert.Equal(3, third.Keys.DeviceNumber);
        third.Keys.Dispose();
    }

    [Fact]
    public async Task Recovery_notices_a_store_behind_the_pairing_head()
    {
        using TestVault vault = await TestVault.CreateAsync();
        await vault.CommitAsync();
        var pin = new LogPin(vault.State.Seq, vault.State.Head);
        Assert.Equal(IntegrityKind.Chain, await RecoverFails(vault, pin with { Hash = default }));
        await vault.Store.DeleteAsync(VaultNames.Commit(1, 2), None);
        Assert.Equal(IntegrityKind.RolledBack, await RecoverFails(vault, pin));
        await vault.Store.DeleteAsync(VaultNames.Commit(1, 1), None);
        Assert.Equal(IntegrityKind.RolledBack, await RecoverFails(vault, null));
    }

    [Fact]
    public async Task A_recovery_key_that_is_mistyped_wrong_or_of_another_vault_says_so()
    {
        using TestVault vault = await TestVault.CreateAsync(1);
        using TestVault other = await TestVault.CreateAsync(2);
        string key = vault.Created.RecoveryKey;
        Assert.Matches("^([0-9A-HJKMNP-TV-Z]{5}-){10}[0-9A-HJKMNP-TV-Z]{5}$", key);
        Assert.True(SecretText.Recovery.IsWellFormed(key));
        for (int i = 0; i < key.Length; i++)
        {
            if (key[i] != '-')
            {
                char wrong = key[i] == 'Z' ? 'Y' : 'Z';
                Assert.False(SecretText.Recovery.IsWellFormed(key[..i] + wrong + key[(i + 1)..]));
                Assert.False(SecretText.Recovery.IsWellFormed(key[..i] + key[(i + 1)..]));
            }
        }

        var typo = await Assert.ThrowsAsync<VaultException>(() => VaultSetup.RecoverAsync(vault.Store, key + "A", "b", null, new ManualTime(), new SeededRandom(3), None));
        Assert.Equal(VaultErrorKind.MalformedSecret, typo.Kind);
        var wrongKey = await Assert.ThrowsAsync<VaultException>(
            () => VaultSetup.RecoverAsync(vault.Store, other.Created.RecoveryKey, "b", null, new ManualTime(), new SeededRandom(3), None));
        Assert.Equal(VaultErrorKind.WrongSecret, wrongKey.Kind);
        Assert.DoesNotContain(other.Created.RecoveryKey[..5], wrongKey.ToString(), StringComparison.Ordinal);
        var none = await Assert.ThrowsAsync<VaultException>(() => VaultSetup.RecoverAsync(new MemoryStore(), key, "b", null, new ManualTime(), new SeededRandom(3), None));
        Assert.Equal(VaultErrorKind.NoVault, none.Kind);
    }

    [Fact]
    public async Task The_recovery_identity_may_do_nothing_but_enrol()
    {
        using TestVault vault = await TestVault.CreateAsync();
        VaultState pretended = vault.State with { Members = [.. vault.State.Members.Select(member => member with { Kind = MemberKind.Recovery })] };
        Assert.Equal(IntegrityKind.Signer, Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(pretended, vault.Draft())).Kind);
        Assert.Equal(
            IntegrityKind.Signer,
            Assert.Throws<VaultIntegrityException>(() => vault.Log.Prepare(pretended, new CommitDraft { Members = [new Revoke(vault.Keys.DeviceId)], Time = 1 })).Kind);
    }

    [Fact]
    public async Task Changing_the_passphrase_leaves_one_slot_that_opens_with_the_new_one_only()
    {
        using TestVault vault = await TestVault.CreateAsync(passphrase: "old"u8.ToArray());
        await vault.ChangePassphraseAsync("new"u8.ToArray());
        List<(string Name, byte[] Bytes)> slots = [];
        foreach (string name in await vault.Store.NamesAsync("slots/"))
        {
            slots.Add((name, await vault.Store.BytesAsync(new ObjectName(name))));
        }

        Assert.Equal(2, slots.Count);
        (string slotName, byte[] slot) = Assert.Single(slots, s => Slot.LooksLike(s.Bytes, SlotKind.Passphrase));
        var header = new VaultHeader(vault.Keys.VaultId);
        using (SlotPayload payload = SlotPayload.Open(slot, SlotKind.Passphrase, header, "new"u8, vault.Keys.AccountSecret, slotName))
        {
            Assert.Equal(vault.Keys.GenesisHash, payload.GenesisHash);
            Assert.Equal(vault.State.Seq, payload.LeastHead.Seq);
        }

        Assert.Equal(
            VaultErrorKind.WrongSecret,
            Assert.Throws<VaultException>(() => SlotPayload.Open(slot, SlotKind.Passphrase, header, "old"u8, vault.Keys.AccountSecret, slotName)).Kind);
        RecoveredVault recovered = await Log.LogTests.Recover(vault);
        recovered.Keys.Dispose();
    }

    [Fact]
    public async Task A_slot_with_a_lowered_cost_suite_or_kind_is_refused()
    {
        using TestVault vault = await TestVault.CreateAsync(passphrase: "old"u8.ToArray());
        foreach (string name in await vault.Store.NamesAsync("slots/"))
        {
            byte[] slot = await vault.Store.BytesAsync(new ObjectName(name));
            if (!Slot.LooksLike(slot, SlotKind.Passphrase))
            {
                continue;
            }

            foreach (int position in new[] { 0, 4, 5, 6, 38, 39, 40 })
            {
                byte[] changed = [.. slot];
                changed[position] = (byte)(position >= 38 ? 0 : changed[position] ^ 2);
                if (!changed.AsSpan().SequenceEqual(slot))
                {
                    Assert.Throws<VaultIntegrityException>(
                        () => SlotPayload.Open(changed, SlotKind.Passphrase, new VaultHeader(vault.Keys.VaultId), "old"u8, vault.Keys.AccountSecret, name));
                }
            }
        }
    }

    [Fact]
    public async Task Keys_survive_export_in_the_clear_and_behind_a_passphrase()
    {
        using TestVault vault = await TestVault.CreateAsync();
        byte[] exported = vault.Keys.Export();
        using VaultKeys plain = VaultKeys.Import(exported);
        Assert.Equal(exported, plain.Export());
        byte[] sealedKeys = vault.Keys.ExportSealed("pass"u8, vault.Source);
        using VaultKeys opened = VaultKeys.ImportSealed(sealedKeys, "pass"u8);
        Assert.Equal(exported, opened.Export());
        Assert.Equal(VaultErrorKind.WrongSecret, Assert.Throws<VaultException>(() => VaultKeys.ImportSealed(sealedKeys, "Pass"u8)).Kind);
        Assert.NotEqual(sealedKeys, vault.Keys.ExportSealed("pass"u8, vault.Source));

        var log = new VaultLog(vault.Store, plain, vault.Source);
        Assert.IsType<AppendOutcome.Committed>(await log.SubmitAsync(vault.State, log.Prepare(vault.State, vault.Draft()), None));
        for (int i = 0; i < exported.Length; i++)
        {
            byte[] changed = [.. exported];
            changed[i] ^= 1;
            Assert.Equal(VaultErrorKind.MalformedKeys, Assert.Throws<VaultException>(() => VaultKeys.Import(changed)).Kind);
            Assert.Equal(VaultErrorKind.MalformedKeys, Assert.Throws<VaultException>(() => VaultKeys.Import(exported.AsSpan(0, i))).Kind);
        }
    }

    [Fact]
    public async Task Disposed_keys_never_serve_as_zeros()
    {
        TestVault vault = await TestVault.CreateAsync();
        _ = vault.Keys.IdentifyBlock("x"u8);
        vault.Dispose();
        Assert.Throws<ObjectDisposedException>(() => vault.Keys.IdentifyBlock("x"u8));
        Assert.Throws<ObjectDisposedException>(() => vault.Keys.DeriveLocalKey("cache"));
        Assert.Throws<ObjectDisposedException>(() => vault.Keys.Export());
    }

    [Fact]
    public async Task No_secret_reaches_the_store()
    {
        using TestVault vault = await TestVault.CreateAsync(passphrase: "correct horse"u8.ToArray());
        await vault.CommitAsync();
        byte[] export = vault.Keys.Export();

        // Behind magic, vault id and genesis hash: master key, then after the name and public key the scalar and two secrets.
        List<byte[]> secrets = [export[74..106], export[^64..^32], export[^96..^64], export[^128..^96], "correct horse"u8.ToArray(), Encoding.UTF8.GetBytes("desk")];
        foreach (byte[] secret in secrets)
        {
            Assert.All(vault.Store.PutBytes, bytes => Assert.Equal(-1, bytes.AsSpan().IndexOf(secret)));
        }
    }

    [Fact]
    public async Task A_vault_of_a_newer_format_is_told_from_a_damaged_one()
    {
        using TestVault vault = await TestVault.CreateAsync();
        byte[] header = await vault.Store.BytesAsync(VaultNames.Vault);
        byte[] newer = [.. header, 1, 2, 3];
        newer[9] = 2;
        await vault.Store.OverwriteAsync(VaultNames.Vault, newer);
        Assert.Equal(VaultPresence.NewerFormat, (await VaultSetup.ProbeAsync(vault.Store, None)).Presence);
        await vault.Store.OverwriteAsync(VaultNames.Vault, header[..^1]);
        await Assert.ThrowsAsync<VaultIntegrityException>(() => VaultSetup.ProbeAsync(vault.Store, None));
        Assert.Equal(VaultPresence.None, (await VaultSetup.ProbeAsync(new MemoryStore(), None)).Presence);
    }

    private static Task<CreatedVault> Create(IObjectStore store, CreateVaultOptions options) =>
        VaultSetup.CreateAsync(store, options, new ManualTime(), new SeededRandom(11), None);

    private static Task<VaultException> CreateFails(IObjectStore store, CreateVaultOptions options) =>
        Assert.ThrowsAsync<VaultException>(() => Create(store, options));

    private static async Task<IntegrityKind> RecoverFails(TestVault vault, LogPin? pin) => (await Assert.ThrowsAsync<VaultIntegrityException>(
        () => VaultSetup.RecoverAsync(vault.Store, vault.Created.RecoveryKey, "b", pin, new ManualTime(), new SeededRandom(3), None))).Kind;
}
