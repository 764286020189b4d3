using System.Text.Json;
using Drive.Testing.Stores;

namespace Drive.Cli.Tests;

/// <summary>Logins that are kept for stores, on a real WebDAV server that asks for a password.</summary>
public sealed class LoginTests
{
    private const string NewPassword = "another secret";

    [DavFact(DavKind.Apache)]
    public async Task A_password_that_changes_while_mounted_is_told_of_and_the_drive_goes_on_after_a_new_login()
    {
        await using DavServer server = await DavServer.StartAsync(DavKind.Apache);
        string url = server.NewFolder("digest/").Replace("://", $"://{DavServer.User}@", StringComparison.Ordinal);
        using DriveHome home = new();

        // Other tests of this process set it for theirs.
        home.Variables["DRIVE_DAV_PASSWORD"] = "";
        Refuse(home.Run("init", url), ExitCode.StoreUnreachable, "drive store login");
        Refuse(home.RunWith("wrong\n", "store", "login", url), ExitCode.WrongSecret, "refuses who signs in");
        Refuse(home.RunWith("", "store", "login", url), ExitCode.WrongSecret, "nothing came");
        Refuse(home.RunWith("x\n", "store", "login", home.Root), ExitCode.Usage, "Nobody signs in");
        Assert.Empty(Directory.Exists(Keys(home)) ? Directory.GetFiles(Keys(home), "*.login") : []);

        Login(DavServer.Password);
        string kept = Assert.Single(Directory.GetFiles(Keys(home), "*.login"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(kept));
        home.Do("init", url);
        home.Do("mount", "drive", home.Mount, "--poll", "1s");
        File.WriteAllText(Path.Combine(home.Mount, "before"), "1");
        home.Do("wait", "--timeout", "60");

        await server.SetPasswordAsync(NewPassword);
        File.WriteAllText(Path.Combine(home.Mount, "meanwhile"), "2");
        DriveHome.Eventually(() => Said(home).Contains("drive store login", StringComparison.Ordinal), "the status says what to do");
        Assert.Equal("unreachable", home.Status().GetProperty("storeState").GetString());
        Assert.Contains("refuses who signs in: run 'drive store login", home.Do("status").Output, StringComparison.Ordinal);
        Assert.Equal((int)ExitCode.No, home.Run("wait", "--timeout", "1").Code);
        int pid = home.Pid();

        Login(NewPassword);
        home.Do("wait", "--timeout", "60");
        Assert.Equal(("reachable", pid), (home.Status().GetProperty("storeState").GetString(), home.Pid()));
        Assert.Equal(JsonValueKind.Null, home.Status().GetProperty("lastError").ValueKind);
        string line = File.ReadAllText($"/proc/{pid}/cmdline") + File.ReadAllText($"/proc/{pid}/environ");
        home.Do("umount");

        // The next mount has it too; a login that was forgotten is none; one that others may read is refused.
        home.Do("mount", "drive", home.Mount);
        Assert.Equal("2", File.ReadAllText(Path.Combine(home.Mount, "meanwhile")));
        home.Do("umount");
        File.SetUnixFileMode(kept, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Refuse(home.Run("recover", url), ExitCode.StoreUnreachable, "Others may read");
        File.SetUnixFileMode(kept, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Contains("Forgotten", home.Do("store", "logout", url).Error, StringComparison.Ordinal);
        Assert.Contains("Nothing was kept", home.Do("store", "logout", url).Error, StringComparison.Ordinal);
        Assert.False(File.Exists(kept));

        foreach (string file in Directory.EnumerateFiles(home.Home, "*", SearchOption.AllDirectories))
        {
            line += File.ReadAllText(file);
        }

        Assert.DoesNotContain(DavServer.Password, line, StringComparison.Ordinal);
        Assert.DoesNotContain(NewPassword, line, StringComparison.Ordinal);

        void Login(string password)
        {
            Ran ran = home.RunWith(password + "\n", "store", "login", url);
            Assert.True(ran.Code == 0 && ran.Error.Contains("mode 0600", StringComparison.Ordinal), ran.ToString());
            Assert.DoesNotContain(password, ran.ToString(), StringComparison.Ordinal);
        }
    }

    private static string Keys(DriveHome home) => Path.Combine(home.Home, "config", "keys");

    private static string Said(DriveHome home) => home.Status().GetProperty("lastError").GetString() ?? "";

    private static void Refuse(Ran ran, ExitCode code, string why) =>
        Assert.True(ran.Code == (int)code && ran.Error.Contains(why, StringComparison.Ordinal), ran.ToString());
}
