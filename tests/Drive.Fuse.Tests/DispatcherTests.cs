using System.Runtime.InteropServices;
using System.Text;
using Drive.Core.Volumes;
using Drive.Fuse.Protocol;
using Drive.Testing;
using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Fuse.Tests;

public sealed class DispatcherTests : IDisposable
{
    private const ulong Root = 1;

    private readonly ReferenceVolume _volume = new(TimeProvider.System);
    private readonly Harness _harness;

    public DispatcherTests() => _harness = new(_volume);

    public void Dispose()
    {
        _harness.Dispose();
        Assert.Empty(_harness.Log.Errors);
    }

    [Fact]
    public void Terms_are_the_common_ones_and_never_a_write_back_cache()
    {
        using Harness fresh = new(_volume, initialize: false);
        InitIn input = new() { Major = 7, Minor = 99, MaxReadahead = 4096, Flags = uint.MaxValue };
        InitOut output = fresh.Send(Opcode.Init, 0, Harness.Bytes(input), Harness.Bytes(uint.MaxValue), new byte[44]).As<InitOut>();
        Assert.Equal(45u, output.Minor);
        Assert.Equal(1u << 20, output.MaxWrite);
        Assert.Equal(4096u, output.MaxReadahead);
        InitFlags agreed = (InitFlags)(((ulong)output.Flags2 << 32) | output.Flags);
        Assert.Equal(Terms.Wanted, agreed);
        Assert.Equal(InitFlags.None, agreed & InitFlags.WritebackCache);
        Assert.Equal(Errno.EINVAL, fresh.Send(Opcode.Init, 0, Harness.Bytes(input), new byte[48]).Error);
    }

    [Fact]
    public void An_old_kernel_is_refused_with_a_reason_and_a_newer_major_asked_again()
    {
        using Harness fresh = new(_volume, initialize: false);
        InitOut again = fresh.Send(Opcode.Init, 0, Harness.Bytes(new InitIn { Major = 8 }), new byte[48]).As<InitOut>();
        Assert.Equal(7u, again.Major);
        Assert.Equal(Errno.EIO, fresh.Send(Opcode.GetAttr, Root, new byte[16]).Error);
        Assert.Equal(Errno.EPROTO, fresh.Send(Opcode.Init, 0, Harness.Bytes(Harness.InitOf(30))).Error);
        Assert.Contains("Linux 5.4", fresh.Dispatcher.Refusal, StringComparison.Ordinal);
        Assert.False(fresh.Dispatcher.IsInitialized);
    }

    [Fact]
    public void A_created_file_is_found_by_its_number_and_shows_its_node()
    {
        EntryOut created = _harness.Create(Root, "a");
        EntryOut found = _harness.Lookup(Root, "a");
        Assert.Equal(created.NodeId, found.NodeId);
        Assert.True(found.EntryValidSeconds >= 3600 && found.AttrValidSeconds >= 3600);
        AttrOut attributes = _harness.Send(Opcode.GetAttr, found.NodeId, new byte[16]).As<AttrOut>();
        Assert.Equal(found.Attr.Inode, attributes.Attr.Inode);
        Assert.Equal(1000u, attributes.Attr.Uid);
        Assert.Equal(FileMode.Regular | 0x1a4, attributes.Attr.Mode);
    }

    [Fact]
    public void An_absent_name_is_answered_so_that_the_kernel_remembers_it()
    {
        EntryOut absent = _harness.Lookup(Root, "nothing");
        Assert.Equal(0UL, absent.NodeId);
        Assert.True(absent.EntryValidSeconds >= 3600);
    }

    [Fact]
    public void Names_that_no_directory_can_have_are_refused()
    {
        Assert.Equal(Errno.ENAMETOOLONG, _harness.Send(Opcode.Lookup, Root, Harness.Name(new string('x', 256))).Error);
        foreach (string name in new[] { string.Empty, ".", "..", "a/b" })
        {
            Assert.Equal(Errno.EINVAL, _harness.Send(Opcode.Lookup, Root, Harness.Name(name)).Error);
            Assert.Equal(Errno.EINVAL, _harness.Send(Opcode.Unlink, Root, Harness.Name(name)).Error);
        }

        Assert.Equal(Errno.EINVAL, _harness.Send(Opcode.Lookup, Root, Encoding.UTF8.GetBytes("no end")).Error);
    }

    [Fact]
    public void References_follow_forgets_single_and_in_batches()
    {
        ulong a = _harness.Create(Root, "a").NodeId;
        ulong b = _harness.Create(Root, "b").NodeId;
        _harness.Lookup(Root, "a");
        Assert.Null(_harness.TrySend(Opcode.Forget, a, Harness.Bytes(1UL)));
        Assert.Equal(2, _harness.Nodes.Count);
        byte[] batch = [.. Harness.Bytes(new BatchForgetIn { Count = 2 }), .. Harness.Bytes(new ForgetOne { NodeId = a, LookupCount = 1 }), .. Harness.Bytes(new ForgetOne { NodeId = b, LookupCount = 1 })];
        Assert.Null(_harness.TrySend(Opcode.BatchForget, 0, batch));
        Assert.Equal(0, _harness.Nodes.Count);
        Assert.Equal(Errno.ESTALE, _harness.Send(Opcode.GetAttr, a, new byte[16]).Error);
    }

    [Fact]
    public void A_reply_that_nobody_received_gives_nothing_away()
    {
        _harness.Create(Root, "a");
        int held = _harness.Nodes.Count;
        int open = _harness.Directories.Count;
        _harness.Channel.RefuseWith = Errno.ENOENT;
        Assert.Null(_harness.TrySend(Opcode.Mknod, Root, Harness.Bytes(new MknodIn { Mode = 0x81ff }), Harness.Name("b")));
        Assert.Null(_harness.TrySend(Opcode.Tmpfile, Root, Harness.Bytes(new CreateIn { Flags = 2, Mode = 0x1ff }), Harness.Name("c")));
        Assert.Null(_harness.TrySend(Opcode.Mkdir, Root, Harness.Bytes(new MkdirIn { Mode = 0x1ff }), Harness.Name("d")));
        Assert.Null(_harness.TrySend(Opcode.OpenDir, Root, new byte[8]));
        _harness.Channel.RefuseWith = 0;
        ulong handle = _harness.Send(Opcode.OpenDir, Root, new byte[8]).As<OpenOut>().Handle;
        _harness.Channel.RefuseWith = Errno.ENOENT;
        Assert.Null(_harness.TrySend(Opcode.ReadDirPlus, Root, Harness.Bytes(new ReadIn { Handle = handle, Size = 65536 })));
        Assert.Equal(held, _harness.Nodes.Count);
        Assert.Equal(open + 1, _harness.Directories.Count);
    }

    [Fact]
    public void Bytes_written_are_read_back_and_the_end_is_short()
    {
        EntryOut file = _harness.Create(Root, "a");
        Write(file, 3, "hello"u8.ToArray());
        Assert.Equal("\0\0\0hello"u8.ToArray(), Read(file, 0, 100));
        Assert.Empty(Read(file, 8, 100));
        Assert.Equal(Errno.EINVAL, _harness.Send(Opcode.Write, file.NodeId, Harness.Bytes(new WriteIn { Size = 9 }), new byte[8]).Error);
        Assert.Equal(Errno.EINVAL, _harness.Send(Opcode.Read, file.NodeId, Harness.Bytes(new ReadIn { Size = Terms.IoBytesMax + 1 })).Error);
        Assert.Equal(Errno.EBADF, _harness.Send(Opcode.Read, Root, Harness.Bytes(new ReadIn { Size = 1 })).Error);
    }

    [Fact]
    public void The_largest_write_fits()
    {
        EntryOut file = _harness.Create(Root, "a");
        byte[] data = new byte[Terms.IoBytesMax];
        new Random(1).NextBytes(data);
        Write(file, 0, data);
        Assert.Equal(data, Read(file, 0, data.Length));
    }

    [Fact]
    public void A_page_written_through_a_mapping_marks_the_file_as_modified()
    {
        EntryOut file = _harness.Create(Root, "a");
        SetAttrIn past = new() { Valid = SetAttrFields.ModifyTime, ModifySeconds = 1000 };
        Assert.Equal(0, _harness.Send(Opcode.SetAttr, file.NodeId, Harness.Bytes(past)).Error);
        Write(file, 0, new byte[10], WriteIn.FromPageCache);
        Assert.True(_harness.Send(Opcode.GetAttr, file.NodeId, new byte[16]).As<AttrOut>().Attr.ModifySeconds > 1000);
    }

    [Fact]
    public void Attributes_are_set_as_asked()
    {
        ulong node = _harness.Create(Root, "a").NodeId;
        SetAttrIn change = new()
        {
            Valid = SetAttrFields.Mode | SetAttrFields.Uid | SetAttrFields.Gid | SetAttrFields.Size | SetAttrFields.AccessTime | SetAttrFields.ModifyTime,
            Mode = 0x8000 | 0x180,
            Uid = 7,
            Gid = 8,
            Size = 12345,
            AccessSeconds = -2,
            AccessNanoseconds = 500,
            ModifySeconds = 9_000_000_000,
        };
        Attr attr = _harness.Send(Opcode.SetAttr, node, Harness.Bytes(change)).As<AttrOut>().Attr;
        Assert.Equal(FileMode.Regular | 0x180, attr.Mode);
        Assert.Equal((7u, 8u, 12345UL), (attr.Uid, attr.Gid, attr.Size));
        Assert.Equal((-2L, 500u, 9_000_000_000L), (attr.AccessSeconds, attr.AccessNanoseconds, attr.ModifySeconds));
        change.AccessNanoseconds = 1_000_000_000;
        Assert.Equal(Errno.EINVAL, _harness.Send(Opcode.SetAttr, node, Harness.Bytes(change)).Error);
    }

    [Fact]
    public void Renames_know_their_flags()
    {
        _harness.Create(Root, "a");
        _harness.Create(Root, "b");
        Assert.Equal(Errno.EEXIST, Rename("a", "b", 1));
        Assert.Equal(0, Rename("a", "b", 2));
        Assert.Equal(Errno.EINVAL, Rename("a", "b", 4));
        Assert.Equal(Errno.EINVAL, Rename("a", "b", 3));
        Assert.Equal(0, Rename("a", "b", 0));
        Assert.Equal(Errno.ESTALE, _harness.Send(Opcode.Rename, Root, Harness.Bytes(99UL), Harness.Name("b"), Harness.Name("c")).Error);
        int Rename(string from, string to, uint flags) =>
            _harness.Send(Opcode.Rename2, Root, Harness.Bytes(new Rename2In { NewParent = Root, Flags = flags }), Harness.Name(from), Harness.Name(to)).Error;
    }

    [Fact]
    public void A_listing_has_every_entry_once_and_counts_what_it_gives()
    {
        for (int i = 0; i < 100; i++)
        {
            _harness.MakeDirectory(Root, $"directory-{i}");
        }

        ulong handle = _harness.Send(Opcode.OpenDir, Root, new byte[8]).As<OpenOut>().Handle;
        Assert.Equal(102, List(Opcode.ReadDir, handle, 0).Count);
        List<string> names = List(Opcode.ReadDirPlus, handle, 128);
        Assert.Equal(102, names.Distinct().Count());
        Assert.Equal(100, _harness.Nodes.Count);
        foreach (ulong number in _harness.Nodes.Held())
        {
            // One from making it, one from the listing.
            Assert.Null(_harness.TrySend(Opcode.Forget, number, Harness.Bytes(2UL)));
        }

        Assert.Equal(0, _harness.Nodes.Count);
        Assert.Equal(0, _harness.Send(Opcode.ReleaseDir, Root, Harness.Bytes(new ReleaseIn { Handle = handle })).Error);
        Assert.Equal(Errno.EBADF, _harness.Send(Opcode.ReleaseDir, Root, Harness.Bytes(new ReleaseIn { Handle = handle })).Error);
    }

    [Fact]
    public void Extended_attributes_tell_their_length_first()
    {
        Assert.Equal(0, _harness.Send(Opcode.SetXattr, Root, Harness.Bytes(new SetXattrIn { Size = 5 }), Harness.Name("user.x"), "value"u8.ToArray()).Error);
        Assert.Equal(5u, Get(0).As<GetXattrOut>().Size);
        Assert.Equal("value"u8.ToArray(), Get(5).Body);
        Assert.Equal(Errno.ERANGE, Get(4).Error);
        Assert.Equal("user.x\0"u8.ToArray(), _harness.Send(Opcode.ListXattr, Root, Harness.Bytes(new GetXattrIn { Size = 64 })).Body);
        Assert.Equal(0, _harness.Send(Opcode.RemoveXattr, Root, Harness.Name("user.x")).Error);
        Assert.Equal(Errno.ENODATA, Get(64).Error);
        byte[] acl = Harness.Name("system.posix_acl_access");
        Assert.Equal(Errno.EOPNOTSUPP, _harness.Send(Opcode.SetXattr, Root, Harness.Bytes(new SetXattrIn { Size = 1 }), acl, new byte[1]).Error);
        Assert.Equal(Errno.EOPNOTSUPP, _harness.Send(Opcode.GetXattr, Root, Harness.Bytes(new GetXattrIn { Size = 10 }), acl).Error);
        Reply Get(uint size) => _harness.Send(Opcode.GetXattr, Root, Harness.Bytes(new GetXattrIn { Size = size }), Harness.Name("user.x"));
    }

    [Fact]
    public void A_label_that_is_absent_is_unsupported_and_one_that_was_set_is_kept()
    {
        Assert.Equal(Errno.EOPNOTSUPP, Get().Error);
        Assert.Equal(0, _harness.Send(Opcode.SetXattr, Root, Harness.Bytes(new SetXattrIn { Size = 5 }), Harness.Name("security.selinux"), "value"u8.ToArray()).Error);
        Assert.Equal("value"u8.ToArray(), Get().Body);
        Reply Get() => _harness.Send(Opcode.GetXattr, Root, Harness.Bytes(new GetXattrIn { Size = 255 }), Harness.Name("security.selinux"));
    }

    [Fact]
    public void A_file_made_without_a_name_is_held_by_reference_and_gone_with_it()
    {
        EntryOut file = _harness.Send(Opcode.Tmpfile, Root, Harness.Bytes(new CreateIn { Flags = 2, Mode = 0x1ff }), Harness.Name("x")).As<CreateOut>().Entry;
        Write(file, 0, "hello"u8.ToArray());
        Assert.Equal(0, _harness.Send(Opcode.Release, file.NodeId, Harness.Bytes(default(ReleaseIn))).Error);
        Assert.Equal("hello"u8.ToArray(), Read(file, 0, 100));
        Assert.Null(_harness.TrySend(Opcode.Forget, file.NodeId, Harness.Bytes(1UL)));
        Assert.Equal(Errno.ESTALE, _harness.Send(Opcode.Read, file.NodeId, Harness.Bytes(new ReadIn { Size = 1 })).Error);
    }

    [Fact]
    public void A_write_says_itself_that_it_appends()
    {
        EntryOut file = _harness.Create(Root, "a");
        Write(file, 0, "one"u8.ToArray());
        WriteIn append = new() { Size = 3, Flags = OpenFlags.Append };
        Assert.Equal(0, _harness.Send(Opcode.Write, file.NodeId, Harness.Bytes(append), "two"u8.ToArray()).Error);
        Assert.Equal("onetwo"u8.ToArray(), Read(file, 0, 100));
    }

    [Fact]
    public void What_the_kernel_does_itself_is_declined()
    {
        Assert.Equal(Errno.ENOSYS, _harness.Send(Opcode.Access, Root, new byte[8]).Error);
        Assert.Equal(Errno.ENOSYS, _harness.Send(Opcode.Poll, Root, new byte[24]).Error);
        Assert.Equal(Errno.ENOSYS, _harness.Send(Opcode.Open, Root, new byte[8]).Error);
        Assert.Equal(Errno.ENOSYS, _harness.Send(Opcode.Create, Root, Harness.Bytes(default(CreateIn)), Harness.Name("new")).Error);
        Assert.Equal(Errno.ENOSYS, _harness.Send(Opcode.Flush, Root, new byte[24]).Error);
        Assert.Equal(Errno.ENOSYS, _harness.Send(Opcode.SetLk, Root, new byte[48]).Error);
        Assert.Equal(Errno.ENOSYS, _harness.Send((Opcode)4096, Root, new byte[48]).Error);
        Assert.Equal(Errno.ENOTTY, _harness.Send(Opcode.Ioctl, Root, new byte[32]).Error);
        EntryOut file = _harness.Create(Root, "a");
        FallocateIn allocate = new() { Length = 10, Mode = 8 };
        Assert.Equal(Errno.EOPNOTSUPP, _harness.Send(Opcode.Fallocate, file.NodeId, Harness.Bytes(allocate)).Error);
    }

    [Fact]
    public void An_answer_from_before_a_change_is_not_kept()
    {
        _harness.Create(Root, "a");
        ChangingVolume changing = new(_volume);
        using Harness harness = new(changing);
        changing.OnCall = harness.Changes.Advance;
        EntryOut entry = harness.Lookup(Root, "a");
        Assert.Equal((0UL, 0UL), (entry.EntryValidSeconds, entry.AttrValidSeconds));
        Assert.NotEqual(0UL, entry.NodeId);
        Assert.Equal(Errno.ENOENT, harness.Send(Opcode.Lookup, Root, Harness.Name("absent")).Error);
    }

    [Fact]
    public void A_handler_that_throws_answers_EIO_and_says_so()
    {
        ChangingVolume throwing = new(_volume) { OnCall = static () => throw new InvalidOperationException("broken") };
        using Harness harness = new(throwing);
        Assert.Equal(Errno.EIO, harness.Send(Opcode.Lookup, Root, Harness.Name("a")).Error);
        Assert.Single(harness.Log.Errors);
    }

    [Fact]
    public void Birth_time_is_told_to_statx()
    {
        StatxOut output = _harness.Send(Opcode.Statx, Root, Harness.Bytes(default(StatxIn))).As<StatxOut>();
        Assert.NotEqual(0, output.BirthTime.Seconds);
        Assert.Equal((ushort)(FileMode.Directory | 0x1ed), output.Mode);
    }

    private void Write(in EntryOut file, ulong offset, byte[] data, uint flags = 0)
    {
        WriteIn input = new() { Offset = offset, Size = (uint)data.Length, WriteFlags = flags };
        Assert.Equal((uint)data.Length, _harness.Send(Opcode.Write, file.NodeId, Harness.Bytes(input), data).As<WriteOut>().Size);
    }

    private byte[] Read(in EntryOut file, ulong offset, int size) =>
        _harness.Send(Opcode.Read, file.NodeId, Harness.Bytes(new ReadIn { Offset = offset, Size = (uint)size })).Body;

    private List<string> List(Opcode opcode, ulong handle, int prefix)
    {
        List<string> names = [];
        ulong offset = 0;
        while (true)
        {
            byte[] body = _harness.Send(opcode, Root, Harness.Bytes(new ReadIn { Handle = handle, Offset = offset, Size = 2000 })).Body;
            if (body.Length == 0)
            {
                return names;
            }

            for (Span<byte> rest = body; !rest.IsEmpty;)
            {
                Dirent dirent = MemoryMarshal.Read<Dirent>(rest[prefix..]);
                names.Add(Encoding.UTF8.GetString(rest.Slice(prefix + Dirent.Size, (int)dirent.NameLength)));
                Assert.Equal(4u, dirent.Type);
                offset = dirent.Offset;
                rest = rest[((prefix + Dirent.Size + (int)dirent.NameLength + 7) & ~7)..];
            }
        }
    }

    private sealed class ChangingVolume(IVolume inner) : VolumeWrapper(inner)
    {
        private readonly IVolume _inner = inner;

        public Action OnCall { get; set; } = static () => { };

        public override FsStatus Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeAttributes attributes)
        {
            FsStatus status = _inner.Lookup(parent, name, out attributes);
            OnCall();
            return status;
        }
    }
}
