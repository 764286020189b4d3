using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Sizes, holes, fallocate, lseek, copy_file_range.</summary>
public abstract partial class VolumeContract
{
    private const int Mega = 1 << 20;

    [Fact]
    public async Task Cutting_and_growing_again_shows_zeros()
    {
        NodeId node = MakeFile(Root, "f", Pattern(100_000));
        Assert.Equal(70_001, SetSize(node, 70_001).Size);
        Assert.Equal(100_000, SetSize(node, 100_000).Size);
        AssertBytes([.. Pattern(100_000)[..70_001], .. new byte[29_999]], await ReadAllAsync(node));
    }

    [Fact]
    public async Task Cutting_to_nothing_and_writing_far_shows_zeros_before()
    {
        NodeId node = MakeFile(Root, "f", Pattern(100));
        SetSize(node, 0);
        HandleId handle = Open(node);
        Write(handle, 50, Pattern(10, 2));
        AssertBytes([.. new byte[50], .. Pattern(10, 2)], await ReadAllAsync(node));
        Volume.Close(handle);
    }

    [Fact]
    public void Cutting_through_a_handle_for_writing_works_and_for_reading_does_not()
    {
        NodeId node = MakeFile(Root, "f", Pattern(100));
        HandleId writer = Open(node, OpenOptions.Write);
        HandleId reader = Open(node, OpenOptions.Read);
        AttributeChange change = new() { Fields = AttributeFields.Size, Size = 10 };
        Assert.Equal(FsStatus.BadHandle, Volume.SetAttributes(node, reader, change, out _));
        Ok(Volume.SetAttributes(node, writer, change, out NodeAttributes attributes));
        Assert.Equal(10, attributes.Size);
        Volume.Close(writer);
        Volume.Close(reader);
        Assert.Equal(FsStatus.BadHandle, Volume.SetAttributes(node, writer, change, out _));
    }

    [Fact]
    public void Size_of_what_is_no_regular_file_is_refused()
    {
        AttributeChange change = new() { Fields = AttributeFields.Size, Size = 10 };
        Assert.Equal(FsStatus.IsDirectory, Volume.SetAttributes(MakeDirectory(Root, "d"), HandleId.None, change, out _));
        Assert.Equal(FsStatus.Invalid, Volume.SetAttributes(MakeLink(Root, "l"), HandleId.None, change, out _));
        change.Size = -1;
        Assert.Equal(FsStatus.Invalid, Volume.SetAttributes(MakeFile(Root, "f"), HandleId.None, change, out _));
    }

    [Fact]
    public async Task A_file_of_a_tebibyte_costs_what_is_in_it()
    {
        NodeId node = MakeFile(Root, "f");
        SetSize(node, 1L << 40);
        Assert.Equal((1L << 40, 0L), (Stat(node).Size, Stat(node).AllocatedBytes));
        HandleId handle = Open(node);
        Write(handle, 1L << 39, Pattern(Mega));
        Assert.InRange(Stat(node).AllocatedBytes, Mega, 4 * Mega);
        AssertBytes(Pattern(Mega), await ReadAsync(handle, 1L << 39, Mega));
        AssertBytes(new byte[100], await ReadAsync(handle, (1L << 40) - 100, 1000));
        Volume.Close(handle);
    }

    [Fact]
    public async Task The_last_byte_that_a_file_can_have()
    {
        NodeId node = MakeFile(Root, "f");
        HandleId handle = Open(node);
        Assert.Equal(long.MaxValue, SetSize(node, long.MaxValue).Size);
        Write(handle, long.MaxValue - 1, [9]);
        AssertBytes([9], await ReadAsync(handle, long.MaxValue - 1, 10));
        Assert.Equal(FsStatus.TooLarge, Volume.Write(handle, long.MaxValue - 1, [1, 2], WriteOptions.None));
        Assert.Equal(FsStatus.TooLarge, Volume.Write(handle, long.MaxValue, [1], WriteOptions.None));
        Assert.Equal(FsStatus.TooLarge, Volume.Allocate(handle, long.MaxValue, 1, AllocateOptions.KeepSize | AllocateOptions.PunchHole));
        Assert.Equal(long.MaxValue, Stat(node).Size);
        Volume.Close(handle);
    }

    [Fact]
    public async Task Punching_makes_zeros_and_gives_space_back()
    {
        NodeId node = MakeFile(Root, "f", Pattern(4 * Mega));
        HandleId handle = Open(node);
        long before = Stat(node).AllocatedBytes;
        Ok(Volume.Allocate(handle, Mega + 5, (2 * Mega) - 3, AllocateOptions.PunchHole | AllocateOptions.KeepSize));
        byte[] expected = Pattern(4 * Mega);
        expected.AsSpan(Mega + 5, (2 * Mega) - 3).Clear();
        AssertBytes(expected, await ReadAllAsync(node));
        Assert.InRange(Stat(node).AllocatedBytes, Mega, before - Mega);
        Volume.Close(handle);
    }

    [Fact]
    public async Task Punching_across_the_end_keeps_the_size()
    {
        NodeId node = MakeFile(Root, "f", Pattern(100_000));
        HandleId handle = Open(node);
        Ok(Volume.Allocate(handle, 99_000, 1L << 40, AllocateOptions.PunchHole | AllocateOptions.KeepSize));
        Ok(Volume.Allocate(handle, 1L << 41, 5, AllocateOptions.PunchHole | AllocateOptions.KeepSize));
        AssertBytes([.. Pattern(100_000)[..99_000], .. new byte[1000]], await ReadAllAsync(node));
        Volume.Close(handle);
    }

    [Fact]
    public void Punching_that_may_grow_or_zero_is_NotSupported()
    {
        HandleId handle = Open(MakeFile(Root, "f", Pattern(10)));
        Assert.Equal(FsStatus.NotSupported, Volume.Allocate(handle, 0, 5, AllocateOptions.PunchHole));
        AllocateOptions both = AllocateOptions.PunchHole | AllocateOptions.ZeroRange | AllocateOptions.KeepSize;
        Assert.Equal(FsStatus.NotSupported, Volume.Allocate(handle, 0, 5, both));
        Volume.Close(handle);
    }

    [Fact]
    public async Task Zeroing_makes_zeros_and_grows_unless_told_not_to()
    {
        NodeId node = MakeFile(Root, "f", Pattern(100));
        HandleId handle = Open(node);
        Ok(Volume.Allocate(handle, 90, 20, AllocateOptions.ZeroRange | AllocateOptions.KeepSize));
        AssertBytes([.. Pattern(100)[..90], .. new byte[10]], await ReadAllAsync(node));
        Ok(Volume.Allocate(handle, 80, 50, AllocateOptions.ZeroRange));
        AssertBytes([.. Pattern(100)[..80], .. new byte[50]], await ReadAllAsync(node));
        Volume.Close(handle);
    }

    [Fact]
    public async Task Allocating_grows_and_never_changes_bytes()
    {
        NodeId node = MakeFile(Root, "f", Pattern(100));
        HandleId handle = Open(node);
        Ok(Volume.Allocate(handle, 50, 100, AllocateOptions.None));
        AssertBytes([.. Pattern(100), .. new byte[50]], await ReadAllAsync(node));
        Ok(Volume.Allocate(handle, 0, 1000, AllocateOptions.KeepSize));
        Ok(Volume.Allocate(handle, 0, 10, AllocateOptions.None));
        Assert.Equal(150, Stat(node).Size);
        Volume.Close(handle);
    }

    [Fact]
    public void Allocating_a_range_that_is_none_is_Invalid()
    {
        HandleId handle = Open(MakeFile(Root, "f"));
        Assert.Equal(FsStatus.Invalid, Volume.Allocate(handle, 0, 0, AllocateOptions.None));
        Assert.Equal(FsStatus.Invalid, Volume.Allocate(handle, -1, 5, AllocateOptions.None));
        Assert.Equal(FsStatus.Invalid, Volume.Allocate(handle, 0, -5, AllocateOptions.None));
        Volume.Close(handle);
    }

    [Fact]
    public void Allocating_through_a_handle_for_reading_is_BadHandle()
    {
        HandleId handle = Open(MakeFile(Root, "f"), OpenOptions.Read);
        Assert.Equal(FsStatus.BadHandle, Volume.Allocate(handle, 0, 5, AllocateOptions.None));
        Volume.Close(handle);
    }

    [Fact]
    public void Seek_finds_data_and_holes()
    {
        NodeId node = MakeFile(Root, "f");
        SetSize(node, 16 * Mega);
        HandleId handle = Open(node);
        Write(handle, 8 * Mega, Pattern(Mega));
        Ok(Volume.Seek(handle, 0, SeekTarget.Data, out long data));
        Assert.InRange(data, 7 * Mega, 8 * Mega);
        Ok(Volume.Seek(handle, 8 * Mega, SeekTarget.Data, out data));
        Assert.Equal(8 * Mega, data);
        Ok(Volume.Seek(handle, 8 * Mega, SeekTarget.Hole, out long hole));
        Assert.InRange(hole, 9 * Mega, 10 * Mega);
        Ok(Volume.Seek(handle, 3, SeekTarget.Hole, out hole));
        Assert.Equal(3, hole);
        Assert.Equal(FsStatus.NoSuchOffset, Volume.Seek(handle, 12 * Mega, SeekTarget.Data, out _));
        Volume.Close(handle);
    }

    [Fact]
    public void Seek_in_a_full_file_finds_its_end_as_hole()
    {
        HandleId handle = Open(MakeFile(Root, "f", Pattern(100_000)));
        Ok(Volume.Seek(handle, 5, SeekTarget.Hole, out long hole));
        Assert.Equal(100_000, hole);
        Ok(Volume.Seek(handle, 99_999, SeekTarget.Data, out long data));
        Assert.Equal(99_999, data);
        Volume.Close(handle);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(-1)]
    public void Seek_outside_the_file_is_NoSuchOffset(long offset)
    {
        HandleId handle = Open(MakeFile(Root, "f", Pattern(10)));
        Assert.Equal(FsStatus.NoSuchOffset, Volume.Seek(handle, offset, SeekTarget.Data, out _));
        Assert.Equal(FsStatus.NoSuchOffset, Volume.Seek(handle, offset, SeekTarget.Hole, out _));
        Volume.Close(handle);
    }

    [Fact]
    public async Task CopyRange_copies_and_grows_the_target()
    {
        HandleId source = Open(MakeFile(Root, "s", Pattern(3 * Mega)), OpenOptions.Read);
        NodeId node = MakeFile(Root, "t", Pattern(100, 2));
        HandleId target = Open(node);
        Assert.Equal(IoResult.Done((2 * Mega) + 7), await Volume.CopyRangeAsync(source, 5, target, 50, (2 * Mega) + 7, CancellationToken.None));
        AssertBytes([.. Pattern(100, 2)[..50], .. Pattern(3 * Mega)[5..((2 * Mega) + 12)]], await ReadAllAsync(node));
        Volume.Close(source);
        Volume.Close(target);
    }

    [Fact]
    public async Task CopyRange_ends_at_the_end_of_the_source()
    {
        HandleId source = Open(MakeFile(Root, "s", Pattern(100)), OpenOptions.Read);
        NodeId node = MakeFile(Root, "t");
        HandleId target = Open(node);
        Assert.Equal(IoResult.Done(10), await Volume.CopyRangeAsync(source, 90, target, 0, 1000, CancellationToken.None));
        Assert.Equal(IoResult.Done(0), await Volume.CopyRangeAsync(source, 100, target, 0, 1000, CancellationToken.None));
        Assert.Equal(10, Stat(node).Size);
        Volume.Close(source);
        Volume.Close(target);
    }

    [Fact]
    public async Task CopyRange_leaves_the_copy_alone_when_the_source_changes()
    {
        HandleId source = Open(MakeFile(Root, "s", Pattern(2 * Mega)));
        NodeId node = MakeFile(Root, "t");
        HandleId target = Open(node);
        await Volume.CopyRangeAsync(source, 0, target, 0, 2 * Mega, CancellationToken.None);
        Write(source, 1000, Pattern(5000, 3));
        AssertBytes(Pattern(2 * Mega), await ReadAllAsync(node));
        Volume.Close(source);
        Volume.Close(target);
    }

    [Fact]
    public async Task CopyRange_within_a_file_must_not_overlap()
    {
        NodeId node = MakeFile(Root, "f", Pattern(1000));
        HandleId handle = Open(node);
        Assert.Equal(FsStatus.Invalid, (await Volume.CopyRangeAsync(handle, 0, handle, 500, 501, CancellationToken.None)).Status);
        Assert.Equal(IoResult.Done(500), await Volume.CopyRangeAsync(handle, 0, handle, 500, 500, CancellationToken.None));
        AssertBytes([.. Pattern(1000)[..500], .. Pattern(1000)[..500]], await ReadAllAsync(node));
        Volume.Close(handle);
    }

    [Fact]
    public async Task CopyRange_copies_holes_over_data()
    {
        NodeId sparse = MakeFile(Root, "s");
        SetSize(sparse, 1000);
        HandleId source = Open(sparse);
        NodeId node = MakeFile(Root, "t", Pattern(1000));
        HandleId target = Open(node);
        Assert.Equal(IoResult.Done(1000), await Volume.CopyRangeAsync(source, 0, target, 0, 1000, CancellationToken.None));
        AssertBytes(new byte[1000], await ReadAllAsync(node));
        Volume.Close(source);
        Volume.Close(target);
    }

    [Fact]
    public async Task CopyRange_needs_a_target_for_writing_that_does_not_append()
    {
        NodeId node = MakeFile(Root, "f", Pattern(100));
        HandleId reader = Open(node, OpenOptions.Read);
        HandleId appender = Open(node, OpenOptions.Write | OpenOptions.Append);
        Assert.Equal(FsStatus.BadHandle, (await Volume.CopyRangeAsync(reader, 0, reader, 50, 10, CancellationToken.None)).Status);
        Assert.Equal(FsStatus.BadHandle, (await Volume.CopyRangeAsync(reader, 0, appender, 50, 10, CancellationToken.None)).Status);
        Volume.Close(reader);
        Volume.Close(appender);
    }
}
