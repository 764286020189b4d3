using System.Text;
using Drive.Backup.Runs;
using Drive.Core.Volumes;
using Drive.Disk.Trees;
using Drive.Testing;

namespace Drive.Backup.Tests;

/// <summary>What a run makes of folders, over the reference volume.</summary>
public sealed class RunTests
{
    [Fact]
    public async Task A_run_makes_an_exact_copy_and_the_next_one_reads_nothing()
    {
        await using BackupBench bench = new();
        Populate(bench);
        BackupReport first = await bench.RunAsync();
        Assert.Equal(BackupOutcome.Done, first.Outcome);
        await bench.AssertExactAsync();
        Assert.Equal(first.Files, first.NewFiles);
        Assert.NotNull(first.Proven);

        BackupReport second = await bench.RunAsync();
        Assert.Equal(BackupOutcome.Done, second.Outcome);
        Assert.Equal((0, 0, 0, 0), (second.ReadBytes, second.NewFiles, second.ChangedFiles, second.GoneFiles));
        Assert.Equal(first.Files, second.Files);
        await bench.AssertExactAsync();
        Assert.Equal([second, first], bench.Sets.Reports("docs"), static (one, other) => one.Started == other.Started);
    }

    [Fact]
    public async Task What_changed_came_and_went_is_so_in_the_vault_and_counted()
    {
        await using BackupBench bench = new();
        Populate(bench);
        await bench.RunAsync();
        bench.Write("a.txt", "another text");
        bench.Write("new/deep/file", "new");
        File.Delete(bench.At("folder/b.txt"));
        Directory.Delete(bench.At("gone"), recursive: true);
        Assert.Equal(0, Posix.ChangeMode(bench.At("script"), 0x1C0));
        File.Move(bench.At("moved"), bench.At("folder/moved"));
        Posix.Unlink(bench.At("link"));
        Posix.SymbolicLink("elsewhere", bench.At("link"));
        Posix.SetXattr(bench.At("tagged"), "user.more", "x"u8);
        Posix.RemoveXattr(bench.At("tagged"), "user.tag");

        BackupReport report = await bench.RunAsync();
        Assert.Equal(BackupOutcome.Done, report.Outcome);
        await bench.AssertExactAsync();
        Assert.Equal((2, 3, 4), (report.NewFiles, report.ChangedFiles, report.GoneFiles));
    }

    [Fact]
    public async Task A_file_in_place_of_a_folder_and_a_folder_in_place_of_a_file_take_their_places()
    {
        await using BackupBench bench = new();
        bench.Write("one/inner", "1");
        bench.Write("two", "2");
        await bench.RunAsync();
        Directory.Delete(bench.At("one"), recursive: true);
        File.Delete(bench.At("two"));
        bench.Write("one", "now a file");
        bench.Write("two/inner", "now a folder");
        await bench.RunAsync();
        await bench.AssertExactAsync();
    }

    [Fact]
    public async Task Hard_links_are_made_joined_and_parted()
    {
        await using BackupBench bench = new();
        bench.Write("a", "shared");
        Assert.Equal(0, Posix.Link(bench.At("a"), bench.At("b")));
        await bench.RunAsync();
        await bench.AssertExactAsync();
        Assert.Equal(0, Posix.Link(bench.At("a"), bench.At("c")));
        await bench.RunAsync();
        await bench.AssertExactAsync();
        File.Delete(bench.At("a"));
        bench.Write("a", "alone now");
        await bench.RunAsync();
        await bench.AssertExactAsync();
        File.WriteAllText(bench.At("b"), "b and c together");
        await bench.RunAsync();
        await bench.AssertExactAsync();
        Assert.Equal(0, (await bench.RunAsync()).ReadBytes);
    }

    [Fact]
    public async Task What_somebody_changed_in_the_vault_is_put_right()
    {
        await using BackupBench bench = new();
        Populate(bench);
        await bench.RunAsync();
        NodeId source = TreeImage.Find(bench.Volume, bench.InVault)!.Value.Node;
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(FsStatus.Ok, bench.Volume.Unlink(source, "a.txt"u8));
        Assert.Equal(FsStatus.Ok, bench.Volume.MakeNode(source, "stranger"u8, FileMode.Regular | 0x180, 0, Caller.Root, out _));
        NodeId folder = TreeImage.Find(bench.Volume, bench.InVault + "/folder")!.Value.Node;
        Assert.Equal(FsStatus.Ok, bench.Volume.Rename(folder, "b.txt"u8, folder, "c.txt"u8, RenameOptions.None));
        AttributeChange mode = new() { Fields = AttributeFields.Mode, Mode = 0x1FF };
        Assert.Equal(FsStatus.Ok, bench.Volume.SetAttributes(TreeImage.Find(bench.Volume, bench.InVault + "/script")!.Value.Node, HandleId.None, mode, out _));
        await bench.RunAsync();
        await bench.AssertExactAsync();
    }

    [Fact]
    public async Task Without_what_was_remembered_the_result_is_the_same_and_nothing_is_sent()
    {
        await using BackupBench bench = new();
        Populate(bench);
        await bench.RunAsync();
        string index = Directory.GetFiles(Path.Combine(bench.Sets.Folder, "docs"), "index-*").Single();
        byte[] damaged = await File.ReadAllBytesAsync(index);
        damaged[damaged.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(index, damaged);
        BackupReport report = await bench.RunAsync();
        Assert.Equal(0, report.SentBytes);
        await bench.AssertExactAsync();
        Assert.Equal(0, (await bench.RunAsync()).ReadBytes);
    }

    [Fact]
    public async Task What_is_remembered_tells_no_name_without_the_key()
    {
        await using BackupBench bench = new();
        bench.Write("a-very-special-name", "x");
        await bench.RunAsync();
        foreach (string file in Directory.GetFiles(Path.Combine(bench.Sets.Folder, "docs"), "index-*"))
        {
            Assert.DoesNotContain("special", Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file)), StringComparison.Ordinal);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public async Task Paranoid_finds_a_change_that_attributes_hide_and_changes_nothing_else()
    {
        await using BackupBench bench = new();
        bench.Write("a", "before");
        bench.Write("b", "stays");
        await bench.RunAsync();
        NodeAttributes? b = TreeImage.Find(bench.Volume, bench.InVault + "/b");

        // Both sides' attributes say that nothing happened, and the bytes differ.
        bench.Import.Replace(TreeImage.Find(bench.Volume, bench.InVault + "/a")!.Value.Node, "after!"u8.ToArray());
        BackupReport plain = await bench.RunAsync();
        Assert.Equal(0, plain.ReadBytes);
        BackupReport paranoid = await bench.RunAsync(new BackupOptions { IsParanoid = true });
        Assert.Equal(11, paranoid.ReadBytes);
        Assert.Equal(1, paranoid.ChangedFiles);
        Assert.Equal(b, TreeImage.Find(bench.Volume, bench.InVault + "/b"));
        Assert.Equal("before", await ReadAsync(bench, "a"));
    }

    [Fact]
    public async Task A_file_that_changes_while_it_is_read_is_read_again_and_marked_if_it_goes_on()
    {
        await using BackupBench bench = new();
        bench.Write("once", "first");
        bench.Write("always", "first");
        int changes = 0;
        bench.Reading = path =>
        {
            string name = Path.GetFileName(Encoding.UTF8.GetString(path));
            if (name == "always" || (name == "once" && changes++ == 0))
            {
                File.AppendAllText(bench.At(name), "+");
            }
        };
        BackupReport report = await bench.RunAsync();
        Assert.Equal(BackupOutcome.Incomplete, report.Outcome);
        Assert.Equal([bench.At("always")], report.Unreadable.Select(static one => one.Path));
        Assert.Equal("first+", await ReadAsync(bench, "once"));
        Assert.StartsWith("first", await ReadAsync(bench, "always"), StringComparison.Ordinal);

        bench.Reading = null;
        Assert.Equal(BackupOutcome.Done, (await bench.RunAsync()).Outcome);
        await bench.AssertExactAsync();
    }

    [Fact]
    public async Task A_path_that_is_not_there_is_told_and_what_the_vault_has_of_it_stays()
    {
        await using BackupBench bench = new();
        Populate(bench);
        await bench.RunAsync();
        SortedDictionary<string, string> before = await TreeImage.OfVolumeAsync(bench.Volume, bench.InVault);
        string away = bench.Source + "-away";
        Directory.Move(bench.Source, away);
        BackupReport report = await bench.RunAsync();
        Assert.Equal(BackupOutcome.Incomplete, report.Outcome);
        Assert.Equal([bench.Source], report.Unreadable.Select(static one => one.Path));
        Assert.Equal(0, report.GoneFiles);
        TreeImage.AssertSame(before, await TreeImage.OfVolumeAsync(bench.Volume, bench.InVault));

        Directory.Move(away, bench.Source);
        BackupReport back = await bench.RunAsync();
        Assert.Equal((BackupOutcome.Done, 0L), (back.Outcome, back.NewFiles));
        await bench.AssertExactAsync();
    }

    [Fact]
    public async Task What_may_not_be_read_is_listed_stays_in_the_vault_and_the_rest_goes_on()
    {
        await using BackupBench bench = new();
        Populate(bench);
        await bench.RunAsync();
        SortedDictionary<string, string> before = await TreeImage.OfVolumeAsync(bench.Volume, bench.InVault);
        bench.Write("a.txt", "more");
        bench.Write("folder/closed", "new and closed");
        Assert.Equal(0, Posix.ChangeMode(bench.At("folder"), 0));
        Assert.Equal(0, Posix.ChangeMode(bench.At("script"), 0));
        BackupReport? report = null;
        foreach (string ours in (string[])[bench.Home, bench.Sets.Folder, .. Directory.GetFileSystemEntries(bench.Sets.Folder, "*", SearchOption.AllDirectories)])
        {
            Posix.ChangeOwner(ours, 65534, 65534);
        }

        await GiveToAsync(bench, 65534, () => report = bench.RunAsync().GetAwaiter().GetResult());
        Assert.Equal(BackupOutcome.Incomplete, report!.Outcome);
        Assert.Equal([bench.At("folder"), bench.At("script")], report.Unreadable.Select(static one => one.Path).Order(StringComparer.Ordinal));
        Assert.Equal((0, 1), (report.GoneFiles, report.ChangedFiles));
        SortedDictionary<string, string> after = await TreeImage.OfVolumeAsync(bench.Volume, bench.InVault);
        Assert.Equal(before["/folder/b.txt"], after["/folder/b.txt"]);
        Assert.NotEqual(before["/a.txt"], after["/a.txt"]);

        Assert.Equal(0, Posix.ChangeMode(bench.At("folder"), 0x1ED));
        Assert.Equal(0, Posix.ChangeMode(bench.At("script"), 0x1ED));
        Assert.Equal(BackupOutcome.Done, (await bench.RunAsync()).Outcome);
        await bench.AssertExactAsync();
    }

    [Fact]
    public async Task Rules_size_limits_and_places_that_are_never_held_leave_things_out_and_nothing_counts_as_gone()
    {
        await using BackupBench bench = new();
        Populate(bench);
        bench.Write("state/secret", "s");
        bench.Write("large", new string('x', 5000));
        bench.Write("kept/.driveignore", "tmp\n");
        bench.Write("kept/tmp", "t");
        bench.Write("kept/other", "t");
        await bench.RunAsync();
        await bench.AssertExactAsync();
        bench.Set = bench.Set with { FileBytesMax = 4999 };
        BackupReport report = await bench.RunAsync(
            new BackupOptions { Rules = static (_, _) => new NameRules(["gone"]) }, BackupBench.Place with { NeverBackedUp = [bench.At("state")] });
        Assert.Equal((BackupOutcome.Done, 0), (report.Outcome, report.GoneFiles));
        SortedDictionary<string, string> expected = TreeImage.OfDisk(bench.Source);
        foreach (string path in expected.Keys.Where(static path => path.StartsWith("/gone", StringComparison.Ordinal) || path.StartsWith("/state", StringComparison.Ordinal) || path is "/large" or "/large.bin" or "/sparse" or "/kept/tmp").ToList())
        {
            expected.Remove(path);
        }

        TreeImage.AssertSame(expected, await TreeImage.OfVolumeAsync(bench.Volume, bench.InVault));
    }

    [Fact]
    public async Task An_extended_attribute_that_is_too_large_is_left_out_and_no_older_value_stays()
    {
        await using BackupBench bench = new();
        bench.Write("a", "");
        SourceNode source = SourceTree.Look(SourcePath.Of(bench.At("a")));
        VaultTree tree = new(bench.Volume, bench.Import);
        foreach ((int length, int refused) in (ReadOnlySpan<(int, int)>)[(65_536, 0), (65_537, 1)])
        {
            (byte[] Name, byte[] Value)[] xattrs = [("user.large"u8.ToArray(), new byte[length]), ("user.small"u8.ToArray(), [1])];
            NodeId node = tree.PutFile(NodeId.Root, "a"u8.ToArray(), source, [], xattrs)!.Value.Node;
            Assert.Equal(xattrs.Take(refused).Select(static one => one.Name), tree.FindRefused(node, xattrs));
        }
    }

    [Fact]
    public async Task Several_paths_of_a_set_lie_side_by_side_and_one_that_leaves_the_set_goes()
    {
        await using BackupBench bench = new();
        bench.Write("one/x", "1");
        bench.Write("two/y", "2");
        bench.Write("other/z", "3");
        bench.Set = bench.Set with { Paths = [bench.At("two"), bench.At("one"), bench.At("other/z")] };
        await bench.RunAsync();
        await bench.AssertExactAsync();
        bench.Set = bench.Set with { Paths = [bench.At("two")] };
        await bench.RunAsync();
        Assert.Equal(["", "/two", "/two/y"], (await TreeImage.OfVolumeAsync(bench.Volume, bench.InVault)).Keys);
    }

    [Fact]
    public async Task Content_that_the_vault_forgets_in_between_is_read_anew()
    {
        await using BackupBench bench = new();
        bench.Write("a", "content");
        bench.Import.ForgetsOnce = true;
        Assert.Equal(BackupOutcome.Done, (await bench.RunAsync()).Outcome);
        await bench.AssertExactAsync();
    }

    [Fact]
    public async Task Whoever_shows_the_volume_is_told_what_changed()
    {
        await using BackupBench bench = new();
        bench.Write("a", "1");
        await bench.RunAsync();
        bench.Import.ToldNames.Clear();
        bench.Write("b", "2");
        File.Delete(bench.At("a"));
        await bench.RunAsync();
        Assert.Equal(["a", "b"], bench.Import.ToldNames.Select(static name => Encoding.UTF8.GetString(name.Name)).Order(StringComparer.Ordinal));
    }

    internal static void Populate(BackupBench bench)
    {
        bench.Write("a.txt", "a text");
        bench.Write("folder/b.txt", "b");
        bench.Write("folder.txt", "sorts between");
        bench.Write("folder/inner/empty", "");
        bench.Write("gone/1", "1");
        bench.Write("gone/2", "2");
        bench.Write("moved", "moved");
        bench.Write("script", "#!/bin/sh");
        Assert.Equal(0, Posix.ChangeMode(bench.At("script"), 0x9ED));
        bench.Write("tagged", "t");
        Posix.SetXattr(bench.At("tagged"), "user.tag", "value"u8);
        Posix.SymbolicLink("a.txt", bench.At("link"));
        Posix.MakeNode(bench.At("pipe"), FileMode.Fifo | 0x180);
        byte[] large = new byte[(3 << 20) + 12345];
        new Random(1).NextBytes(large);
        File.WriteAllBytes(bench.At("large.bin"), large);
        using (FileStream sparse = File.Create(bench.At("sparse")))
        {
            sparse.SetLength(10 << 20);
            // In pages of 64 KiB, since the reference knows no finer holes.
            sparse.Position = (2 << 20) + 65_536;
            sparse.Write(large, 0, 131_072);
            sparse.Position = 7 << 20;
            sparse.Write(large, 0, 65_536);
        }

        Directory.SetLastWriteTimeUtc(bench.At("folder"), new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        File.SetLastWriteTimeUtc(bench.At("a.txt"), new DateTime(2021, 1, 2, 3, 4, 5, DateTimeKind.Utc));
    }

    private static async Task<string> ReadAsync(BackupBench bench, string name)
    {
        NodeAttributes node = TreeImage.Find(bench.Volume, $"{bench.InVault}/{name}")!.Value;
        byte[] content = new byte[node.Size];
        await bench.Volume.ReadAsync(HandleId.Of(node.Node), 0, content, CancellationToken.None);
        return Encoding.UTF8.GetString(content);
    }

    /// <summary>As a user who is not root, where the test runs as root; on one thread, since that is what a thread is.</summary>
    private static Task GiveToAsync(BackupBench bench, uint user, Action action)
    {
        if (Environment.IsPrivilegedProcess)
        {
            _ = bench;
            Posix.AsUser(user, user, action);
        }
        else
        {
            action();
        }

        return Task.CompletedTask;
    }

    private sealed class NameRules(IReadOnlyList<string> names) : IPathRules
    {
        public bool IsExcluded(string relativePath, bool isDirectory) => names.Contains(Path.GetFileName(relativePath));

        public IPathRules Enter(string folderRelative, IReadOnlyList<string> lines) => new NameRules([.. names, .. lines.Where(static line => line.Length > 0)]);
    }
}
