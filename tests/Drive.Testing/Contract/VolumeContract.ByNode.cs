using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>A file's node in place of a handle to it.</summary>
public abstract partial class VolumeContract
{
    [Fact]
    public async Task A_file_is_written_and_read_by_its_node()
    {
        byte[] data = Pattern(100_000);
        HandleId file = HandleId.Of(MakeFile(Root, "f"));
        Write(file, 0, data);
        AssertBytes(data, await ReadAsync(file, 0, data.Length + 10));
        Ok(await Volume.FsyncAsync(file, dataOnly: true, CancellationToken.None));
        Ok(Volume.Flush(file));
        Assert.Equal(data.Length, Stat(file.Node).Size);
    }

    [Fact]
    public async Task A_write_by_node_says_itself_that_it_appends_and_is_to_be_on_the_disk()
    {
        HandleId file = HandleId.Of(MakeFile(Root, "f", Pattern(10)));
        Write(file, 3, Pattern(5, 2), WriteOptions.Append | WriteOptions.Synchronous);
        AssertBytes([.. Pattern(10), .. Pattern(5, 2)], await ReadAsync(file, 0, 100));
        Write(file, 3, Pattern(5, 2), WriteOptions.Append | WriteOptions.FromPageCache);
        Assert.Equal(15, Stat(file.Node).Size);
    }

    [Fact]
    public async Task Ranges_are_made_found_and_copied_by_node()
    {
        HandleId from = HandleId.Of(MakeFile(Root, "from", Pattern(8192)));
        HandleId to = HandleId.Of(MakeFile(Root, "to"));
        Ok(Volume.Allocate(from, 0, 4096, AllocateOptions.PunchHole | AllocateOptions.KeepSize));
        Ok(Volume.Seek(from, 0, SeekTarget.Data, out long data));
        Assert.InRange(data, 0, 4096);
        Assert.Equal(IoResult.Done(4096), await Volume.CopyRangeAsync(from, 4096, to, 0, 4096, CancellationToken.None));
        AssertBytes(Pattern(8192)[4096..], await ReadAsync(to, 0, 10_000));
    }

    [Fact]
    public async Task What_is_no_file_has_no_content_by_its_node()
    {
        foreach (NodeId node in new[] { Root, MakeLink(Root, "link"), Unknown })
        {
            Assert.Equal(FsStatus.BadHandle, (await Volume.ReadAsync(HandleId.Of(node), 0, new byte[1], CancellationToken.None)).Status);
            Assert.Equal(FsStatus.BadHandle, Volume.Write(HandleId.Of(node), 0, new byte[1], WriteOptions.None));
            Assert.Equal(FsStatus.BadHandle, Volume.Seek(HandleId.Of(node), 0, SeekTarget.Data, out _));
            Assert.Equal(FsStatus.BadHandle, Volume.Allocate(HandleId.Of(node), 0, 1, AllocateOptions.None));
        }
    }

    [Fact]
    public async Task An_unlinked_file_is_usable_by_its_node_until_it_is_forgotten()
    {
        HandleId file = HandleId.Of(MakeFile(Root, "f", Pattern(10)));
        Ok(Volume.SetExtendedAttribute(file.Node, Name("user.a"), Pattern(3), AttributeSetOptions.None));
        Ok(Volume.Unlink(Root, Name("f")));
        Ok(await Volume.FsyncAsync(HandleId.None, dataOnly: false, CancellationToken.None));
        Write(file, 10, Pattern(10, 2));
        AssertBytes([.. Pattern(10), .. Pattern(10, 2)], await ReadAsync(file, 0, 100));
        Ok(Volume.GetExtendedAttribute(file.Node, Name("user.a"), new byte[3], out int length));
        Assert.Equal(3, length);
        Volume.Forget(file.Node);
        Assert.Equal(FsStatus.BadHandle, Volume.Write(file, 0, Pattern(1), WriteOptions.None));
    }
}
