using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Hard links, removing names, and nodes that live on without one.</summary>
public abstract partial class VolumeContract
{
    [Fact]
    public void Link_gives_a_second_name_to_the_same_node()
    {
        NodeId node = MakeFile(Root, "a");
        NodeId directory = MakeDirectory(Root, "d");
        Ok(Volume.Link(node, directory, "b"u8, out NodeAttributes linked));
        Assert.Equal(node, linked.Node);
        Assert.Equal(2u, linked.LinkCount);
        Assert.Equal(node, Find(directory, "b"));
        Assert.Equal(2u, Stat(node).LinkCount);
    }

    [Fact]
    public void Link_works_for_symbolic_links_and_fifos()
    {
        NodeId link = MakeLink(Root, "l");
        Ok(Volume.Link(link, Root, "l2"u8, out NodeAttributes first));
        Assert.Equal(2u, first.LinkCount);
        Ok(Volume.MakeNode(Root, "p"u8, FileMode.Fifo | FileAccess, 0, Owner, out NodeAttributes fifo));
        Ok(Volume.Link(fifo.Node, Root, "p2"u8, out NodeAttributes second));
        Assert.Equal(2u, second.LinkCount);
    }

    [Fact]
    public void Link_of_a_directory_is_NotPermitted() =>
        Assert.Equal(FsStatus.NotPermitted, Volume.Link(MakeDirectory(Root, "d"), Root, "e"u8, out _));

    [Fact]
    public void Link_to_a_taken_name_is_Exists()
    {
        NodeId node = MakeFile(Root, "a");
        MakeFile(Root, "b");
        Assert.Equal(FsStatus.Exists, Volume.Link(node, Root, "b"u8, out _));
        Assert.Equal(1u, Stat(node).LinkCount);
    }

    [Fact]
    public void Link_of_an_unknown_node_or_into_an_unknown_directory_is_NotFound()
    {
        Assert.Equal(FsStatus.NotFound, Volume.Link(Unknown, Root, "b"u8, out _));
        Assert.Equal(FsStatus.NotFound, Volume.Link(MakeFile(Root, "a"), Unknown, "b"u8, out _));
    }

    [Fact]
    public void Link_into_a_file_is_NotDirectory()
    {
        NodeId node = MakeFile(Root, "a");
        Assert.Equal(FsStatus.NotDirectory, Volume.Link(node, node, "b"u8, out _));
    }

    [Fact]
    public void Link_to_a_name_of_256_bytes_is_NameTooLong() =>
        Assert.Equal(FsStatus.NameTooLong, Volume.Link(MakeFile(Root, "a"), Root, Name(new string('n', 256)), out _));

    [Fact]
    public void Link_of_a_node_whose_last_link_went_is_NotFound()
    {
        NodeId node = MakeFile(Root, "a");
        HandleId handle = Open(node);
        Ok(Volume.Unlink(Root, "a"u8));
        Assert.Equal(FsStatus.NotFound, Volume.Link(node, Root, "b"u8, out _));
        Volume.Close(handle);
    }

    [Fact]
    public void Unlink_takes_one_name_and_leaves_the_others()
    {
        NodeId node = MakeFile(Root, "a");
        Ok(Volume.Link(node, Root, "b"u8, out _));
        Ok(Volume.Unlink(Root, "a"u8));
        Assert.Equal(FsStatus.NotFound, Look(Root, "a"));
        Assert.Equal(node, Find(Root, "b"));
        Assert.Equal(1u, Stat(node).LinkCount);
    }

    [Fact]
    public void Unlink_of_an_absent_name_is_NotFound() => Assert.Equal(FsStatus.NotFound, Volume.Unlink(Root, "a"u8));

    [Fact]
    public void Unlink_of_a_directory_is_IsDirectory()
    {
        MakeDirectory(Root, "d");
        Assert.Equal(FsStatus.IsDirectory, Volume.Unlink(Root, "d"u8));
        Assert.Equal(["d"], ListNames(Root));
    }

    [Fact]
    public void Unlink_in_a_file_is_NotDirectory() => Assert.Equal(FsStatus.NotDirectory, Volume.Unlink(MakeFile(Root, "f"), "a"u8));

    [Fact]
    public void Unlink_of_a_name_of_256_bytes_is_NameTooLong() =>
        Assert.Equal(FsStatus.NameTooLong, Volume.Unlink(Root, Name(new string('n', 256))));

    [Fact]
    public void Unlink_of_a_symbolic_link_leaves_its_target()
    {
        NodeId target = MakeFile(Root, "target");
        MakeLink(Root, "l");
        Ok(Volume.Unlink(Root, "l"u8));
        Assert.Equal(1u, Stat(target).LinkCount);
    }

    [Fact]
    public void RemoveDirectory_takes_an_empty_directory_and_a_link_of_its_parent()
    {
        MakeDirectory(Root, "d");
        Ok(Volume.RemoveDirectory(Root, "d"u8));
        Assert.Equal(FsStatus.NotFound, Look(Root, "d"));
        Assert.Equal(2u, Stat(Root).LinkCount);
    }

    [Fact]
    public void RemoveDirectory_with_entries_is_NotEmpty()
    {
        MakeFile(MakeDirectory(Root, "d"), "f");
        Assert.Equal(FsStatus.NotEmpty, Volume.RemoveDirectory(Root, "d"u8));
        Assert.Equal(["d"], ListNames(Root));
    }

    [Fact]
    public void RemoveDirectory_of_a_file_or_link_is_NotDirectory()
    {
        MakeFile(Root, "f");
        MakeLink(Root, "l", "f");
        Assert.Equal(FsStatus.NotDirectory, Volume.RemoveDirectory(Root, "f"u8));
        Assert.Equal(FsStatus.NotDirectory, Volume.RemoveDirectory(Root, "l"u8));
    }

    [Fact]
    public void RemoveDirectory_of_an_absent_name_is_NotFound() => Assert.Equal(FsStatus.NotFound, Volume.RemoveDirectory(Root, "d"u8));

    [Fact]
    public void RemoveDirectory_of_dot_is_Invalid() => Assert.Equal(FsStatus.Invalid, Volume.RemoveDirectory(MakeDirectory(Root, "d"), "."u8));

    [Fact]
    public void A_removed_directory_shows_no_links_and_no_names()
    {
        NodeId gone = MakeDirectory(Root, "d");
        Ok(Volume.OpenDirectory(gone, out HandleId handle));
        Ok(Volume.RemoveDirectory(Root, "d"u8));
        Assert.Equal(0u, Stat(gone).LinkCount);
        DirectoryCollector collector = new();
        Ok(Volume.ReadDirectory(handle, 0, collector));
        Assert.DoesNotContain(collector.Names, name => name is not ("." or ".."));
        Assert.Equal(FsStatus.NotFound, Volume.Create(gone, "f"u8, FileAccess, OpenOptions.Write, Owner, out _, out _));
        Assert.Equal(FsStatus.NotFound, Volume.Link(MakeFile(Root, "a"), gone, "b"u8, out _));
        Assert.Equal(FsStatus.NotFound, Rename(Root, "a", gone, "b"));
        Volume.CloseDirectory(handle);
    }

    [Fact]
    public async Task An_unlinked_file_stays_usable_through_its_handle()
    {
        NodeId node = MakeFile(Root, "f", Pattern(100));
        HandleId handle = Open(node);
        Ok(Volume.Unlink(Root, "f"u8));
        Volume.Forget(node);
        Write(handle, 100, Pattern(50, 2));
        AssertBytes([.. Pattern(100), .. Pattern(50, 2)], await ReadAsync(handle, 0, 1000));
        NodeAttributes attributes = Stat(node);
        Assert.Equal((0u, 150L), (attributes.LinkCount, attributes.Size));
        Volume.Close(handle);
        Assert.Equal(FsStatus.NotFound, Volume.GetAttributes(node, out _));
    }

    [Fact]
    public async Task An_unlinked_file_stays_usable_until_it_is_forgotten()
    {
        NodeId node = MakeFile(Root, "f", Pattern(100));
        Ok(Volume.Unlink(Root, "f"u8));
        AssertBytes(Pattern(100), await ReadAllAsync(node));
        Volume.Forget(node);
        Assert.Equal(FsStatus.NotFound, Volume.GetAttributes(node, out _));
        Assert.Equal(FsStatus.NotFound, Volume.Open(node, OpenOptions.Read, out _));
    }

    [Fact]
    public void Forgetting_a_node_that_has_a_link_changes_nothing()
    {
        NodeId node = MakeFile(Root, "f");
        Volume.Forget(node);
        Volume.Forget(Unknown);
        Assert.Equal(node, Find(Root, "f"));
    }

    [Fact]
    public async Task A_name_that_is_made_again_is_another_file()
    {
        NodeId old = MakeFile(Root, "f", Pattern(10));
        HandleId handle = Open(old);
        Ok(Volume.Unlink(Root, "f"u8));
        NodeId fresh = MakeFile(Root, "f", Pattern(20, 2));
        Assert.NotEqual(old, fresh);
        AssertBytes(Pattern(10), await ReadAsync(handle, 0, 100));
        Volume.Close(handle);
    }

    [Fact]
    public async Task An_unnamed_file_gets_its_name_by_Link()
    {
        NodeId directory = MakeDirectory(Root, "d");
        Ok(Volume.CreateUnnamed(directory, FileAccess, OpenOptions.Write, Owner, out NodeAttributes made, out HandleId handle));
        Assert.Equal(0u, made.LinkCount);
        Assert.Equal(FileMode.Regular | FileAccess, made.Mode);
        Assert.Empty(ListNames(directory));
        Write(handle, 0, Pattern(10));
        Ok(Volume.Link(made.Node, directory, "f"u8, out NodeAttributes linked));
        Assert.Equal(1u, linked.LinkCount);
        Volume.Close(handle);
        Volume.Forget(made.Node);
        AssertBytes(Pattern(10), await ReadAllAsync(Find(directory, "f")));
    }

    [Fact]
    public void An_unnamed_file_that_got_no_name_goes_with_its_handle()
    {
        Ok(Volume.CreateUnnamed(Root, FileAccess, OpenOptions.Write, Owner, out NodeAttributes made, out HandleId handle));
        Volume.Forget(made.Node);
        Ok(Volume.GetAttributes(made.Node, out _));
        Volume.Close(handle);
        Assert.Equal(FsStatus.NotFound, Volume.GetAttributes(made.Node, out _));
    }

    [Fact]
    public void An_unnamed_file_that_is_exclusive_gets_no_name()
    {
        OpenOptions options = OpenOptions.Write | OpenOptions.Exclusive;
        Ok(Volume.CreateUnnamed(Root, FileAccess, options, Owner, out NodeAttributes made, out HandleId handle));
        Assert.Equal(FsStatus.NotFound, Volume.Link(made.Node, Root, "f"u8, out _));
        Volume.Close(handle);
    }

    [Fact]
    public void CreateUnnamed_in_a_file_is_NotDirectory() => Assert.Equal(
        FsStatus.NotDirectory, Volume.CreateUnnamed(MakeFile(Root, "f"), FileAccess, OpenOptions.Write, Owner, out _, out _));
}
