using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Looking up, and what a fresh volume shows.</summary>
public abstract partial class VolumeContract
{
    private static readonly NodeId Unknown = new(0xFFFF_FFFF_FFFF);

    [Fact]
    public void A_new_volume_has_an_empty_root()
    {
        NodeAttributes root = Stat(Root);
        Assert.True(FileMode.IsDirectory(root.Mode));
        Assert.Equal(2u, root.LinkCount);
        Assert.Equal(4096, root.Size);
        Assert.Empty(ListNames(Root));
    }

    [Fact]
    public void Lookup_of_an_absent_name_is_NotFound() => Assert.Equal(FsStatus.NotFound, Look(Root, "absent"));

    [Fact]
    public void Lookup_in_an_unknown_directory_is_NotFound() => Assert.Equal(FsStatus.NotFound, Look(Unknown, "a"));

    [Fact]
    public void Lookup_in_a_file_is_NotDirectory() => Assert.Equal(FsStatus.NotDirectory, Look(MakeFile(Root, "f"), "a"));

    [Fact]
    public void Lookup_in_a_symbolic_link_is_NotDirectory() => Assert.Equal(FsStatus.NotDirectory, Look(MakeLink(Root, "l"), "a"));

    [Fact]
    public void Lookup_of_a_name_of_256_bytes_is_NameTooLong() => Assert.Equal(FsStatus.NameTooLong, Look(Root, new string('n', 256)));

    [Fact]
    public void Lookup_of_a_name_with_a_slash_is_Invalid() => Assert.Equal(FsStatus.Invalid, Look(Root, "a/b"));

    [Fact]
    public void Lookup_of_an_empty_name_is_Invalid() => Assert.Equal(FsStatus.Invalid, Look(Root, ""));

    [Fact]
    public void Lookup_finds_dot_and_dotdot()
    {
        NodeId outer = MakeDirectory(Root, "outer");
        NodeId inner = MakeDirectory(outer, "inner");
        Assert.Equal(inner, Find(inner, "."));
        Assert.Equal(outer, Find(inner, ".."));
        Assert.Equal(Root, Find(Root, ".."));
    }

    [Fact]
    public void Lookup_of_dotdot_follows_a_moved_directory()
    {
        NodeId first = MakeDirectory(Root, "first");
        NodeId second = MakeDirectory(Root, "second");
        NodeId moved = MakeDirectory(first, "moved");
        Ok(Rename(first, "moved", second, "moved"));
        Assert.Equal(second, Find(moved, ".."));
    }

    [Fact]
    public void Names_differ_by_case()
    {
        NodeId lower = MakeFile(Root, "name");
        NodeId upper = MakeFile(Root, "NAME");
        Assert.NotEqual(lower, upper);
        Assert.Equal(upper, Find(Root, "NAME"));
    }

    [Fact]
    public void Names_differ_by_normalisation()
    {
        MakeFile(Root, "\u00e9");
        Assert.Equal(FsStatus.NotFound, Look(Root, "e\u0301"));
        MakeFile(Root, "e\u0301");
        Assert.Equal(2, ListNames(Root).Count);
    }

    [Fact]
    public void Names_need_not_be_text()
    {
        byte[] name = [0xFF, 0x80, (byte)'\n', 0x01, (byte)'\\'];
        Ok(Volume.MakeNode(Root, name, FileMode.Regular | FileAccess, 0, Owner, out NodeAttributes made));
        Ok(Volume.Lookup(Root, name, out NodeAttributes found));
        Assert.Equal(made.Node, found.Node);
        DirectoryCollector collector = new();
        Ok(Volume.OpenDirectory(Root, out HandleId handle));
        Ok(Volume.ReadDirectory(handle, 0, collector));
        Assert.Contains(collector.Entries, entry => entry.Name.AsSpan().SequenceEqual(name));
    }

    [Fact]
    public void A_name_of_255_bytes_is_kept()
    {
        string name = new('n', 255);
        Assert.Equal(MakeFile(Root, name), Find(Root, name));
        Assert.Equal([name], ListNames(Root));
    }

    [Fact]
    public void GetAttributes_of_an_unknown_node_is_NotFound() => Assert.Equal(FsStatus.NotFound, Volume.GetAttributes(Unknown, out _));

    [Fact]
    public void GetAttributes_of_no_node_is_NotFound() => Assert.Equal(FsStatus.NotFound, Volume.GetAttributes(NodeId.None, out _));

    [Fact]
    public void Lookup_and_GetAttributes_say_the_same()
    {
        NodeId node = MakeFile(Root, "f", Pattern(10));
        Ok(Volume.Lookup(Root, Name("f"), out NodeAttributes found));
        Assert.Equal(Stat(node), found);
    }

    [Fact]
    public void GetSpace_tells_sizes_that_fit_together()
    {
        Ok(Volume.GetSpace(out VolumeSpace space));
        Assert.InRange(space.FreeBytes, 1, space.TotalBytes);
        Assert.True(space.Nodes >= 1);
        Assert.True(space.NodesFree > 0);
    }

    [Fact]
    public void GetSpace_counts_nodes()
    {
        Ok(Volume.GetSpace(out VolumeSpace before));
        MakeFile(Root, "f");
        MakeDirectory(Root, "d");
        Ok(Volume.GetSpace(out VolumeSpace after));
        Assert.Equal(before.Nodes + 2, after.Nodes);
    }
}
