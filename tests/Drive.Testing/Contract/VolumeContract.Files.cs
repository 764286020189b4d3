using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Opening, creating, reading and writing.</summary>
public abstract partial class VolumeContract
{
    [Fact]
    public async Task What_was_written_is_read()
    {
        byte[] data = Pattern(300_000);
        NodeId node = MakeFile(Root, "f");
        HandleId handle = Open(node);
        Write(handle, 0, data);
        AssertBytes(data, await ReadAsync(handle, 0, data.Length + 10));
        AssertBytes(data[100_000..200_001], await ReadAsync(handle, 100_000, 100_001));
        Assert.Equal(data.Length, Stat(node).Size);
        Assert.InRange(Stat(node).AllocatedBytes, data.Length, data.Length + (1 << 20));
        Volume.Close(handle);
    }

    [Fact]
    public async Task A_write_over_a_part_changes_that_part_only()
    {
        byte[] data = Pattern(200_000);
        NodeId node = MakeFile(Root, "f", data);
        HandleId handle = Open(node);
        Write(handle, 65_530, Pattern(12, 2));
        Pattern(12, 2).CopyTo(data, 65_530);
        AssertBytes(data, await ReadAsync(handle, 0, 300_000));
        Volume.Close(handle);
    }

    [Fact]
    public async Task A_read_at_or_past_the_end_gives_nothing()
    {
        HandleId handle = Open(MakeFile(Root, "f", Pattern(10)));
        Assert.Empty(await ReadAsync(handle, 10, 5));
        Assert.Empty(await ReadAsync(handle, long.MaxValue, 5));
        Assert.Equal(2, (await ReadAsync(handle, 8, 5)).Length);
        Volume.Close(handle);
    }

    [Fact]
    public async Task A_read_of_nothing_gives_nothing()
    {
        HandleId handle = Open(MakeFile(Root, "f", Pattern(10)));
        Assert.Empty(await ReadAsync(handle, 0, 0));
        Volume.Close(handle);
    }

    [Fact]
    public async Task A_read_at_a_negative_offset_is_Invalid()
    {
        HandleId handle = Open(MakeFile(Root, "f", Pattern(10)));
        Assert.Equal(FsStatus.Invalid, (await Volume.ReadAsync(handle, -1, new byte[1], CancellationToken.None)).Status);
        Assert.Equal(FsStatus.Invalid, Volume.Write(handle, -1, Pattern(1), WriteOptions.None));
        Volume.Close(handle);
    }

    [Fact]
    public async Task A_write_past_the_end_leaves_zeros_between()
    {
        NodeId node = MakeFile(Root, "f", Pattern(10));
        HandleId handle = Open(node);
        Write(handle, 100_000, Pattern(10, 2));
        AssertBytes([.. Pattern(10), .. new byte[99_990], .. Pattern(10, 2)], await ReadAsync(handle, 0, 200_000));
        Volume.Close(handle);
    }

    [Fact]
    public void A_write_of_nothing_changes_nothing()
    {
        NodeId node = MakeFile(Root, "f");
        HandleId handle = Open(node);
        AssertMarks(node, Marks.None, () => Write(handle, 1000, []));
        Assert.Equal(0, Stat(node).Size);
        Volume.Close(handle);
    }

    [Fact]
    public void A_write_through_a_handle_for_reading_is_BadHandle()
    {
        HandleId handle = Open(MakeFile(Root, "f"), OpenOptions.Read);
        Assert.Equal(FsStatus.BadHandle, Volume.Write(handle, 0, Pattern(1), WriteOptions.None));
        Volume.Close(handle);
    }

    [Fact]
    public async Task A_read_through_a_handle_for_writing_is_allowed()
    {
        HandleId handle = Open(MakeFile(Root, "f", Pattern(10)), OpenOptions.Write);
        AssertBytes(Pattern(10), await ReadAsync(handle, 0, 10));
        Volume.Close(handle);
    }

    [Fact]
    public async Task A_closed_or_unknown_handle_is_BadHandle_everywhere()
    {
        HandleId closed = Open(MakeFile(Root, "f", Pattern(10)));
        Volume.Close(closed);
        Assert.Equal(FsStatus.BadHandle, (await Volume.ReadAsync(closed, 0, new byte[1], CancellationToken.None)).Status);
        Assert.Equal(FsStatus.BadHandle, Volume.Write(closed, 0, Pattern(1), WriteOptions.None));
        Assert.Equal(FsStatus.BadHandle, Volume.Flush(closed));
        Assert.Equal(FsStatus.BadHandle, await Volume.FsyncAsync(closed, false, CancellationToken.None));
        Assert.Equal(FsStatus.BadHandle, Volume.Allocate(closed, 0, 1, AllocateOptions.None));
        Assert.Equal(FsStatus.BadHandle, Volume.Seek(closed, 0, SeekTarget.Data, out _));
        Assert.Equal(FsStatus.BadHandle, (await Volume.CopyRangeAsync(closed, 0, closed, 5, 1, CancellationToken.None)).Status);
        Assert.Equal(FsStatus.BadHandle, Volume.ReadDirectory(closed, 0, new DirectoryCollector()));
        Volume.Close(closed);
        Volume.CloseDirectory(closed);
    }

    [Fact]
    public void Handles_are_never_used_twice()
    {
        NodeId node = MakeFile(Root, "f");
        HandleId first = Open(node);
        Volume.Close(first);
        HandleId second = Open(node);
        Assert.NotEqual(first, second);
        Volume.Close(second);
    }

    [Fact]
    public void Open_of_what_is_no_regular_file_is_refused()
    {
        Assert.Equal(FsStatus.IsDirectory, Volume.Open(MakeDirectory(Root, "d"), OpenOptions.Read, out _));
        Assert.Equal(FsStatus.Loop, Volume.Open(MakeLink(Root, "l"), OpenOptions.Read, out _));
        Assert.Equal(FsStatus.NotFound, Volume.Open(Unknown, OpenOptions.Read, out _));
    }

    [Fact]
    public void Open_can_cut_to_nothing()
    {
        NodeId node = MakeFile(Root, "f", Pattern(1000));
        AssertMarks(node, Marks.Both, () => Volume.Close(Open(node, OpenOptions.Write | OpenOptions.Truncate)));
        Assert.Equal(0, Stat(node).Size);
        Assert.Equal(0, Stat(node).AllocatedBytes);
    }

    [Fact]
    public void Open_that_cuts_takes_privileges_when_told()
    {
        NodeId node = PrivilegedFile();
        Volume.Close(Open(node, OpenOptions.Write | OpenOptions.Truncate));
        Assert.Equal(0xDEDu, Stat(node).Mode & FileMode.PermissionMask);
        Volume.Close(Open(node, OpenOptions.Write | OpenOptions.Truncate | OpenOptions.KillPrivileges));
        AssertNoPrivileges(node);
    }

    [Fact]
    public async Task Append_writes_at_the_end_whatever_the_offset()
    {
        NodeId node = MakeFile(Root, "f", Pattern(10));
        HandleId first = Open(node, OpenOptions.Write | OpenOptions.Append);
        HandleId second = Open(node, OpenOptions.Write | OpenOptions.Append);
        Write(first, 0, [1, 2]);
        Write(second, 5, [3]);
        Write(first, 0, [4]);
        AssertBytes([.. Pattern(10), 1, 2, 3, 4], await ReadAllAsync(node));
        Volume.Close(first);
        Volume.Close(second);
    }

    [Fact]
    public async Task Append_from_several_threads_loses_nothing()
    {
        NodeId node = MakeFile(Root, "f");
        await Task.WhenAll(Enumerable.Range(1, 4).Select(writer => Task.Run(() =>
        {
            HandleId handle = Open(node, OpenOptions.Write | OpenOptions.Append);
            for (int i = 0; i < 200; i++)
            {
                Write(handle, 0, [(byte)writer, (byte)writer, (byte)writer]);
            }

            Volume.Close(handle);
        })));
        byte[] all = await ReadAllAsync(node);
        Assert.Equal(4 * 200 * 3, all.Length);
        Assert.All(all.Chunk(3), record => Assert.True(record[0] == record[1] && record[1] == record[2]));
        Assert.All(Enumerable.Range(1, 4), writer => Assert.Equal(600, all.Count(value => value == writer)));
    }

    [Fact]
    public async Task A_page_that_the_kernel_writes_back_goes_to_its_offset_and_marks_no_times()
    {
        NodeId node = MakeFile(Root, "f", Pattern(10));
        HandleId handle = Open(node, OpenOptions.Write | OpenOptions.Append);
        AssertMarks(node, Marks.None, () => Write(handle, 0, [7, 8], WriteOptions.FromPageCache));
        AssertBytes([7, 8, .. Pattern(10)[2..]], await ReadAllAsync(node));
        Volume.Close(handle);
    }

    [Fact]
    public void A_write_takes_privileges_when_told()
    {
        NodeId node = PrivilegedFile();
        HandleId handle = Open(node);
        Write(handle, 0, Pattern(1));
        Assert.Equal(0xDEDu, Stat(node).Mode & FileMode.PermissionMask);
        Write(handle, 0, Pattern(1), WriteOptions.KillPrivileges);
        AssertNoPrivileges(node);
        Volume.Close(handle);
    }

    [Fact]
    public void Create_makes_and_opens()
    {
        Ok(Volume.Create(Root, "f"u8, 0x180, OpenOptions.Write, Owner, out NodeAttributes made, out HandleId handle));
        Assert.Equal(FileMode.Regular | 0x180, made.Mode);
        Assert.Equal((Owner.Uid, Owner.Gid, 1u), (made.Uid, made.Gid, made.LinkCount));
        Write(handle, 0, Pattern(5));
        Assert.Equal(5, Stat(Find(Root, "f")).Size);
        Volume.Close(handle);
    }

    [Fact]
    public void Create_lets_the_maker_write_a_file_whose_mode_forbids_it()
    {
        Ok(Volume.Create(Root, "f"u8, 0, OpenOptions.Write, Owner, out _, out HandleId handle));
        Write(handle, 0, Pattern(5));
        Volume.Close(handle);
    }

    [Fact]
    public void Create_opens_an_existing_file_and_keeps_its_mode()
    {
        NodeId node = MakeFile(Root, "f", Pattern(5));
        Ok(Volume.Create(Root, "f"u8, 0, OpenOptions.Write, Caller.Root, out NodeAttributes found, out HandleId handle));
        Assert.Equal((node, FileMode.Regular | FileAccess, 5L), (found.Node, found.Mode, found.Size));
        Volume.Close(handle);
    }

    [Fact]
    public void Create_can_cut_an_existing_file()
    {
        NodeId node = MakeFile(Root, "f", Pattern(5));
        Ok(Volume.Create(Root, "f"u8, 0, OpenOptions.Write | OpenOptions.Truncate, Owner, out NodeAttributes found, out HandleId handle));
        Assert.Equal((node, 0L), (found.Node, found.Size));
        Volume.Close(handle);
    }

    [Fact]
    public void Create_that_is_exclusive_refuses_any_taken_name()
    {
        MakeFile(Root, "f", Pattern(5));
        MakeLink(Root, "l", "nowhere");
        OpenOptions options = OpenOptions.Write | OpenOptions.Exclusive | OpenOptions.Truncate;
        Assert.Equal(FsStatus.Exists, Volume.Create(Root, "f"u8, FileAccess, options, Owner, out _, out HandleId handle));
        Assert.Equal(HandleId.None, handle);
        Assert.Equal(FsStatus.Exists, Volume.Create(Root, "l"u8, FileAccess, options, Owner, out _, out _));
        Assert.Equal(5, Stat(Find(Root, "f")).Size);
    }

    [Fact]
    public void Create_of_what_is_no_regular_file_is_refused()
    {
        MakeDirectory(Root, "d");
        MakeLink(Root, "l");
        Assert.Equal(FsStatus.IsDirectory, Volume.Create(Root, "d"u8, FileAccess, OpenOptions.Write, Owner, out _, out _));
        Assert.Equal(FsStatus.Loop, Volume.Create(Root, "l"u8, FileAccess, OpenOptions.Write, Owner, out _, out _));
    }

    [Fact]
    public void Create_in_a_wrong_place_is_refused()
    {
        NodeId file = MakeFile(Root, "f");
        Assert.Equal(FsStatus.NotDirectory, Volume.Create(file, "x"u8, FileAccess, OpenOptions.Write, Owner, out _, out _));
        Assert.Equal(FsStatus.NotFound, Volume.Create(Unknown, "x"u8, FileAccess, OpenOptions.Write, Owner, out _, out _));
        byte[] name = Name(new string('n', 256));
        Assert.Equal(FsStatus.NameTooLong, Volume.Create(Root, name, FileAccess, OpenOptions.Write, Owner, out _, out _));
        Assert.Equal(FsStatus.Invalid, Volume.Create(Root, ".."u8, FileAccess, OpenOptions.Write, Owner, out _, out _));
    }

    [Fact]
    public async Task Fsync_and_Flush_of_what_is_open_are_Ok()
    {
        HandleId file = Open(MakeFile(Root, "f", Pattern(10)));
        Ok(Volume.OpenDirectory(Root, out HandleId directory));
        Ok(Volume.Flush(file));
        Ok(await Volume.FsyncAsync(file, true, CancellationToken.None));
        Ok(await Volume.FsyncAsync(file, false, CancellationToken.None));
        Ok(await Volume.FsyncAsync(directory, false, CancellationToken.None));
        Ok(await Volume.FsyncAsync(HandleId.None, false, CancellationToken.None));
        Volume.Close(file);
        Volume.CloseDirectory(directory);
    }

    [Fact]
    public async Task A_synchronous_handle_reads_what_it_wrote()
    {
        HandleId handle = Open(MakeFile(Root, "f"), OpenOptions.Read | OpenOptions.Write | OpenOptions.Synchronous);
        Write(handle, 3, Pattern(10));
        AssertBytes([0, 0, 0, .. Pattern(10)], await ReadAsync(handle, 0, 100));
        Volume.Close(handle);
    }

    [Fact]
    public async Task Two_handles_of_a_file_see_each_others_writes()
    {
        NodeId node = MakeFile(Root, "f");
        HandleId writer = Open(node);
        HandleId reader = Open(node, OpenOptions.Read);
        Write(writer, 0, Pattern(10));
        AssertBytes(Pattern(10), await ReadAsync(reader, 0, 100));
        Volume.Close(writer);
        AssertBytes(Pattern(10), await ReadAsync(reader, 0, 100));
        Volume.Close(reader);
    }

    /// <summary>Set-user-ID and set-group-ID with group execution, and a file capability.</summary>
    private NodeId PrivilegedFile(string name = "privileged")
    {
        NodeId node = MakeFile(Root, name, Pattern(10));
        SetMode(node, 0xDED);
        Ok(Volume.SetExtendedAttribute(node, "security.capability"u8, Pattern(20), AttributeSetOptions.None));
        return node;
    }

    private void AssertNoPrivileges(NodeId node)
    {
        Assert.Equal(0x1EDu, Stat(node).Mode & FileMode.PermissionMask);
        Assert.Equal(FsStatus.NoAttribute, Volume.GetExtendedAttribute(node, "security.capability"u8, default, out _));
    }
}
