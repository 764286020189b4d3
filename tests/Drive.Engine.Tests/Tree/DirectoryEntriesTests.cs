using Drive.Core.Volumes;
using Drive.Engine.Tree;

namespace Drive.Engine.Tests.Tree;

public sealed class DirectoryEntriesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Names_are_those_of_a_dictionary_and_listings_are_whole(int seed)
    {
        Random random = new(seed);
        Dictionary<byte, (ulong Node, long Id)> model = [];
        long nextId = 1;

        // What the database has before anything was asked.
        for (int count = 0; count < 30; count++)
        {
            model.TryAdd((byte)random.Next(60), ((ulong)random.Next(1, 1000), nextId++));
        }

        List<Entry> stored = [.. model.Select(pair => new Entry([pair.Key], new NodeId(pair.Value.Node), pair.Value.Id)).OrderBy(entry => entry.EntryId)];
        DirectoryEntries entries = new(isComplete: false);
        int pageEvery = random.Next(1, 100);
        int pageMax = random.Next(1, 40);
        for (int step = 0; step < 3000; step++)
        {
            if (step % pageEvery == 0 && !entries.IsComplete)
            {
                List<Entry> page = [.. stored.Where(entry => entry.EntryId > entries.ReadThrough).Take(pageMax)];
                entries.AddPage(page, isLast: page.Count < pageMax);
            }

            // A save point: what memory had a while ago, the database has now.
            if (random.Next(50) == 0)
            {
                stored = [.. model.Select(pair => new Entry([pair.Key], new NodeId(pair.Value.Node), pair.Value.Id)).OrderBy(entry => entry.EntryId)];
            }

            byte name = (byte)random.Next(60);
            switch (random.Next(4))
            {
                case 0:
                    model.Remove(name);
                    entries.Set(new Entry([name], NodeId.None, 0));
                    break;
                case 1:
                    (ulong Node, long Id) made = ((ulong)random.Next(1, 1000), model.TryGetValue(name, out (ulong Node, long Id) old) ? old.Id : nextId++);
                    model[name] = made;
                    entries.Set(new Entry([name], new NodeId(made.Node), made.Id));
                    break;
                default:
                    Entry? found = entries.Find([name]);
                    if (found is null && !model.ContainsKey(name))
                    {
                        entries.NoteMissed([name]);
                    }
                    else if (found is null)
                    {
                        entries.NoteFound(new Entry([name], new NodeId(model[name].Node), model[name].Id));
                    }

                    Assert.False(entries.IsComplete && found is null, $"seed {seed} step {step}: a complete directory knows");
                    if (found is not null)
                    {
                        Assert.True(found.Node.Value == model.GetValueOrDefault(name).Node, $"seed {seed} step {step}: name {name}");
                    }

                    break;
            }

            if (step % 20 == 0)
            {
                List<long> known = [.. model.Values.Select(value => value.Id).Where(id => id <= entries.ReadThrough).Order()];
                Assert.Equal(known.Count, entries.Count);
                Assert.Equal(known, entries.Ordered.Where(entry => !entry.IsGone).Select(entry => entry.EntryId));
                long after = random.NextInt64(nextId + 1);
                Assert.Equal(
                    known.Where(id => id > after),
                    entries.Ordered.Skip(entries.IndexAfter(after)).Where(entry => !entry.IsGone).Select(entry => entry.EntryId));
            }
        }
    }

    [Fact]
    public void Names_looked_for_in_vain_do_not_pile_up_and_removed_names_are_never_forgotten()
    {
        DirectoryEntries entries = new(isComplete: false);
        entries.Set(new Entry("removed"u8.ToArray(), NodeId.None, 0));
        for (int name = 0; name < 100_000; name++)
        {
            entries.NoteMissed(BitConverter.GetBytes(name));
            Assert.NotNull(entries.Find(BitConverter.GetBytes(name)));
        }

        Assert.Null(entries.Find(BitConverter.GetBytes(0)));
        Assert.Equal(NodeId.None, entries.Find("removed"u8)?.Node);
    }
}
