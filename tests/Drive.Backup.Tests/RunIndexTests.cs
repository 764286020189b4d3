using System.Text;
using Drive.Backup.Remembering;
using Drive.Disk;
using Drive.Disk.Trees;
using Drive.Testing;

namespace Drive.Backup.Tests;

/// <summary>What runs remember: order, sealing, what is left of a run that was cut off.</summary>
public sealed class RunIndexTests : IDisposable
{
    private static readonly byte[] Key = Encoding.ASCII.GetBytes("0123456789abcdef0123456789abcdef");

    private readonly string _folder = Directory.CreateTempSubdirectory("drive-index-").FullName;

    [Fact]
    public void Paths_are_in_the_order_in_which_a_tree_is_gone_through()
    {
        string[] order = ["/a", "/a/b", "/a/b/c", "/a/b.txt", "/a.txt", "/a0", "/b"];
        for (int one = 0; one < order.Length; one++)
        {
            for (int other = 0; other < order.Length; other++)
            {
                Assert.Equal(Math.Sign(one - other), Math.Sign(SourcePath.Compare(Bytes(order[one]), Bytes(order[other]))));
            }
        }
    }

    [Fact]
    public void A_folders_end_comes_behind_all_that_is_in_it()
    {
        (string Path, bool IsEnd)[] order = [("/a/b", true), ("/a/b.txt", false), ("/a", true), ("/a.txt", false), ("/b/c", false), ("/b/c/d", false), ("/b", true), ("/", true)];
        for (int one = 0; one < order.Length; one++)
        {
            for (int other = 0; other < order.Length; other++)
            {
                int compared = IndexRecord.Compare(Bytes(order[one].Path), order[one].IsEnd, Bytes(order[other].Path), order[other].IsEnd);
                Assert.Equal(Math.Sign(one - other), Math.Sign(compared));
            }
        }
    }

    [Fact]
    public void What_a_run_added_the_next_one_takes_and_the_rest_is_passed()
    {
        using (RunIndex first = Open())
        {
            for (int i = 0; i < 10_000; i++)
            {
                first.Add(Record($"/{i:d5}-{new string('x', i % 50)}", i));
            }

            first.Complete();
        }

        using RunIndex second = Open();
        List<string> passed = [];
        for (int i = 0; i < 10_000; i += 2)
        {
            string path = $"/{i:d5}-{new string('x', i % 50)}";
            while (second.TakeBefore(Bytes(path), false) is { } before)
            {
                passed.Add(SourcePath.Show(before.Path));
            }

            Assert.Equivalent(Record(path, i), second.Take(Bytes(path), false), strict: true);
            Assert.Null(second.Take(Bytes(path), false));
        }

        Assert.NotNull(second.TakeWithin(Bytes("/")));
        Assert.Null(second.TakeWithin(Bytes("/")));
        Assert.Equal(4999, passed.Count);
    }

    [Fact]
    public void Of_runs_that_ended_early_the_last_one_counts_as_far_as_it_went()
    {
        Add(["/a", "/b", "/c", "/d"], 1, complete: true);
        Add(["/a", "/b", "/b2"], 2, complete: false);
        Add(["/a"], 3, complete: false);
        Assert.Equal(["/a 3", "/b 2", "/b2 2", "/c 1", "/d 1"], All());
        Add(["/a", "/b"], 4, complete: true);
        Assert.Equal(["/a 4", "/b 4"], All());
        Assert.InRange(Directory.GetFiles(_folder).Length, 1, 2);
    }

    [Fact]
    public void Any_cut_of_a_file_leaves_what_is_whole_and_any_changed_byte_ends_it()
    {
        Add(["/a", "/b", "/c", "/d"], 1, complete: true);
        string file = Directory.GetFiles(_folder).Single();
        byte[] whole = File.ReadAllBytes(file);
        int ends = 0;
        for (int cut = 0; cut < whole.Length; cut++)
        {
            File.WriteAllBytes(file, whole[..cut]);
            string[] left = Peek();
            Assert.Equal(((string[])["/a 1", "/b 1", "/c 1", "/d 1"])[..left.Length], left);
            ends = Math.Max(ends, left.Length);
            byte[] changed = [.. whole];
            changed[cut] ^= 0x10;
            File.WriteAllBytes(file, changed);
            left = Peek();
            Assert.Equal(((string[])["/a 1", "/b 1", "/c 1", "/d 1"])[..left.Length], left);
        }

        Assert.Equal(2, ends);
    }

    [Fact]
    public void What_a_run_that_is_gone_on_with_found_is_remembered_and_what_one_did_that_is_through_is_not()
    {
        FileFate[] fates = Enum.GetValues<FileFate>();
        Add(["/a"], 1, complete: true);
        foreach (bool isThrough in (bool[])[false, true])
        {
            using RunIndex index = Open();
            for (int i = 0; i < fates.Length; i++)
            {
                index.Add(Record($"/{i}", 2) with { Fate = fates[i] });
            }

            if (isThrough)
            {
                index.Complete();
            }
            else
            {
                index.Flush();
            }

            using RunIndex next = Open();
            List<FileFate> found = [];
            while (next.TakeWithin(Bytes("/")) is { } record)
            {
                found.Add(record.Fate);
            }

            // Of the first run is the last one.
            Assert.Equal(isThrough ? [FileFate.Same, FileFate.Same, FileFate.Same] : [.. fates, FileFate.Same], found);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static IndexRecord Record(string path, long number) => new(Bytes(path), false, FileMode.Regular | 0x1A4, (ulong)number, 7, number, number, number, (ulong)number, number, FileFate.Same, number % 5 == 0);

    private RunIndex Open() => new(new LocalDisk(), _folder, Key, new SeededRandom(1));

    /// <summary>Two parts: the first two, and the others.</summary>
    private void Add(string[] paths, long number, bool complete)
    {
        using RunIndex index = Open();
        for (int i = 0; i < paths.Length; i++)
        {
            if (i == 2)
            {
                index.Flush();
            }

            index.Add(Record(paths[i], number));
        }

        if (complete)
        {
            index.Complete();
        }
        else
        {
            index.Flush();
        }
    }

    private string[] All()
    {
        using RunIndex index = Open();
        List<string> all = [];
        Assert.Null(index.TakeBefore(Bytes("/"), false));
        while (index.TakeWithin(Bytes("/")) is { } record)
        {
            all.Add($"{SourcePath.Show(record.Path)} {record.Size}");
        }

        return [.. all];
    }

    /// <summary>The same, and no trace of the look.</summary>
    private string[] Peek()
    {
        string[] files = Directory.GetFiles(_folder);
        string[] all = All();
        foreach (string file in Directory.GetFiles(_folder).Except(files))
        {
            File.Delete(file);
        }

        return all;
    }
}
