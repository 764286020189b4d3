using Drive.Testing;
using static Drive.Testing.Errno;

namespace Drive.Mount.Tests;

/// <summary>Links, renames, removals, directories, special nodes.</summary>
public abstract partial class MountContract
{
    [Fact]
    public void Link_keeps_the_inode_and_counts()
    {
        MakeFile("a", Pattern(10));
        ulong node = Stat(At("a")).Node;
        Ok(Posix.Link(At("a"), At("b")));
        Assert.Equal((node, 2u), (Stat(At("b")).Node, Stat(At("b")).Links));
        Ok(Posix.Unlink(At("a")));
        Assert.Equal((node, 1u), (Stat(At("b")).Node, Stat(At("b")).Links));
        Assert.Equal(Pattern(10), ReadAll(At("b")));
    }

    [Fact]
    public void Link_of_a_directory_is_EPERM() => Fails(EPERM, Posix.Link(MakeDirectory("d"), At("e")));

    [Fact]
    public void Link_of_a_symbolic_link_links_the_link_unless_told_to_follow()
    {
        MakeFile("target");
        Ok(Posix.SymbolicLink("target", At("link")));
        Ok(Posix.Link(At("link"), At("same")));
        Assert.Equal(2u, Stat(At("link")).Links);
        Ok(Posix.Link(At("link"), At("followed"), Posix.SymlinkFollow));
        Assert.Equal(2u, Stat(At("target")).Links);
    }

    [Fact]
    public void Link_and_rename_to_another_file_system_are_EXDEV()
    {
        string elsewhere = Directory.Exists("/dev/shm") ? "/dev/shm" : "/proc";
        Fails(EXDEV, Posix.Link(MakeFile("a"), elsewhere + "/drive-x"));
        Fails(EXDEV, Posix.Rename(At("a"), elsewhere + "/drive-x"));
    }

    [Fact]
    public void Unlink_of_a_directory_is_EISDIR_and_rmdir_of_a_file_ENOTDIR()
    {
        Fails(EISDIR, Posix.Unlink(MakeDirectory("d")));
        Fails(ENOTDIR, Posix.RemoveDirectory(MakeFile("f")));
        Ok(Posix.SymbolicLink("d", At("l")));
        Fails(ENOTDIR, Posix.RemoveDirectory(At("l")));
    }

    [Fact]
    public void Rmdir_of_what_is_not_empty_is_ENOTEMPTY_and_of_dot_EINVAL()
    {
        MakeDirectory("d");
        MakeFile("d/f");
        Fails(ENOTEMPTY, Posix.RemoveDirectory(At("d")));
        Fails(EINVAL, Posix.RemoveDirectory(At("d/.")));
        Fails(ENOTEMPTY, Posix.RemoveDirectory(At("d/..")));
        Fails(EBUSY, Posix.RemoveDirectory("/"));
    }

    [Fact]
    public void Directories_count_their_subdirectories()
    {
        MakeDirectory("d");
        MakeDirectory("d/one");
        MakeDirectory("d/two");
        MakeFile("d/file");
        Assert.Equal(4u, Stat(At("d")).Links);
        Ok(Posix.RemoveDirectory(At("d/one")));
        Assert.Equal(3u, Stat(At("d")).Links);
        Ok(Posix.Rename(At("d/two"), At("out")));
        Assert.Equal(2u, Stat(At("d")).Links);
    }

    [Fact]
    public void Rename_keeps_the_inode_and_replaces()
    {
        MakeFile("a", Pattern(10));
        MakeFile("b", Pattern(20, 2));
        ulong node = Stat(At("a")).Node;
        Ok(Posix.Rename(At("a"), At("b")));
        Assert.Equal(node, Stat(At("b")).Node);
        Assert.Equal(Pattern(10), ReadAll(At("b")));
        Fails(ENOENT, Posix.GetStatus(At("a"), out FileStatus _));
    }

    [Fact]
    public void Rename_over_an_open_file_leaves_it_readable_without_links()
    {
        MakeFile("a", Pattern(10));
        MakeFile("b", Pattern(20, 2));
        Use(Posix.Open(At("b"), Posix.ReadOnly), descriptor =>
        {
            Ok(Posix.Rename(At("a"), At("b")));
            byte[] buffer = new byte[100];
            Assert.Equal(20, Posix.ReadAt(descriptor, buffer, 0));
            Assert.Equal(Pattern(20, 2), buffer[..20]);
            Assert.Equal(0u, Stat(descriptor).Links);
        });
    }

    [Fact]
    public void Rename_between_kinds()
    {
        MakeDirectory("empty");
        MakeDirectory("full");
        MakeFile("full/x");
        MakeDirectory("moved");
        MakeFile("file");
        Fails(EISDIR, Posix.Rename(At("file"), At("empty")));
        Fails(ENOTDIR, Posix.Rename(At("empty"), At("file")));
        Fails(ENOTEMPTY, Posix.Rename(At("moved"), At("full")));
        Ok(Posix.Rename(At("full"), At("empty")));
        Ok(Posix.GetStatus(At("empty/x"), out FileStatus _));
    }

    [Fact]
    public void Rename_below_itself_is_EINVAL_and_onto_an_ancestor_ENOTEMPTY()
    {
        MakeDirectory("a");
        MakeDirectory("a/b");
        Fails(EINVAL, Posix.Rename(At("a"), At("a/b/c")));
        Fails(EINVAL, Posix.Rename(At("a"), At("a/c")));
        Fails(ENOTEMPTY, Posix.Rename(At("a/b"), At("a")));
        Fails(EBUSY, Posix.Rename(At("a/."), At("b")));
    }

    [Fact]
    public void Rename_of_two_names_of_one_node_does_nothing()
    {
        MakeFile("a");
        Ok(Posix.Link(At("a"), At("b")));
        Ok(Posix.Rename(At("a"), At("b")));
        Assert.Equal(2u, Stat(At("a")).Links);
    }

    [Fact]
    public void Rename_that_must_not_replace()
    {
        MakeFile("a");
        MakeFile("b");
        Fails(EEXIST, Posix.Rename(At("a"), At("b"), Posix.NoReplace));
        Ok(Posix.Rename(At("a"), At("c"), Posix.NoReplace));
        Fails(ENOENT, Posix.Rename(At("a"), At("d"), Posix.NoReplace));
    }

    [Fact]
    public void Rename_that_exchanges()
    {
        MakeFile("file", Pattern(10));
        MakeDirectory("d");
        MakeDirectory("d/directory");
        MakeFile("d/directory/x");
        Ok(Posix.Rename(At("file"), At("d/directory"), Posix.Exchange));
        Ok(Posix.GetStatus(At("file/x"), out FileStatus _));
        Assert.Equal(Pattern(10), ReadAll(At("d/directory")));
        Assert.Equal(2u, Stat(At("d")).Links);
        Fails(ENOENT, Posix.Rename(At("file"), At("absent"), Posix.Exchange));
        Fails(EINVAL, Posix.Rename(At("file"), At("absent"), Posix.Exchange | Posix.NoReplace));
    }

    [Fact]
    public void Rename_of_a_working_directory_of_a_program_takes_it_along()
    {
        MakeDirectory("from");
        Programs.Shell($"cd '{At("from")}'; mv '{At("from")}' '{At("to")}'; echo hello > file; cat file", _directory);
        Assert.Equal("hello\n", File.ReadAllText(At("to/file")));
    }

    [Fact]
    public void A_directory_that_is_removed_while_open_is_empty_and_takes_no_names()
    {
        MakeDirectory("d");
        string said = Programs.Shell($"cd d; rmdir '{At("d")}'; ls -a | grep -v '^\\.*$' || true; if touch file 2>/dev/null; then echo made; fi", _directory);
        Assert.Equal("", said);
    }

    [Theory]
    [InlineData(0x1000u)]
    [InlineData(0x2000u)]
    [InlineData(0x6000u)]
    [InlineData(0xC000u)]
    [InlineData(0x8000u)]
    public void Nodes_of_every_kind_are_made_shown_and_removed(uint type)
    {
        Ok(Posix.MakeNode(At("n"), type | 0x1A4, 0x103));
        FileStatus status = Stat(At("n"));
        Assert.Equal((type | 0x1A4, 1u, 0L), (status.Mode, status.Links, status.Size));
        Assert.Equal(type is 0x2000 or 0x6000 ? (1u, 3u) : (0u, 0u), status.Device);
        Ok(Posix.Rename(At("n"), At("m")));
        Ok(Posix.Unlink(At("m")));
    }

    [Fact]
    public void Two_programs_talk_through_a_fifo() =>
        Assert.Equal("hello\n", Programs.Shell("mkfifo p; (echo hello > p) & cat p; wait", _directory));

    [Fact]
    public void A_device_node_works()
    {
        Ok(Posix.MakeNode(At("null"), 0x2000 | 0x1B6, 0x103));
        Use(Posix.Open(At("null"), Posix.WriteOnly), descriptor => Assert.Equal(3, Posix.Write(descriptor, [1, 2, 3])));
    }

    [Fact]
    public void Twenty_thousand_names_are_listed_once_while_others_come_and_go()
    {
        MakeDirectory("many");
        for (int i = 0; i < 20_000; i++)
        {
            Ok(Posix.MakeNode($"{_directory}/many/stays-{i}", 0x8000 | 0x1A4));
        }

        Dictionary<string, int> seen = [];
        int turn = 0;
        foreach (string path in Directory.EnumerateFileSystemEntries(At("many")))
        {
            string name = Path.GetFileName(path);
            seen[name] = seen.GetValueOrDefault(name) + 1;
            if (++turn % 50 == 0)
            {
                Ok(Posix.MakeNode($"{_directory}/many/comes-{turn}", 0x8000 | 0x1A4));
                _ = Posix.Unlink($"{_directory}/many/comes-{turn - 500}");
            }
        }

        Assert.All(Enumerable.Range(0, 20_000), i => Assert.Equal(1, seen.GetValueOrDefault($"stays-{i}")));
        Assert.All(seen.Values, count => Assert.Equal(1, count));
    }

    [Fact]
    public void Names_made_and_removed_by_many_threads_are_all_there_in_the_end()
    {
        MakeDirectory("busy");
        Parallel.For(0, 8, thread =>
        {
            for (int i = 0; i < 100; i++)
            {
                Ok(Posix.MakeNode($"{_directory}/busy/{thread}-{i}", 0x8000 | 0x1A4));
                Ok(Posix.Rename($"{_directory}/busy/{thread}-{i}", $"{_directory}/busy/{thread}-{i}-moved"));
                if (i % 2 == 0)
                {
                    Ok(Posix.Unlink($"{_directory}/busy/{thread}-{i}-moved"));
                }
            }
        });
        Assert.Equal(400, Directory.GetFiles(At("busy")).Length);
    }

    [Fact]
    public void Making_a_name_exclusively_succeeds_once()
    {
        int made = 0;
        Parallel.For(0, 16, _ =>
        {
            long result = OpenAndClose(At("one"), Posix.Create | Posix.Exclusive | Posix.WriteOnly);
            Assert.Contains(result, (long[])[0, -EEXIST]);
            Interlocked.Add(ref made, result == 0 ? 1 : 0);
        });
        Assert.Equal(1, made);
    }

    [Fact]
    public void The_volume_tells_its_space()
    {
        var drive = new DriveInfo(_directory);
        Assert.True(drive.TotalSize > 0);
        Assert.InRange(drive.AvailableFreeSpace, 1, drive.TotalSize);
        Assert.Equal("255\n", Programs.Shell("stat -f -c %l .", _directory));
    }
}
