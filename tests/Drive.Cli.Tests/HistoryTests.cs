using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Drive.Cli.Tests;

/// <summary>The past of a mounted drive, by programs and by the command.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class HistoryTests
{
    [MountFact]
    public void Programs_read_the_past_in_its_folder()
    {
        using DriveHome home = new();
        home.Do("init", Path.Combine(home.Root, "store"));
        home.Do("mount", "drive", home.Mount);
        string tree = Path.Combine(home.Mount, "tree");
        Shell.Do("sh", "-c", $"""
            mkdir -p '{tree}/a b/new
            line' && cd '{tree}' && printf one > 'a b/f' && ln 'a b/f' hard && ln -s 'a b/f' soft && mkfifo pipe
            printf x > "$(printf 'odd \001\377 name')" && printf deep > 'a b/new
            line/deep' && truncate -s 3M holes && printf end >> holes && chmod 4751 'a b/f' && touch -d '2001-02-03 04:05:06.789' 'a b/f' 'a b'
            head -c 5000000 /dev/urandom > large
            """);
        string copy = Path.Combine(home.Root, "copy");
        Shell.Do("cp", "-a", tree, copy);
        home.Do("snapshot", "create", "first");
        Shell.Do("sh", "-c", $"cd '{tree}' && printf two > 'a b/f' && rm hard soft && rm -r 'a b/new\nline' && printf more >> large && mv pipe fifo");
        home.Do("wait", "--timeout", "60");

        string past = Path.Combine(home.Mount, ".snapshots", "first", "tree");
        Assert.Equal("one", File.ReadAllText(Path.Combine(past, "a b", "f")));
        Shell.Do("diff", "-r", "--no-dereference", Path.Combine(copy, "a b"), Path.Combine(past, "a b"));
        Assert.Equal(Stat(copy), Stat(past));
        string rsynced = Path.Combine(home.Root, "rsynced");
        string copied = Path.Combine(home.Root, "copied");
        Shell.Do("cp", "-a", past, copied);
        Assert.Equal(Stat(copy), Stat(copied));
        Assert.InRange(new FileInfo(Path.Combine(copied, "holes")).Length, 3 << 20, (3 << 20) + 10);
        Assert.True(Blocks(Path.Combine(copied, "holes")) < 200);
        if (File.Exists("/usr/bin/rsync"))
        {
            // Whole seconds are enough for rsync, unless it is told otherwise.
            Shell.Do("rsync", "-aH", "--modify-window=-1", past + "/", rsynced + "/");
            Assert.Equal(Stat(copy), Stat(rsynced));
        }

        // In the root it is not listed, and changes are refused.
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(home.Mount), static path => path.EndsWith(".snapshots", StringComparison.Ordinal));
        Assert.Contains("latest", Directory.EnumerateFileSystemEntries(Path.Combine(home.Mount, ".snapshots")).Select(Path.GetFileName));
        foreach (string change in (string[])["touch new", "rm large", "mkdir d", "mv large other", "ln large other", "chmod 600 large", "truncate -s 0 large", "printf x > large", "echo x | tee -a large", "rmdir 'a b'"])
        {
            Ran refused = Ran.Of("sh", ["-c", $"cd '{past}' && {change}"], TimeSpan.FromSeconds(60));
            Assert.True(refused.Code != 0 && refused.Error.Contains("Read-only file system", StringComparison.Ordinal), $"{change}: {refused}");
        }

        // A file stays open in the past while the present goes.
        using FileStream open = File.OpenRead(Path.Combine(past, "large"));
        open.ReadExactly(new byte[100_000]);
        Shell.Do("rm", "-r", tree); // Names that are no text are beyond Directory.Delete.
        home.Do("wait", "--timeout", "60");
        using SHA256 hash = SHA256.Create();
        open.Position = 0;
        Assert.Equal(SHA256.HashData(File.ReadAllBytes(Path.Combine(copy, "large"))), hash.ComputeHash(open));
        Assert.False(Directory.Exists(Path.Combine(home.Mount, ".snapshots", "latest", "tree")));
        Assert.False(Directory.Exists(Path.Combine(home.Mount, ".snapshots", "2001-01-01")));
        string today = DateTime.Now.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        Assert.False(Directory.Exists(Path.Combine(home.Mount, ".snapshots", today, "tree")));
    }

    [MountFact]
    public void Ten_thousand_files_of_the_past_are_listed_and_read()
    {
        using DriveHome home = new();
        home.Do("init", Path.Combine(home.Root, "store"));
        home.Do("mount", "drive", home.Mount, "--show-snapshots");
        Shell.Do("sh", "-c", $"mkdir '{home.Mount}/many' && cd '{home.Mount}/many' && seq 10000 | split -l 1 -a 5 -d - f");
        home.Do("snapshot", "create", "full");
        Shell.Do("sh", "-c", $"cd '{home.Mount}/many' && rm f0[0-4]* && printf changed > f09999");
        home.Do("wait", "--timeout", "120");
        string past = Path.Combine(home.Mount, ".snapshots", "full", "many");
        Assert.Equal("10000\n50005000\n", Shell.Do("sh", "-c", $"cd '{past}' && ls | wc -l && cat * | awk '{{s += $1}} END {{print s}}'").Output);
        Assert.Contains(".snapshots", Directory.EnumerateFileSystemEntries(home.Mount).Select(Path.GetFileName));
    }

    [MountFact]
    public void Versions_are_listed_brought_back_and_undeleted_and_the_kernel_hears_of_it()
    {
        using DriveHome home = new();
        home.Do("init", Path.Combine(home.Root, "store"));
        home.Do("mount", "drive", home.Mount);
        string folder = Directory.CreateDirectory(Path.Combine(home.Mount, "d")).FullName;
        string file = Path.Combine(folder, "f");
        File.WriteAllText(file, "one");
        home.Do("wait", "--timeout", "60");
        File.WriteAllText(file, "two, longer");
        home.Do("wait", "--timeout", "60");
        JsonElement[] versions = Versions(home, file);
        Assert.Equal([(3L, "changed"), (11L, "none")], versions.Select(static version => (version.GetProperty("size").GetInt64(), version.GetProperty("end").GetString())));
        long first = versions[0].GetProperty("state").GetInt64();
        long second = versions[1].GetProperty("state").GetInt64();
        Assert.Contains("now", home.Do("history", file).Output, StringComparison.Ordinal);

        // In its place, beside, and elsewhere; what is there is not replaced unasked.
        Assert.Equal("two, longer", File.ReadAllText(file));
        Refuse(home, ExitCode.InUse, "--overwrite", "restore", file, "--at", $"@{first}");
        home.Do("restore", file, "--at", $"@{first}", "--overwrite");
        Assert.Equal("one", File.ReadAllText(file));
        string beside = Directory.CreateDirectory(Path.Combine(home.Mount, "old")).FullName;
        home.Do("restore", folder, "--at", $"@{second}", "--to", beside);
        Assert.Equal("two, longer", File.ReadAllText(Path.Combine(beside, "d", "f")));
        string outside = Directory.CreateDirectory(Path.Combine(home.Root, "outside")).FullName;
        home.Do("restore", folder, "--at", $"@{first}", "--to", outside);
        Assert.Equal("one", File.ReadAllText(Path.Combine(outside, "d", "f")));
        Refuse(home, ExitCode.InUse, "--overwrite", "restore", folder, "--at", $"@{first}", "--to", outside);
        File.WriteAllText(Path.Combine(outside, "d", "f"), "changed outside");
        File.WriteAllText(Path.Combine(outside, "d", "came since"), "");
        home.Do("restore", folder, "--at", $"@{second}", "--to", outside, "--overwrite");
        Assert.Equal("two, longer", File.ReadAllText(Path.Combine(outside, "d", "f")));
        Assert.True(File.Exists(Path.Combine(outside, "d", "came since")));
        string way = Path.Combine(home.Root, "way");
        Directory.CreateSymbolicLink(way, beside);
        Refuse(home, ExitCode.Usage, "on the drive itself", "restore", folder, "--at", $"@{first}", "--to", way);
        home.Do("restore", home.Mount, "--at", $"@{first}", "--to", outside);
        Assert.Equal("one", File.ReadAllText(Path.Combine(outside, $"drive@{first}", "d", "f")));
        Refuse(home, ExitCode.NotFound, "no directory", "restore", folder, "--at", $"@{first}", "--to", Path.Combine(home.Root, "missing"));
        Refuse(home, ExitCode.NotFound, "History has nothing for", "restore", file, "--at", "2001-01-01", "--overwrite");
        Refuse(home, ExitCode.NotFound, "does not lie on a mounted drive", "restore", "/etc/passwd", "--at", "1h");
        Refuse(home, ExitCode.Usage, "--at", "restore", file);

        // Deleted, seen missing, and back.
        home.Do("wait", "--timeout", "60");
        Directory.Delete(folder, recursive: true);
        Assert.False(File.Exists(file));
        home.Do("wait", "--timeout", "60");
        Assert.Contains("deleted", home.Do("history", file).Output, StringComparison.Ordinal);
        string found = Directory.CreateDirectory(Path.Combine(home.Root, "found")).FullName;
        home.Do("undelete", file, "--to", found);
        Assert.Equal("one", File.ReadAllText(Path.Combine(found, "f")));
        home.Do("undelete", file);
        Assert.Equal("one", File.ReadAllText(file));
        Refuse(home, ExitCode.InUse, "is there", "undelete", file);
        Refuse(home, ExitCode.NotFound, "History knows nothing", "undelete", Path.Combine(folder, "never"));
        Refuse(home, ExitCode.NotFound, "History knows nothing", "history", Path.Combine(folder, "never"));
    }

    [MountFact]
    public void A_bad_hour_is_shown_and_undone_and_that_can_be_undone()
    {
        using DriveHome home = new();
        home.Do("init", Path.Combine(home.Root, "store"));
        home.Do("mount", "drive", home.Mount);
        string work = Directory.CreateDirectory(Path.Combine(home.Mount, "work")).FullName;
        File.WriteAllText(Path.Combine(work, "text"), "good");
        File.WriteAllText(Path.Combine(work, "gone"), "dear");
        File.WriteAllText(Path.Combine(work, "moved"), "moved");
        home.Do("snapshot", "create", "good");
        File.WriteAllText(Path.Combine(work, "text"), "encrypted by somebody else");
        File.Delete(Path.Combine(work, "gone"));
        File.WriteAllText(Path.Combine(work, "RANSOM"), "pay");
        File.Move(Path.Combine(work, "moved"), Path.Combine(home.Mount, "elsewhere"));
        home.Do("wait", "--timeout", "60");
        string bad = Shell.Do("sh", "-c", $"cd '{home.Mount}' && find . -type f | sort | xargs head").Output;

        Assert.Equal(
            ["> work/moved -> elsewhere", "+ work/RANSOM", "- work/gone", "* work/text  4 B -> 26 B"],
            home.Do("diff", "good", "now").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(["- work/RANSOM", "+ work/gone", "+ work/moved", "* work/text  26 B -> 4 B"], home.Do("rewind", "--to", "good", "--dry-run", work).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.True(File.Exists(Path.Combine(work, "RANSOM")));
        JsonElement changes = JsonDocument.Parse(home.Do("diff", "good", "latest", work, "--json").Output).RootElement.GetProperty("changes");
        Assert.Equal(["added RANSOM", "removed gone", "removed moved", "changed text"], changes.EnumerateArray().Select(static change => $"{change.GetProperty("kind").GetString()} {change.GetProperty("path").GetString()}"));

        string undo = JsonDocument.Parse(home.Do("rewind", "--to", "good", "--json").Output).RootElement.GetProperty("before").GetProperty("seq").ToString();
        Assert.Equal(["gone", "moved", "text"], Directory.GetFiles(work).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("gooddear", File.ReadAllText(Path.Combine(work, "text")) + File.ReadAllText(Path.Combine(work, "gone")));
        Assert.False(File.Exists(Path.Combine(home.Mount, "elsewhere")));
        Assert.DoesNotContain(home.Do("diff", "good", "now").Output.Split('\n'), static line => line.Length > 0 && line[0] != 'm');
        home.Do("rewind", "--to", $"@{undo}");
        Assert.Equal(bad, Shell.Do("sh", "-c", $"cd '{home.Mount}' && find . -type f | sort | xargs head").Output);
    }

    [MountFact]
    public void States_are_named_shown_beside_the_drive_and_let_go()
    {
        using DriveHome home = new();
        home.Do("init", Path.Combine(home.Root, "store"));
        Refuse(home, ExitCode.NotFound, "Nothing is mounted", "snapshot", "list");
        home.Do("mount", "drive", home.Mount);
        File.WriteAllText(Path.Combine(home.Mount, "f"), "then");
        Assert.Equal("before\n", home.Do("snapshot", "create", "before").Output);
        File.WriteAllText(Path.Combine(home.Mount, "f"), "now, and longer");
        string made = home.Do("snapshot", "create").Output.Trim();
        Assert.StartsWith("snapshot-20", made, StringComparison.Ordinal);
        Assert.Equal(["before", made], Snapshots(home));
        Refuse(home, ExitCode.InUse, "already", "snapshot", "create", "before");
        foreach (string bad in (string[])["latest", "2026-01-01", "@5", "2h", "a/b"])
        {
            Refuse(home, ExitCode.Usage, "can't name a snapshot", "snapshot", "create", bad);
        }

        string then = Directory.CreateDirectory(Path.Combine(home.Root, "then")).FullName;
        home.Do("mount", "drive", then, "--at", "before");
        Assert.Equal("then", File.ReadAllText(Path.Combine(then, "f")));
        Assert.Equal("now, and longer", File.ReadAllText(Path.Combine(home.Mount, "f")));
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(then, "g"), "x"));
        home.Do("umount", then);
        Assert.Empty(Directory.GetFiles(then));
        Assert.Equal("now, and longer", File.ReadAllText(Path.Combine(home.Mount, "f")));
        home.Do("mount", "drive", then, "--at", "before");
        home.Do("umount", "drive");
        Assert.Empty(Directory.GetFiles(then));

        // Without the drive beside it; where it is mounted next does not change by it.
        Assert.Contains("as it was at commit", home.Do("mount", "drive", then, "--at", "before").Error, StringComparison.Ordinal);
        Assert.Equal("then", File.ReadAllText(Path.Combine(then, "f")));
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(then, "g"), "x"));
        home.Do("umount", "drive");
        Refuse(home, ExitCode.NotFound, "History has nothing for", "mount", "drive", then, "--at", "2001-01-01");
        home.Do("mount", "drive");
        Assert.Equal("now, and longer", File.ReadAllText(Path.Combine(home.Mount, "f")));

        Assert.Contains("before", Directory.EnumerateFileSystemEntries(Path.Combine(home.Mount, ".snapshots")).Select(Path.GetFileName));
        home.Do("snapshot", "delete", "before");
        Assert.Equal([made], Snapshots(home));
        Assert.False(Directory.Exists(Path.Combine(home.Mount, ".snapshots", "before")));
        Refuse(home, ExitCode.NotFound, "There is no snapshot", "snapshot", "delete", "before");
    }

    [MountFact]
    public void Without_the_store_nothing_is_named_or_rewound_and_the_past_is_still_there()
    {
        using DriveHome home = new();
        string store = Path.Combine(home.Root, "store");
        home.Do("init", $"file://{store}?latency=1ms");
        home.Do("mount", "drive", home.Mount);
        File.WriteAllText(Path.Combine(home.Mount, "f"), "then");
        home.Do("snapshot", "create", "before");
        File.WriteAllText(Path.Combine(home.Mount, "f"), "now, and longer");
        home.Do("wait", "--timeout", "60");
        Directory.Move(store, store + ".away");
        File.WriteAllText(Path.Combine(home.Mount, "g"), "to be sent");
        DriveHome.Eventually(() => home.Status().GetProperty("storeState").GetString() == "unreachable", "it is known that the store is away");
        Refuse(home, ExitCode.StoreUnreachable, "try again", "snapshot", "create", "offline");
        Refuse(home, ExitCode.StoreUnreachable, "try again", "rewind", "--to", "before");
        Assert.Contains("f", home.Do("diff", "before", "now").Output, StringComparison.Ordinal);
        home.Do("restore", Path.Combine(home.Mount, "f"), "--at", "before", "--overwrite");
        Assert.Equal(4, new FileInfo(Path.Combine(home.Mount, "f")).Length);
        Assert.Single(Directory.GetFiles(Path.Combine(home.Mount, ".snapshots", "before")));
        Directory.Move(store + ".away", store);
        home.Do("wait", "--timeout", "60");
        Assert.Equal("then", File.ReadAllText(Path.Combine(home.Mount, "f")));
    }

    private static void Refuse(DriveHome home, ExitCode code, string why, params string[] line)
    {
        Ran refused = home.Run(line);
        Assert.True(refused.Code == (int)code && refused.Error.Contains(why, StringComparison.Ordinal), $"{string.Join(' ', line)}: {refused}");
    }

    private static JsonElement[] Versions(DriveHome home, string path) =>
        [.. JsonDocument.Parse(home.Do("history", path, "--json").Output).RootElement.GetProperty("versions").EnumerateArray()];

    private static IEnumerable<string?> Snapshots(DriveHome home) =>
        JsonDocument.Parse(home.Do("snapshot", "list", "--json").Output).RootElement.GetProperty("snapshots").EnumerateArray().Select(static snapshot => snapshot.GetProperty("name").GetString());

    /// <summary>Type, mode, owner, links, size and time of all below a directory; of directories without size and links, which differ by file system.</summary>
    private static string Stat(string top) => Shell.Do(
        "sh", "-c", $"cd '{top}' && find . -type d -printf '%p %y %m %U %G %T@\\n' -o -printf '%p %y %m %U %G %n %s %T@ %l\\n' | sort").Output;

    private static long Blocks(string path) => long.Parse(Shell.Do("stat", "-c", "%b", path).Output, System.Globalization.CultureInfo.InvariantCulture);
}
