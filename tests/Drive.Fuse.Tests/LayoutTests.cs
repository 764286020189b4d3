using System.Runtime.CompilerServices;
using Drive.Fuse.Protocol;

namespace Drive.Fuse.Tests;

/// <summary>The structs lie as linux/fuse.h lays them out (protocol 7.45).</summary>
public sealed class LayoutTests
{
    [Fact]
    public void Sizes_are_those_of_the_header()
    {
        Assert.Equal(40, Unsafe.SizeOf<InHeader>());
        Assert.Equal(16, Unsafe.SizeOf<OutHeader>());
        Assert.Equal(88, Unsafe.SizeOf<Attr>());
        Assert.Equal(128, Unsafe.SizeOf<EntryOut>());
        Assert.Equal(104, Unsafe.SizeOf<AttrOut>());
        Assert.Equal(16, Unsafe.SizeOf<OpenOut>());
        Assert.Equal(144, Unsafe.SizeOf<CreateOut>());
        Assert.Equal(16, Unsafe.SizeOf<InitIn>());
        Assert.Equal(64, Unsafe.SizeOf<InitOut>());
        Assert.Equal(80, Unsafe.SizeOf<StatFsOut>());
        Assert.Equal(24, Unsafe.SizeOf<Dirent>());
        Assert.Equal(24, Unsafe.SizeOf<StatxIn>());
        Assert.Equal(288, Unsafe.SizeOf<StatxOut>());
        Assert.Equal(88, Unsafe.SizeOf<SetAttrIn>());
        Assert.Equal(16, Unsafe.SizeOf<MknodIn>());
        Assert.Equal(8, Unsafe.SizeOf<MkdirIn>());
        Assert.Equal(16, Unsafe.SizeOf<Rename2In>());
        Assert.Equal(16, Unsafe.SizeOf<CreateIn>());
        Assert.Equal(40, Unsafe.SizeOf<ReadIn>());
        Assert.Equal(40, Unsafe.SizeOf<WriteIn>());
        Assert.Equal(24, Unsafe.SizeOf<ReleaseIn>());
        Assert.Equal(16, Unsafe.SizeOf<FsyncIn>());
        Assert.Equal(32, Unsafe.SizeOf<FallocateIn>());
        Assert.Equal(24, Unsafe.SizeOf<LseekIn>());
        Assert.Equal(56, Unsafe.SizeOf<CopyFileRangeIn>());
        Assert.Equal(24, Unsafe.SizeOf<InvalidateInodeOut>());
        Assert.Equal(16, Unsafe.SizeOf<InvalidateEntryOut>());
    }

    [Fact]
    public void Offsets_are_those_of_the_header()
    {
        InHeader header = default;
        Assert.Equal(16, OffsetOf(ref header, ref header.NodeId));
        Assert.Equal(36, OffsetOf(ref header, ref header.ExtensionLength));
        Attr attr = default;
        Assert.Equal(24, OffsetOf(ref attr, ref attr.AccessSeconds));
        Assert.Equal(60, OffsetOf(ref attr, ref attr.Mode));
        Assert.Equal(80, OffsetOf(ref attr, ref attr.BlockSize));
        EntryOut entry = default;
        Assert.Equal(40, OffsetOf(ref entry, ref entry.Attr));
        SetAttrIn setAttr = default;
        Assert.Equal(32, OffsetOf(ref setAttr, ref setAttr.AccessSeconds));
        Assert.Equal(68, OffsetOf(ref setAttr, ref setAttr.Mode));
        Assert.Equal(76, OffsetOf(ref setAttr, ref setAttr.Uid));
        InitOut init = default;
        Assert.Equal(16, OffsetOf(ref init, ref init.MaxBackground));
        Assert.Equal(20, OffsetOf(ref init, ref init.MaxWrite));
        Assert.Equal(28, OffsetOf(ref init, ref init.MaxPages));
        Assert.Equal(32, OffsetOf(ref init, ref init.Flags2));
        StatFsOut space = default;
        Assert.Equal(40, OffsetOf(ref space, ref space.BlockSize));
        Assert.Equal(48, OffsetOf(ref space, ref space.FragmentSize));
        StatxOut statx = default;
        Assert.Equal(32, OffsetOf(ref statx, ref statx.Mask));
        Assert.Equal(32 + 28, OffsetOf(ref statx, ref statx.Mode));
        Assert.Equal(32 + 32, OffsetOf(ref statx, ref statx.Inode));
        Assert.Equal(32 + 64, OffsetOf(ref statx, ref statx.AccessTime));
        Assert.Equal(32 + 80, OffsetOf(ref statx, ref statx.BirthTime));
        Assert.Equal(32 + 112, OffsetOf(ref statx, ref statx.ModifyTime));
        Assert.Equal(32 + 128, OffsetOf(ref statx, ref statx.DeviceMajor));
        CopyFileRangeIn copy = default;
        Assert.Equal(24, OffsetOf(ref copy, ref copy.TargetHandle));
        Assert.Equal(48, OffsetOf(ref copy, ref copy.Flags));
    }

    private static int OffsetOf<TStruct, TField>(ref TStruct whole, ref TField field) =>
        (int)Unsafe.ByteOffset(ref Unsafe.As<TStruct, byte>(ref whole), ref Unsafe.As<TField, byte>(ref field));
}
