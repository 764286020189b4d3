using Drive.Testing;
using static Drive.Testing.Errno;

namespace Drive.Mount.Tests;

/// <summary>Owners, modes, the sticky bit, and privileges that a change takes away.</summary>
public abstract partial class MountContract
{
    private const uint Sticky = 0x3FF;

    [Theory]
    [InlineData(0x100u, true, false)]
    [InlineData(0x080u, false, true)]
    [InlineData(0x180u, true, true)]
    [InlineData(0x03Fu, false, false)]
    public void Opening_follows_the_owners_bits(uint mode, bool mayRead, bool mayWrite)
    {
        MakeFile("file", mode: mode);
        Ok(Posix.ChangeOwner(At("file"), User, User));
        AsUser(() =>
        {
            AssertMayOpen(mayRead, Posix.ReadOnly);
            AssertMayOpen(mayWrite, Posix.WriteOnly);
            AssertMayOpen(mayRead && mayWrite, Posix.ReadWrite);
        });
    }

    [Theory]
    [InlineData(0x020u, true, false)]
    [InlineData(0x010u, false, true)]
    [InlineData(0x1C7u, false, false)]
    public void Opening_follows_the_groups_bits(uint mode, bool mayRead, bool mayWrite)
    {
        MakeFile("file", mode: mode);
        Ok(Posix.ChangeOwner(At("file"), 0, User));
        AsUser(() =>
        {
            AssertMayOpen(mayRead, Posix.ReadOnly);
            AssertMayOpen(mayWrite, Posix.WriteOnly);
        });
    }

    [Theory]
    [InlineData(0x004u, true, false)]
    [InlineData(0x002u, false, true)]
    [InlineData(0x1F8u, false, false)]
    public void Opening_follows_the_bits_for_others(uint mode, bool mayRead, bool mayWrite)
    {
        MakeFile("file", mode: mode);
        AsUser(() =>
        {
            AssertMayOpen(mayRead, Posix.ReadOnly);
            AssertMayOpen(mayWrite, Posix.WriteOnly);
        });
    }

    [Fact]
    public void Who_makes_a_node_owns_it()
    {
        AsUser(() =>
        {
            Use(Posix.Open(At("file"), Posix.Create | Posix.WriteOnly, 0), descriptor => Assert.Equal(1, Posix.Write(descriptor, [1])));
            Ok(Posix.MakeDirectory(At("directory")));
            Ok(Posix.SymbolicLink("t", At("link")));
            Ok(Posix.MakeNode(At("fifo"), 0x1000 | 0x180));
        });
        foreach (string name in (string[])["file", "directory", "link", "fifo"])
        {
            Assert.Equal((User, User), (Stat(At(name)).User, Stat(At(name)).Group));
        }
    }

    [Fact]
    public void A_device_is_made_by_root_only()
    {
        AsUser(() => Fails(EPERM, Posix.MakeNode(At("device"), 0x2000 | 0x1A4, 0x103)));
        Ok(Posix.MakeNode(At("device"), 0x2000 | 0x1A4, 0x103));
        Assert.Equal((1u, 3u), Stat(At("device")).Device);
    }

    [Fact]
    public void The_owner_gives_a_file_to_its_own_group_only()
    {
        MakeFile("file");
        Ok(Posix.ChangeOwner(At("file"), User, 5));
        AsUser(() =>
        {
            Ok(Posix.ChangeOwner(At("file"), uint.MaxValue, User));
            Fails(EPERM, Posix.ChangeOwner(At("file"), uint.MaxValue, 5));
            Fails(EPERM, Posix.ChangeOwner(At("file"), OtherUser, uint.MaxValue));
        });
    }

    [Theory]
    [InlineData("unlink")]
    [InlineData("rmdir")]
    [InlineData("rename away")]
    [InlineData("rename over")]
    public void In_a_sticky_directory_names_are_taken_by_the_owner_of_node_or_directory(string call)
    {
        foreach ((uint directoryOwner, uint nodeOwner, bool mayTake) in (
            (uint, uint, bool)[])[(0, OtherUser, false), (User, OtherUser, true), (OtherUser, User, true), (0, User, true)])
        {
            string directory = MakeDirectory($"sticky-{directoryOwner}-{nodeOwner}", Sticky, directoryOwner);
            string name = Path.GetFileName(directory) + "/x";
            _ = call == "rmdir" ? MakeDirectory(name) : MakeFile(name);
            Ok(Posix.ChangeOwner(At(name), nodeOwner, nodeOwner));
            MakeFile($"mine-{nodeOwner}-{directoryOwner}");
            Ok(Posix.ChangeOwner(At($"mine-{nodeOwner}-{directoryOwner}"), User, User));
            AsUser(() =>
            {
                long result = call switch
                {
                    "unlink" => Posix.Unlink(At(name)),
                    "rmdir" => Posix.RemoveDirectory(At(name)),
                    "rename away" => Posix.Rename(At(name), At($"away-{nodeOwner}-{directoryOwner}")),
                    _ => Posix.Rename(At($"mine-{nodeOwner}-{directoryOwner}"), At(name)),
                };
                Assert.Equal(mayTake ? 0 : -EPERM, result);
            });
        }
    }

    [Fact]
    public void Writing_by_another_user_takes_set_user_and_group_ID()
    {
        MakeFile("file", Pattern(10), 0xDFF);
        AsUser(() => Use(Posix.Open(At("file"), Posix.WriteOnly), descriptor => Assert.Equal(1, Posix.Write(descriptor, [1]))));
        Assert.Equal(0x1FFu, Permissions(At("file")));
    }

    [Fact]
    public void Truncating_by_another_user_takes_set_user_and_group_ID()
    {
        MakeFile("file", Pattern(10), 0xDFF);
        AsUser(() => Ok(Posix.SetLength(At("file"), 5)));
        Assert.Equal(0x1FFu, Permissions(At("file")));
        Ok(Posix.ChangeMode(At("file"), 0xDFF));
        AsUser(() => Ok(OpenAndClose(At("file"), Posix.WriteOnly | Posix.Truncate)));
        Assert.Equal(0x1FFu, Permissions(At("file")));
    }

    [Fact]
    public void A_change_of_owner_takes_set_user_and_group_ID()
    {
        MakeFile("file", Pattern(10), 0xDED);
        Ok(Posix.ChangeOwner(At("file"), User, User));
        Assert.Equal(0x1EDu, Permissions(At("file")));
        Ok(Posix.ChangeMode(At("file"), 0xDED));
        AsUser(() => Ok(Posix.ChangeOwner(At("file"), uint.MaxValue, User)));
        Assert.Equal(0x1EDu, Permissions(At("file")));
    }

    [Fact]
    public void Writing_takes_a_file_capability()
    {
        MakeFile("file", Pattern(10), 0x1FF);
        byte[] capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        Ok(Posix.SetXattr(At("file"), "security.capability", capability));
        Assert.Equal(20, Posix.GetXattr(At("file"), "security.capability", new byte[100]));
        AsUser(() => Use(Posix.Open(At("file"), Posix.WriteOnly), descriptor => Assert.Equal(1, Posix.Write(descriptor, [1]))));
        Fails(ENODATA, Posix.GetXattr(At("file"), "security.capability", new byte[100]));
    }

    [Fact]
    public void Set_group_ID_is_taken_from_a_chmod_by_who_is_not_in_the_group()
    {
        MakeFile("file");
        Ok(Posix.ChangeOwner(At("file"), User, 5));
        AsUser(() => Ok(Posix.ChangeMode(At("file"), 0x5ED)));
        Assert.Equal(0x1EDu, Permissions(At("file")));
    }

    [Fact]
    public void A_set_group_ID_directory_hands_down_its_group()
    {
        MakeDirectory("shared");
        Ok(Posix.ChangeOwner(At("shared"), 0, 77));
        Ok(Posix.ChangeMode(At("shared"), 0x5FF));
        AsUser(() =>
        {
            Ok(OpenAndClose(At("shared/file"), Posix.Create | Posix.WriteOnly));
            Ok(Posix.MakeDirectory(At("shared/directory")));
        });
        Assert.Equal((User, 77u), (Stat(At("shared/file")).User, Stat(At("shared/file")).Group));
        Assert.Equal((User, 77u), (Stat(At("shared/directory")).User, Stat(At("shared/directory")).Group));
        Assert.Equal(0x5EDu, Permissions(At("shared/directory")));
        Assert.Equal(0x1A4u, Permissions(At("shared/file")));
    }

    [Theory]
    [InlineData("077", "700", "600")]
    [InlineData("000", "777", "666")]
    [InlineData("0352", "425", "424")]
    public void Modes_of_new_nodes_follow_the_umask(string mask, string directoryMode, string fileMode)
    {
        Programs.Run("sh", ["-c", $"umask {mask}; mkdir d; : > f; mkfifo p"], _directory);
        Assert.Equal((directoryMode, fileMode, fileMode), (Octal("d"), Octal("f"), Octal("p")));
    }

    [Fact]
    public void Times_are_set_to_now_by_who_may_write_and_to_a_value_by_the_owner_only()
    {
        MakeFile("file", mode: 0x1B6);
        AsUser(() =>
        {
            Ok(Posix.SetTimes(At("file"), (0, Posix.TimeNow), (0, Posix.TimeNow)));
            Fails(EPERM, Posix.SetTimes(At("file"), (0, Posix.TimeOmit), (0, Posix.TimeNow)));
            Fails(EPERM, Posix.SetTimes(At("file"), (1, 1), (2, 2)));
        });
        Ok(Posix.ChangeMode(At("file"), 0x1A4));
        AsUser(() => Fails(EACCES, Posix.SetTimes(At("file"), (0, Posix.TimeNow), (0, Posix.TimeNow))));
    }

    [Fact]
    public void A_directory_that_may_not_be_read_lists_nothing_but_is_passed_through()
    {
        MakeDirectory("blind", 0x1C1);
        MakeFile("blind/file");
        AsUser(() =>
        {
            Fails(EACCES, Posix.Open(At("blind"), Posix.ReadOnly | Posix.Directory));
            Ok(Posix.GetStatus(At("blind/file"), out FileStatus _));
        });
    }

    private void AssertMayOpen(bool may, int flags) => Assert.Equal(may ? 0 : -EACCES, OpenAndClose(At("file"), flags));

    private string Octal(string name) => Convert.ToString(Permissions(At(name)), 8);
}
