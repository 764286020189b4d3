using System.Text.RegularExpressions;

namespace Drive.Cli.Tests;

/// <summary>Two devices of one vault, each with a daemon and a mount of its own, at the same time.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed partial class TwoMountTests
{
    [MountFact]
    public void What_one_does_the_other_shows_and_what_both_change_both_keep()
    {
        using DriveHome home = new();
        using DriveHome other = Join(home);
        string here = home.Mount;
        string there = other.Mount;

        // Seen first, so that the kernel has it in its caches.
        Assert.Empty(Directory.GetFileSystemEntries(there));
        Assert.False(File.Exists(Path.Combine(there, "note")));
        File.WriteAllText(Path.Combine(here, "note"), "one");
        AwaitContent(Path.Combine(there, "note"), "one");
        Assert.Equal(["note"], Names(there));

        // Cached content, size and time become the new ones.
        File.WriteAllText(Path.Combine(here, "note"), "two and more");
        AwaitContent(Path.Combine(there, "note"), "two and more");
        File.AppendAllText(Path.Combine(there, "note"), ", and from there");
        AwaitContent(Path.Combine(here, "note"), "two and more, and from there");
        Assert.Equal(File.GetLastWriteTimeUtc(Path.Combine(here, "note")), File.GetLastWriteTimeUtc(Path.Combine(there, "note")));

        Directory.CreateDirectory(Path.Combine(there, "folder"));
        DriveHome.Eventually(() => Directory.Exists(Path.Combine(here, "folder")), "the folder shows");
        File.Move(Path.Combine(here, "note"), Path.Combine(here, "folder", "moved"));
        DriveHome.Eventually(() => !File.Exists(Path.Combine(there, "note")) && File.Exists(Path.Combine(there, "folder", "moved")), "the move shows");
        File.Delete(Path.Combine(there, "folder", "moved"));
        DriveHome.Eventually(() => !File.Exists(Path.Combine(here, "folder", "moved")), "the removal shows");

        // Both write the same file before either hears of it.
        File.WriteAllText(Path.Combine(here, "both.txt"), "old");
        AwaitContent(Path.Combine(there, "both.txt"), "old");
        File.WriteAllText(Path.Combine(here, "both.txt"), "from here");
        File.WriteAllText(Path.Combine(there, "both.txt"), "from there");
        home.Do("wait", "--timeout", "60");
        other.Do("wait", "--timeout", "60");
        DriveHome.Eventually(() => Names(here).Length == 3 && Names(here).SequenceEqual(Names(there)), "both show both");
        string copy = Assert.Single(Names(here), static name => Copy().IsMatch(name));
        Assert.Contains($"{copy}\n  of '", home.Do("conflicts", here).Output, StringComparison.Ordinal);
        Assert.Equal(["from here", "from there"], new[] { "both.txt", copy }.Select(name => File.ReadAllText(Path.Combine(here, name))).Order());
        Assert.Equal(["from here", "from there"], new[] { "both.txt", copy }.Select(name => File.ReadAllText(Path.Combine(there, name))).Order());
    }

    [MountFact]
    public void A_repository_that_is_made_on_one_is_used_on_the_other()
    {
        using DriveHome home = new();
        using DriveHome other = Join(home);
        string here = Path.Combine(home.Mount, "work");
        string there = Path.Combine(other.Mount, "work");
        Git(home.Mount, "init", "-q", "work");
        for (int commit = 0; commit < 5; commit++)
        {
            for (int file = 0; file < 20; file++)
            {
                File.WriteAllText(Path.Combine(here, $"file{file}"), $"{commit} {file}");
            }

            Git(here, "add", "-A");
            Git(here, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", $"{commit}");
        }

        home.Do("wait", "--timeout", "60");
        DriveHome.Eventually(() => Shell.Run("git", "-C", there, "log", "--oneline").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length == 5, "the log is there");
        Git(there, "fsck", "--strict");
        Git(there, "checkout", "-qb", "other");
        File.WriteAllText(Path.Combine(there, "file0"), "changed there");
        Git(there, "-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qam", "there");
        other.Do("wait", "--timeout", "60");
        DriveHome.Eventually(() => Shell.Run("git", "-C", here, "rev-parse", "--abbrev-ref", "HEAD").Output.Trim() == "other", "the branch is here");
        AwaitContent(Path.Combine(here, "file0"), "changed there");
        Git(here, "fsck", "--strict");
    }

    [MountFact]
    public void Ten_thousand_files_appear_on_the_other_complete()
    {
        using DriveHome home = new();
        using DriveHome other = Join(home);
        for (int folder = 0; folder < 10; folder++)
        {
            string made = Directory.CreateDirectory(Path.Combine(home.Mount, $"{folder}")).FullName;
            for (int file = 0; file < 1000; file++)
            {
                File.WriteAllText(Path.Combine(made, $"{file}"), $"{folder} {file}");
            }
        }

        home.Do("wait", "--timeout", "80");
        DriveHome.Eventually(() => Enumerable.Range(0, 10).All(folder => Directory.GetFiles(Path.Combine(other.Mount, $"{folder}")).Length == 1000), "all files show");
        for (int folder = 0; folder < 10; folder++)
        {
            for (int file = 0; file < 1000; file++)
            {
                Assert.Equal($"{folder} {file}", File.ReadAllText(Path.Combine(other.Mount, $"{folder}", $"{file}")));
            }
        }
    }

    [MountFact]
    public void Both_write_at_once_for_a_while_and_end_with_one_tree_that_has_all()
    {
        using DriveHome home = new();
        using DriveHome other = Join(home);
        string[] mounts = [home.Mount, other.Mount];
        Parallel.For(0, 2, device =>
        {
            string mount = mounts[device];
            string own = Directory.CreateDirectory(Path.Combine(mount, $"own {device}")).FullName;
            for (int round = 0; round < 40; round++)
            {
                File.WriteAllText(Path.Combine(own, $"{round}"), $"{device} {round}");
                File.WriteAllText(Path.Combine(mount, $"shared {round % 5} {device}"), $"{round}");
                Thread.Sleep(100);
            }
        });
        home.Do("wait", "--timeout", "60");
        other.Do("wait", "--timeout", "60");
        home.Do("wait", "--timeout", "60");
        string[] Tree(string mount) => [.. Directory.GetFiles(mount, "*", SearchOption.AllDirectories).Select(path => $"{Path.GetRelativePath(mount, path)}={File.ReadAllText(path)}").Order(StringComparer.Ordinal)];
        DriveHome.Eventually(() => Tree(home.Mount).SequenceEqual(Tree(other.Mount)), "one tree");
        string[] tree = Tree(home.Mount);
        Assert.Equal(80 + 10, tree.Length);
        for (int round = 0; round < 40; round++)
        {
            Assert.Contains($"own 0/{round}=0 {round}", tree);
            Assert.Contains($"own 1/{round}=1 {round}", tree);
        }
    }

    private static DriveHome Join(DriveHome home)
    {
        string store = Path.Combine(home.Root, "vault");
        string key = home.Do("up", home.Mount, "--store", store).Output;
        DriveHome other = new(home.Root);
        Ran recovered = other.RunWith(key, "recover", store);
        Assert.True(recovered.Code == 0, recovered.ToString());
        other.Do("mount", "drive", other.Mount);
        return other;
    }

    private static void AwaitContent(string path, string content) => DriveHome.Eventually(() => File.ReadAllText(path) == content, $"{path} has the other's content");

    private static string[] Names(string folder) => [.. Directory.GetFileSystemEntries(folder).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static void Git(string folder, params string[] arguments)
    {
        Ran ran = Shell.Run("git", ["-C", folder, "-c", "safe.directory=*", .. arguments]);
        Assert.True(ran.Code == 0, ran.ToString());
    }

    [GeneratedRegex(@"^both \(conflict, [^)]+, \d{4}-\d\d-\d\d \d\d-\d\d\)\.txt$")]
    private static partial Regex Copy();
}
