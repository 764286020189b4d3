using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Testing;
using Drive.Testing.Stores;
using Drive.Vault;
using Drive.Vault.Keys;
using Drive.Vault.Log;

namespace Drive.Security.Tests;

/// <summary>
/// A member whose commits are signed and sealed as they should be, and make no sense. Another device either shows a tree, or stops at that commit, names it, and goes on showing what it
/// had: it neither fails to mount nor throws.
/// </summary>
public sealed class HostileMemberTests : IAsyncLifetime
{
    private static readonly BlockId NoBlock = new(new Bytes32(KnownVault.Noise(3, 32)));

    private VolumeTrials _vault = null!;

    private static CancellationToken None => CancellationToken.None;

    public static TheoryData<string> Cases => ["entry twice", "entry that is not there", "node twice", "node that is there", "loop of directories", "entry without a node", "extents", "extent twice", "strange node", "far too large", "xattr that is not there"];

    public async Task InitializeAsync() => _vault = await VolumeTrials.CreateAsync(4, commits: 2);

    public async Task DisposeAsync() => await _vault.DisposeAsync();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_senseless_commit_of_a_member_is_shown_or_named_and_nothing_is_lost(string what)
    {
        EvilStore store = await _vault.EvilStoreAsync();
        var time = new ManualTime();
        RecoveredVault hostile = await VaultSetup.RecoverAsync(store, _vault.RecoveryKey, "hostile", null, time, new SeededRandom(1), None);
        using VaultKeys keys = hostile.Keys;
        using var thief = new LightClient(store, keys, VaultState.BeforeGenesis(keys), new RowTree());
        await thief.CatchUpAsync(None);
        Attempt attempt = thief.Log.Prepare(thief.State, new CommitDraft { Rows = Senseless(what, thief.Tree), Time = 1 });
        Assert.IsType<AppendOutcome.Committed>(await thief.Log.SubmitAsync(thief.State, attempt, None));

        await using Volume volume = await _vault.Home.OpenAsync(_vault.TakeDevice(3), _vault.Keys(), store, time, None);
        VolumeStatus status = volume.GetStatus();
        if (volume.IsReadOnly)
        {
            Assert.Equal(attempt.Seq - 1, status.Seq);
            Assert.Contains(attempt.Name.Value, status.ReadOnlyReason, StringComparison.Ordinal);
            Assert.Equal(_vault.Files[2].Keys.Order(StringComparer.Ordinal), volume.Names().Order(StringComparer.Ordinal));
        }

        foreach (string name in volume.Names())
        {
            (FsStatus read, byte[] content) = what == "far too large" && name == "new" ? (FsStatus.Ok, []) : await volume.ReadAsync(name, None);
            Assert.True(read is FsStatus.Ok or FsStatus.Corrupt or FsStatus.NotFound or FsStatus.Stale or FsStatus.IsDirectory or FsStatus.Invalid or FsStatus.NotSupported, $"{name}: {read}");
            Assert.True(read != FsStatus.Ok || !_vault.Files[2].TryGetValue(name, out byte[]? known) || known.AsSpan().SequenceEqual(content) || what is "entry twice" or "node that is there", name);
        }

        if (!volume.IsReadOnly)
        {
            Assert.Equal(FsStatus.Ok, volume.Write("after", [1, 2, 3]));
            Assert.True(await volume.UploadAsync(time, None), volume.GetStatus().LastError);
        }
    }

    [Fact]
    public async Task A_commit_without_the_root_breaks_a_rule_that_author_and_readers_share()
    {
        KnownVault vault = await KnownVault.CreateAsync(1);
        EvilStore store = await vault.EvilStoreAsync();
        using VaultKeys keys = vault.Keys();
        using var device = new LightClient(store, keys, vault.Head.State, vault.Head.Tree.Clone());
        var rows = new RowChanges();
        rows.Closed.Nodes.Add(device.Tree.FindNode(NodeId.Root)!);
        var error = Assert.Throws<VaultIntegrityException>(() => device.Log.Prepare(device.State, new CommitDraft { Rows = rows, Time = 1 }));
        Assert.Equal(IntegrityKind.Rule, error.Kind);
    }

    private static RowChanges Senseless(string what, RowTree tree)
    {
        var rows = new RowChanges();
        EntryRow entry = tree.Entries.First(entry => RowTree.Text(entry.Name) == "always");
        NodeRow node = tree.FindNode(entry.Node)!;
        var fresh = new NodeRow { Node = new NodeId(777_777), Mode = FileMode.Regular | 0x1A4, LinkCount = 1, Size = 10 };
        var name = new EntryRow(NodeId.Root, "new"u8.ToArray(), fresh.Node, 0);
        switch (what)
        {
            case "entry twice":
                rows.Opened.Nodes.Add(fresh);
                rows.Opened.Entries.Add(entry with { Node = fresh.Node });
                break;
            case "entry that is not there":
                rows.Closed.Entries.Add(name);
                break;
            case "node twice":
                rows.Opened.Nodes.Add(fresh);
                rows.Opened.Nodes.Add(fresh with { Size = 11 });
                rows.Opened.Entries.Add(name);
                break;
            case "node that is there":
                rows.Opened.Nodes.Add(node with { Size = 5 });
                break;
            case "loop of directories":
                rows.Opened.Nodes.Add(fresh with { Mode = FileMode.Directory | 0x1FF, Size = 0 });
                rows.Opened.Nodes.Add(fresh with { Node = new NodeId(777_778), Mode = FileMode.Directory | 0x1FF, Size = 0 });
                rows.Opened.Entries.Add(name);
                rows.Opened.Entries.Add(new EntryRow(fresh.Node, "down"u8.ToArray(), new NodeId(777_778), 0));
                rows.Opened.Entries.Add(new EntryRow(new NodeId(777_778), "down"u8.ToArray(), fresh.Node, 0));
                rows.Opened.Entries.Add(new EntryRow(new NodeId(777_778), "root"u8.ToArray(), NodeId.Root, 0));
                break;
            case "entry without a node":
                rows.Opened.Entries.Add(name);
                break;
            case "extents":
                rows.Opened.Nodes.Add(fresh with { Size = 3_000_000 });
                rows.Opened.Entries.Add(name);
                rows.Opened.Extents.Add(new ExtentRow(fresh.Node, 0, 1_000_000, NoBlock, 0));
                rows.Opened.Extents.Add(new ExtentRow(fresh.Node, 500_000, 1_000_000, tree.Blocks.First().Block, 0));
                rows.Opened.Extents.Add(new ExtentRow(fresh.Node, 2_000_000, 1_000_000, tree.Blocks.First().Block, 40_000));
                rows.Opened.Extents.Add(new ExtentRow(NodeId.Root, 0, 10, NoBlock, 0));
                break;
            case "extent twice":
                rows.Opened.Extents.Add(tree.Extents(node.Node)[0]);
                break;
            case "strange node":
                rows.Opened.Nodes.Add(fresh with { Node = new NodeId(ulong.MaxValue), Mode = uint.MaxValue, ModifyTime = long.MinValue, ChangeTime = long.MaxValue, LinkCount = uint.MaxValue });
                rows.Opened.Entries.Add(name with { Node = new NodeId(ulong.MaxValue) });
                break;
            case "far too large":
                rows.Opened.Nodes.Add(fresh with { Size = long.MaxValue });
                rows.Opened.Entries.Add(name);
                rows.Opened.Extents.Add(new ExtentRow(fresh.Node, long.MaxValue - 20, 10, NoBlock, 0));
                break;
            default:
                rows.Closed.Xattrs.Add(new XattrRow(node.Node, "user.none"u8.ToArray(), [1]));
                break;
        }

        return rows;
    }
}
