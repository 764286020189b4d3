using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Making nodes of every kind.</summary>
public abstract partial class VolumeContract
{
    private const uint AnyDevice = 0x0801;

    [Theory]
    [InlineData(FileMode.Regular, 0u)]
    [InlineData(FileMode.Fifo, 0u)]
    [InlineData(FileMode.Socket, 0u)]
    [InlineData(FileMode.CharacterDevice, AnyDevice)]
    [InlineData(FileMode.BlockDevice, AnyDevice)]
    public void MakeNode_makes_each_kind(uint type, uint device)
    {
        Ok(Volume.MakeNode(Root, "n"u8, type | 0x1A0, AnyDevice, Owner, out NodeAttributes made));
        Assert.Equal(type | 0x1A0, made.Mode);
        Assert.Equal(1u, made.LinkCount);
        Assert.Equal((Owner.Uid, Owner.Gid), (made.Uid, made.Gid));
        Assert.Equal(device, made.DeviceNumber);
        Assert.Equal(0, made.Size);
        Assert.Equal(0, made.AllocatedBytes);
        Assert.Equal(made, Stat(made.Node));
    }

    [Theory]
    [InlineData(FileMode.Directory)]
    [InlineData(FileMode.SymbolicLink)]
    [InlineData(0u)]
    public void MakeNode_of_another_type_is_Invalid(uint type) =>
        Assert.Equal(FsStatus.Invalid, Volume.MakeNode(Root, "n"u8, type | FileAccess, 0, Owner, out _));

    [Fact]
    public void MakeNode_keeps_all_twelve_permission_bits()
    {
        Ok(Volume.MakeNode(Root, "n"u8, FileMode.Regular | FileMode.PermissionMask, 0, Owner, out NodeAttributes made));
        Assert.Equal(FileMode.Regular | FileMode.PermissionMask, made.Mode);
    }

    [Fact]
    public void MakeNode_on_a_taken_name_is_Exists()
    {
        MakeDirectory(Root, "n");
        Assert.Equal(FsStatus.Exists, Volume.MakeNode(Root, "n"u8, FileMode.Regular, 0, Owner, out _));
    }

    [Fact]
    public void MakeNode_in_a_file_is_NotDirectory() =>
        Assert.Equal(FsStatus.NotDirectory, Volume.MakeNode(MakeFile(Root, "f"), "n"u8, FileMode.Regular, 0, Owner, out _));

    [Fact]
    public void MakeNode_in_an_unknown_directory_is_NotFound() =>
        Assert.Equal(FsStatus.NotFound, Volume.MakeNode(Unknown, "n"u8, FileMode.Regular, 0, Owner, out _));

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    public void MakeNode_of_a_name_that_is_none_is_Invalid(string name) =>
        Assert.Equal(FsStatus.Invalid, Volume.MakeNode(Root, Name(name), FileMode.Regular, 0, Owner, out _));

    [Fact]
    public void MakeNode_of_a_name_of_256_bytes_is_NameTooLong() =>
        Assert.Equal(FsStatus.NameTooLong, Volume.MakeNode(Root, Name(new string('n', 256)), FileMode.Regular, 0, Owner, out _));

    [Fact]
    public void A_refused_MakeNode_changes_nothing()
    {
        MakeFile(Root, "n");
        AssertMarks(Root, Marks.None, () => Volume.MakeNode(Root, "n"u8, FileMode.Regular, 0, Owner, out _));
        Assert.Equal(["n"], ListNames(Root));
    }

    [Fact]
    public void Node_ids_are_never_used_twice()
    {
        NodeId first = MakeFile(Root, "f");
        Ok(Volume.Unlink(Root, "f"u8));
        Volume.Forget(first);
        Assert.NotEqual(first, MakeFile(Root, "f"));
    }

    [Fact]
    public void MakeDirectory_counts_two_links_and_one_more_in_its_parent()
    {
        NodeId made = MakeDirectory(Root, "d", 0x1E8);
        NodeAttributes attributes = Stat(made);
        Assert.Equal(FileMode.Directory | 0x1E8, attributes.Mode);
        Assert.Equal(2u, attributes.LinkCount);
        Assert.Equal(4096, attributes.Size);
        Assert.Equal(3u, Stat(Root).LinkCount);
    }

    [Fact]
    public void MakeDirectory_ignores_type_bits()
    {
        Ok(Volume.MakeDirectory(Root, "d"u8, FileMode.Directory | 0x1C0, Owner, out NodeAttributes made));
        Assert.Equal(FileMode.Directory | 0x1C0, made.Mode);
    }

    [Fact]
    public void MakeDirectory_on_a_taken_name_is_Exists()
    {
        MakeFile(Root, "d");
        Assert.Equal(FsStatus.Exists, Volume.MakeDirectory(Root, "d"u8, AllAccess, Owner, out _));
    }

    [Fact]
    public void MakeDirectory_in_a_file_is_NotDirectory() =>
        Assert.Equal(FsStatus.NotDirectory, Volume.MakeDirectory(MakeFile(Root, "f"), "d"u8, AllAccess, Owner, out _));

    [Fact]
    public void MakeDirectory_in_a_removed_directory_is_NotFound()
    {
        NodeId gone = MakeDirectory(Root, "gone");
        Ok(Volume.RemoveDirectory(Root, "gone"u8));
        Assert.Equal(FsStatus.NotFound, Volume.MakeDirectory(gone, "d"u8, AllAccess, Owner, out _));
    }

    [Fact]
    public void MakeDirectory_of_a_name_of_256_bytes_is_NameTooLong() =>
        Assert.Equal(FsStatus.NameTooLong, Volume.MakeDirectory(Root, Name(new string('n', 256)), AllAccess, Owner, out _));

    [Fact]
    public void A_set_group_ID_directory_hands_its_group_to_files()
    {
        NodeId shared = SharedDirectory();
        Ok(Volume.MakeNode(shared, "f"u8, FileMode.Regular | FileAccess, 0, Owner, out NodeAttributes file));
        Assert.Equal(77u, file.Gid);
        Assert.Equal(FileMode.Regular | FileAccess, file.Mode);
    }

    [Fact]
    public void A_set_group_ID_directory_hands_group_and_bit_to_directories()
    {
        Ok(Volume.MakeDirectory(SharedDirectory(), "d"u8, AllAccess, Owner, out NodeAttributes directory));
        Assert.Equal(77u, directory.Gid);
        Assert.Equal(FileMode.Directory | FileMode.SetGroupId | AllAccess, directory.Mode);
    }

    [Fact]
    public void A_set_group_ID_directory_hands_its_group_to_symbolic_links_created_and_unnamed_files()
    {
        NodeId shared = SharedDirectory();
        Assert.Equal(77u, Stat(MakeLink(shared, "l")).Gid);
        Ok(Volume.Create(shared, "c"u8, FileAccess, OpenOptions.Write, Owner, out NodeAttributes created, out _));
        Assert.Equal(77u, created.Gid);
        Ok(Volume.CreateUnnamed(shared, FileAccess, OpenOptions.Write, Owner, out NodeAttributes unnamed, out _));
        Assert.Equal(77u, unnamed.Gid);
    }

    [Fact]
    public void MakeSymbolicLink_keeps_the_target_and_tells_its_length_as_size()
    {
        NodeId link = MakeLink(Root, "l", "../some/where");
        NodeAttributes attributes = Stat(link);
        Assert.Equal(FileMode.SymbolicLink | AllAccess, attributes.Mode);
        Assert.Equal(13, attributes.Size);
        Assert.Equal("../some/where", ReadTarget(link));
    }

    [Fact]
    public void MakeSymbolicLink_takes_4095_bytes_and_no_more()
    {
        string longest = new('t', 4095);
        Assert.Equal(longest, ReadTarget(MakeLink(Root, "l", longest)));
        Assert.Equal(FsStatus.NameTooLong, Volume.MakeSymbolicLink(Root, "m"u8, Name(longest + "t"), Owner, out _));
    }

    [Fact]
    public void MakeSymbolicLink_to_nothing_or_with_NUL_is_Invalid()
    {
        Assert.Equal(FsStatus.Invalid, Volume.MakeSymbolicLink(Root, "m"u8, ""u8, Owner, out _));
        Assert.Equal(FsStatus.Invalid, Volume.MakeSymbolicLink(Root, "m"u8, "a\0b"u8, Owner, out _));
    }

    [Fact]
    public void MakeSymbolicLink_on_a_taken_name_is_Exists()
    {
        MakeFile(Root, "l");
        Assert.Equal(FsStatus.Exists, Volume.MakeSymbolicLink(Root, "l"u8, "t"u8, Owner, out _));
    }

    [Fact]
    public void ReadLink_of_anything_else_is_Invalid()
    {
        byte[] buffer = new byte[100];
        Assert.Equal(FsStatus.Invalid, Volume.ReadLink(MakeFile(Root, "f"), buffer, out _));
        Assert.Equal(FsStatus.Invalid, Volume.ReadLink(Root, buffer, out _));
        Assert.Equal(FsStatus.NotFound, Volume.ReadLink(Unknown, buffer, out _));
    }

    private NodeId SharedDirectory()
    {
        NodeId shared = MakeDirectory(Root, "shared");
        Change(shared, new AttributeChange
        {
            Fields = AttributeFields.Mode | AttributeFields.Gid,
            Mode = FileMode.SetGroupId | AllAccess,
            Gid = 77,
        });
        return shared;
    }

    private string ReadTarget(NodeId link)
    {
        byte[] buffer = new byte[FileName.LinkTargetBytesMax];
        Ok(Volume.ReadLink(link, buffer, out int length));
        return System.Text.Encoding.UTF8.GetString(buffer, 0, length);
    }
}
