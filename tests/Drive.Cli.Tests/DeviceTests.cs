using System.Text.Json;

namespace Drive.Cli.Tests;

/// <summary>Machines join a vault, are named and are revoked, with the real command and real mounts.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class DeviceTests
{
    [MountFact]
    public void A_machine_joins_by_a_code_while_the_first_is_mounted_and_is_revoked_again()
    {
        using DriveHome home = new();
        string store = Path.Combine(home.Root, "store");
        home.Do("init", store);
        home.Do("mount", "drive", home.Mount);
        File.WriteAllText(Path.Combine(home.Mount, "note"), "before");
        home.Do("wait", "--timeout", "60");

        using DriveHome other = new(home.Root);
        Ran added = home.Do("device", "add", "--no-wait");
        string code = added.Output.Trim();
        Assert.Contains($"drive join {store}", added.Error, StringComparison.Ordinal);
        Assert.Contains("pairing", Names(home, "kind"));
        Ran slip = other.RunWith((code[0] == '7' ? '8' : '7') + code[1..] + "\n", "join", store);
        Assert.Equal((int)ExitCode.WrongSecret, slip.Code);
        Assert.Contains("mistyped", slip.Error, StringComparison.Ordinal);
        Ran joined = other.RunWith(code + "\n", "join", store, "--device-name", "laptop");
        Assert.True(joined.Code == 0, joined.ToString());
        Assert.Equal((int)ExitCode.WrongSecret, new DriveHomeOf(home, "third").Join(store, code).Code);
        other.Do("mount", "drive", other.Mount);
        Assert.Equal("before", File.ReadAllText(Path.Combine(other.Mount, "note")));

        DriveHome.Eventually(() => Names(home, "name").Contains("laptop"), "the first sees the second");
        home.Do("device", "rename", "laptop", "notebook");
        DriveHome.Eventually(() => Names(other, "name").Contains("notebook"), "the second learns its name");
        string list = home.Do("device", "list").Output;
        Assert.Contains("this machine", list, StringComparison.Ordinal);
        Assert.Contains("recovery key", list, StringComparison.Ordinal);
        Assert.DoesNotContain("used or withdrawn", list, StringComparison.Ordinal);
        Assert.Contains("used or withdrawn", home.Do("device", "list", "--all").Output, StringComparison.Ordinal);
        Assert.Equal((int)ExitCode.NotFound, home.Run("device", "revoke", "nobody").Code);
        Assert.Equal((int)ExitCode.Usage, home.Run("device", "revoke", "1").Code);

        Ran revoked = home.Do("device", "revoke", "notebook");
        Assert.Contains("What it has, it keeps", revoked.Error, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(home.Mount, "secret"), "after");
        home.Do("wait", "--timeout", "60");
        DriveHome.Eventually(() => other.Status().GetProperty("readOnly").GetBoolean(), "the second stops");
        Assert.Contains("revoked", other.Status().GetProperty("readOnlyReason").GetString(), StringComparison.Ordinal);
        Assert.Equal(["note"], Directory.GetFileSystemEntries(other.Mount).Select(Path.GetFileName));
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(other.Mount, "late"), "no"));
        Assert.Contains("revoked", other.Run("umount", other.Mount).Error, StringComparison.Ordinal);
        Assert.Contains("revoked", other.Do("mount", "drive", other.Mount).Error, StringComparison.Ordinal);
        Assert.Equal("before", File.ReadAllText(Path.Combine(other.Mount, "note")));
        other.Run("umount", other.Mount);

        // Joined again, it sees what was written under the new key; its old state is set aside.
        Ran again = other.RunWith(home.Do("device", "add", "--no-wait").Output, "join", store, "--name", "anew", "--again");
        Assert.Contains("set aside", again.Error, StringComparison.Ordinal);
        Assert.True(again.Code == 0, again.ToString());
        other.Do("mount", "anew", other.Mount);
        Assert.Equal("after", File.ReadAllText(Path.Combine(other.Mount, "secret")));

        // The first one's own new start reads under the new key as well.
        home.Do("umount", home.Mount);
        home.Do("mount", "drive", home.Mount);
        Assert.Equal("after", File.ReadAllText(Path.Combine(home.Mount, "secret")));
    }

    [MountFact]
    public void Without_a_mount_the_vault_is_opened_for_the_moment()
    {
        using DriveHome home = new();
        string store = Path.Combine(home.Root, "store");
        string passphrase = Path.Combine(home.Root, "passphrase");
        File.WriteAllText(passphrase, "the first one\n");
        string recoveryKey = home.Do("init", store, "--passphrase-file", passphrase).Output;
        Assert.Equal(["1"], Devices(home, "--passphrase-file", passphrase).Where(static member => member.GetProperty("kind").GetString() == "device").Select(static member => member.GetProperty("number").ToString()));
        string code = home.Do("device", "add", "--no-wait", "--passphrase-file", passphrase).Output.Trim();
        string id = Devices(home, "--passphrase-file", passphrase).Single(static member => member.GetProperty("kind").GetString() == "pairing").GetProperty("id").GetString()!;
        home.Do("device", "revoke", id, "--passphrase-file", passphrase);
        using DriveHome other = new(home.Root);
        Ran withdrawn = other.RunWith(code + "\n", "join", store);
        Assert.Equal((int)ExitCode.WrongSecret, withdrawn.Code);
        Assert.Contains("withdrawn", withdrawn.Error, StringComparison.Ordinal);
        Ran recovered = other.RunWith(recoveryKey, "join", store);
        Assert.True(recovered.Code == 0, recovered.ToString());
        home.Do("device", "revoke", "2", "--passphrase-file", passphrase);
        Assert.Contains("revoked", other.Do("mount", "drive", other.Mount).Error, StringComparison.Ordinal);
    }

    [MountFact]
    public void A_passphrase_opens_the_vault_on_a_new_machine_with_the_account_key_or_without_where_that_was_chosen()
    {
        using DriveHome home = new();
        string store = Path.Combine(home.Root, "store");
        string one = Path.Combine(home.Root, "one");
        string two = Path.Combine(home.Root, "two");
        File.WriteAllText(one, "short\n");
        File.WriteAllText(two, "six random words are quite enough here\n");
        home.Do("init", store, "--passphrase-file", one);
        string account = home.Do("device", "account-key", "--passphrase-file", one).Output;
        using (DriveHome other = new(home.Root))
        {
            Ran alone = other.RunWith("short\n", "join", store);
            Assert.Equal((int)ExitCode.WrongSecret, alone.Code);
            Assert.Contains("Account key", alone.Error, StringComparison.Ordinal);
            Ran wrong = other.RunWith("shirt\n" + account, "join", store);
            Assert.Contains("Wrong passphrase or account key", wrong.Error, StringComparison.Ordinal);
            Ran joined = other.RunWith("short\n" + account, "join", store);
            Assert.True(joined.Code == 0, joined.ToString());

            // The passphrase seals this machine's keys, too.
            other.Do("mount", "drive", other.Mount, "--passphrase-file", one);
        }

        Ran weak = home.Run("passwd", "--passphrase-file", one, "--new-passphrase-file", one, "--without-account-key");
        Assert.Contains("six random words", weak.Error, StringComparison.Ordinal);
        home.Do("passwd", "--passphrase-file", one, "--new-passphrase-file", two, "--without-account-key");
        DriveHomeOf third = new(home, "third");
        Assert.Equal((int)ExitCode.WrongSecret, third.Join(store, "short\n" + account).Code);
        Ran byPassphrase = third.Join(store, File.ReadAllText(two));
        Assert.True(byPassphrase.Code == 0, byPassphrase.ToString());
    }

    private static List<JsonElement> Devices(DriveHome home, params string[] more) =>
        [.. JsonDocument.Parse(home.Do(["device", "list", "--json", "--all", .. more]).Output).RootElement.GetProperty("members").EnumerateArray()];

    private static List<string?> Names(DriveHome home, string field) =>
        [.. Devices(home).Where(static member => member.GetProperty("active").GetBoolean()).Select(member => member.GetProperty(field).GetString())];

    /// <summary>One more machine that only joins.</summary>
    private sealed class DriveHomeOf(DriveHome home, string name)
    {
        public Ran Join(string store, string input) => Ran.Of(
            Ran.Drive,
            ["join", store],
            TimeSpan.FromSeconds(90),
            input,
            new Dictionary<string, string> { ["DRIVE_HOME"] = Path.Combine(home.Root, name) });
    }
}
