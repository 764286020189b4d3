using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>rename(2), RENAME_NOREPLACE and RENAME_EXCHANGE.</summary>
public abstract partial class VolumeContract
{
    [Fact]
    public async Task Rename_moves_the_node_and_keeps_it()
    {
        NodeId from = MakeDirectory(Root, "from");
        NodeId to = MakeDirectory(Root, "to");
        NodeId node = MakeFile(from, "a", Pattern(10));
        Ok(Rename(from, "a", to, "b"));
        Assert.Equal(FsStatus.NotFound, Look(from, "a"));
        Assert.Equal(node, Find(to, "b"));
        Assert.Equal(1u, Stat(node).LinkCount);
        AssertBytes(Pattern(10), await ReadAllAsync(node));
    }

    [Fact]
    public void Rename_within_a_directory()
    {
        NodeId node = MakeFile(Root, "a");
        Ok(Rename(Root, "a", Root, "b"));
        Assert.Equal(["b"], ListNames(Root));
        Assert.Equal(node, Find(Root, "b"));
    }

    [Fact]
    public async Task Rename_onto_an_open_file_keeps_the_old_handle_readable()
    {
        MakeFile(Root, "new", Pattern(10));
        NodeId old = MakeFile(Root, "old", Pattern(20, 2));
        HandleId handle = Open(old);
        Ok(Rename(Root, "new", Root, "old"));
        AssertBytes(Pattern(20, 2), await ReadAsync(handle, 0, 100));
        Assert.Equal(0u, Stat(old).LinkCount);
        AssertBytes(Pattern(10), await ReadAllAsync(Find(Root, "old")));
        Volume.Forget(old);
        Volume.Close(handle);
        Assert.Equal(FsStatus.NotFound, Volume.GetAttributes(old, out _));
    }

    [Fact]
    public void Rename_onto_a_file_with_other_names_takes_one_link()
    {
        MakeFile(Root, "a");
        NodeId old = MakeFile(Root, "b");
        Ok(Volume.Link(old, Root, "c"u8, out _));
        Ok(Rename(Root, "a", Root, "b"));
        Assert.Equal(1u, Stat(old).LinkCount);
        Assert.Equal(old, Find(Root, "c"));
    }

    [Fact]
    public void Rename_onto_the_same_name_does_nothing()
    {
        NodeId node = MakeFile(Root, "a");
        AssertMarks(Root, Marks.None, () => Ok(Rename(Root, "a", Root, "a")));
        AssertMarks(node, Marks.None, () => Ok(Rename(Root, "a", Root, "a")));
    }

    [Fact]
    public void Rename_onto_another_name_of_the_same_node_does_nothing()
    {
        NodeId node = MakeFile(Root, "a");
        Ok(Volume.Link(node, Root, "b"u8, out _));
        Ok(Rename(Root, "a", Root, "b"));
        Assert.Equal(["a", "b"], ListNames(Root).Order());
        Assert.Equal(2u, Stat(node).LinkCount);
    }

    [Fact]
    public void Rename_of_an_absent_name_is_NotFound()
    {
        MakeFile(Root, "b");
        Assert.Equal(FsStatus.NotFound, Rename(Root, "a", Root, "b"));
        Assert.Equal(FsStatus.NotFound, Rename(Unknown, "a", Root, "b"));
        Assert.Equal(FsStatus.NotFound, Rename(Root, "b", Unknown, "c"));
    }

    [Fact]
    public void Rename_below_a_file_is_NotDirectory()
    {
        NodeId file = MakeFile(Root, "f");
        MakeFile(Root, "a");
        Assert.Equal(FsStatus.NotDirectory, Rename(Root, "a", file, "b"));
        Assert.Equal(FsStatus.NotDirectory, Rename(file, "a", Root, "b"));
    }

    [Fact]
    public void Rename_to_a_name_of_256_bytes_is_NameTooLong()
    {
        MakeFile(Root, "a");
        string name = new('n', 256);
        Assert.Equal(FsStatus.NameTooLong, Rename(Root, "a", Root, name));
        Assert.Equal(FsStatus.NameTooLong, Rename(Root, name, Root, "a"));
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("x/y")]
    public void Rename_to_a_name_that_is_none_is_Invalid(string name)
    {
        MakeDirectory(Root, "a");
        Assert.Equal(FsStatus.Invalid, Rename(Root, "a", Root, name));
        Assert.Equal(FsStatus.Invalid, Rename(Root, name, Root, "b"));
    }

    [Fact]
    public void Rename_of_a_directory_moves_its_link_from_parent_to_parent()
    {
        NodeId from = MakeDirectory(Root, "from");
        NodeId to = MakeDirectory(Root, "to");
        NodeId moved = MakeDirectory(from, "d");
        MakeFile(moved, "f");
        Ok(Rename(from, "d", to, "d"));
        Assert.Equal((2u, 3u, 2u), (Stat(from).LinkCount, Stat(to).LinkCount, Stat(moved).LinkCount));
        Assert.Equal(["f"], ListNames(Find(to, "d")));
    }

    [Fact]
    public void Rename_of_a_directory_onto_an_empty_one_replaces_it()
    {
        NodeId moved = MakeDirectory(Root, "a");
        NodeId replaced = MakeDirectory(Root, "b");
        MakeFile(moved, "f");
        Ok(Rename(Root, "a", Root, "b"));
        Assert.Equal(moved, Find(Root, "b"));
        Assert.Equal(3u, Stat(Root).LinkCount);
        Assert.Equal(0u, Stat(replaced).LinkCount);
    }

    [Fact]
    public void Rename_of_a_directory_onto_one_with_entries_is_NotEmpty()
    {
        MakeDirectory(Root, "a");
        MakeFile(MakeDirectory(Root, "b"), "f");
        Assert.Equal(FsStatus.NotEmpty, Rename(Root, "a", Root, "b"));
        Assert.Equal(4u, Stat(Root).LinkCount);
    }

    [Fact]
    public void Rename_of_a_directory_onto_its_own_parent_is_NotEmpty()
    {
        NodeId outer = MakeDirectory(Root, "outer");
        MakeDirectory(outer, "inner");
        Assert.Equal(FsStatus.NotEmpty, Rename(outer, "inner", Root, "outer"));
    }

    [Fact]
    public void Rename_of_a_directory_onto_a_file_is_NotDirectory()
    {
        MakeDirectory(Root, "d");
        MakeFile(Root, "f");
        Assert.Equal(FsStatus.NotDirectory, Rename(Root, "d", Root, "f"));
    }

    [Fact]
    public void Rename_of_a_file_onto_a_directory_is_IsDirectory()
    {
        MakeDirectory(Root, "d");
        MakeFile(Root, "f");
        Assert.Equal(FsStatus.IsDirectory, Rename(Root, "f", Root, "d"));
    }

    [Fact]
    public void Rename_of_a_directory_below_itself_is_Invalid()
    {
        NodeId outer = MakeDirectory(Root, "outer");
        NodeId inner = MakeDirectory(outer, "inner");
        Assert.Equal(FsStatus.Invalid, Rename(Root, "outer", outer, "x"));
        Assert.Equal(FsStatus.Invalid, Rename(Root, "outer", inner, "x"));
        Assert.Equal(["outer"], ListNames(Root));
    }

    [Fact]
    public void Rename_without_replacing_refuses_a_taken_name()
    {
        NodeId a = MakeFile(Root, "a");
        NodeId b = MakeFile(Root, "b");
        Assert.Equal(FsStatus.Exists, Rename(Root, "a", Root, "b", RenameOptions.NoReplace));
        Assert.Equal(FsStatus.Exists, Rename(Root, "a", Root, "a", RenameOptions.NoReplace));
        Assert.Equal((a, b), (Find(Root, "a"), Find(Root, "b")));
    }

    [Fact]
    public void Rename_without_replacing_moves_to_a_free_name()
    {
        NodeId a = MakeFile(Root, "a");
        Ok(Rename(Root, "a", Root, "b", RenameOptions.NoReplace));
        Assert.Equal(a, Find(Root, "b"));
    }

    [Fact]
    public void Exchange_swaps_two_files()
    {
        NodeId directory = MakeDirectory(Root, "d");
        NodeId a = MakeFile(Root, "a");
        NodeId b = MakeFile(directory, "b");
        Ok(Rename(Root, "a", directory, "b", RenameOptions.Exchange));
        Assert.Equal((b, a), (Find(Root, "a"), Find(directory, "b")));
        Assert.Equal((1u, 1u), (Stat(a).LinkCount, Stat(b).LinkCount));
    }

    [Fact]
    public void Exchange_swaps_a_file_and_a_directory_with_entries()
    {
        NodeId outer = MakeDirectory(Root, "outer");
        NodeId file = MakeFile(Root, "f");
        NodeId directory = MakeDirectory(outer, "d");
        MakeFile(directory, "x");
        Ok(Rename(Root, "f", outer, "d", RenameOptions.Exchange));
        Assert.Equal((directory, file), (Find(Root, "f"), Find(outer, "d")));
        Assert.Equal((4u, 2u), (Stat(Root).LinkCount, Stat(outer).LinkCount));
        Assert.Equal(Root, Find(directory, ".."));
    }

    [Fact]
    public void Exchange_needs_both_names()
    {
        MakeFile(Root, "a");
        Assert.Equal(FsStatus.NotFound, Rename(Root, "a", Root, "b", RenameOptions.Exchange));
        Assert.Equal(FsStatus.NotFound, Rename(Root, "b", Root, "a", RenameOptions.Exchange));
    }

    [Fact]
    public void Exchange_with_an_ancestor_is_Invalid()
    {
        NodeId outer = MakeDirectory(Root, "outer");
        MakeDirectory(outer, "inner");
        Assert.Equal(FsStatus.Invalid, Rename(outer, "inner", Root, "outer", RenameOptions.Exchange));
        Assert.Equal(FsStatus.Invalid, Rename(Root, "outer", outer, "inner", RenameOptions.Exchange));
    }

    [Fact]
    public void Exchange_of_a_name_with_itself_does_nothing()
    {
        NodeId a = MakeFile(Root, "a");
        Ok(Rename(Root, "a", Root, "a", RenameOptions.Exchange));
        Assert.Equal(a, Find(Root, "a"));
    }

    [Fact]
    public void Rename_with_both_flags_is_Invalid()
    {
        MakeFile(Root, "a");
        MakeFile(Root, "b");
        Assert.Equal(FsStatus.Invalid, Rename(Root, "a", Root, "b", RenameOptions.Exchange | RenameOptions.NoReplace));
    }

    [Fact]
    public void Rename_of_a_symbolic_link_moves_the_link()
    {
        MakeFile(Root, "target");
        NodeId link = MakeLink(Root, "l");
        Ok(Rename(Root, "l", Root, "m"));
        Assert.Equal(link, Find(Root, "m"));
        Assert.Equal("target", ReadTarget(link));
    }
}
