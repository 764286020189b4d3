using Drive.Backup.Restores;
using Drive.Core.Stores;
using Drive.Core.Volumes;
using Drive.Engine;
using Drive.Engine.History;
using Drive.Testing;
using Drive.Testing.Stores;
using Xunit.Abstractions;

namespace Drive.Backup.Tests;

/// <summary>What comes back to this machine, held against what was backed up.</summary>
public sealed class TreeCopyTests(ITestOutputHelper output)
{
    // rwx for the owner and user 1000, the rest as in 0755.
    private static readonly byte[] AccessList = Convert.FromHexString("0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff");

    [Fact]
    public async Task All_that_a_folder_may_hold_comes_back_as_it_was()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        Populate(bench);
        Assert.Equal(BackupOutcome.Done, (await bench.RunAsync(volume)).Outcome);
        string to = Path.Combine(bench.Home, "to");
        using TreeCopy copy = Copy(volume, bench, to);
        Assert.Empty(copy.Errors);
        SortedDictionary<string, string> expected = TreeImage.OfDisk(bench.Source);
        TreeImage.AssertSame(expected, TreeImage.OfDisk(to));
        int folders = expected.Keys.Count(path => Directory.Exists(bench.Source + path) && new DirectoryInfo(bench.Source + path).LinkTarget is null);
        Assert.Equal((folders, expected.Count - folders), (copy.Folders, copy.Files));
    }

    [Fact]
    public async Task Access_lists_are_those_of_the_source_and_none_comes_from_where_the_copy_lies()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        Populate(bench);
        Assert.Equal(0, Posix.SetXattr(Path.Combine(bench.Source, "folder"), "system.posix_acl_default", AccessList));
        Assert.Equal(0, Posix.SetXattr(Path.Combine(bench.Source, "text"), "system.posix_acl_access", AccessList));
        await File.WriteAllTextAsync(Path.Combine(bench.Source, "folder", "heir"), "z");
        BackupReport report = await bench.RunAsync(volume);
        Assert.Equal((BackupOutcome.Done, 0), (report.Outcome, report.UnreadableCount));

        string to = Directory.CreateDirectory(Path.Combine(bench.Home, "listed")).FullName;
        Assert.Equal(0, Posix.SetXattr(to, "system.posix_acl_default", AccessList));
        using TreeCopy copy = Copy(volume, bench, Path.Combine(to, "copy"));
        Assert.Empty(copy.Errors);
        SortedDictionary<string, string> expected = TreeImage.OfDisk(bench.Source);
        Assert.Contains("posix_acl_default", expected["/folder"], StringComparison.Ordinal);
        Assert.Contains("posix_acl_access", expected["/folder/heir"], StringComparison.Ordinal);
        TreeImage.AssertSame(expected, TreeImage.OfDisk(Path.Combine(to, "copy")));
    }

    [Fact]
    public async Task Random_trees_come_back_over_what_is_there_and_into_the_empty()
    {
        int seed = Environment.TickCount & 0xFFFF;
        output.WriteLine($"Seed {seed}");
        Random random = new(seed);
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        string over = Path.Combine(bench.Home, "over");
        for (int round = 0; round < 30; round++)
        {
            RandomTree(bench, random);
            await bench.RunAsync(volume);
            SortedDictionary<string, string> expected = TreeImage.OfDisk(bench.Source);
            string fresh = Path.Combine(bench.Home, $"fresh{round}");
            using TreeCopy copy = Copy(volume, bench, fresh);
            Assert.Empty(copy.Errors);
            TreeImage.AssertSame(expected, TreeImage.OfDisk(fresh));

            // What there was before and is not now stays; all else is as now.
            using TreeCopy again = Copy(volume, bench, over, replaces: true);
            SortedDictionary<string, string> kept = TreeImage.OfDisk(over);
            foreach (string error in again.Errors)
            {
                Assert.True(error.Contains("irectory", StringComparison.Ordinal) || error.Contains("exists", StringComparison.Ordinal), error);
            }

            if (again.Errors.Count == 0)
            {
                TreeImage.AssertSame(expected, new SortedDictionary<string, string>(kept.Where(pair => expected.ContainsKey(pair.Key)).ToDictionary(), StringComparer.Ordinal));
            }
            else
            {
                Directory.Delete(over, recursive: true);
            }

            Assert.DoesNotContain(kept.Keys, static path => path.Contains(".drive-restore", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task What_is_there_is_not_touched_unless_that_is_asked_for_and_then_replaced_in_one_step()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        Populate(bench);
        await bench.RunAsync(volume);
        string to = Path.Combine(bench.Home, "to");
        Directory.CreateDirectory(Path.Combine(to, "deep", "soft"));
        await File.WriteAllTextAsync(Path.Combine(to, "text"), "another");
        await File.WriteAllTextAsync(Path.Combine(to, "own"), "own");
        await File.WriteAllTextAsync(Path.Combine(to, "folder"), "no folder");
        Posix.SymbolicLink("own", Path.Combine(to, "large"));
        using (TreeCopy refused = Copy(volume, bench, to))
        {
            Assert.Contains("exists", Assert.Single(refused.Errors), StringComparison.Ordinal);
            Assert.Equal("another", await File.ReadAllTextAsync(Path.Combine(to, "text")));
        }

        await using FileStream held = File.OpenRead(Path.Combine(to, "text"));
        using TreeCopy copy = Copy(volume, bench, to, replaces: true);
        Assert.Equal(2, copy.Errors.Count);
        Assert.Contains(copy.Errors, error => error.StartsWith(Path.Combine(to, "deep", "soft"), StringComparison.Ordinal));
        Assert.Contains(copy.Errors, error => error.StartsWith(Path.Combine(to, "folder"), StringComparison.Ordinal));
        using StreamReader reader = new(held);
        Assert.Equal("another", await reader.ReadToEndAsync());
        Assert.Equal("own", await File.ReadAllTextAsync(Path.Combine(to, "own")));
        Assert.Equal("no folder", await File.ReadAllTextAsync(Path.Combine(to, "folder")));
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(bench.Source, "large")), await File.ReadAllBytesAsync(Path.Combine(to, "large")));
        Assert.Null(new FileInfo(Path.Combine(to, "large")).LinkTarget);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(to, "*", SearchOption.AllDirectories), static path => path.Contains(".drive-restore", StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_file_or_link_comes_back_as_well()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        Populate(bench);
        await bench.RunAsync(volume);
        foreach (string name in (string[])["text", "link"])
        {
            string to = Path.Combine(bench.Home, name);
            using TreeCopy copy = Copy(volume, bench, to, name: name);
            Assert.Equal((1, 0, 0), (copy.Files, copy.Folders, copy.Errors.Count));
            Assert.Equal(TreeImage.OfDisk(Path.Combine(bench.Source, name))[""], TreeImage.OfDisk(to)[""]);
        }

        using TreeCopy nowhere = Copy(volume, bench, Path.Combine(bench.Home, "missing", "to"), name: "text");
        Assert.Contains("No such file", Assert.Single(nowhere.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_that_are_no_text_come_back()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        Shell($"""cd '{bench.Source}' && mkdir "$(printf 'fol\377der')" && printf x > "$(printf 'fol\377der/no\377text')" && printf y > "$(printf 'new\nline')" """);
        await bench.RunAsync(volume);
        string to = Path.Combine(bench.Home, "to");
        using TreeCopy copy = Copy(volume, bench, to);
        Assert.Equal((2, 2, 0), (copy.Folders, copy.Files, copy.Errors.Count));
        Shell($"diff -r '{bench.Source}' '{to}'");
    }

    [Fact]
    public async Task Of_a_file_that_the_store_has_lost_nothing_is_left_and_the_rest_comes()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        bench.Write("large/lost", 1, 9 << 20);
        await bench.RunAsync(volume);
        string[] first = [.. (await bench.PacksAsync()).Keys];
        bench.Write("small/kept", 2, 100_000);
        await bench.RunAsync(volume);
        foreach (string pack in first)
        {
            await bench.Store.Inner.DeleteAsync(new ObjectName(pack), CancellationToken.None);
        }

        string to = Path.Combine(bench.Home, "to");
        using TreeCopy copy = Copy(volume, bench, to);
        Assert.Contains("drive check --read-data", Assert.Single(copy.Errors), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(to, "large")));
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(bench.Source, "small/kept")), await File.ReadAllBytesAsync(Path.Combine(to, "small/kept")));
    }

    [Fact]
    public async Task A_store_that_is_away_is_waited_for_and_one_that_stays_away_ends_the_copy()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        bench.Write("file", 1, 5 << 20);
        await bench.RunAsync(volume);
        int calls = 0;
        bench.Store.Script = _ => Interlocked.Increment(ref calls) <= 3 ? new StoreFault { Before = StoreFault.Error(StoreErrorKind.Unreachable, isTransient: true) } : null;
        using (TreeCopy copy = Copy(volume, bench, Path.Combine(bench.Home, "patient")))
        {
            Assert.Empty(copy.Errors);
        }

        Assert.InRange(calls, 4, 1000);
        await using Volume elsewhere = await bench.OpenAsync("elsewhere");
        bench.Store.Script = static _ => new StoreFault { Before = StoreFault.Error(StoreErrorKind.Unreachable, isTransient: true) };
        ManualTime time = new();
        using CancellationTokenSource ended = new();
        Task ticking = Task.Run(async () =>
        {
            while (!ended.IsCancellationRequested)
            {
                time.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(5);
            }
        });
        FsException failure = Assert.Throws<FsException>(() => Copy(elsewhere, bench, Path.Combine(bench.Home, "vain"), time: time));
        await ended.CancelAsync();
        await ticking;
        Assert.Contains("--overwrite", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(bench.Home, "vain")));
        bench.Store.Script = static _ => null;
    }

    [Fact]
    public async Task From_far_away_small_files_come_by_the_hundred()
    {
        await using EngineBench bench = await EngineBench.CreateAsync(isFar: true);
        await using Volume volume = await bench.OpenAsync();
        for (int i = 0; i < 1500; i++)
        {
            bench.Write($"{i % 7}/{i}", i, 5000);
        }

        bench.Write("large", 1, 6 << 20);
        await bench.RunAsync(volume);
        await using Volume elsewhere = await bench.OpenAsync("elsewhere");
        int calls = 0;
        bench.Store.Script = call =>
        {
            if (call.Kind == StoreCallKind.GetRange && call.Name.StartsWith("packs/", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref calls);
            }

            return null;
        };
        using TreeCopy copy = Copy(elsewhere, bench, Path.Combine(bench.Home, "to"));
        Assert.Empty(copy.Errors);
        Assert.InRange(calls, 2, 40);
        TreeImage.AssertSame(TreeImage.OfDisk(bench.Source), TreeImage.OfDisk(Path.Combine(bench.Home, "to")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("text")]
    public async Task A_volume_that_is_closed_meanwhile_ends_the_copy_and_nothing_else(string name)
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        Populate(bench);
        await bench.RunAsync(volume);
        (IVolume past, NodeAttributes node) = volume.TimeMachine.Open(volume.TimeMachine.Find("latest"), $"{bench.InVault}/{name}");
        await volume.DisposeAsync();
        using TreeCopy copy = new(past, replaces: false, TimeProvider.System, CancellationToken.None);
        Assert.Contains("unmounted meanwhile. What was copied so far stays; run it again with --overwrite", Assert.Throws<FsException>(() => copy.Run(node, Path.Combine(bench.Home, "to"))).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(bench.Home, "to")));
    }

    /// <summary>What a volume far away answers when it is closed in the midst of a read.</summary>
    [Fact]
    public async Task A_read_that_is_broken_off_is_no_end_of_a_copy_that_got_through()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        Populate(bench);
        await bench.RunAsync(volume);
        (IVolume past, NodeAttributes node) = volume.TimeMachine.Open(volume.TimeMachine.Find("latest"), bench.InVault);
        using TreeCopy copy = new(new InterruptedVolume(past), replaces: false, TimeProvider.System, CancellationToken.None);
        Assert.Contains("run it again with --overwrite", Assert.Throws<FsException>(() => copy.Run(node, Path.Combine(bench.Home, "to"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_copy_that_is_ended_stops_and_leaves_no_part_of_a_file()
    {
        await using EngineBench bench = await EngineBench.CreateAsync();
        await using Volume volume = await bench.OpenAsync();
        bench.Write("large", 1, 20 << 20);
        await bench.RunAsync(volume);
        using CancellationTokenSource ending = new();
        int calls = 0;
        bench.Store.Script = _ =>
        {
            if (Interlocked.Increment(ref calls) == 5)
            {
                ending.Cancel();
            }

            return null;
        };
        Assert.ThrowsAny<OperationCanceledException>(() => Copy(volume, bench, Path.Combine(bench.Home, "to"), cancellationToken: ending.Token));
        Assert.InRange(calls, 5, 15);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(bench.Home, "to")));
        Assert.ThrowsAny<OperationCanceledException>(() => Copy(volume, bench, Path.Combine(bench.Home, "never"), cancellationToken: ending.Token));
        Assert.False(Path.Exists(Path.Combine(bench.Home, "never")));
    }

    private static TreeCopy Copy(
        Volume volume, EngineBench bench, string to, bool replaces = false, string name = "", TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        TimeMachine machine = volume.TimeMachine;
        (IVolume past, NodeAttributes node) = machine.Open(machine.Find("latest"), $"{bench.InVault}/{name}");
        TreeCopy copy = new(past, replaces, time ?? TimeProvider.System, cancellationToken);
        try
        {
            copy.Run(node, to);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    private static void Populate(EngineBench bench) => Shell($"""
        cd '{bench.Source}' && mkdir -p deep/er shut folder
        printf one > text && chmod 4751 text && ln text deep/hard && ln -s ../nowhere deep/soft && : > empty
        truncate -s 7M holes && printf mid | dd of=holes bs=1 seek=3000000 conv=notrunc 2> /dev/null
        truncate -s 1M hollow && head -c 5000000 /dev/urandom > large && mkfifo -m 640 pipe
        printf s > shut/in && setfattr -n user.note -v kept text shut 2> /dev/null
        chmod 2750 deep && chmod 555 shut && ln -s gone link && ln link deep/link2 && printf a > folder/a
        touch -h -d '1999-12-31 23:59:59.987654321' text large deep/soft pipe shut deep/er deep .
        """);

    private static void Shell(string script)
    {
        ProgramRun ran = ProgramRun.Of("sh", ["-c", script], TimeSpan.FromMinutes(1));
        Assert.True(ran.Code == 0, ran.ToString());
    }

    /// <summary>Changes a few things of the source, each of which may turn into another kind of thing.</summary>
    private static void RandomTree(EngineBench bench, Random random)
    {
        for (int i = 0; i < 12; i++)
        {
            string folder = Path.Combine(bench.Source, $"{(char)('a' + random.Next(3))}");
            string path = Path.Combine(folder, $"{(char)('p' + random.Next(5))}");
            if (Directory.Exists(path) && new DirectoryInfo(path).LinkTarget is null)
            {
                Directory.Delete(path, recursive: true);
            }

            Directory.CreateDirectory(folder);
            File.Delete(path);
            switch (random.Next(7))
            {
                case 0:
                    bench.Write(Path.Combine(Path.GetRelativePath(bench.Source, path), "in"), random.Next(), random.Next(1, 1000));
                    break;
                case 1:
                    Posix.SymbolicLink($"to {random.Next()}", path);
                    break;
                case 2 when Directory.GetFiles(bench.Source, "*", SearchOption.AllDirectories) is [_, ..] files && files.FirstOrDefault(static file => new FileInfo(file).LinkTarget is null) is { } known:
                    Assert.Equal(0, Posix.Link(known, path));
                    break;
                case 3:
                    Posix.MakeNode(path, FileMode.Fifo | 0x180);
                    break;
                case 4:
                    break;
                default:
                    bench.Write(Path.GetRelativePath(bench.Source, path), random.Next(), random.Next(0, 70_000));
                    Posix.ChangeMode(path, (uint)random.Next(0x100, 0x1FF));
                    break;
            }
        }
    }

    private sealed class InterruptedVolume(IVolume inner) : VolumeWrapper(inner)
    {
        public override ValueTask<IoResult> ReadAsync(HandleId handle, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
            ValueTask.FromResult(IoResult.Failed(FsStatus.Interrupted));
    }
}
