using Drive.Core.Rows;

namespace Drive.Metadata.Tests;

public sealed class RowTests : StoreFixture
{
    [Fact]
    public void A_node_comes_back_as_it_was_put()
    {
        NodeRow row = File(7, 1L << 60) with
        {
            Uid = uint.MaxValue,
            Gid = 4_000_000_000,
            DeviceNumber = uint.MaxValue,
            AccessTime = -1,
            ModifyTime = long.MinValue,
            ChangeTime = long.MaxValue,
            LinkTarget = Utf8("a/b"),
        };
        Apply(0, b => b.PutNode(row, isNew: true));

        Assert.Equal(RowText.Of(row), RowText.Of(Store.FindNode(Id(7))));
        Assert.Null(Store.FindNode(Id(8)));
    }

    [Fact]
    public void The_promise_that_a_node_is_new_is_checked()
    {
        Apply(0, b => b.PutNode(File(7), isNew: true));

        Assert.Throws<InvalidOperationException>(() => Apply(1, b => b.PutNode(File(7, 9), isNew: true)));
        Assert.Equal(0, Store.FindNode(Id(7))!.Size);
    }

    [Fact]
    public void Entries_are_found_by_name_and_listed_by_id()
    {
        Apply(0, b =>
        {
            b.PutEntry(Entry(1, "b", 11, 2));
            b.PutEntry(Entry(1, "a", 10, 1));
            b.PutEntry(Entry(2, "a", 12, 3));
            b.PutEntry(new EntryRow(Id(1), [0xFF, 0xFE], Id(13), 4));
        });

        Assert.Equal(Id(10), Store.FindEntry(Id(1), "a"u8)!.Node);
        Assert.Equal(Id(12), Store.FindEntry(Id(2), "a"u8)!.Node);
        Assert.Null(Store.FindEntry(Id(1), "A"u8));
        List<EntryRow> listed = [];
        Assert.Equal(2, Store.ReadEntries(Id(1), 0, 2, listed));
        Assert.Equal(1, Store.ReadEntries(Id(1), listed[^1].EntryId, 2, listed));
        Assert.Equal(0, Store.ReadEntries(Id(1), listed[^1].EntryId, 2, listed));
        Assert.Equal([1, 2, 4], listed.Select(row => row.EntryId));
        Assert.Equal([0xFF, 0xFE], listed[2].Name);
        Assert.Equal(5, Store.NextEntryId);
    }

    [Fact]
    public void A_name_of_255_bytes_fits()
    {
        byte[] name = [.. Enumerable.Repeat((byte)'x', 255)];
        Apply(0, b => b.PutEntry(new EntryRow(Id(1), name, Id(2), 1)));

        Assert.Equal(name, Store.FindEntry(Id(1), name)!.Name);
    }

    [Fact]
    public void The_later_change_of_a_key_in_a_batch_counts()
    {
        Apply(0, b => { b.PutNode(File(5), true); b.PutEntry(Entry(1, "a", 5, 1)); b.PutXattr(Xattr(5, "user.a", "1")); b.PutDirty(Dirty(5, 0)); });
        Apply(0, b =>
        {
            b.RemoveNode(Id(5));
            b.PutNode(File(5, 77), isNew: true);
            b.RemoveEntry(Id(1), Utf8("a"));
            b.PutEntry(Entry(1, "a", 6, 2));
            b.RemoveXattr(Id(5), Utf8("user.a"));
            b.PutXattr(Xattr(5, "user.a", "2"));
            b.RemoveDirty(Id(5), 0);
            b.PutDirty(Dirty(5, 0, 20));
            b.PutEntry(Entry(1, "gone", 7, 3));
            b.RemoveEntry(Id(1), Utf8("gone"));
        });

        Assert.Equal(77, Store.FindNode(Id(5))!.Size);
        Assert.Equal(Id(6), Store.FindEntry(Id(1), "a"u8)!.Node);
        Assert.Equal(Utf8("2"), Assert.Single(Store.ReadXattrs(Id(5))).Value);
        Assert.Equal(20, Assert.Single(Store.ReadDirty(Id(5))).Length);
        Assert.Null(Store.FindEntry(Id(1), "gone"u8));
    }

    [Fact]
    public void Removing_what_is_not_there_does_nothing()
    {
        Apply(0, b => { b.RemoveNode(Id(9)); b.RemoveEntry(Id(1), Utf8("x")); b.RemoveXattr(Id(9), Utf8("y")); b.RemoveDirty(Id(9), 0); b.PutNodeAccessTime(Id(9), 4); });

        Assert.True(Store.ReadEpoch(0).IsEmpty);
    }

    [Fact]
    public void An_access_time_is_changed_in_place()
    {
        Apply(0, b => b.PutNode(File(5), true));
        Land(0, 1);
        Apply(1, b => b.PutNodeAccessTime(Id(5), 99));

        Assert.Equal(99, Store.FindNode(Id(5))!.AccessTime);
        Assert.True(Store.ReadEpoch(1).IsEmpty);
    }

    [Fact]
    public void An_access_time_and_a_row_in_one_batch_keep_the_later_of_the_two()
    {
        Apply(0, b => { b.PutNode(File(5), true); b.PutNodeAccessTime(Id(5), 50); b.PutNodeAccessTime(Id(6), 1); b.PutNode(File(6, time: 60), true); });

        Assert.Equal(50, Store.FindNode(Id(5))!.AccessTime);
        Assert.Equal(60, Store.FindNode(Id(6))!.AccessTime);
    }

    [Fact]
    public void Xattrs_of_a_removed_node_go_with_it()
    {
        Apply(0, b => { b.PutNode(File(5), true); b.PutXattr(Xattr(5, "user.a", "")); });
        Land(0, 1);
        Apply(1, b => b.PutXattr(Xattr(5, "user.b", "new")));
        Apply(1, b => b.RemoveNode(Id(5)));

        Assert.Empty(Store.ReadXattrs(Id(5)));
        Assert.Equal("user.a"u8.ToArray(), Assert.Single(Store.ReadXattrs(Id(5), 1)).Name);
    }

    [Fact]
    public void Dirty_rows_of_all_kinds_come_back()
    {
        DirtyRow[] rows =
        [
            Dirty(3, 0),
            new(Id(3), 10, long.MaxValue - 10, DirtyKind.Hole, 0, 0, 0, 0, default),
            new(Id(4), 5, 9, DirtyKind.Block, 0, 0, 0, 17, Block(8)),
        ];
        Apply(0, b => Array.ForEach(rows, b.PutDirty));

        Assert.Equal(rows[..2], Store.ReadDirty(Id(3)));
        Assert.Equal(rows, Store.ReadAllDirty());
        Assert.Equal([Id(3), Id(4)], Store.ReadDirtyNodes());
        Apply(0, b => { b.RemoveDirty(Id(3), 0); b.RemoveDirty(Id(3), 10); });
        Assert.Equal([Id(4)], Store.ReadDirtyNodes());
    }

    [Fact]
    public void All_dirty_rows_are_read_across_parts()
    {
        Apply(0, b =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                b.PutDirty(Dirty((ulong)(1 + (i / 700)), i % 700 * 20));
            }
        });

        Assert.Equal(10_000, Store.ReadAllDirty().Distinct().Count());
    }

    [Fact]
    public void Blocks_come_back_and_may_move()
    {
        var row = new BlockRow(Block(1), new PackId(Block(2).Value), 1L << 40, 9, 65_537, [1, int.MaxValue]);
        Apply(0, b => b.PutBlock(row));
        BlockRow moved = row with { Pack = new PackId(Block(3).Value) };
        Assert.Equal(RowText.Of(row), RowText.Of(Store.FindBlock(Block(1))));
        Apply(0, b => b.PutBlock(moved));

        Assert.Null(Store.FindBlock(Block(2)));
        IReadOnlyDictionary<BlockId, BlockRow> found = Store.FindBlocks([Block(1), Block(2)]);
        Assert.Equal(RowText.Of(moved), RowText.Of(Assert.Single(found).Value));
        Assert.Equal(RowText.Of(moved), RowText.Of(Assert.Single(Assert.Single(Store.ReadAllBlocks(1)))));
    }

    [Fact]
    public void Settings_are_kept_replaced_and_removed()
    {
        Apply(0, b => { b.PutSetting("a", [1, 2]); b.PutSetting("b", []); });
        Apply(0, b => b.PutSetting("a", [3]));
        Reopen();

        Assert.Equal([3], Store.ReadSetting("a")!);
        Assert.Empty(Store.ReadSetting("b")!);
        Apply(0, b => b.PutSetting("a", null));
        Assert.Null(Store.ReadSetting("a"));
    }

    [Fact]
    public void Regular_files_are_counted_and_the_count_survives()
    {
        Apply(0, b => { b.PutNode(File(5, 100), true); b.PutNode(File(6, 50), true); b.PutNode(Folder(7), true); });
        Apply(0, b => { b.PutNode(File(5, 300), false); b.RemoveNode(Id(6)); });
        Land(0, 1);
        Apply(1, b => b.PutNode(File(5, 10), false));
        Assert.Equal((1, 10), Store.CountFiles());
        Assert.Throws<InvalidOperationException>(() => Apply(1, b => b.PutNode(File(8, 9), true), b => b.PutNode(File(5), true)));
        Assert.Equal((1, 10), Store.CountFiles());
        Reopen();

        Assert.Equal((1, 10), Store.CountFiles());
    }

    [Fact]
    public void Extents_that_reach_into_the_range_are_found()
    {
        var changes = new RowChanges();
        changes.Opened.Extents.AddRange([Extent(5, 0, 100), Extent(5, 100, 50), Extent(5, 200, 10), Extent(6, 0, 1)]);
        Land(0, 1, changes);

        long[] Offsets(long start, long end) => [.. Store.ReadExtents(Id(5), start, end).Select(row => row.Offset)];
        Assert.Equal([0, 100, 200], Offsets(0, Infinity));
        Assert.Equal([0], Offsets(99, 100));
        Assert.Equal([100], Offsets(100, 101));
        Assert.Equal([0, 100], Offsets(99, 101));
        Assert.Equal([], Offsets(150, 200));
        Assert.Equal([200], Offsets(150, 201));
        Assert.Equal([], Offsets(210, Infinity));
        Assert.Equal([100], [.. Store.ReadExtents(Id(5), 100, 150, 1).Select(row => row.Offset)]);
        Assert.Equal([0, 100], First(0, 2));
        Assert.Equal([100, 200], First(100, 2));
        Assert.Equal([100], First(149, 1));
        Assert.Equal([200], First(150, 5));
        long[] First(long start, int count) => [.. Store.ReadFirstExtents(Id(5), start, count).Select(row => row.Offset)];
    }

    [Fact]
    public void A_folder_of_100_000_entries_is_listed_in_parts_in_order()
    {
        Apply(0, b =>
        {
            for (int i = 1; i <= 100_000; i++)
            {
                b.PutEntry(Entry(1, $"file-{i}", (ulong)(i + 10), i));
            }
        });

        List<EntryRow> all = [];
        while (Store.ReadEntries(Id(1), all.Count == 0 ? 0 : all[^1].EntryId, 1000, all) > 0)
        {
        }

        Assert.Equal(100_000, all.Count);
        Assert.All(all, (row, i) => Assert.Equal($"file-{i + 1}", System.Text.Encoding.UTF8.GetString(row.Name)));
        List<EntryRow> past = [];
        Land(0, 4);
        Apply(1, b => b.RemoveEntry(Id(1), Utf8("file-2")));
        Store.ReadEntries(Id(1), 0, 3, past, 4);
        Assert.Equal([1, 2, 3], past.Select(row => row.EntryId));
    }

    [Fact]
    public void Of_a_batchs_dirty_rows_the_last_of_each_range_counts()
    {
        MetadataBatch batch = new() { Epoch = 1 };
        DirtyRow row = new(Id(1), 0, 10, DirtyKind.Data, 7, 100, 10, 0, default);
        batch.PutDirty(row);
        batch.PutDirty(row with { Segment = 8 });
        batch.PutDirty(row with { Node = Id(2) });
        batch.RemoveDirty(Id(2), 0);
        Assert.Equal([row with { Segment = 8 }], batch.DirtyRows);
    }
}
