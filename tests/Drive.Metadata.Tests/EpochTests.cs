using Drive.Core.Rows;

namespace Drive.Metadata.Tests;

public sealed class EpochTests : StoreFixture
{
    [Fact]
    public void What_is_made_and_removed_in_one_epoch_leaves_nothing()
    {
        Apply(0, b => { b.PutNode(File(5), true); b.PutEntry(Entry(1, "a", 5, 1)); b.PutXattr(Xattr(5, "user.x", "1")); });
        Apply(0, b => { b.RemoveNode(Id(5)); b.RemoveEntry(Id(1), Utf8("a")); });

        Assert.True(Store.ReadEpoch(0).IsEmpty);
        Assert.Null(Store.FindNode(Id(5), Epochs.Provisional(0)));
    }

    [Fact]
    public void An_epoch_lists_what_it_opened_and_closed()
    {
        Apply(0, b => { b.PutNode(File(5), true); b.PutEntry(Entry(1, "a", 5, 1)); b.PutXattr(Xattr(5, "user.x", "1")); });
        Land(0, 1);
        Apply(1, b => { b.PutNode(File(5, 9), false); b.RemoveEntry(Id(1), Utf8("a")); b.PutEntry(Entry(1, "b", 5, 2)); b.PutXattr(Xattr(5, "user.x", "2")); });

        RowChanges changes = Store.ReadEpoch(1);
        Assert.Equal(0, Assert.Single(changes.Closed.Nodes).Size);
        Assert.Equal(9, Assert.Single(changes.Opened.Nodes).Size);
        Assert.Equal(Utf8("a"), Assert.Single(changes.Closed.Entries).Name);
        Assert.Equal(Utf8("b"), Assert.Single(changes.Opened.Entries).Name);
        Assert.Equal(Utf8("1"), Assert.Single(changes.Closed.Xattrs).Value);
        Assert.Equal(Utf8("2"), Assert.Single(changes.Opened.Xattrs).Value);
    }

    [Fact]
    public void What_ends_as_it_began_is_not_listed()
    {
        Apply(0, b => { b.PutNode(File(5) with { LinkTarget = Utf8("t") }, true); b.PutNode(Folder(6), true); b.PutEntry(Entry(1, "a", 5, 1)); b.PutXattr(Xattr(5, "user.x", "1")); });
        Land(0, 1);
        Apply(1, b => { b.PutNode(File(5, 9), false); b.PutNode(Folder(6, 3), false); b.RemoveEntry(Id(1), Utf8("a")); b.RemoveXattr(Id(5), Utf8("user.x")); });
        Apply(1, b => { b.PutNode(File(5) with { LinkTarget = Utf8("t"), AccessTime = 1234 }, false); b.PutEntry(Entry(1, "a", 5, 7)); b.PutXattr(Xattr(5, "user.x", "1")); });

        Assert.True(Store.ReadEpoch(1).IsEmpty);
    }

    [Fact]
    public void A_file_unlinked_while_open_is_gone_for_the_vault_with_its_xattrs()
    {
        Apply(0, b => { b.PutNode(File(5), true); b.PutXattr(Xattr(5, "user.x", "1")); b.PutXattr(Xattr(5, "user.y", "1")); });
        Land(0, 1);
        Apply(1, b => { b.PutNode(File(5, links: 0), false); b.PutXattr(Xattr(5, "user.x", "2")); });

        RowChanges changes = Store.ReadEpoch(1);
        Assert.Single(changes.Closed.Nodes);
        Assert.Equal(2, changes.Closed.Xattrs.Count);
        Assert.True(changes.Opened.IsEmpty);
        Assert.Equal([Id(5)], Store.ReadOrphans());
        Land(1, 2);
        Assert.All(Store.ReadAllCurrent(10), part => Assert.True(part.IsEmpty));
        Apply(2, b => b.RemoveNode(Id(5)));
        Assert.True(Store.ReadEpoch(2).IsEmpty);
    }

    [Fact]
    public void A_file_that_gets_its_first_name_late_brings_its_xattrs()
    {
        Apply(0, b => { b.PutNode(File(5, links: 0), true); b.PutXattr(Xattr(5, "user.x", "1")); });
        Assert.True(Store.ReadEpoch(0).IsEmpty);
        Land(0, 1);
        Apply(1, b => b.PutNode(File(5), false));

        RowChanges changes = Store.ReadEpoch(1);
        Assert.True(changes.Closed.IsEmpty);
        Assert.Single(changes.Opened.Nodes);
        Assert.Single(changes.Opened.Xattrs);
    }

    [Fact]
    public void A_frozen_epoch_does_not_see_what_the_next_one_does()
    {
        Apply(0, b => { b.PutNode(File(5, 1), true); b.PutEntry(Entry(1, "a", 5, 1)); });
        Apply(1, b => { b.PutNode(File(5, 2), false); b.RemoveEntry(Id(1), Utf8("a")); });

        RowChanges first = Store.ReadEpoch(0);
        Assert.Equal(1, Assert.Single(first.Opened.Nodes).Size);
        Assert.Single(first.Opened.Entries);
        Land(0, 10);
        RowChanges second = Store.ReadEpoch(1);
        Assert.Equal(1, Assert.Single(second.Closed.Nodes).Size);
        Assert.Equal(2, Assert.Single(second.Opened.Nodes).Size);
        Assert.Single(second.Closed.Entries);
        Assert.Equal(1, Store.FindNode(Id(5), 10)!.Size);
        Assert.NotNull(Store.FindEntry(Id(1), "a"u8, 10));
        Assert.Null(Store.FindEntry(Id(1), "a"u8, 9));
        Assert.Null(Store.FindEntry(Id(1), "a"u8));
    }

    [Fact]
    public void Rows_put_off_belong_to_the_next_epoch()
    {
        Apply(0, b => { b.PutNode(File(5, 1), true); b.PutNode(File(6, 1), true); b.PutEntry(Entry(1, "a", 5, 1)); b.PutEntry(Entry(1, "b", 6, 2)); b.PutXattr(Xattr(5, "user.x", "1")); });
        Store.MoveToNextEpoch(0, [Id(5)], [(Id(1), Utf8("a"))]);

        RowChanges first = Store.ReadEpoch(0);
        Assert.Equal(Id(6), Assert.Single(first.Opened.Nodes).Node);
        Assert.Equal(Id(6), Assert.Single(first.Opened.Entries).Node);
        Assert.Empty(first.Opened.Xattrs);
        RowChanges second = Store.ReadEpoch(1);
        Assert.Equal(Id(5), Assert.Single(second.Opened.Nodes).Node);
        Assert.Single(second.Opened.Entries);
        Assert.Single(second.Opened.Xattrs);
    }

    [Fact]
    public void Two_epochs_become_one_at_restart()
    {
        Apply(0, b => { b.PutNode(File(5, 1), true); b.PutNode(File(6, 1), true); });
        Land(0, 1);
        Apply(1, b => { b.PutNode(File(5, 2), false); b.PutNode(File(7), true); b.RemoveNode(Id(6)); });
        Apply(2, b => { b.PutNode(File(5, 3), false); b.RemoveNode(Id(7)); b.PutNode(File(6, 4), false); });
        Store.CollapseEpoch(1);

        Assert.True(Store.ReadEpoch(1).IsEmpty);
        RowChanges changes = Store.ReadEpoch(2);
        Assert.Equal([1, 1], changes.Closed.Nodes.Select(row => row.Size));
        Assert.Equal([3, 4], changes.Opened.Nodes.OrderBy(row => row.Size).Select(row => row.Size));
        Assert.Null(Store.FindNode(Id(7), Epochs.Provisional(2)));
    }

    [Fact]
    public void Landing_changes_extents_blocks_dirty_rows_and_settings_with_it()
    {
        Apply(0, b => { b.PutNode(File(5, 30), true); b.PutDirty(Dirty(5, 0)); b.PutDirty(Dirty(5, 10)); b.PutDirty(Dirty(5, 20)); });
        var first = new RowChanges();
        first.Opened.Extents.AddRange([Extent(5, 0, 10), Extent(5, 10, 10)]);
        var block = new BlockRow(Block(1), new PackId(Block(9).Value), 0, 0, 20, [40]);
        Store.Land(0, new CommitNote(At(3)), first, [block], [Dirty(5, 0), Dirty(5, 10)], [Dirty(5, 25, 5)], [("vault", [7])]);
        var second = new RowChanges();
        second.Closed.Extents.Add(Extent(5, 0, 10));
        second.Opened.Extents.Add(Extent(5, 0, 10, block: 2));
        Land(1, 8, second);

        Assert.Equal(8, Store.LastSeq);
        Assert.Equal([7], Store.ReadSetting("vault")!);
        Assert.NotNull(Store.FindBlock(Block(1)));
        Assert.Equal([20, 25], Store.ReadDirty(Id(5)).Select(row => row.Offset));
        Assert.Equal([Block(2), Block(1)], Store.ReadExtents(Id(5), 0, Infinity).Select(row => row.Block));
        Assert.Equal([Block(1), Block(1)], Store.ReadExtents(Id(5), 0, Infinity, 7).Select(row => row.Block));
        Assert.Empty(Store.ReadExtents(Id(5), 0, Infinity, 2));
    }

    [Fact]
    public void A_landing_that_fails_changes_nothing()
    {
        Apply(0, b => b.PutNode(File(5), true));
        var changes = new RowChanges();
        changes.Closed.Extents.Add(Extent(5, 0, 10));

        Assert.Throws<InvalidOperationException>(() => Store.Land(0, new CommitNote(At(3)), changes, [], [], [], [("a", [1])]));
        Assert.Equal(0, Store.LastSeq);
        Assert.Single(Store.ReadEpoch(0).Opened.Nodes);
        Assert.Throws<ArgumentOutOfRangeException>(() => Land(0, 0));
        Land(0, 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => Land(1, 3));
    }
}
