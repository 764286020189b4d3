using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Changing attributes.</summary>
public abstract partial class VolumeContract
{
    [Fact]
    public void Mode_changes_permission_bits_and_never_the_type()
    {
        NodeId node = MakeFile(Root, "f");
        Assert.Equal(FileMode.Regular | 0xFFF, SetMode(node, FileMode.Directory | 0xFFF).Mode);
        Assert.Equal(FileMode.Regular, SetMode(node, 0).Mode);
        NodeId directory = MakeDirectory(Root, "d");
        Assert.Equal(FileMode.Directory | FileMode.Sticky | 0x1FF, SetMode(directory, FileMode.Sticky | 0x1FF).Mode);
    }

    [Fact]
    public void Owner_and_group_change_apart()
    {
        NodeId node = MakeFile(Root, "f");
        NodeAttributes attributes = Change(node, new AttributeChange { Fields = AttributeFields.Uid, Uid = 5, Gid = 6 });
        Assert.Equal((5u, Owner.Gid), (attributes.Uid, attributes.Gid));
        attributes = Change(node, new AttributeChange { Fields = AttributeFields.Gid, Uid = 7, Gid = 8 });
        Assert.Equal((5u, 8u), (attributes.Uid, attributes.Gid));
    }

    [Fact]
    public void Owner_of_a_symbolic_link_changes()
    {
        NodeAttributes attributes = Change(MakeLink(Root, "l"), new AttributeChange { Fields = AttributeFields.Uid, Uid = 5 });
        Assert.Equal(5u, attributes.Uid);
    }

    [Fact]
    public void Change_of_owner_takes_privileges_when_told()
    {
        NodeId node = PrivilegedFile();
        Change(node, new AttributeChange { Fields = AttributeFields.Uid, Uid = 5 });
        Assert.Equal(0xDEDu, Stat(node).Mode & FileMode.PermissionMask);
        Change(node, new AttributeChange { Fields = AttributeFields.Uid | AttributeFields.KillPrivileges, Uid = 5 });
        AssertNoPrivileges(node);
    }

    [Fact]
    public void Change_of_owner_takes_the_capability_of_whatever_is_no_directory()
    {
        Ok(Volume.MakeNode(Root, Name("p"), FileMode.Fifo | FileAccess, 0, Owner, out NodeAttributes fifo));
        foreach ((NodeId node, bool stays) in new[] { (MakeLink(Root, "l"), false), (fifo.Node, false), (MakeDirectory(Root, "d"), true) })
        {
            Ok(Volume.SetExtendedAttribute(node, "security.capability"u8, Pattern(20), AttributeSetOptions.None));
            Change(node, new AttributeChange { Fields = AttributeFields.Uid | AttributeFields.KillPrivileges, Uid = 5 });
            Assert.Equal(stays ? FsStatus.Ok : FsStatus.NoAttribute, Volume.GetExtendedAttribute(node, "security.capability"u8, default, out _));
        }
    }

    [Fact]
    public void Cutting_takes_privileges_when_told()
    {
        NodeId node = PrivilegedFile();
        SetSize(node, 5);
        Assert.Equal(0xDEDu, Stat(node).Mode & FileMode.PermissionMask);
        Change(node, new AttributeChange { Fields = AttributeFields.Size | AttributeFields.KillPrivileges, Size = 4 });
        AssertNoPrivileges(node);
    }

    [Fact]
    public void Set_group_ID_without_group_execution_stays_when_privileges_go()
    {
        NodeId node = MakeFile(Root, "f");
        SetMode(node, FileMode.SetUserId | FileMode.SetGroupId | 0x1A4);
        NodeAttributes attributes = Change(node, new AttributeChange { Fields = AttributeFields.KillPrivileges });
        Assert.Equal(FileMode.SetGroupId | 0x1A4u, attributes.Mode & FileMode.PermissionMask);
    }

    [Fact]
    public void Times_are_set_to_the_nanosecond_and_before_1970()
    {
        NodeId node = MakeFile(Root, "f");
        NodeAttributes attributes = Change(node, new AttributeChange
        {
            Fields = AttributeFields.AccessTime | AttributeFields.ModifyTime,
            AccessTime = 1_234_567_890_123_456_789,
            ModifyTime = -1,
        });
        Assert.Equal((1_234_567_890_123_456_789, -1L), (attributes.AccessTime, attributes.ModifyTime));
        Assert.Equal(attributes, Stat(node));
    }

    [Fact]
    public void Times_are_set_to_now()
    {
        NodeId node = MakeFile(Root, "f");
        Change(node, new AttributeChange { Fields = AttributeFields.AccessTime | AttributeFields.ModifyTime });
        Tick();
        NodeAttributes attributes = Change(node, new AttributeChange { Fields = AttributeFields.AccessTimeNow | AttributeFields.ModifyTimeNow });
        Assert.Equal((Now(), Now(), Now()), (attributes.AccessTime, attributes.ModifyTime, attributes.ChangeTime));
    }

    [Fact]
    public void One_time_is_set_and_the_other_stays()
    {
        NodeId node = MakeFile(Root, "f");
        NodeAttributes before = Stat(node);
        NodeAttributes after = Change(node, new AttributeChange { Fields = AttributeFields.AccessTime, AccessTime = 5, ModifyTime = 6 });
        Assert.Equal((5L, before.ModifyTime), (after.AccessTime, after.ModifyTime));
        after = Change(node, new AttributeChange { Fields = AttributeFields.ModifyTime, AccessTime = 7, ModifyTime = 8 });
        Assert.Equal((5L, 8L), (after.AccessTime, after.ModifyTime));
    }

    [Fact]
    public void Change_time_is_set_only_when_asked()
    {
        NodeId node = MakeFile(Root, "f");
        NodeAttributes attributes = Change(node, new AttributeChange
        {
            Fields = AttributeFields.ModifyTime | AttributeFields.ChangeTime,
            ModifyTime = 5,
            ChangeTime = 6,
        });
        Assert.Equal((5L, 6L), (attributes.ModifyTime, attributes.ChangeTime));
    }

    [Fact]
    public void A_given_modification_time_wins_over_that_of_a_cut()
    {
        NodeAttributes attributes = Change(MakeFile(Root, "f", Pattern(10)), new AttributeChange
        {
            Fields = AttributeFields.Size | AttributeFields.ModifyTime,
            Size = 5,
            ModifyTime = 77,
        });
        Assert.Equal((5L, 77L), (attributes.Size, attributes.ModifyTime));
    }

    [Fact]
    public void A_change_of_nothing_changes_nothing()
    {
        NodeId node = MakeFile(Root, "f");
        NodeAttributes before = Stat(node);
        Tick();
        Assert.Equal(before, Change(node, default));
    }

    [Fact]
    public void A_change_that_is_refused_changes_nothing()
    {
        NodeId node = MakeFile(Root, "f", Pattern(10));
        NodeAttributes before = Stat(node);
        Tick();
        AttributeChange change = new()
        {
            Fields = AttributeFields.Mode | AttributeFields.Uid | AttributeFields.Size,
            Mode = 0,
            Uid = 3,
            Size = -5,
        };
        Assert.Equal(FsStatus.Invalid, Volume.SetAttributes(node, HandleId.None, change, out _));
        Assert.Equal(before, Stat(node));
    }

    [Fact]
    public void Attributes_of_an_unknown_node_do_not_change() =>
        Assert.Equal(FsStatus.NotFound, Volume.SetAttributes(Unknown, HandleId.None, new AttributeChange { Fields = AttributeFields.Mode }, out _));
}
