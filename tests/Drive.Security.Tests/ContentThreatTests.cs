using System.Text;
using Drive.Core.Platform;
using Drive.Core.Rows;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Stores.Memory;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;
using Drive.Vault.Packs;
using VaultNames = Drive.Vault.VaultNames;

namespace Drive.Security.Tests;

/// <summary>The rows of the threat table about content: lost, guessed from sizes, too large, and left lying on the local disk.</summary>
public sealed class ContentThreatTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Row_18_A_pack_that_was_removed_is_named_by_the_read_that_needs_it_and_costs_no_other_file()
    {
        await using VolumeTrials vault = await VolumeTrials.CreateAsync(8, commits: 4);
        EvilStore store = await vault.EvilStoreAsync();
        int refusedAtAll = 0;
        foreach (string pack in vault.Puts.Select(static put => put.Key).Where(static name => name.StartsWith("packs/", StringComparison.Ordinal)))
        {
            store.Remove(new ObjectName(pack));
            await using Volume volume = await vault.Home.OpenAsync(vault.TakeDevice(5), vault.Keys(), store, new ManualTime(), None);
            int refused = 0;
            foreach ((string name, byte[] content) in vault.Files[4])
            {
                (FsStatus status, byte[] read) = await volume.ReadAsync(name, None);
                Assert.True(status == FsStatus.Corrupt ? volume.GetStatus().LastError!.Contains(pack, StringComparison.Ordinal) : content.AsSpan().SequenceEqual(read), $"{name}: {status}");
                refused += status == FsStatus.Corrupt ? 1 : 0;
            }

            Assert.True(refused < vault.Files[4].Count);
            Assert.False(volume.IsReadOnly);
            refusedAtAll += refused;
            store.Heal();
        }

        Assert.True(refusedAtAll > 0);
    }

    [Fact]
    public async Task Row_19_Where_content_is_cut_depends_on_nothing_in_it()
    {
        // Two files of one length and other content leave objects of the same lengths: there are no boundaries that content decides.
        List<int[]> lengths = [];
        foreach (int seed in new[] { 1, 2, 3 })
        {
            KnownVault vault = await KnownVault.StartAsync(5);
            await vault.WriteAsync(("f", KnownVault.Noise(seed, 300_000)), ("g", KnownVault.Noise(seed + 10, 70_000)));
            lengths.Add([.. vault.Puts.Where(static put => put.Key.StartsWith("packs/", StringComparison.Ordinal)).Select(static put => put.Value.Length)]);
        }

        Assert.All(lengths, other => Assert.Equal(lengths[0], other));
    }

    [Fact]
    public async Task Row_20_A_secret_in_one_file_does_not_change_how_another_one_shrinks()
    {
        string secret = string.Concat(Enumerable.Range(0, 40).Select(static i => $"the secret word number {i} is {i * 7919 % 1000}; "));
        string guess = "x" + secret;
        string miss = "x" + new string([.. secret.Reverse()]);
        Dictionary<string, int> lengths = [];
        foreach (string probe in new[] { guess, miss })
        {
            KnownVault together = await KnownVault.StartAsync(5);
            await together.WriteAsync(("secret", Encoding.ASCII.GetBytes(secret)), ("probe", Encoding.ASCII.GetBytes(probe)));
            KnownVault alone = await KnownVault.StartAsync(5);
            await alone.WriteAsync(("probe", Encoding.ASCII.GetBytes(probe)));
            BlockRow apart = Assert.Single(alone.Head.Tree.Blocks);
            BlockRow beside = together.Head.Tree.FindBlock(apart.Block) ?? together.Head.Tree.Blocks.Single(block => block.PlainLength == probe.Length);
            lengths[probe] = apart.Segments[0];
            Assert.Equal(apart.Segments, beside.Segments);
        }

        Assert.True(lengths[guess] >> 1 < guess.Length);
    }

    [Fact]
    public async Task Row_21_The_same_file_in_two_vaults_has_nothing_in_common_and_names_tell_nothing()
    {
        byte[] content = KnownVault.Noise(1, 100_000);
        HashSet<string> windows = [];
        int bits = 0;
        for (int seed = 0; seed < 12; seed++)
        {
            KnownVault vault = await KnownVault.StartAsync(seed);
            await vault.WriteAsync(("same", content));
            (string name, byte[] pack) = Assert.Single(vault.Puts, static put => put.Key.StartsWith("packs/", StringComparison.Ordinal));
            for (int at = 42; at + 16 <= pack.Length; at += 16)
            {
                Assert.True(windows.Add(Convert.ToHexString(pack.AsSpan(at, 16))), $"seed {seed} at {at}");
            }

            bits += Convert.FromHexString(name.Split('/')[2]).Sum(static b => System.Numerics.BitOperations.PopCount(b));
        }

        // 3,072 bits: within six standard deviations of one half.
        Assert.InRange(bits, 1536 - 167, 1536 + 167);
    }

    [Fact]
    public async Task Row_23_Whatever_is_fed_to_a_reader_costs_no_more_memory_than_its_size_and_a_mebibyte()
    {
        KnownVault vault = await KnownVault.CreateAsync(1);
        using VaultKeys keys = vault.Keys();
        var random = new Random(23);
        foreach ((string name, byte[] content) in vault.Puts.Where(static put => !put.Key.StartsWith("packs/", StringComparison.Ordinal)))
        {
            EvilStore store = await vault.EvilStoreAsync();
            for (int round = 0; round < 12; round++)
            {
                byte[] garbage = KnownVault.Noise(random.Next(), random.Next(1 << (4 + random.Next(14))));
                int header = Math.Min(Math.Min(content.Length, garbage.Length), random.Next(140));
                content.AsSpan(0, header).CopyTo(garbage);
                store.Show(new ObjectName(name), garbage);
                long before = GC.GetAllocatedBytesForCurrentThread();
                using var device = new LightClient(store, keys, VaultState.BeforeGenesis(keys), new RowTree());
                Exception? error = await Record.ExceptionAsync(() => device.CatchUpAsync(None));
                long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.True(error is null || Verdict.Complain(error) is null, $"{name}: {error}");
                long bytes = vault.Puts.Sum(static put => put.Value.Length) + garbage.Length;
                Assert.True(allocated <= (4L * bytes) + (2 << 20), $"{name}: {allocated} bytes for {garbage.Length}");
            }
        }

        // Larger than an object of the kind can be: refused by its size.
        EvilStore large = await vault.EvilStoreAsync();
        large.Show(new ObjectName(vault.Puts.First(static put => put.Key.StartsWith("slots/", StringComparison.Ordinal)).Key), new byte[100_000]);
        var tooLarge = await Assert.ThrowsAsync<VaultIntegrityException>(
            () => VaultSetup.RecoverAsync(large, vault.RecoveryKey, "new", null, new ManualTime(), new SeededRandom(1), None));
        Assert.Equal(IntegrityKind.Malformed, tooLarge.Kind);
    }

    [Theory]
    [InlineData("gone")]
    [InlineData("cut")]
    [InlineData("changed")]
    public async Task Row_27_A_file_saved_again_after_its_pack_was_lost_is_put_again(string how)
    {
        await using VolumeTrials vault = await VolumeTrials.CreateAsync(9, commits: 2);
        EvilStore store = await vault.EvilStoreAsync();
        var time = new ManualTime();
        byte[] content = vault.Files[2]["f3"];
        await using (Volume volume = await vault.Home.OpenAsync(vault.TakeDevice(3), vault.Keys(), store, time, None))
        {
            foreach ((string name, byte[] pack) in vault.Puts.Where(static put => put.Key.StartsWith("packs/", StringComparison.Ordinal)))
            {
                switch (how)
                {
                    case "gone":
                        store.Remove(new ObjectName(name));
                        break;
                    case "cut":
                        await store.CutAsync(new ObjectName(name), 200);
                        break;
                    default:
                        await store.FlipAsync(new ObjectName(name), pack.Length * 4);
                        break;
                }
            }

            // Its owner sees the error and copies the file into the drive again.
            Assert.Equal(FsStatus.Corrupt, (await volume.ReadAsync("f3", None)).Status);
            Assert.Equal(FsStatus.Ok, volume.Write("f3 again", content));
            Assert.True(await volume.UploadAsync(time, None), volume.GetStatus().LastError);
            Assert.Equal(content, (await volume.ReadAsync("f3 again", None)).Content);

            // Both names have the same content, so the old one is well again too.
            Assert.Equal(content, (await volume.ReadAsync("f3", None)).Content);
        }

        RecoveredVault recovered = await VaultSetup.RecoverAsync(store, vault.RecoveryKey, "other", null, time, SystemRandomSource.Instance, None);
        await using Volume other = await vault.Home.OpenAsync(vault.TakeDevice(), recovered.Keys, store, time, None);
        Assert.Equal(content, (await other.ReadAsync("f3 again", None)).Content);
    }

    [Fact]
    public async Task Row_28_Nothing_readable_of_names_or_content_lies_on_the_local_disk_or_in_the_store()
    {
        const string Name = "canary-name-4f1e9b";
        byte[] content = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("canary-content-77a0c3 ", 4000)));
        await using VolumeTrials vault = await VolumeTrials.CreateAsync(10, commits: 1);
        EvilStore store = await vault.EvilStoreAsync();
        store.Description = new StoreDescription("far away", IsLocal: false);
        var time = new ManualTime();
        string state = vault.TakeDevice(2);
        await using (Volume volume = await vault.Home.OpenAsync(state, vault.Keys(), store, time, None))
        {
            Assert.Equal(FsStatus.Ok, volume.Write(Name, content));
            volume.Lookup(NodeId.Root, Encoding.ASCII.GetBytes(Name), out NodeAttributes node);
            Assert.Equal(FsStatus.Ok, volume.SetExtendedAttribute(node.Node, "user.canary-attribute"u8, "canary-value-0b6d"u8, AttributeSetOptions.None));
            Assert.Equal(FsStatus.Ok, volume.MakeSymbolicLink(NodeId.Root, "canary-link"u8, "canary-target-5d"u8, Caller.Root, out _));
            Assert.Equal(FsStatus.Ok, await volume.FsyncAsync(HandleId.None, false, None));
            ScanHome(vault, state);
            Assert.True(await volume.UploadAsync(time, None));
            Assert.Equal(content, (await volume.ReadAsync(Name, None)).Content);
        }

        ScanHome(vault, state);
        Assert.All(await store.ShownAsync(), static pair => RequireNoCanary(pair.Key, pair.Value));
    }

    private static void ScanHome(VolumeTrials vault, string state)
    {
        VolumeSettings settings = vault.Home.Settings(state);
        string[] files =
        [
            .. Directory.EnumerateFiles(settings.StateDirectory, "*", SearchOption.AllDirectories),
            .. Directory.EnumerateFiles(settings.CacheDirectory, "*", SearchOption.AllDirectories),
        ];
        Assert.True(files.Length >= 2);
        foreach (string file in files)
        {
            using var stream = new FileStream(file, System.IO.FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            RequireNoCanary(file, bytes);
        }
    }

    private static void RequireNoCanary(string where, byte[] bytes)
    {
        Assert.True(bytes.AsSpan().IndexOf("canary"u8) < 0, where);
        Assert.True(bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes("canary")) < 0, where);
    }
}
