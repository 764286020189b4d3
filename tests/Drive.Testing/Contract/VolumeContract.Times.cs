using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Which calls mark which times, of the node and of its directory (POSIX.1-2017, "marked for update").</summary>
public abstract partial class VolumeContract
{
    [Fact]
    public void A_new_node_has_all_its_times_at_now()
    {
        Tick();
        NodeAttributes made = Stat(MakeFile(Root, "f"));
        Assert.Equal((Now(), Now(), Now(), Now()), (made.AccessTime, made.ModifyTime, made.ChangeTime, made.BirthTime));
    }

    [Fact]
    public void Making_a_file_marks_its_directory() => AssertMarks(Root, Marks.Both, () => MakeFile(Root, "f"));

    [Fact]
    public void Making_a_directory_marks_its_parent() => AssertMarks(Root, Marks.Both, () => MakeDirectory(Root, "d"));

    [Fact]
    public void Making_a_symbolic_link_marks_its_directory() => AssertMarks(Root, Marks.Both, () => MakeLink(Root, "l"));

    [Fact]
    public void Creating_marks_the_directory_only_when_the_file_is_new()
    {
        AssertMarks(Root, Marks.Both, () => CreateAndClose("f"));
        AssertMarks(Root, Marks.None, () => CreateAndClose("f"));
        AssertMarks(Find(Root, "f"), Marks.None, () => CreateAndClose("f"));
    }

    [Fact]
    public void Creating_without_a_name_does_not_mark_the_directory() => AssertMarks(
        Root, Marks.None, () => Ok(Volume.CreateUnnamed(Root, FileAccess, OpenOptions.Write, Owner, out _, out _)));

    [Fact]
    public void Linking_marks_the_directory_and_changes_the_node()
    {
        NodeId node = MakeFile(Root, "f");
        NodeId directory = MakeDirectory(Root, "d");
        AssertMarks(directory, Marks.Both, () => Ok(Volume.Link(node, directory, "a"u8, out _)));
        AssertMarks(node, Marks.Change, () => Ok(Volume.Link(node, directory, "b"u8, out _)));
    }

    [Fact]
    public void Unlinking_marks_the_directory_and_changes_the_node()
    {
        NodeId node = MakeFile(Root, "a");
        Ok(Volume.Link(node, Root, "b"u8, out _));
        Ok(Volume.Link(node, Root, "c"u8, out _));
        AssertMarks(Root, Marks.Both, () => Ok(Volume.Unlink(Root, "a"u8)));
        AssertMarks(node, Marks.Change, () => Ok(Volume.Unlink(Root, "b"u8)));
    }

    [Fact]
    public void Removing_a_directory_marks_its_parent()
    {
        MakeDirectory(Root, "d");
        AssertMarks(Root, Marks.Both, () => Ok(Volume.RemoveDirectory(Root, "d"u8)));
    }

    [Fact]
    public void Renaming_marks_both_directories_and_changes_the_node()
    {
        NodeId from = MakeDirectory(Root, "from");
        NodeId to = MakeDirectory(Root, "to");
        NodeId node = MakeFile(from, "f");
        AssertMarks(from, Marks.Both, () => Ok(Rename(from, "f", to, "f")));
        AssertMarks(from, Marks.Both, () => Ok(Rename(to, "f", from, "f")));
        AssertMarks(node, Marks.Change, () => Ok(Rename(from, "f", to, "g")));
    }

    [Fact]
    public void Renaming_over_a_node_changes_it_too()
    {
        NodeId replaced = MakeFile(Root, "b");
        Ok(Volume.Link(replaced, Root, "c"u8, out _));
        MakeFile(Root, "a");
        AssertMarks(replaced, Marks.Change, () => Ok(Rename(Root, "a", Root, "b")));
    }

    [Fact]
    public void Exchanging_marks_both_directories_and_changes_both_nodes()
    {
        NodeId directory = MakeDirectory(Root, "d");
        NodeId a = MakeFile(Root, "a");
        NodeId b = MakeFile(directory, "b");
        void Exchange() => Ok(Rename(Root, "a", directory, "b", RenameOptions.Exchange));
        AssertMarks(Root, Marks.Both, Exchange);
        AssertMarks(directory, Marks.Both, Exchange);
        AssertMarks(a, Marks.Change, Exchange);
        AssertMarks(b, Marks.Change, Exchange);
    }

    [Fact]
    public void Writing_marks_modification_and_change()
    {
        NodeId node = MakeFile(Root, "f");
        HandleId handle = Open(node);
        AssertMarks(node, Marks.Both, () => Write(handle, 0, [1]));
        AssertMarks(Root, Marks.None, () => Write(handle, 0, [2]));
        Volume.Close(handle);
    }

    [Fact]
    public void Cutting_and_growing_mark_modification_and_change()
    {
        NodeId node = MakeFile(Root, "f", Pattern(10));
        AssertMarks(node, Marks.Both, () => SetSize(node, 5));
        AssertMarks(node, Marks.Both, () => SetSize(node, 50));
    }

    [Fact]
    public void Allocating_and_punching_mark_modification_and_change()
    {
        NodeId node = MakeFile(Root, "f", Pattern(10));
        HandleId handle = Open(node);
        AssertMarks(node, Marks.Both, () => Ok(Volume.Allocate(handle, 0, 100, AllocateOptions.None)));
        AssertMarks(node, Marks.Both, () => Ok(Volume.Allocate(handle, 0, 5, AllocateOptions.PunchHole | AllocateOptions.KeepSize)));
        AssertMarks(node, Marks.Both, () => Ok(Volume.Allocate(handle, 0, 5, AllocateOptions.ZeroRange)));
        Volume.Close(handle);
    }

    [Fact]
    public async Task Copying_a_range_marks_the_target_and_not_the_source()
    {
        NodeId source = MakeFile(Root, "s", Pattern(10));
        NodeId target = MakeFile(Root, "t");
        HandleId from = Open(source);
        HandleId to = Open(target);
        long before = Stat(source).ModifyTime;
        Tick();
        Ok((await Volume.CopyRangeAsync(from, 0, to, 0, 10, CancellationToken.None)).Status);
        Assert.Equal((Now(), Now()), (Stat(target).ModifyTime, Stat(target).ChangeTime));
        Assert.Equal(before, Stat(source).ModifyTime);
        Volume.Close(from);
        Volume.Close(to);
    }

    [Fact]
    public void Mode_owner_and_times_mark_change_only()
    {
        NodeId node = MakeFile(Root, "f");
        AssertMarks(node, Marks.Change, () => SetMode(node, 0));
        AssertMarks(node, Marks.Change, () => Change(node, new AttributeChange { Fields = AttributeFields.Uid, Uid = 9 }));
        AssertMarks(node, Marks.Change, () => Change(node, new AttributeChange { Fields = AttributeFields.AccessTime, AccessTime = 9 }));
    }

    [Fact]
    public void Extended_attributes_mark_change_only()
    {
        NodeId node = MakeFile(Root, "f");
        AssertMarks(node, Marks.Change, () => Ok(SetXattr(node, "user.x", [1])));
        AssertMarks(node, Marks.None, () => GetXattr(node, "user.x"));
        AssertMarks(node, Marks.Change, () => Ok(Volume.RemoveExtendedAttribute(node, "user.x"u8)));
        AssertMarks(node, Marks.None, () => Assert.Equal(FsStatus.NoAttribute, Volume.RemoveExtendedAttribute(node, "user.x"u8)));
    }

    [Fact]
    public void Looking_opening_listing_and_closing_mark_neither()
    {
        NodeId node = MakeFile(Root, "f");
        AssertMarks(Root, Marks.None, () => List(Root));
        AssertMarks(node, Marks.None, () => Volume.Close(Open(node)));
        AssertMarks(node, Marks.None, () => Find(Root, "f"));
    }

    [Fact]
    public async Task A_read_notes_access_once_after_a_change_and_then_once_a_day()
    {
        NodeId node = MakeFile(Root, "f", Pattern(10));
        HandleId handle = Open(node);
        Tick();
        long first = Now();
        await ReadAsync(handle, 0, 10);
        Assert.Equal(first, Stat(node).AccessTime);
        Time.Advance(TimeSpan.FromHours(1));
        await ReadAsync(handle, 0, 10);
        Assert.Equal(first, Stat(node).AccessTime);
        Time.Advance(TimeSpan.FromHours(24));
        await ReadAsync(handle, 0, 10);
        Assert.Equal(Now(), Stat(node).AccessTime);
        Tick();
        Write(handle, 0, [1]);
        Tick();
        await ReadAsync(handle, 0, 10);
        Assert.Equal(Now(), Stat(node).AccessTime);
        Volume.Close(handle);
    }

    [Fact]
    public void Listing_and_reading_a_link_note_access()
    {
        NodeId link = MakeLink(Root, "l");
        NodeId directory = MakeDirectory(Root, "d");
        Tick();
        List(directory);
        ReadTarget(link);
        Assert.Equal((Now(), Now()), (Stat(directory).AccessTime, Stat(link).AccessTime));
    }

    private void CreateAndClose(string name)
    {
        Ok(Volume.Create(Root, Name(name), FileAccess, OpenOptions.Write, Owner, out _, out HandleId handle));
        Volume.Close(handle);
    }
}
