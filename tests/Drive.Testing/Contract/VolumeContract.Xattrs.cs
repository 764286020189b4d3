using System.Text;
using Drive.Core.Volumes;

namespace Drive.Testing;

/// <summary>Extended attributes.</summary>
public abstract partial class VolumeContract
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(65536)]
    public void An_attribute_keeps_its_value(int length)
    {
        NodeId node = MakeFile(Root, "f");
        Ok(SetXattr(node, "user.x", Pattern(length)));
        Assert.Equal(Pattern(length), GetXattr(node, "user.x"));
    }

    [Fact]
    public void Attributes_are_kept_on_every_kind_of_node()
    {
        Ok(Volume.MakeNode(Root, "p"u8, FileMode.Fifo | FileAccess, 0, Owner, out NodeAttributes fifo));
        foreach (NodeId node in (NodeId[])[Root, MakeFile(Root, "f"), MakeDirectory(Root, "d"), MakeLink(Root, "l"), fifo.Node])
        {
            Ok(SetXattr(node, "trusted.x", [1, 2]));
            AssertBytes([1, 2], GetXattr(node, "trusted.x"));
            Assert.Equal(["trusted.x"], ListXattrs(node));
        }
    }

    [Fact]
    public void An_attribute_over_64_KiB_is_ValueTooLarge() =>
        Assert.Equal(FsStatus.ValueTooLarge, SetXattr(MakeFile(Root, "f"), "user.x", new byte[65537]));

    [Fact]
    public void Attribute_names_have_1_to_255_bytes()
    {
        NodeId node = MakeFile(Root, "f");
        string longest = "user." + new string('n', 250);
        Ok(SetXattr(node, longest, [1]));
        Assert.Equal([longest], ListXattrs(node));
        Assert.Equal(FsStatus.NameTooLong, SetXattr(node, longest + "n", [1]));
        Assert.Equal(FsStatus.Invalid, SetXattr(node, "", [1]));
    }

    [Fact]
    public void An_absent_attribute_is_NoAttribute()
    {
        NodeId node = MakeFile(Root, "f");
        Assert.Equal(FsStatus.NoAttribute, Volume.GetExtendedAttribute(node, "user.x"u8, new byte[10], out _));
        Assert.Equal(FsStatus.NoAttribute, Volume.RemoveExtendedAttribute(node, "user.x"u8));
    }

    [Fact]
    public void A_buffer_that_is_too_small_is_BufferTooSmall()
    {
        NodeId node = MakeFile(Root, "f");
        Ok(SetXattr(node, "user.x", Pattern(10)));
        Assert.Equal(FsStatus.BufferTooSmall, Volume.GetExtendedAttribute(node, "user.x"u8, new byte[9], out _));
        Assert.Equal(FsStatus.BufferTooSmall, Volume.ListExtendedAttributes(node, new byte[6], out _));
        Ok(Volume.GetExtendedAttribute(node, "user.x"u8, new byte[10], out int length));
        Assert.Equal(10, length);
    }

    [Fact]
    public void An_empty_buffer_asks_for_the_length()
    {
        NodeId node = MakeFile(Root, "f");
        Ok(SetXattr(node, "user.x", Pattern(10)));
        Ok(Volume.GetExtendedAttribute(node, "user.x"u8, default, out int length));
        Assert.Equal(10, length);
        Ok(Volume.ListExtendedAttributes(node, default, out length));
        Assert.Equal(7, length);
    }

    [Fact]
    public void Setting_replaces_unless_told_otherwise()
    {
        NodeId node = MakeFile(Root, "f");
        Assert.Equal(FsStatus.NoAttribute, SetXattr(node, "user.x", [1], AttributeSetOptions.ReplaceOnly));
        Ok(SetXattr(node, "user.x", [2], AttributeSetOptions.CreateOnly));
        Assert.Equal(FsStatus.Exists, SetXattr(node, "user.x", [3], AttributeSetOptions.CreateOnly));
        AssertBytes([2], GetXattr(node, "user.x"));
        Ok(SetXattr(node, "user.x", [4, 4], AttributeSetOptions.ReplaceOnly));
        Ok(SetXattr(node, "user.x", [5]));
        AssertBytes([5], GetXattr(node, "user.x"));
    }

    [Fact]
    public void Removing_takes_one_attribute()
    {
        NodeId node = MakeFile(Root, "f");
        Ok(SetXattr(node, "user.a", [1]));
        Ok(SetXattr(node, "user.b", [2]));
        Ok(Volume.RemoveExtendedAttribute(node, "user.a"u8));
        Assert.Equal(["user.b"], ListXattrs(node));
    }

    [Fact]
    public void Attributes_of_a_node_without_any_are_an_empty_list() => Assert.Empty(ListXattrs(MakeFile(Root, "f")));

    [Fact]
    public void Attributes_of_an_unknown_node_are_NotFound()
    {
        Assert.Equal(FsStatus.NotFound, Volume.GetExtendedAttribute(Unknown, "user.x"u8, default, out _));
        Assert.Equal(FsStatus.NotFound, Volume.ListExtendedAttributes(Unknown, default, out _));
        Assert.Equal(FsStatus.NotFound, SetXattr(Unknown, "user.x", [1]));
        Assert.Equal(FsStatus.NotFound, Volume.RemoveExtendedAttribute(Unknown, "user.x"u8));
    }

    [Fact]
    public void Attributes_follow_the_node_through_a_rename_and_a_link()
    {
        NodeId node = MakeFile(Root, "f");
        Ok(SetXattr(node, "user.x", [1]));
        Ok(Volume.Link(node, Root, "g"u8, out _));
        Ok(Rename(Root, "f", Root, "h"));
        AssertBytes([1], GetXattr(Find(Root, "h"), "user.x"));
        AssertBytes([1], GetXattr(Find(Root, "g"), "user.x"));
    }

    private FsStatus SetXattr(NodeId node, string name, byte[] value, AttributeSetOptions options = AttributeSetOptions.None) =>
        Volume.SetExtendedAttribute(node, Name(name), value, options);

    private byte[] GetXattr(NodeId node, string name)
    {
        byte[] buffer = new byte[65536];
        Ok(Volume.GetExtendedAttribute(node, Name(name), buffer, out int length));
        return buffer[..length];
    }

    private string[] ListXattrs(NodeId node)
    {
        byte[] buffer = new byte[65536];
        Ok(Volume.ListExtendedAttributes(node, buffer, out int length));
        return [.. Encoding.UTF8.GetString(buffer, 0, length).Split('\0', StringSplitOptions.RemoveEmptyEntries).Order()];
    }
}
