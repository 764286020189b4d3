using System.Text.Json;
using System.Text.Json.Nodes;
using Drive.Testing;

namespace Drive.Cli.Tests;

/// <summary>Folders that are backed up, by the command and by the daemon's own schedule, on a real mount.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class BackupTests
{
    [MountFact]
    public void A_folder_is_backed_up_changed_backed_up_again_and_any_state_of_it_comes_back()
    {
        using DriveHome home = Mounted(out string docs);
        Shell.Do("sh", "-c", $"cd '{docs}' && printf one > text && mkdir -p deep/er node_modules && printf x > node_modules/x && printf y > deep/er/y && ln text hard && ln -s text soft && truncate -s 3M holes && printf end >> holes && chmod 4751 text && printf t > a.tmp && printf 'secret*\\n!/deep/secret1\\n' > .driveignore && touch secret0 deep/secret1 deep/secret2 && touch -d '2001-02-03 04:05:06.789' text deep");
        Assert.Contains("runs next at", home.Do("backup", "add", "docs", docs, "--preset", "caches", "--exclude", "*.tmp", "--schedule", "daily 02:00", "--keep", "24h,7d").Output, StringComparison.Ordinal);
        Assert.Equal("new", Standing(home, "docs").GetProperty("state").GetString());
        JsonElement first = Run(home, "docs");
        Assert.Equal(("done", 0L), (first.GetProperty("outcome").GetString(), first.GetProperty("unreadableCount").GetInt64()));
        Assert.NotEqual(JsonValueKind.Null, first.GetProperty("proven").ValueKind);

        string kept = Directory.GetDirectories(Path.Combine(home.Mount, "Backups")).Single() + "/docs" + docs;
        string source = Tree(docs, "! -name '*.tmp' ! -path '*node_modules*' ! -name secret0 ! -name secret2");
        Assert.Equal(source, Tree(kept));
        Assert.Equal("end", Shell.Do("tail", "-c", "3", Path.Combine(kept, "holes")).Output);

        // Nothing changed: nothing is sent but the commit.
        Assert.Equal(0, Run(home, "docs").GetProperty("readBytes").GetInt64());
        Shell.Do("sh", "-c", $"cd '{docs}' && printf 'two, longer' > text && rm -r deep && printf new > added");
        JsonElement second = Run(home, "docs", "--paranoid");
        Assert.Equal((1L, true), (second.GetProperty("newFiles").GetInt64(), second.GetProperty("goneFiles").GetInt64() > 0));
        Assert.Equal(Tree(docs, "! -name '*.tmp' ! -path '*node_modules*' ! -name secret0"), Tree(kept));

        string back = Directory.CreateDirectory(Path.Combine(home.Root, "back")).FullName;
        home.Do("restore", kept, "--at", $"@{first.GetProperty("seq").GetInt64()}", "--to", back);
        Assert.Equal(source, Tree(Path.Combine(back, Path.GetFileName(docs))));

        Assert.Contains("all as it was", home.Do("backup", "verify", "docs").Output, StringComparison.Ordinal);
        Assert.Contains("last proven restorable: 20", home.Do("status").Output, StringComparison.Ordinal);
        Assert.Equal("ok", home.Status().GetProperty("backups")[0].GetProperty("state").GetString());
        Assert.Equal(3, home.Do("snapshot", "list").Output.Split('\n').Count(static line => line.Contains("backup+", StringComparison.Ordinal)));

        home.Do("backup", "pause", "docs");
        Assert.Equal("paused", Standing(home, "docs").GetProperty("state").GetString());
        home.Do("backup", "resume", "docs");
        Assert.Equal("docs", JsonDocument.Parse(home.Do("backup", "list", "--json").Output).RootElement.GetProperty("sets")[0].GetProperty("name").GetString());
        home.Do("backup", "remove", "docs");
        Assert.Equal("", home.Do("backup", "list").Output);
        Assert.True(File.Exists(Path.Combine(kept, "text")));
    }

    [MountFact]
    public void What_cannot_be_read_is_told_and_costs_nothing_that_is_backed_up()
    {
        using DriveHome home = Mounted(out string docs);
        string told = Path.Combine(home.Root, "told");
        File.WriteAllText(Path.Combine(docs, "text"), "one");
        home.Do("backup", "add", "docs", docs, "--keep", "1d", "--on-failure", $"printf '%s %s %s' $DRIVE_SET $DRIVE_OUTCOME \"$DRIVE_REASON\" > '{told}'");
        Run(home, "docs");
        Assert.False(File.Exists(told));
        Directory.Move(docs, docs + ".away");
        Ran ran = home.Run("backup", "run", "docs");
        Assert.True(ran.Code == (int)ExitCode.Incomplete && ran.Error.Contains(docs, StringComparison.Ordinal), ran.ToString());
        Assert.StartsWith("docs incomplete 1 path", File.ReadAllText(told), StringComparison.Ordinal);
        Assert.Equal("one", File.ReadAllText(Path.Combine(Directory.GetDirectories(Path.Combine(home.Mount, "Backups")).Single() + "/docs" + docs, "text")));
        Assert.Equal("incomplete", Standing(home, "docs").GetProperty("state").GetString());
        Directory.Move(docs + ".away", docs);
        Run(home, "docs");
        Assert.Equal("ok", Standing(home, "docs").GetProperty("state").GetString());

        // An access list, which gives user 1000 what the owner may, is kept, is none on the drive, and comes back.
        byte[] list = Convert.FromHexString("0200000001000600ffffffff02000600e803000004000400ffffffff10000600ffffffff20000400ffffffff");
        Assert.Equal(0, Posix.SetXattr(Path.Combine(docs, "text"), "system.posix_acl_access", list));
        Run(home, "docs");
        string saved = Path.Combine(Directory.GetDirectories(Path.Combine(home.Mount, "Backups")).Single() + "/docs" + docs);
        byte[] value = new byte[1000];
        Assert.True(Posix.GetXattr(Path.Combine(saved, "text"), "system.posix_acl_access", value) < 0);
        string back = Directory.CreateDirectory(Path.Combine(home.Root, "back")).FullName;
        home.Do("restore", saved, "--at", "latest", "--to", back);
        Assert.Equal(list, value[..Posix.GetXattr(Path.Combine(back, Path.GetFileName(docs), "text"), "system.posix_acl_access", value)]);

        // Of the runs of one day (two, around midnight) the rule keeps the last.
        Assert.InRange(home.Do("snapshot", "list").Output.Split('\n').Count(static line => line.Contains("backup+", StringComparison.Ordinal)), 1, 2);
    }

    [MountFact]
    public void An_implausible_run_is_kept_and_nothing_is_forgotten_until_a_person_says_so()
    {
        using DriveHome home = Mounted(out string docs);
        Shell.Do("sh", "-c", $"cd '{docs}' && seq 200 | split -l 1 -a 4 -d - f");
        home.Do("backup", "add", "docs", docs);
        Run(home, "docs");
        Refuse(home, ExitCode.NotFound, "nothing to accept", "backup", "accept", "docs");
        Shell.Do("sh", "-c", $"cd '{docs}' && for f in *; do echo ransom > $f; done");
        Refuse(home, ExitCode.Suspicious, "drive backup accept docs", "backup", "run", "docs");
        Ran status = home.Run("backup", "status");
        Assert.True(status.Code == (int)ExitCode.No && status.Output.Contains("SUSPICIOUS", StringComparison.Ordinal), status.ToString());
        Assert.Contains("frozen", home.Do("gc").Error, StringComparison.Ordinal);

        // A good run after it changes nothing about that.
        Run(home, "docs");
        Assert.Equal("suspicious", Standing(home, "docs", ExitCode.No).GetProperty("state").GetString());
        Refuse(home, ExitCode.NotReady, "accept", "backup", "remove", "docs");
        home.Do("backup", "accept", "docs");
        Assert.Equal("ok", Standing(home, "docs").GetProperty("state").GetString());
        Assert.DoesNotContain("frozen", home.Do("gc").Error, StringComparison.Ordinal);
    }

    [MountFact]
    public void A_run_that_was_missed_happens_when_the_drive_is_mounted_and_days_without_one_are_an_error()
    {
        using DriveHome home = Mounted(out string docs);
        File.WriteAllText(Path.Combine(docs, "text"), "one");
        home.Do("umount", "drive");
        string told = Path.Combine(home.Root, "told");

        // Without a mount the command opens the vault for itself.
        home.Do("backup", "add", "docs", docs, "--schedule", "monthly");
        home.Do("backup", "add", "late", docs, "--on-failure", $"echo $DRIVE_OUTCOME > '{told}'");
        home.Do("backup", "add", "now", docs);
        Assert.Equal("done", Run(home, "now").GetProperty("outcome").GetString());
        foreach (string file in Directory.GetFiles(Path.Combine(home.Home, "state", "backups"), "set.json", SearchOption.AllDirectories))
        {
            JsonObject set = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
            set["Created"] = "2020-01-01T00:00:00+00:00";
            File.WriteAllText(file, set.ToJsonString());
        }

        home.Do("mount", "drive", home.Mount);
        DriveHome.Eventually(() => Standing(home, "docs", null).GetProperty("state").GetString() == "ok", "the missed run happens");
        JsonElement late = Standing(home, "late", ExitCode.No);
        Assert.Equal(("stale", true), (late.GetProperty("state").GetString(), late.GetProperty("isError").GetBoolean()));
        Assert.Contains("STALE", home.Do("status").Output, StringComparison.Ordinal);
        DriveHome.Eventually(() => File.Exists(told) && File.ReadAllText(told) == "stale\n", "somebody is told");
        Assert.Equal((int)ExitCode.No, home.Run("backup", "status").Code);
    }

    [MountFact]
    public void What_makes_no_sense_is_refused_with_what_to_do()
    {
        using DriveHome home = Mounted(out string docs);
        Directory.CreateDirectory(Path.Combine(docs, "in"));
        home.Do("backup", "add", "docs", docs);
        Refuse(home, ExitCode.InUse, "drive backup remove docs", "backup", "add", "docs", home.Home);
        Refuse(home, ExitCode.NotFound, "is not there", "backup", "add", "x", Path.Combine(docs, "missing"));
        Refuse(home, ExitCode.Usage, "lies in", "backup", "add", "x", docs, Path.Combine(docs, "in"));
        Refuse(home, ExitCode.Usage, "twice", "backup", "add", "x", docs, docs + "/");
        Refuse(home, ExitCode.Usage, "daily 02:00", "backup", "add", "x", docs, "--schedule", "whenever");
        Refuse(home, ExitCode.Usage, "caches, temporary, trash", "backup", "add", "x", docs, "--preset", "all");
        Refuse(home, ExitCode.Usage, "can't name a set", "backup", "add", "../x", docs);
        Refuse(home, ExitCode.Usage, "no address", "backup", "add", "x", docs, "--webhook", "ftp://x");
        Refuse(home, ExitCode.Usage, "no size", "backup", "add", "x", docs, "--max-size", "much");
        Refuse(home, ExitCode.Usage, "no rule of retention", "backup", "add", "x", docs, "--keep", "forever");
        Refuse(home, ExitCode.NotFound, "there are docs", "backup", "run", "x");
        Refuse(home, ExitCode.Usage, "1 to 100", "backup", "verify", "docs", "--percent", "0");
        Assert.Equal("docs", Assert.Single(JsonDocument.Parse(home.Do("backup", "list", "--json").Output).RootElement.GetProperty("sets").EnumerateArray().Select(static set => set.GetProperty("name").GetString())));
        home.Do("umount", "drive");
        home.Do("mount", "drive", home.Mount, "--read-only");
        Refuse(home, ExitCode.Failed, "read-only", "backup", "run", "docs");
    }

    private static DriveHome Mounted(out string docs)
    {
        DriveHome home = new();
        home.Do("init", Path.Combine(home.Root, "store"));
        home.Do("mount", "drive", home.Mount);
        docs = Directory.CreateDirectory(Path.Combine(home.Root, "docs")).FullName;
        return home;
    }

    private static JsonElement Run(DriveHome home, string set, params string[] options) =>
        JsonDocument.Parse(home.Do(["backup", "run", set, "--json", .. options]).Output).RootElement;

    private static JsonElement Standing(DriveHome home, string set, ExitCode? code = ExitCode.Done)
    {
        Ran ran = home.Run("backup", "status", set, "--json");
        Assert.True(code is null || ran.Code == (int)code, ran.ToString());
        return JsonDocument.Parse(ran.Output).RootElement.GetProperty("sets")[0];
    }

    private static void Refuse(DriveHome home, ExitCode code, string why, params string[] line)
    {
        Ran refused = home.Run(line);
        Assert.True(refused.Code == (int)code && refused.Error.Contains(why, StringComparison.Ordinal), $"{string.Join(' ', line)}: {refused}");
    }

    /// <summary>Type, mode, owner, links, size, time and bytes of all below a directory; of directories without size and links, which differ by file system.</summary>
    public static string Tree(string top, string filter = "") => Shell.Do(
        "sh", "-c", $"cd '{top}' && find . {filter} \\( -type d -printf '%p %y %m %U %G %T@\\n' -o -printf '%p %y %m %U %G %n %s %T@ %l\\n' \\) | sort && find . {filter} -type f -exec sha256sum {{}} + | sort").Output;
}
