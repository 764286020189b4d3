using System.Text;
using Drive.Testing;
using static Drive.Testing.Errno;

namespace Drive.Mount.Tests;

/// <summary>Extended attributes by class and kind of node.</summary>
public abstract partial class MountContract
{
    [Fact]
    public void Attributes_are_set_read_listed_and_removed()
    {
        MakeFile("f");
        Ok(Posix.SetXattr(At("f"), "user.a", Pattern(100)));
        Ok(Posix.SetXattr(At("f"), "user.b", []));
        byte[] buffer = new byte[1000];
        Assert.Equal(100, Posix.GetXattr(At("f"), "user.a", buffer));
        Assert.Equal(Pattern(100), buffer[..100]);
        Assert.Equal(0, Posix.GetXattr(At("f"), "user.b", buffer));
        Assert.Equal(["user.a", "user.b"], Xattrs("f"));
        Ok(Posix.RemoveXattr(At("f"), "user.a"));
        Assert.Equal(["user.b"], Xattrs("f"));
        Fails(ENODATA, Posix.GetXattr(At("f"), "user.a", buffer));
        Fails(ENODATA, Posix.RemoveXattr(At("f"), "user.a"));
    }

    [Fact]
    public void Attributes_are_made_or_replaced_as_told()
    {
        MakeFile("f");
        Fails(ENODATA, Posix.SetXattr(At("f"), "user.a", [1], flags: 2));
        Ok(Posix.SetXattr(At("f"), "user.a", [1], flags: 1));
        Fails(EEXIST, Posix.SetXattr(At("f"), "user.a", [2], flags: 1));
        Ok(Posix.SetXattr(At("f"), "user.a", [3], flags: 2));
    }

    [Fact]
    public void A_small_buffer_is_ERANGE_and_an_empty_one_asks_the_length()
    {
        MakeFile("f");
        Ok(Posix.SetXattr(At("f"), "user.a", Pattern(10)));
        Fails(ERANGE, Posix.GetXattr(At("f"), "user.a", new byte[9]));
        Fails(ERANGE, Posix.ListXattrs(At("f"), new byte[6]));
        Assert.Equal(10, Posix.GetXattr(At("f"), "user.a", []));
        Assert.Equal(7, Posix.ListXattrs(At("f"), []));
    }

    [Fact]
    public void A_name_over_255_bytes_is_ERANGE_and_without_a_class_EOPNOTSUPP()
    {
        MakeFile("f");
        Ok(Posix.SetXattr(At("f"), "user." + new string('n', 250), [1]));
        Fails(ERANGE, Posix.SetXattr(At("f"), "user." + new string('n', 251), [1]));
        Fails(ERANGE, Posix.SetXattr(At("f"), "", [1]));
    }

    [Fact]
    public void User_attributes_are_for_files_and_directories_only()
    {
        MakeFile("f");
        MakeDirectory("d");
        Ok(Posix.SymbolicLink("f", At("l")));
        Ok(Posix.MakeNode(At("p"), 0x1000 | 0x1A4));
        Ok(Posix.SetXattr(At("f"), "user.a", [1]));
        Ok(Posix.SetXattr(At("d"), "user.a", [1]));
        Fails(EPERM, Posix.SetXattr(At("l"), "user.a", [1]));
        Fails(EPERM, Posix.SetXattr(At("p"), "user.a", [1]));
    }

    [Fact]
    public void Trusted_attributes_are_for_root_on_any_node()
    {
        Ok(Posix.SymbolicLink("f", At("l")));
        MakeFile("f", mode: 0x1FF);
        foreach (string name in (string[])["f", "l"])
        {
            Ok(Posix.SetXattr(At(name), "trusted.a", [1, 2]));
            Assert.Equal(2, Posix.GetXattr(At(name), "trusted.a", new byte[10]));
            Assert.Equal(["trusted.a"], Xattrs(name));
        }
    }

    [Fact]
    public void Attributes_follow_permissions()
    {
        MakeFile("f", mode: 0x180);
        Ok(Posix.SetXattr(At("f"), "user.a", [1]));
        AsUser(() => Fails(EACCES, Posix.GetXattr(At("f"), "user.a", new byte[10])));
        Ok(Posix.ChangeMode(At("f"), 0x1A4));
        AsUser(() =>
        {
            Ok(Posix.GetXattr(At("f"), "user.a", new byte[10]));
            Fails(EACCES, Posix.SetXattr(At("f"), "user.a", [2]));
        });
    }

    [Fact]
    public void Attributes_of_a_kilobyte_and_more_are_kept()
    {
        MakeFile("f");
        Ok(Posix.SetXattr(At("f"), "user.a", Pattern(3000)));
        byte[] buffer = new byte[65536];
        Assert.Equal(3000, Posix.GetXattr(At("f"), "user.a", buffer));
        Assert.Equal(Pattern(3000), buffer[..3000]);
    }

    private string[] Xattrs(string name)
    {
        byte[] buffer = new byte[4096];
        int length = Posix.ListXattrs(At(name), buffer);
        Ok(length);
        return [.. Encoding.UTF8.GetString(buffer, 0, length).Split('\0', StringSplitOptions.RemoveEmptyEntries).Order()];
    }
}
