using Drive.Core.History;
using Drive.Core.Rows;

namespace Drive.Metadata.Tests;

public sealed class CommitTests : StoreFixture
{
    [Fact]
    public void A_commit_brings_rows_blocks_and_settings()
    {
        var changes = new RowChanges();
        changes.Opened.Nodes.AddRange([Folder(1, links: 0), File(5, 10)]);
        changes.Opened.Entries.Add(new EntryRow(Id(1), Utf8("a"), Id(5), 0));
        changes.Opened.Extents.Add(Extent(5, 0, 10));
        changes.Opened.Xattrs.Add(Xattr(5, "user.x", "1"));
        changes.Blocks.Add(new BlockRow(Block(1), new PackId(Block(2).Value), 0, 0, 10, [40]));
        Store.ApplyCommit(new CommitNote(At(1)), changes, [("vault", [1])]);

        Assert.Equal(2u, Store.FindNode(Id(1))!.LinkCount);
        Assert.Equal(1, Store.FindEntry(Id(1), "a"u8)!.EntryId);
        Assert.Single(Store.ReadExtents(Id(5), 0, Infinity));
        Assert.Single(Store.ReadXattrs(Id(5)));
        Assert.NotNull(Store.FindBlock(Block(1)));
        Assert.Equal([1], Store.ReadSetting("vault")!);
        Assert.Equal(1, Store.LastSeq);
        Assert.Equal(2, Store.NextEntryId);
    }

    [Fact]
    public void Link_counts_of_directories_follow_from_the_entries()
    {
        uint Links(ulong node) => Store.FindNode(Id(node))!.LinkCount;
        var first = new RowChanges();
        first.Opened.Nodes.AddRange([Folder(1, 0), Folder(2, 0), Folder(3, 0), File(4)]);
        first.Opened.Entries.AddRange([Entry(1, "d", 2, 0), Entry(2, "e", 3, 0), Entry(1, "f", 4, 0)]);
        Store.ApplyCommit(new CommitNote(At(1)), first, []);
        Assert.Equal((3u, 3u, 2u), (Links(1), Links(2), Links(3)));

        var move = new RowChanges();
        move.Closed.Entries.Add(Entry(2, "e", 0, 0));
        move.Opened.Entries.Add(Entry(1, "e", 3, 0));
        move.Closed.Nodes.Add(Folder(1, 0));
        move.Opened.Nodes.Add(Folder(1, 0) with { ModifyTime = 9 });
        Store.ApplyCommit(new CommitNote(At(2)), move, []);
        Assert.Equal((4u, 2u), (Links(1), Links(2)));
        Assert.Equal(9, Store.FindNode(Id(1))!.ModifyTime);
        Assert.Equal(3u, Store.FindNode(Id(2), 1)!.LinkCount);

        var remove = new RowChanges();
        remove.Closed.Entries.AddRange([Entry(1, "d", 0, 0), Entry(1, "e", 0, 0)]);
        remove.Closed.Nodes.AddRange([Folder(2, 0), Folder(3, 0)]);
        Store.ApplyCommit(new CommitNote(At(3)), remove, []);
        Assert.Equal(2u, Links(1));
        Assert.Null(Store.FindNode(Id(2)));
    }

    [Fact]
    public void A_commit_that_does_not_fit_changes_nothing()
    {
        Apply(0, b => { b.PutNode(File(5), true); b.PutEntry(Entry(1, "a", 5, 1)); });
        Land(0, 1);
        Action<RowChanges>[] wrong =
        [
            c => c.Closed.Nodes.Add(File(9)),
            c => c.Closed.Entries.Add(Entry(1, "b", 5, 0)),
            c => c.Closed.Extents.Add(Extent(5, 0, 1)),
            c => c.Closed.Xattrs.Add(Xattr(5, "user.x", "")),
        ];
        foreach (Action<RowChanges> spoil in wrong)
        {
            var changes = new RowChanges();
            changes.Opened.Nodes.Add(File(6));
            spoil(changes);
            Assert.Null(Store.ResolveClosed(changes));
            Assert.Throws<InvalidOperationException>(() => Store.ApplyCommit(new CommitNote(At(2)), changes, []));
        }

        var twice = new RowChanges();
        twice.Opened.Nodes.Add(File(5, 3));
        Assert.Throws<InvalidOperationException>(() => Store.ApplyCommit(new CommitNote(At(2)), twice, []));
        Assert.Null(Store.FindNode(Id(6)));
        Assert.Equal(1, Store.LastSeq);
    }

    [Fact]
    public void A_commit_is_refused_while_changes_made_here_wait()
    {
        Apply(0, b => b.PutNode(File(5), true));
        Land(0, 1);
        Apply(1, b => b.PutNode(File(5, 8), false));
        var changes = new RowChanges();
        changes.Closed.Nodes.Add(File(5));
        changes.Opened.Nodes.Add(File(5, 9));

        Assert.Throws<InvalidOperationException>(() => Store.ApplyCommit(new CommitNote(At(2)), changes, []));
        Assert.Equal(8, Store.FindNode(Id(5))!.Size);
        Assert.Single(Store.ReadEpoch(1).Opened.Nodes);
    }

    [Fact]
    public void What_stays_local_does_not_stop_a_commit()
    {
        Apply(0, b => { b.PutNode(File(5), true); b.PutNode(Folder(1), true); });
        Land(0, 1);
        Apply(1, b => { b.PutNode(File(9, links: 0), true); b.PutNode(Folder(1, 3), false); b.PutNode(File(5, 8), false); });
        Apply(2, b => { b.PutNode(Folder(1, 2), false); b.PutNode(File(5), false); });
        var changes = new RowChanges();
        changes.Closed.Nodes.Add(File(5));
        changes.Opened.Nodes.Add(File(5, 9));
        Store.ApplyCommit(new CommitNote(At(2)), changes, []);

        Assert.Equal(9, Store.FindNode(Id(5))!.Size);
        Assert.Equal(9, Store.FindNode(Id(5), 2)!.Size);
        Assert.Equal(0, Store.FindNode(Id(5), 1)!.Size);
        Assert.Equal([Id(9)], Store.ReadOrphans());
        Assert.True(Store.ReadEpoch(1).IsEmpty && Store.ReadEpoch(2).IsEmpty);
        Apply(2, b => b.PutNode(File(5, 10), false));
        Assert.Equal(9, Assert.Single(Store.ReadEpoch(2).Closed.Nodes).Size);
    }

    [Fact]
    public void A_checkpoint_stays_at_its_seq_while_the_tree_changes()
    {
        Apply(0, b =>
        {
            for (ulong i = 10; i < 30; i++)
            {
                b.PutNode(File(i), true);
                b.PutEntry(Entry(1, "n" + i, i, (long)i));
            }
        });
        var content = new RowChanges();
        content.Opened.Extents.AddRange([Extent(10, 0, 5), Extent(10, 5, 5), Extent(11, 0, 5)]);
        Land(0, 1, content);

        var all = new RowSet();
        foreach (RowSet part in Store.ReadAllCurrent(7))
        {
            if (all.IsEmpty)
            {
                Apply(1, b => { b.RemoveNode(Id(29)); b.PutNode(File(28, 5), false); b.RemoveEntry(Id(1), Utf8("n29")); b.PutNode(File(40), true); });
                var more = new RowChanges();
                more.Closed.Extents.Add(Extent(11, 0, 5));
                Land(1, 2, more);
            }

            all.Nodes.AddRange(part.Nodes);
            all.Entries.AddRange(part.Entries);
            all.Extents.AddRange(part.Extents);
        }

        Assert.Equal((20, 20, 3), (all.Nodes.Count, all.Entries.Count, all.Extents.Count));
        Assert.All(all.Nodes, row => Assert.Equal(0, row.Size));
    }

    [Fact]
    public void Each_commit_leaves_a_moment_and_the_last_kept_one_at_a_time_is_the_one_with_the_highest_seq()
    {
        Store.ApplyCommit(new CommitNote(At(1)), new RowChanges(), []);
        Store.ApplyCommit(new CommitNote(new MomentRow(2, 5, At(2).Device)), new RowChanges(), []);
        Land(0, 3);
        Reopen();
        Assert.Equal([At(3), new MomentRow(2, 5, At(2).Device), At(1)], Store.ReadMoments(1, 3, 10));
        Assert.Equal([At(1)], Store.ReadMoments(1, 1, 10));
        Assert.Equal(3, Assert.Single(Store.ReadMoments(0, long.MaxValue, 1)).Seq);
        Assert.Equal(At(1), Store.FindMoment(1));
        Assert.Null(Store.FindMoment(4));

        // The second one's clock was behind.
        Assert.Equal(2, Store.FindMomentAt(29, KeptHistory.Everything)?.Seq);
        Assert.Equal(1, Store.FindMomentAt(29, new KeptHistory(3, [1]))?.Seq);
        Assert.Equal(3, Store.FindMomentAt(30, KeptHistory.Everything)?.Seq);
        Assert.Null(Store.FindMomentAt(4, KeptHistory.Everything));
    }
}
