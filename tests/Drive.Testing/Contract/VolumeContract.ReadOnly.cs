using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>A read-only volume shows everything and refuses every change; and calls from many threads.</summary>
public abstract partial class VolumeContract
{
    [Fact]
    public async Task A_read_only_volume_shows_what_is_there()
    {
        MakeFile(MakeDirectory(Root, "d"), "f", Pattern(100));
        MakeLink(Root, "l");
        Assert.False(Volume.IsReadOnly);
        Volume = await ReopenReadOnlyAsync(Volume);
        Assert.True(Volume.IsReadOnly);
        AssertBytes(Pattern(100), await ReadAllAsync(Find(Find(Root, "d"), "f")));
        Assert.Equal("target", ReadTarget(Find(Root, "l")));
        Assert.Equal(["d", "l"], ListNames(Root).Order());
        Ok(await Volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
    }

    [Fact]
    public async Task A_read_only_volume_refuses_new_names()
    {
        MakeFile(Root, "f");
        Volume = await ReopenReadOnlyAsync(Volume);
        NodeId file = Find(Root, "f");
        Assert.Equal(FsStatus.ReadOnly, Volume.MakeNode(Root, "n"u8, FileMode.Regular, 0, Owner, out _));
        Assert.Equal(FsStatus.ReadOnly, Volume.MakeDirectory(Root, "n"u8, AllAccess, Owner, out _));
        Assert.Equal(FsStatus.ReadOnly, Volume.MakeSymbolicLink(Root, "n"u8, "t"u8, Owner, out _));
        Assert.Equal(FsStatus.ReadOnly, Volume.Link(file, Root, "n"u8, out _));
        Assert.Equal(FsStatus.ReadOnly, Volume.Create(Root, "n"u8, FileAccess, OpenOptions.Write, Owner, out _, out _));
        Assert.Equal(FsStatus.ReadOnly, Volume.CreateUnnamed(Root, FileAccess, OpenOptions.Write, Owner, out _, out _));
    }

    [Fact]
    public async Task A_read_only_volume_refuses_to_remove_and_rename()
    {
        MakeFile(Root, "f");
        MakeDirectory(Root, "d");
        Volume = await ReopenReadOnlyAsync(Volume);
        Assert.Equal(FsStatus.ReadOnly, Volume.Unlink(Root, "f"u8));
        Assert.Equal(FsStatus.ReadOnly, Volume.RemoveDirectory(Root, "d"u8));
        Assert.Equal(FsStatus.ReadOnly, Rename(Root, "f", Root, "g"));
        Assert.Equal(["d", "f"], ListNames(Root).Order());
    }

    [Fact]
    public async Task A_read_only_volume_refuses_to_open_for_writing()
    {
        MakeFile(Root, "f", Pattern(10));
        Volume = await ReopenReadOnlyAsync(Volume);
        NodeId node = Find(Root, "f");
        Assert.Equal(FsStatus.ReadOnly, Volume.Open(node, OpenOptions.Write, out _));
        Assert.Equal(FsStatus.ReadOnly, Volume.Open(node, OpenOptions.Read | OpenOptions.Truncate, out _));
        Ok(Volume.Create(Root, "f"u8, FileAccess, OpenOptions.Read, Owner, out _, out HandleId handle));
        Volume.Close(handle);
        AssertBytes(Pattern(10), await ReadAllAsync(node));
    }

    [Fact]
    public async Task A_read_only_volume_refuses_attributes()
    {
        Ok(SetXattr(MakeFile(Root, "f"), "user.x", [1]));
        Volume = await ReopenReadOnlyAsync(Volume);
        NodeId node = Find(Root, "f");
        foreach (AttributeFields field in (AttributeFields[])
            [AttributeFields.Mode, AttributeFields.Uid, AttributeFields.Gid, AttributeFields.Size, AttributeFields.AccessTime, AttributeFields.ModifyTimeNow])
        {
            Assert.Equal(FsStatus.ReadOnly, Volume.SetAttributes(node, HandleId.None, new AttributeChange { Fields = field }, out _));
        }

        Assert.Equal(FsStatus.ReadOnly, SetXattr(node, "user.y", [1]));
        Assert.Equal(FsStatus.ReadOnly, Volume.RemoveExtendedAttribute(node, "user.x"u8));
        AssertBytes([1], GetXattr(node, "user.x"));
    }

    [Fact]
    public async Task Making_one_name_from_many_threads_succeeds_once()
    {
        FsStatus[] all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
            Volume.MakeDirectory(Root, "d"u8, AllAccess, Owner, out NodeAttributes _))));
        Assert.Single(all, FsStatus.Ok);
        Assert.Equal(7, all.Count(status => status == FsStatus.Exists));
        Assert.Equal(3u, Stat(Root).LinkCount);
    }

    [Fact]
    public async Task Making_and_removing_from_many_threads_keeps_the_counts()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                MakeDirectory(Root, $"{thread}-{i}");
                if (i % 2 == 1)
                {
                    Ok(Volume.RemoveDirectory(Root, Name($"{thread}-{i}")));
                }
            }
        })));
        Assert.Equal(202u, Stat(Root).LinkCount);
        Assert.Equal(200, ListNames(Root).Count);
    }

    [Fact]
    public async Task Moving_two_directories_into_each_other_from_two_threads_makes_no_loop()
    {
        for (int i = 0; i < 50; i++)
        {
            NodeId a = MakeDirectory(Root, $"a{i}");
            NodeId b = MakeDirectory(Root, $"b{i}");
            string first = $"a{i}";
            string second = $"b{i}";
            FsStatus[] both = await Task.WhenAll(
                Task.Run(() => Rename(Root, first, b, "in")),
                Task.Run(() => Rename(Root, second, a, "in")));
            Assert.Single(both, FsStatus.Ok);
            Assert.Single(both, FsStatus.Invalid);
        }
    }

    [Fact]
    public async Task Links_to_one_node_from_many_threads_are_all_counted()
    {
        NodeId node = MakeFile(Root, "f");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                Ok(Volume.Link(node, Root, Name($"{thread}-{i}"), out _));
            }
        })));
        Assert.Equal(401u, Stat(node).LinkCount);
    }
}
