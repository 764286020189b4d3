using Drive.Testing;
using static Drive.Testing.Errno;

namespace Drive.Mount.Tests;

/// <summary>Bytes: appending, unlinked files, mappings, holes, copies.</summary>
public abstract partial class MountContract
{
    private const int Mega = 1 << 20;

    [Fact]
    public void What_was_written_is_read_in_any_piece()
    {
        byte[] data = Pattern((3 * Mega) + 17);
        MakeFile("f", data);
        Assert.True(data.AsSpan().SequenceEqual(ReadAll(At("f"))));
        Use(Posix.Open(At("f"), Posix.ReadOnly), descriptor =>
        {
            byte[] buffer = new byte[70_000];
            Assert.Equal(70_000, Posix.ReadAt(descriptor, buffer, 65_000));
            Assert.True(data.AsSpan(65_000, 70_000).SequenceEqual(buffer));
            Assert.Equal(17, Posix.ReadAt(descriptor, buffer, 3 * Mega));
            Assert.Equal(0, Posix.ReadAt(descriptor, buffer, 4 * Mega));
        });
    }

    [Fact]
    public void Appending_from_three_programs_loses_no_line()
    {
        string[] writers = ["one", "two", "three"];
        System.Diagnostics.Process[] all =
        [
            .. writers.Select(writer => Programs.Start("sh", ["-c", $"i=0; while [ $i -lt 200 ]; do echo {writer} >> log; i=$((i+1)); done"], _directory)),
        ];
        Assert.All(all, process => Programs.Finish(process));
        string[] lines = File.ReadAllLines(At("log"));
        Assert.Equal(600, lines.Length);
        Assert.All(writers, writer => Assert.Equal(200, lines.Count(line => line == writer)));
    }

    [Fact]
    public void Appending_through_one_descriptor_moves_with_a_cut()
    {
        MakeFile("f", Pattern(100));
        Use(Posix.Open(At("f"), Posix.WriteOnly | Posix.Append), descriptor =>
        {
            Ok(Posix.Write(descriptor, [1]));
            Ok(Posix.SetLength(At("f"), 10));
            Ok(Posix.Write(descriptor, [2]));
        });
        Assert.Equal([.. Pattern(100)[..10], 2], ReadAll(At("f")));
    }

    [Fact]
    public void An_unlinked_file_lives_while_it_is_open()
    {
        MakeFile("f", Pattern(100));
        ulong node = Stat(At("f")).Node;
        Use(Posix.Open(At("f"), Posix.ReadWrite), descriptor =>
        {
            Ok(Posix.Unlink(At("f")));
            MakeFile("f", Pattern(7, 3));
            Ok(Posix.WriteAt(descriptor, Pattern(50, 2), 100));
            Ok(Posix.Sync(descriptor));
            FileStatus status = Stat(descriptor);
            Assert.Equal((0u, 150L, node), (status.Links, status.Size, status.Node));
            byte[] buffer = new byte[200];
            Assert.Equal(150, Posix.ReadAt(descriptor, buffer, 0));
            Assert.Equal([.. Pattern(100), .. Pattern(50, 2)], buffer[..150]);
            Ok(Posix.SetLength(descriptor, 5));
            Assert.Equal(5, Stat(descriptor).Size);
        });
        Assert.Equal(Pattern(7, 3), ReadAll(At("f")));
    }

    [Fact]
    public void A_file_without_a_name_gets_one_by_link()
    {
        Use(Posix.Open(_directory, Posix.TemporaryFile | Posix.ReadWrite, 0x180), descriptor =>
        {
            Assert.Equal(0u, Stat(descriptor).Links);
            Ok(Posix.WriteAt(descriptor, Pattern(100), 0));
            Assert.Empty(Directory.GetFileSystemEntries(_directory));
            Ok(Posix.Link($"/proc/self/fd/{descriptor}", At("f"), Posix.SymlinkFollow));
            Assert.Equal(1u, Stat(descriptor).Links);
        });
        Assert.Equal(Pattern(100), ReadAll(At("f")));
        Use(Posix.Open(_directory, Posix.TemporaryFile | Posix.ReadWrite | Posix.Exclusive, 0x180), descriptor =>
            Fails(ENOENT, Posix.Link($"/proc/self/fd/{descriptor}", At("g"), Posix.SymlinkFollow)));
    }

    [Fact]
    public void A_write_through_a_mapping_moves_the_modification_time()
    {
        MakeFile("f", Pattern(5000));
        Ok(Posix.SetTimes(At("f"), (1000, 0), (1000, 0)));
        Use(Posix.Open(At("f"), Posix.ReadWrite), descriptor =>
            Ok(Posix.Map(descriptor, 5000, writes: true, map =>
            {
                map.Write(10, Pattern(20, 2));
                Ok(map.Sync());
            })));
        Assert.True(File.GetLastWriteTimeUtc(At("f")) > DateTime.UnixEpoch.AddSeconds(1000));
    }

    [Fact]
    public void A_mapping_reads_and_writes_the_file()
    {
        MakeFile("f", Pattern(100_000));
        Use(Posix.Open(At("f"), Posix.ReadWrite), descriptor =>
            Ok(Posix.Map(descriptor, 100_000, writes: true, map =>
            {
                Assert.Equal(Pattern(100_000)[60_000..70_000], map.Read(60_000, 10_000));
                map.Write(65_530, Pattern(20, 2));
                Ok(map.Sync());
                byte[] buffer = new byte[20];
                Assert.Equal(20, Posix.ReadAt(descriptor, buffer, 65_530));
                Assert.Equal(Pattern(20, 2), buffer);
                Ok(Posix.WriteAt(descriptor, [42], 5));
                Assert.Equal([42], map.Read(5, 1));
            })));
        byte[] all = ReadAll(At("f"));
        Assert.Equal(Pattern(20, 2), all[65_530..65_550]);
        Assert.Equal(42, all[5]);
    }

    [Fact]
    public void A_mapping_outlives_the_descriptor_and_the_name()
    {
        MakeFile("f", Pattern(10_000));
        int descriptor = Posix.Open(At("f"), Posix.ReadWrite);
        Ok(Posix.Map(descriptor, 10_000, writes: true, map =>
        {
            Posix.Close(descriptor);
            Ok(Posix.Link(At("f"), At("g")));
            Ok(Posix.Unlink(At("f")));
            map.Write(1000, [1, 2, 3]);
        }));
        Assert.Equal([1, 2, 3], ReadAll(At("g"))[1000..1003]);
    }

    [Fact]
    public void Cutting_and_growing_shows_zeros()
    {
        MakeFile("f", Pattern(100_000));
        Ok(Posix.SetLength(At("f"), 50_001));
        Ok(Posix.SetLength(At("f"), 100_000));
        Assert.True(ReadAll(At("f")).AsSpan().SequenceEqual([.. Pattern(100_000)[..50_001], .. new byte[49_999]]));
    }

    [Fact]
    public void A_sparse_file_of_a_tebibyte()
    {
        MakeFile("f");
        Use(Posix.Open(At("f"), Posix.ReadWrite), descriptor =>
        {
            Ok(Posix.SetLength(descriptor, 1L << 40));
            Ok(Posix.WriteAt(descriptor, Pattern(Mega), 1L << 39));
            Ok(Posix.Sync(descriptor));
            Assert.InRange(Stat(descriptor).Blocks, Mega / 512, 4 * Mega / 512);
            byte[] buffer = new byte[Mega];
            Assert.Equal(Mega, Posix.ReadAt(descriptor, buffer, 1L << 39));
            Assert.True(Pattern(Mega).AsSpan().SequenceEqual(buffer));
            Assert.Equal(10, Posix.ReadAt(descriptor, buffer, (1L << 40) - 10));
            Assert.InRange(Posix.Seek(descriptor, 0, Posix.SeekData), (1L << 39) - Mega, 1L << 39);
            Assert.InRange(Posix.Seek(descriptor, 1L << 39, Posix.SeekHole), (1L << 39) + Mega, (1L << 39) + (2 * Mega));
            Fails(ENXIO, Posix.Seek(descriptor, 1L << 40, Posix.SeekData));
        });
    }

    [Fact]
    public void Fallocate_in_its_modes()
    {
        MakeFile("f", Pattern(3 * Mega));
        byte[] expected = Pattern(3 * Mega);
        Use(Posix.Open(At("f"), Posix.ReadWrite), descriptor =>
        {
            Ok(Posix.Allocate(descriptor, Posix.PunchHole | Posix.KeepSize, Mega - 5, Mega));
            expected.AsSpan(Mega - 5, Mega).Clear();
            Ok(Posix.Allocate(descriptor, Posix.ZeroRange | Posix.KeepSize, 100, 1000));
            expected.AsSpan(100, 1000).Clear();
            Ok(Posix.Allocate(descriptor, Posix.KeepSize, 0, 5 * Mega));
            Assert.Equal(3 * Mega, Stat(descriptor).Size);
            Ok(Posix.Allocate(descriptor, 0, 0, (3 * Mega) + 10));
            Fails(EOPNOTSUPP, Posix.Allocate(descriptor, Posix.PunchHole, 0, 10));
            Fails(EINVAL, Posix.Allocate(descriptor, 0, 0, 0));
            Fails(EINVAL, Posix.Allocate(descriptor, 0, -1, 10));
        });
        Assert.True(ReadAll(At("f")).AsSpan().SequenceEqual([.. expected, .. new byte[10]]));
        Use(Posix.Open(At("f"), Posix.ReadOnly), descriptor => Fails(EBADF, Posix.Allocate(descriptor, 0, 0, 10)));
    }

    [Fact]
    public void Copy_file_range_between_and_within_files()
    {
        MakeFile("s", Pattern(2 * Mega));
        MakeFile("t", Pattern(100, 2));
        Use(Posix.Open(At("s"), Posix.ReadWrite), source => Use(Posix.Open(At("t"), Posix.ReadWrite), target =>
        {
            Assert.Equal(Mega, Posix.CopyRange(source, 5, target, 50, Mega));
            Assert.Equal(10, Posix.CopyRange(source, (2 * Mega) - 10, target, 0, 100));
            Assert.Equal(0, Posix.CopyRange(source, 2 * Mega, target, 0, 100));
            Fails(EINVAL, Posix.CopyRange(source, 0, source, 10, 100));
            Assert.Equal(100, Posix.CopyRange(source, 0, source, 100, 100));
        }));
        byte[] expected = [.. Pattern(100, 2)[..50], .. Pattern(2 * Mega)[5..(Mega + 5)]];
        Pattern(2 * Mega)[^10..].CopyTo(expected, 0);
        Assert.True(expected.AsSpan().SequenceEqual(ReadAll(At("t"))));
        Assert.Equal(Pattern(2 * Mega)[..100], ReadAll(At("s"))[100..200]);
    }

    [Fact]
    public void Reading_and_writing_a_descriptor_opened_for_the_other_is_EBADF()
    {
        MakeFile("f", Pattern(10));
        Use(Posix.Open(At("f"), Posix.ReadOnly), descriptor => Fails(EBADF, Posix.WriteAt(descriptor, [1], 0)));
        Use(Posix.Open(At("f"), Posix.WriteOnly), descriptor => Fails(EBADF, Posix.ReadAt(descriptor, new byte[1], 0)));
        Use(Posix.Open(At("f"), Posix.ReadOnly), descriptor => Fails(EINVAL, Posix.SetLength(descriptor, 1)));
    }

    [Fact]
    public void Opening_a_directory_for_writing_is_EISDIR_and_a_file_as_directory_ENOTDIR()
    {
        MakeDirectory("d");
        Fails(EISDIR, Posix.Open(At("d"), Posix.WriteOnly));
        Fails(EISDIR, Posix.Open(At("d"), Posix.Create | Posix.ReadWrite));
        Fails(ENOTDIR, Posix.Open(MakeFile("f"), Posix.ReadOnly | Posix.Directory));
        Fails(EISDIR, Posix.SetLength(At("d"), 5));
        Fails(EINVAL, Posix.SetLength(At("f"), -1));
    }

    [Fact]
    public void A_program_that_runs_may_not_be_written()
    {
        File.Copy("/bin/sleep", At("program"));
        Ok(Posix.ChangeMode(At("program"), 0x1ED));
        System.Diagnostics.Process process = Programs.Start(At("program"), ["60"], "/");
        try
        {
            Fails(ETXTBSY, Posix.Open(At("program"), Posix.WriteOnly));
            Fails(ETXTBSY, Posix.SetLength(At("program"), 0));
        }
        finally
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }

    [Fact]
    public void A_program_that_is_open_for_writing_may_not_run()
    {
        File.Copy("/bin/true", At("program"));
        Ok(Posix.ChangeMode(At("program"), 0x1ED));
        Use(Posix.Open(At("program"), Posix.WriteOnly), _ =>
            Assert.Equal(ETXTBSY, Assert.Throws<System.ComponentModel.Win32Exception>(() => Programs.Run(At("program"), [], "/")).NativeErrorCode));
        Programs.Run(At("program"), [], "/");
    }

    [Fact]
    public void Locks_of_files_keep_others_out()
    {
        MakeFile("f");
        Use(Posix.Open(At("f"), Posix.ReadWrite), first => Use(Posix.Open(At("f"), Posix.ReadWrite), second =>
        {
            Ok(Posix.Lock(first, Posix.LockExclusive | Posix.LockNonBlocking));
            Fails(EAGAIN, Posix.Lock(second, Posix.LockShared | Posix.LockNonBlocking));
            Ok(Posix.Lock(first, Posix.LockUnlock));
            Ok(Posix.Lock(second, Posix.LockShared | Posix.LockNonBlocking));
            Ok(Posix.Lock(first, Posix.LockShared | Posix.LockNonBlocking));
        }));
    }

    [Fact]
    public void Locks_of_ranges_keep_others_out_of_the_range_only()
    {
        MakeFile("f");
        Use(Posix.Open(At("f"), Posix.ReadWrite), first => Use(Posix.Open(At("f"), Posix.ReadWrite), second =>
        {
            Ok(Posix.LockRange(first, 1, 10, 10));
            Fails(EAGAIN, Posix.LockRange(second, 0, 15, 10));
            Ok(Posix.LockRange(second, 1, 20, 10));
            Ok(Posix.LockRange(first, 2, 10, 5));
            Ok(Posix.LockRange(second, 1, 10, 5));
        }));
    }

    [Needs("flock")]
    public void Locks_of_files_keep_other_programs_out()
    {
        MakeFile("f");
        Use(Posix.Open(At("f"), Posix.ReadWrite), descriptor =>
        {
            Ok(Posix.Lock(descriptor, Posix.LockExclusive));
            Programs.Run("flock", ["--nonblock", "f", "true"], _directory, exitCode: 1);
        });
        Programs.Run("flock", ["--nonblock", "f", "true"], _directory);
    }
}
