using Drive.Core.Rows;

namespace Drive.Vault.Tests;

public sealed class StateHashTests
{
    [Fact]
    public async Task Following_changes_gives_the_same_as_hashing_all_rows()
    {
        using TestVault vault = await TestVault.CreateAsync();
        var tree = new Tree();
        Bytes32 hash = default;
        for (int i = 0; i < 150; i++)
        {
            RowChanges changes = tree.RandomChange(vault.Random, (ulong)(i * 10) + 2);
            hash = StateHash.Update(hash, changes, vault.Keys);
            tree.Apply(changes);
            if (i % 10 == 0)
            {
                Assert.Equal(hash, Whole(vault, tree.Rows(), reverse: false));
                Assert.Equal(hash, Whole(vault, tree.Rows(), reverse: true));
            }
        }

        var clear = new RowChanges();
        clear.Closed.Nodes.AddRange(tree.Rows().Nodes);
        clear.Closed.Entries.AddRange(tree.Rows().Entries);
        clear.Closed.Extents.AddRange(tree.Rows().Extents);
        clear.Closed.Xattrs.AddRange(tree.Rows().Xattrs);
        Assert.Equal(default, StateHash.Update(hash, clear, vault.Keys));
    }

    [Fact]
    public async Task What_is_local_does_not_count_and_everything_else_does()
    {
        using TestVault vault = await TestVault.CreateAsync();
        NodeRow root = vault.Tree.Rows().Nodes[0];
        Assert.Equal(Of(vault, root), Of(vault, root with { LinkCount = 9, AccessTime = 9 }));
        NodeRow file = root with { Mode = Core.Volumes.FileMode.Regular };
        NodeRow[] others =
        [
            file with { LinkCount = 9 }, file with { Uid = 9 }, file with { Gid = 9 }, file with { Size = 9 }, file with { ModifyTime = 9 }, file with { ChangeTime = 9 },
            file with { BirthTime = 9 }, file with { DeviceNumber = 9 }, file with { LinkTarget = [] }, file with { Node = new(9) }, file with { Mode = file.Mode + 1 },
        ];
        Assert.Equal(others.Length + 1, others.Append(file).Select(row => Of(vault, row)).Distinct().Count());

        var a = new RowChanges();
        a.Opened.Entries.Add(new EntryRow(new(1), [1], new(2), 1));
        var b = new RowChanges();
        b.Opened.Entries.Add(new EntryRow(new(1), [1], new(2), 77));
        Assert.Equal(StateHash.Update(default, a, vault.Keys), StateHash.Update(default, b, vault.Keys));
    }

    [Fact]
    public async Task Another_vaults_hash_of_the_same_rows_differs()
    {
        using TestVault one = await TestVault.CreateAsync(1);
        using TestVault two = await TestVault.CreateAsync(2);
        NodeRow row = one.Tree.Rows().Nodes[0];
        Assert.NotEqual(Of(one, row), Of(two, row));
    }

    private static Bytes32 Of(TestVault vault, NodeRow row)
    {
        var changes = new RowChanges();
        changes.Opened.Nodes.Add(row);
        return StateHash.Update(default, changes, vault.Keys);
    }

    private static Bytes32 Whole(TestVault vault, RowSet rows, bool reverse)
    {
        var all = new RowChanges();
        all.Opened.Nodes.AddRange(reverse ? rows.Nodes.AsEnumerable().Reverse() : rows.Nodes);
        all.Opened.Entries.AddRange(reverse ? rows.Entries.AsEnumerable().Reverse() : rows.Entries);
        all.Opened.Extents.AddRange(rows.Extents);
        all.Opened.Xattrs.AddRange(rows.Xattrs);
        return StateHash.Update(default, all, vault.Keys);
    }
}
