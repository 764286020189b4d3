using System.Text;
using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Metadata.Tests;

/// <summary>Forgetting against what a list of all states says.</summary>
public sealed class ForgetTests : StoreFixture
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void After_forgetting_each_kept_state_is_as_it_was_and_nothing_else_is_left(int seed)
    {
        var random = new Random(seed);
        Store.ApplyCommit(new CommitNote(At(1)), First(), []);
        SortedDictionary<long, string> states = new() { [1] = Show(1) };
        long seq = 1;
        while (seq < 40)
        {
            RowChanges changes = Change(random, seq);
            Store.ApplyCommit(new CommitNote(At(++seq)), Store.ResolveClosed(changes)!, []);
            states[seq] = Show(seq);
        }

        // A change that no commit holds ends and begins rows too.
        Apply(1, static batch => batch.RemoveNode(Id(2)), static batch => batch.PutNode(File(77, 3), isNew: true));
        long below = 0;
        HashSet<long> kept = [.. states.Keys];
        for (int round = 0; round < 4; round++)
        {
            below = random.NextInt64(below, seq + 1);
            kept.RemoveWhere(other => other < below && random.Next(3) > 0);
            KeptHistory history = new(below, kept);
            int deleted = Store.Forget(history, 1 + random.Next(20)).Sum();
            Assert.Equal(0, Store.Forget(history, 1000).Sum());
            Reopen();
            using MetadataStore copy = CopyOf(history, seq, 1 + random.Next(20));
            foreach ((long at, string shown) in states)
            {
                Assert.True(!history.Keeps(at) || shown == Show(at, copy), $"seed {seed}, round {round}: state {at} is another one in what a checkpoint takes along");
                Assert.True(!history.Keeps(at) || shown == Show(at), $"seed {seed}, round {round}: state {at} changed, {deleted} rows were forgotten");
            }

            Assert.Equal(states.Keys.Where(history.Keeps).Reverse(), Store.ReadMoments(1, seq, 1000).Select(static moment => moment.Seq));
            Assert.All(Store.ReadBlockSpans(3).SelectMany(static part => part), span => Assert.True(history.Holds(span.From, span.To)));
            Assert.Null(Store.FindNode(Id(2)));
            Assert.NotNull(Store.FindNode(Id(77)));
        }
    }

    [Fact]
    public void Blocks_of_condemned_packs_are_there_for_reading_only_and_go_once_they_are_swept()
    {
        BlockRow kept = Row(1, 1);
        BlockRow gone = Row(2, 2);
        var changes = new RowChanges();
        changes.Blocks.AddRange([kept, gone]);
        Store.ApplyCommit(new CommitNote(At(1)) { Packs = [new PackRow(kept.Pack, 100), new PackRow(gone.Pack, 200)] }, changes, []);
        Store.LandAlone(new CommitNote(At(2)) { Condemned = [gone.Pack] }, [], [("said", [1])]);
        for (int opened = 0; opened < 2; opened++)
        {
            Assert.Null(Store.FindBlock(gone.Block));
            Assert.Empty(Store.FindBlocks([gone.Block]));
            Assert.Equal(gone.Pack, Store.FindBlockToRead(gone.Block)!.Pack);
            Assert.NotNull(Store.FindBlock(kept.Block));
            Reopen();
        }

        Assert.Equal([1], Store.ReadSetting("said"));
        Assert.Equal(2, Store.Forget(new KeptHistory(3, []), 10).Sum());
        Assert.NotNull(Store.FindBlockToRead(gone.Block));
        Store.LandAlone(new CommitNote(At(3)) { Swept = [gone.Pack], IsSweptHere = true }, [], []);
        Assert.Equal(1, Store.Forget(new KeptHistory(3, []), 10).Sum());
        Assert.Null(Store.FindBlockToRead(gone.Block));
        Assert.Equal(new PackFate(gone.Pack, 200, 2, 3, true), Store.FindPack(gone.Pack));
        Store.SetPackDeleted(gone.Pack);
        Assert.False(Store.FindPack(gone.Pack)!.IsToDelete);

        // A block that moves out of a condemned pack is known again.
        Store.LandAlone(new CommitNote(At(4)) { Packs = [new PackRow(kept.Pack, 100)] }, [gone with { Pack = kept.Pack }], []);
        Assert.Equal(kept.Pack, Store.FindBlock(gone.Block)!.Pack);
        Assert.Equal(4, Store.LastSeq);
    }

    private static BlockRow Row(int block, int pack) => new(Block(block), new PackId(Block(pack).Value), 106, 0, 5, [42]);

    private static RowChanges First()
    {
        var changes = new RowChanges();
        changes.Opened.Nodes.Add(Folder(1, links: 0));
        for (ulong node = 2; node < 6; node++)
        {
            changes.Opened.Nodes.Add(File(node, 10));
            changes.Opened.Entries.Add(new EntryRow(Id(1), Encoding.ASCII.GetBytes($"f{node}"), Id(node), 0));
            changes.Opened.Extents.Add(Extent(node, 0, 10, (int)node));
        }

        return changes;
    }

    private static RowChanges Change(Random random, long seq)
    {
        var changes = new RowChanges();
        ulong node = (ulong)random.Next(2, 6);
        changes.Closed.Nodes.Add(File(node, 0));
        changes.Opened.Nodes.Add(File(node, 100 + seq));
        if (random.Next(2) == 0)
        {
            changes.Closed.Extents.Add(Extent(node, 0, 10));
            changes.Opened.Extents.Add(Extent(node, 0, 10, (int)seq + 100));
        }

        if (random.Next(2) == 0)
        {
            changes.Opened.Xattrs.Add(new XattrRow(Id(node), Encoding.ASCII.GetBytes($"x{seq}"), [(byte)seq]));
        }

        return changes;
    }

    private MetadataStore CopyOf(KeptHistory history, long seq, int rowsPerPart)
    {
        MetadataStore copy = MetadataStore.Open(System.IO.Path.Combine(Directory, $"copy below {history.Below} {Guid.NewGuid():N}"), Key, new MetadataOptions());
        foreach (HeldRows rows in Store.ReadHeld(seq, rowsPerPart))
        {
            copy.Load(rows, []);
        }

        foreach (HeldRows rows in Store.ReadEnded(seq, history, rowsPerPart))
        {
            copy.LoadPast(new PastRows { Ended = rows });
        }

        copy.FinishLoad(seq, 1, []);
        return copy;
    }

    private string Show(long seq, MetadataStore? of = null)
    {
        var text = new StringBuilder();
        foreach (RowSet rows in (of ?? Store).ReadAll(seq, 7))
        {
            rows.Nodes.ForEach(row => text.Append(row.Node.Value).Append(':').Append(row.Size).Append(' '));
            rows.Entries.ForEach(row => text.Append(Encoding.ASCII.GetString(row.Name)).Append('=').Append(row.Node.Value).Append(' '));
            rows.Extents.ForEach(row => text.Append(row.Node.Value).Append('@').Append(row.Block.Value.ToString().AsSpan(0, 8)).Append(' '));
            rows.Xattrs.ForEach(row => text.Append(row.Node.Value).Append('#').Append(Encoding.ASCII.GetString(row.Name)).Append(' '));
        }

        return text.ToString();
    }
}
