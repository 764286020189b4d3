namespace Drive.Cli.Tests;

/// <summary>Keys in a desktop's keyring: a real one, in a session bus of its own.</summary>
public sealed class KeyringTests
{
    [KeyringFact]
    public void Keys_go_into_the_keyring_open_the_vault_from_there_and_lie_in_no_file()
    {
        string home = Directory.CreateTempSubdirectory("drive-keyring-").FullName;
        try
        {
            string drive = Ran.Drive;
            string script = $"""
                set -e
                mkdir -m 700 "$XDG_RUNTIME_DIR"
                printf secret | gnome-keyring-daemon --unlock --components=secrets > /dev/null
                '{drive}' init '{home}/store' --name kept
                echo "files: $(ls '{home}/.config/drive')"
                '{drive}' passwd kept --new-passphrase-file '{home}/fresh'
                secret-tool search application drive || true
                echo searched
                '{drive}' init '{home}/store2' --name second
                secret-tool clear application drive
                '{drive}' passwd second --new-passphrase-file '{home}/fresh' || echo "without: $?"
                """;
            File.WriteAllText(Path.Combine(home, "fresh"), "a new passphrase\n");
            Ran ran = Shell.Run("dbus-run-session", ["--", "/bin/sh", "-c", script], new Dictionary<string, string>
            {
                ["HOME"] = home,
                ["XDG_RUNTIME_DIR"] = Path.Combine(home, "run"),
                ["XDG_CONFIG_HOME"] = "",
                ["XDG_STATE_HOME"] = "",
                ["XDG_DATA_HOME"] = "",
                ["DRIVE_HOME"] = "",
            });
            Assert.True(ran.Code == 0, ran.ToString());
            Assert.Contains("kept in the desktop's keyring", ran.Error, StringComparison.Ordinal);
            string first = ran.Output.Split("files: ")[1].Split("searched")[0];
            Assert.DoesNotContain("keys", first, StringComparison.Ordinal);

            // With a passphrase, nothing that opens the vault without it may be left.
            Assert.DoesNotContain("secret = ", first, StringComparison.Ordinal);
            Assert.Contains($"without: {(int)ExitCode.WrongSecret}", ran.Output, StringComparison.Ordinal);
            Assert.Contains("keyring does not give the key", ran.Error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }
}

/// <summary>A test that starts a session bus with a keyring.</summary>
public sealed class KeyringFactAttribute : FactAttribute
{
    public KeyringFactAttribute()
    {
        if (new[] { "dbus-run-session", "gnome-keyring-daemon", "secret-tool" }.Any(program => Shell.Find(program) is null))
        {
            Skip = "needs dbus-run-session, gnome-keyring-daemon and secret-tool";
        }
    }
}
