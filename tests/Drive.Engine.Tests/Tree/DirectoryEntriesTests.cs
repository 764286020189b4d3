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
        int completeAt = random.Next(200);
        for (int step = 0; step < 3000; step++)
        {
            if (step == completeAt)
            {
                entries.Complete(stored);
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
                    Assert.False(entries.IsComplete && found is null, $"seed {seed} step {step}: a complete directory knows");
                    if (found is not null)
                    {
                        Assert.True(found.Node.Value == model.GetValueOrDefault(name).Node, $"seed {seed} step {step}: name {name}");
                    }

                    break;
            }

            if (entries.IsComplete && step % 20 == 0)
            {
                Assert.Equal(model.Count, entries.Count);
                Assert.Equal(model.Values.Select(value => value.Id).Order(), entries.Ordered.Where(entry => !entry.IsGone).Select(entry => entry.EntryId));
                long after = random.NextInt64(nextId + 1);
                Assert.Equal(
                    model.Values.Select(value => value.Id).Where(id => id > after).Order(),
                    entries.Ordered.Skip(entries.IndexAfter(after)).Where(entry => !entry.IsGone).Select(entry => entry.EntryId));
            }
        }
    }
}
