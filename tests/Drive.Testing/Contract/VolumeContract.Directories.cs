using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Listing, with names that come and go meanwhile.</summary>
public abstract partial class VolumeContract
{
    [Fact]
    public void A_listing_starts_with_dot_and_dotdot()
    {
        NodeId directory = MakeDirectory(Root, "d");
        MakeFile(directory, "f");
        Assert.Equal([".", "..", "f"], List(directory));
        Assert.Equal([".", "..", "d"], List(Root));
    }

    [Fact]
    public void A_listing_carries_attributes()
    {
        NodeId directory = MakeDirectory(Root, "d");
        NodeId file = MakeFile(directory, "f", Pattern(10));
        NodeId link = MakeLink(directory, "l");
        DirectoryCollector collector = new();
        Ok(Volume.OpenDirectory(directory, out HandleId handle));
        Ok(Volume.ReadDirectory(handle, 0, collector));
        Dictionary<string, NodeAttributes> entries =
            collector.Entries.ToDictionary(entry => System.Text.Encoding.UTF8.GetString(entry.Name), entry => entry.Attributes);
        Assert.Equal((directory, Root), (entries["."].Node, entries[".."].Node));
        Assert.All([".", ".."], name => Assert.True(FileMode.IsDirectory(entries[name].Mode)));
        Assert.Equal((Stat(file), Stat(link)), (entries["f"], entries["l"]));
        Volume.CloseDirectory(handle);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(1000)]
    public void A_listing_in_pieces_gives_each_name_once(int chunk)
    {
        string[] names = [.. Enumerable.Range(0, 50).Select(i => $"name-{i}")];
        foreach (string name in names)
        {
            MakeFile(Root, name);
        }

        Assert.Equal([".", "..", .. names.Order()], List(Root, chunk).OrderBy(name => name is "." or ".." ? 0 : 1).ThenBy(name => name));
    }

    [Fact]
    public void A_listing_while_names_come_and_go_gives_what_stays_exactly_once()
    {
        Dictionary<string, int> seen = [];
        for (int i = 0; i < 300; i++)
        {
            MakeFile(Root, $"stays-{i}");
            MakeFile(Root, $"goes-{i}");
        }

        Ok(Volume.OpenDirectory(Root, out HandleId handle));
        DirectoryCollector collector = new(10);
        for (int round = 0; round < 1000; round++)
        {
            collector.Clear();
            Ok(Volume.ReadDirectory(handle, collector.NextCookie, collector));
            if (collector.Names.Count == 0)
            {
                break;
            }

            collector.Names.ForEach(name => seen[name] = seen.GetValueOrDefault(name) + 1);
            for (int i = round * 6; i < (round * 6) + 6 && i < 300; i++)
            {
                Ok(Volume.Unlink(Root, Name($"goes-{(i * 7) % 300}")));
                MakeFile(Root, $"comes-{i}");
            }
        }

        Volume.CloseDirectory(handle);
        Assert.All(Enumerable.Range(0, 300), i => Assert.Equal(1, seen.GetValueOrDefault($"stays-{i}")));
        Assert.All(seen, pair => Assert.Equal(1, pair.Value));
    }

    [Fact]
    public void A_listing_goes_on_after_an_entry_that_went()
    {
        for (int i = 0; i < 10; i++)
        {
            MakeFile(Root, $"f{i}");
        }

        Ok(Volume.OpenDirectory(Root, out HandleId handle));
        DirectoryCollector collector = new(5);
        Ok(Volume.ReadDirectory(handle, 0, collector));
        List<string> first = collector.Names;
        Ok(Volume.Unlink(Root, collector.Entries[^1].Name));
        DirectoryCollector rest = new();
        Ok(Volume.ReadDirectory(handle, collector.NextCookie, rest));
        Assert.Equal(10, first.Concat(rest.Names).Count(name => name.StartsWith('f')));
        Assert.Empty(first.Intersect(rest.Names));
        Volume.CloseDirectory(handle);
    }

    [Fact]
    public void A_name_whose_node_is_replaced_meanwhile_is_given_once()
    {
        MakeFile(Root, "a");
        MakeFile(Root, "b");
        Ok(Volume.OpenDirectory(Root, out HandleId handle));
        DirectoryCollector collector = new(3);
        Ok(Volume.ReadDirectory(handle, 0, collector));
        string given = collector.Names[2];
        NodeId elsewhere = MakeDirectory(Root, "elsewhere");
        MakeFile(elsewhere, "x");
        Ok(Rename(elsewhere, "x", Root, given));
        DirectoryCollector rest = new();
        Ok(Volume.ReadDirectory(handle, collector.NextCookie, rest));
        Assert.DoesNotContain(given, rest.Names);
        Volume.CloseDirectory(handle);
    }

    [Fact]
    public void A_cookie_of_an_earlier_handle_serves_a_later_one()
    {
        for (int i = 0; i < 10; i++)
        {
            MakeFile(Root, $"f{i}");
        }

        Ok(Volume.OpenDirectory(Root, out HandleId first));
        DirectoryCollector collector = new(6);
        Ok(Volume.ReadDirectory(first, 0, collector));
        Volume.CloseDirectory(first);
        Ok(Volume.OpenDirectory(Root, out HandleId second));
        DirectoryCollector rest = new();
        Ok(Volume.ReadDirectory(second, collector.NextCookie, rest));
        Assert.Equal(12, collector.Names.Union(rest.Names).Count());
        Assert.Empty(collector.Names.Intersect(rest.Names));
        Volume.CloseDirectory(second);
    }

    [Fact]
    public void A_handle_lists_again_from_the_start()
    {
        MakeFile(Root, "a");
        Ok(Volume.OpenDirectory(Root, out HandleId handle));
        DirectoryCollector collector = new();
        Ok(Volume.ReadDirectory(handle, 0, collector));
        MakeFile(Root, "b");
        collector.Clear();
        Ok(Volume.ReadDirectory(handle, 0, collector));
        Assert.Equal([".", "..", "a", "b"], collector.Names.Order(StringComparer.Ordinal));
        Volume.CloseDirectory(handle);
    }

    [Fact]
    public void OpenDirectory_of_what_is_none_is_refused()
    {
        Assert.Equal(FsStatus.NotDirectory, Volume.OpenDirectory(MakeFile(Root, "f"), out _));
        Assert.Equal(FsStatus.NotFound, Volume.OpenDirectory(Unknown, out _));
    }

    [Fact]
    public async Task A_directory_handle_does_not_serve_for_bytes_nor_a_file_handle_for_names()
    {
        Ok(Volume.OpenDirectory(Root, out HandleId directory));
        HandleId file = Open(MakeFile(Root, "f"));
        Assert.Equal(FsStatus.BadHandle, (await Volume.ReadAsync(directory, 0, new byte[1], CancellationToken.None)).Status);
        Assert.Equal(FsStatus.BadHandle, Volume.Write(directory, 0, [1], WriteOptions.None));
        Assert.Equal(FsStatus.BadHandle, Volume.ReadDirectory(file, 0, new DirectoryCollector()));
        Volume.CloseDirectory(directory);
        Volume.Close(file);
    }

    [Fact]
    public void A_directory_of_five_thousand_names_is_listed_whole()
    {
        for (int i = 0; i < 5000; i++)
        {
            MakeFile(Root, $"n{i}");
        }

        Assert.Equal(5000, ListNames(Root, 100).Distinct().Count());
    }

    [Fact]
    public void A_tree_of_two_hundred_levels_is_walked_and_taken_down()
    {
        Stack<NodeId> path = new([Root]);
        for (int i = 0; i < 200; i++)
        {
            path.Push(MakeDirectory(path.Peek(), "d"));
        }

        Assert.Equal(FsStatus.Invalid, Rename(Root, "d", path.Peek(), "x"));
        while (path.Count > 1)
        {
            path.Pop();
            Ok(Volume.RemoveDirectory(path.Peek(), "d"u8));
        }

        Assert.Equal(2u, Stat(Root).LinkCount);
    }

    [Fact]
    public void A_listing_holds_no_lock_while_it_offers_an_entry()
    {
        NodeId node = MakeFile(Root, "f");
        Ok(Volume.OpenDirectory(Root, out HandleId handle));
        CallingWriter writer = new(() =>
        {
            Volume.Forget(node);
            Ok(Volume.MakeNode(Root, Guid.NewGuid().ToByteArray().Select(value => (byte)(value | 0x80)).ToArray(), FileMode.Regular, 0, Owner, out _));
        });
        Ok(Volume.ReadDirectory(handle, 0, writer));
        Assert.True(writer.Count >= 3);
        Volume.CloseDirectory(handle);
    }

    /// <summary>Calls the volume from another thread inside the offer, and waits for it.</summary>
    private sealed class CallingWriter(Action call) : IDirectoryWriter
    {
        public int Count { get; private set; }

        public bool TryAdd(ReadOnlySpan<byte> name, in NodeAttributes attributes, long nextCookie)
        {
            var thread = new Thread(() => call());
            thread.Start();
            Assert.True(thread.Join(TimeSpan.FromSeconds(20)), "The volume waits for its own listing.");
            return ++Count < 3;
        }
    }
}
