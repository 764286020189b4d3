using System.Text;

using Drive.Core.History;
using Drive.Core.Rows;
using Drive.Core.Volumes;

using Xunit.Abstractions;

namespace Drive.Metadata.Tests;

/// <summary>
/// Random batches, freezes, put-offs, landings, collapses, foreign commits and reopenings, against <see cref="TreeState"/>s: one of the last commit, one
/// of the frozen epoch, one of now, and one of each past commit.
/// </summary>
public sealed class ModelTests(ITestOutputHelper output) : StoreFixture
{
    private readonly SortedDictionary<long, TreeState> _past = new() { [0] = new TreeState() };
    private TreeState _landed = new();
    private TreeState? _frozen;
    private TreeState _current = new();
    private long _epoch;
    private long _seq;
    private Random _random = new(0);
    private RandomChanges _changes = new(new Random(0));

    public static TheoryData<int> Seeds() => [1, 2, 3, 4, Environment.TickCount];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_store_answers_as_the_naive_model_does(int seed)
    {
        output.WriteLine($"seed {seed}");
        _random = new Random(seed);
        _changes = new RandomChanges(_random);
        for (int step = 0; step < 160; step++)
        {
            string what = Step();
            try
            {
                CheckCurrent();
                if (step % 20 == 0)
                {
                    CheckPast();
                    CheckCopy();
                }
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, step {step} ({what})", e);
            }
        }
    }

    private string Step()
    {
        switch (_random.Next(12))
        {
            case 0 when _frozen is null:
                Freeze();
                return "freeze";
            case 1 when _frozen is not null:
            case 2 when _frozen is not null:
                LandFrozen();
                return "land";
            case 3 when _frozen is not null:
                Store.CollapseEpoch(_epoch - 1);
                _frozen = null;
                return "collapse";
            case 4:
                Reopen();
                Assert.Equal(_changes.NextEntryId, Store.NextEntryId);
                return "reopen";
            case 5:
                OpenCrashImage();
                return "crash";
            case 6 when _frozen is null && Store.ReadEpoch(_epoch).IsEmpty:
                return "no commit";
            case 7 when _frozen is null:
                LandAllThenApplyForeignCommit();
                return "foreign commit";
            default:
                var batch = new MetadataBatch { Epoch = _epoch };
                for (int i = _random.Next(12); i >= 0; i--)
                {
                    _changes.Change(batch, _current);
                }

                Store.Apply(batch);
                return "batch";
        }
    }

    private void Freeze()
    {
        _frozen = _current.Clone();
        List<NodeId> nodes = [];
        List<(NodeId, byte[])> entries = [];
        if (_random.Next(2) == 0)
        {
            for (int i = 0; i < 3; i++)
            {
                NodeId node = _changes.AnyNode();
                nodes.Add(node);
                _frozen.TakeNode(_landed, node);
                (NodeId Parent, string Name) entry = _changes.AnyEntry();
                entries.Add((entry.Parent, Encoding.UTF8.GetBytes(entry.Name)));
                _frozen.TakeEntry(_landed, entry);
            }
        }

        Store.MoveToNextEpoch(_epoch, nodes, entries);
        CheckEpoch(_epoch, _landed, _frozen);
        _epoch++;
        CheckEpoch(_epoch, _frozen, _current);
    }

    private void LandFrozen()
    {
        CheckEpoch(_epoch - 1, _landed, _frozen!);
        RowChanges keys = Store.ReadEpoch(_epoch - 1);
        Assert.Equal(RowText.Of(keys.Closed), RowText.Of(Store.ResolveClosed(KeysOf(keys))!.Closed));
        RowChanges extents = _changes.ChangeExtents(_frozen!);
        _seq += 1 + _random.Next(3);
        Store.Land(_epoch - 1, new CommitNote(At(_seq)), extents, [], [], [], [("seq", BitConverter.GetBytes(_seq))]);
        _landed = _frozen!;
        _frozen = null;
        _current = WithExtentsOf(_landed);
        _past[_seq] = _landed.Clone();
        Assert.Equal(BitConverter.GetBytes(_seq), Store.ReadSetting("seq")!);
        CheckPast();
    }

    private TreeState WithExtentsOf(TreeState landed)
    {
        TreeState state = _current.Clone();
        state.Extents.Clear();
        foreach ((var key, ExtentRow row) in landed.Extents)
        {
            state.Extents.Add(key, row);
        }

        return state;
    }

    /// <summary>The difference of two random states arrives as another device's commit.</summary>
    private void LandAllThenApplyForeignCommit()
    {
        _frozen = _current.Clone();
        _epoch++;
        LandFrozen();
        TreeState theirs = _landed.Clone();
        var changes = _changes.ChangeExtents(theirs);
        for (int i = 0; i < 5; i++)
        {
            NodeId node = _changes.AnyNode();
            if (changes.Opened.Nodes.Exists(row => row.Node == node))
            {
                continue;
            }

            if (_landed.Nodes.TryGetValue(node, out NodeRow? old))
            {
                changes.Closed.Nodes.Add(new NodeRow { Node = node, Mode = 0, LinkCount = 0 });
            }

            NodeRow opened = _changes.AnyRow(node, canBeOrphan: false);
            changes.Opened.Nodes.Add(opened);
            theirs.Nodes[node] = FileMode.IsDirectory(opened.Mode) && old is not null ? opened with { LinkCount = old.LinkCount } : opened;
        }

        (NodeId Parent, string Name) entry = _changes.AnyEntry();
        byte[] name = Encoding.UTF8.GetBytes(entry.Name);
        if (_landed.Entries.ContainsKey(entry))
        {
            changes.Closed.Entries.Add(new EntryRow(entry.Parent, name, NodeId.None, 0));
            theirs.Entries.Remove(entry);
        }

        if (_random.Next(2) == 0)
        {
            var row = new EntryRow(entry.Parent, name, _changes.AnyNode(), _changes.NextEntryId++);
            changes.Opened.Entries.Add(row with { EntryId = 0 });
            theirs.Entries[entry] = row;
        }

        Store.ApplyCommit(new CommitNote(At(++_seq)), Store.ResolveClosed(changes)!, []);
        _landed = theirs;
        _current = theirs.Clone();
        _past[_seq] = theirs.Clone();
    }

    private void OpenCrashImage()
    {
        string image = CopyFiles("crash.db");
        using (MetadataStore crashed = MetadataStore.Open(image, Key, new MetadataOptions()))
        {
            Assert.False(crashed.WasCleanlyClosed);
            MetadataStore store = Store;
            Store = crashed;
            CheckCurrent();
            Store = store;
        }

        foreach (string path in System.IO.Directory.GetFiles(Directory, "crash.db*"))
        {
            System.IO.File.Delete(path);
        }
    }

    private void CheckCurrent()
    {
        for (ulong i = 1; i < 16; i++)
        {
            Assert.Equal(RowText.Of(_current.Nodes.GetValueOrDefault(Id(i))), RowText.Of(Store.FindNode(Id(i))));
            Assert.Equal(XattrsOf(_current, Id(i)), Store.ReadXattrs(Id(i)).Select(RowText.Of).Order());
            Assert.Equal(ExtentsOf(_current, Id(i)), Store.ReadExtents(Id(i), 0, Infinity).Select(RowText.Of));
        }

        Assert.Equal(_current.Nodes.Values.Where(row => row.LinkCount == 0).Select(row => row.Node.Value).Order(), Store.ReadOrphans().Select(node => node.Value).Order());
        IEnumerable<NodeRow> files = _current.Nodes.Values.Where(row => FileMode.IsRegular(row.Mode));
        Assert.Equal((files.Count(), files.Sum(row => row.Size)), Store.CountFiles());
        foreach (ulong parent in (ulong[])[100, 101, 102])
        {
            List<EntryRow> listed = [];
            Store.ReadEntries(Id(parent), 0, 100, listed);
            Assert.Equal(EntriesOf(_current, Id(parent)), listed.Select(row => RowText.Of(row)));
            Assert.All(listed, row => Assert.Equal(RowText.Of(row), RowText.Of(Store.FindEntry(row.Parent, row.Name))));
            List<ChildRow> children = [];
            Store.ReadChildren(Id(parent), 0, 100, children);
            Assert.Equal(listed.Select(row => RowText.Of(row)), children.Select(child => RowText.Of(child.Entry)));
            Assert.All(children, child => Assert.Equal(RowText.Of(Store.FindNode(child.Entry.Node)), RowText.Of(child.Node)));
            Assert.All(listed, row => Assert.Equal(RowText.Of(Store.FindNode(row.Node)), RowText.Of(Store.FindChild(row.Parent, row.Name)?.Node)));
        }

        var all = new RowSet();
        foreach (RowSet part in Store.ReadAllCurrent(3))
        {
            all.Nodes.AddRange(part.Nodes);
            all.Entries.AddRange(part.Entries);
            all.Extents.AddRange(part.Extents);
            all.Xattrs.AddRange(part.Xattrs);
        }

        Assert.Equal(RowText.Of(_landed.Visible(withExtents: true)), RowText.Of(all));
        CheckEpoch(_epoch, _frozen ?? _landed, _current);
    }

    private void CheckPast()
    {
        foreach ((long seq, TreeState state) in _past)
        {
            CheckAsOf(seq, state);
            CheckAsOf(_past.Keys.FirstOrDefault(next => next > seq, seq + 1) - 1, state);
        }

        if (_frozen is not null)
        {
            CheckAsOf(Epochs.Provisional(_epoch - 1), _frozen);
        }
    }

    /// <summary>A database that is filled with what a checkpoint takes of this one shows each state that history keeps as this one does. Here nobody ends the extents of what is removed: <see cref="ForgetTests"/> has those.</summary>
    private void CheckCopy()
    {
        long below = _random.NextInt64(_seq + 1);
        KeptHistory kept = new(below, _past.Keys.Where(_ => _random.Next(2) == 0));
        string path = System.IO.Path.Combine(Directory, $"copy {_seq} {_random.Next()}");
        using MetadataStore copy = MetadataStore.Open(path, Key, new MetadataOptions());
        foreach (HeldRows rows in Store.ReadHeld(_seq, 3))
        {
            copy.Load(rows, []);
        }

        foreach (HeldRows rows in Store.ReadEnded(_seq, kept, 1 + _random.Next(20)))
        {
            copy.LoadPast(new PastRows { Ended = rows });
        }

        copy.FinishLoad(Math.Max(1, _seq), 1, []);
        foreach (long seq in _past.Keys.Append(_seq).Where(seq => seq == _seq || (seq > 0 && kept.Keeps(seq))))
        {
            Assert.Equal(TextOf(Store.ReadAll(seq, 5)), TextOf(copy.ReadAll(seq, 5)));
        }

    }

    private static string[] TextOf(IEnumerable<RowSet> parts)
    {
        RowSet all = new();
        foreach (RowSet part in parts)
        {
            all.Nodes.AddRange(part.Nodes);
            all.Entries.AddRange(part.Entries.Select(static row => row with { EntryId = 0 }));
            all.Xattrs.AddRange(part.Xattrs);
        }

        return [.. RowText.Of(all).Order(StringComparer.Ordinal)];
    }

    private void CheckAsOf(long seq, TreeState state)
    {
        for (ulong i = 1; i < 16; i++)
        {
            Assert.Equal(WithoutAccessTime(state.Nodes.GetValueOrDefault(Id(i))), WithoutAccessTime(Store.FindNode(Id(i), seq)));
            Assert.Equal(XattrsOf(state, Id(i)), Store.ReadXattrs(Id(i), seq).Select(RowText.Of).Order());
            Assert.Equal(ExtentsOf(state, Id(i)), Store.ReadExtents(Id(i), 0, Infinity, seq).Select(RowText.Of));
        }

        foreach (ulong parent in (ulong[])[100, 101])
        {
            List<EntryRow> listed = [];
            while (Store.ReadEntries(Id(parent), listed.Count == 0 ? 0 : listed[^1].EntryId, 2, listed, seq) > 0)
            {
            }

            Assert.Equal(EntriesOf(state, Id(parent)), listed.Select(row => RowText.Of(row)));
            for (int i = 0; i < 5; i++)
            {
                EntryRow? expected = state.Entries.GetValueOrDefault((Id(parent), "name" + i));
                Assert.Equal(RowText.Of(expected), RowText.Of(Store.FindEntry(Id(parent), Utf8("name" + i), seq)));
            }
        }
    }

    /// <summary>An epoch is the difference of what a vault sees before and after it.</summary>
    private void CheckEpoch(long epoch, TreeState before, TreeState after)
    {
        string[] old = RowText.Of(before.Visible(withExtents: false));
        string[] now = RowText.Of(after.Visible(withExtents: false));
        RowChanges changes = Store.ReadEpoch(epoch);
        Assert.Equal(old.Except(now).Order(StringComparer.Ordinal), RowText.Of(changes.Closed).Order(StringComparer.Ordinal));
        Assert.Equal(now.Except(old).Order(StringComparer.Ordinal), RowText.Of(changes.Opened).Order(StringComparer.Ordinal));
    }

    private static RowChanges KeysOf(RowChanges changes)
    {
        var keys = new RowChanges();
        keys.Closed.Nodes.AddRange(changes.Closed.Nodes.Select(static row => new NodeRow { Node = row.Node, Mode = 0, LinkCount = 0 }));
        keys.Closed.Entries.AddRange(changes.Closed.Entries.Select(static row => new EntryRow(row.Parent, row.Name, NodeId.None, 0)));
        keys.Closed.Xattrs.AddRange(changes.Closed.Xattrs.Select(static row => new XattrRow(row.Node, row.Name, [])));
        return keys;
    }

    private static string WithoutAccessTime(NodeRow? row) => RowText.Of(row is null ? null : row with { AccessTime = 0 });

    private static IEnumerable<string> XattrsOf(TreeState state, NodeId node) => state.Xattrs.Values.Where(row => row.Node == node).Select(RowText.Of).Order();

    private static IEnumerable<string> ExtentsOf(TreeState state, NodeId node) =>
        state.Extents.Values.Where(row => row.Node == node).OrderBy(row => row.Offset).Select(RowText.Of);

    private static IEnumerable<string> EntriesOf(TreeState state, NodeId parent) =>
        state.Entries.Values.Where(row => row.Parent == parent).OrderBy(row => row.EntryId).Select(row => RowText.Of(row));
}
