using System.Text;
using System.Text.Json;
using Drive.Testing.Koofr;

namespace Drive.Cli.Tests;

/// <summary>The command on a folder of a Koofr account, as the fake server has it.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class KoofrTests
{
    private const string Canary = "kanarienvogel";

    [MountFact]
    public async Task A_drive_in_an_account_is_filled_sent_and_recovered_on_another_machine()
    {
        await using KoofrServer server = await KoofrServer.StartAsync();
        string url = server.NewFolder();
        using DriveHome home = new();

        // No password, and a wrong one, which is tried once.
        Environment.SetEnvironmentVariable("DRIVE_KOOFR_PASSWORD", null);
        Refuse("set DRIVE_KOOFR_USER");
        Environment.SetEnvironmentVariable("DRIVE_KOOFR_PASSWORD", "wrong");
        Refuse("does not take the password");
        Assert.Equal(1, server.SignIns);
        Environment.SetEnvironmentVariable("DRIVE_KOOFR_PASSWORD", KoofrServer.Password);

        Ran made = home.Do("init", url);
        home.Do("mount", "drive", home.Mount);
        FarFiles files = new(300);
        files.Write(home.Mount);
        File.WriteAllText(Path.Combine(home.Mount, $"{Canary}.txt"), string.Concat(Enumerable.Repeat(Canary, 1000)));
        home.Do("wait");
        JsonElement status = home.Status();
        Assert.Equal("reachable", status.GetProperty("storeState").GetString());

        // Tokens run out while it is mounted.
        server.ExpireTokens();
        File.WriteAllText(Path.Combine(home.Mount, "later"), Canary);
        home.Do("wait");
        DriveHome.Eventually(() => server.Events.Listening == 1, "the mount listens to events");
        home.Do("umount");
        Assert.Equal((int)ExitCode.StoreUnreachable, home.Run("recover", url + "-not").Code);

        using DriveHome other = new(home.Root);
        files.FindOn(other, made.Output, url);
        Assert.Equal(Canary, File.ReadAllText(Path.Combine(other.Mount, "later")));
        other.Do("umount", "--wait");

        byte[][] secrets = [Encoding.UTF8.GetBytes(Canary), Encoding.UTF8.GetBytes(KoofrServer.Password), Encoding.UTF8.GetBytes(made.Output.Trim())];
        Assert.NotEmpty(server.Heard);
        Assert.All(server.Heard, heard => Assert.All(secrets, secret => Assert.True(heard.AsSpan().IndexOf(secret) < 0)));
        Assert.All(
            Directory.EnumerateFiles(home.Root, "*", SearchOption.AllDirectories).Where(static file => !file.EndsWith(".sock", StringComparison.Ordinal)),
            file => Assert.True(File.ReadAllBytes(file).AsSpan().IndexOf(secrets[1]) < 0, $"{file} has the password"));

        void Refuse(string why)
        {
            Ran refused = home.Run("init", url);
            Assert.True(refused.Code == (int)ExitCode.StoreUnreachable && refused.Error.Contains(why, StringComparison.Ordinal), refused.ToString());
        }
    }

    [MountFact]
    public async Task A_password_that_is_taken_away_leaves_the_drive_working_and_says_what_to_do()
    {
        await using KoofrServer server = await KoofrServer.StartAsync();
        Environment.SetEnvironmentVariable("DRIVE_KOOFR_PASSWORD", KoofrServer.Password);
        using DriveHome home = new();
        home.Do("up", home.Mount, "--store", server.NewFolder());
        File.WriteAllText(Path.Combine(home.Mount, "letter"), "dear Ann");
        home.Do("wait");

        server.Instead = static context => context.Request.Path == "/token"
            ? KoofrServer.RefuseAsync(context, System.Net.HttpStatusCode.Unauthorized, "Unauthorized", "Invalid email or password")
            : Task.FromResult(false);
        server.ExpireTokens();
        int signIns = server.SignIns;
        File.WriteAllText(Path.Combine(home.Mount, "more"), "and so on");
        DriveHome.Eventually(() => home.Status().GetProperty("lastError").GetString()?.Contains("DRIVE_KOOFR_PASSWORD", StringComparison.Ordinal) == true, "the status says what to do");
        Assert.Equal("and so on", File.ReadAllText(Path.Combine(home.Mount, "more")));

        // The mount's one store, and the look after each mount, have one each at the most; more looks pass without a request.
        int requests = server.Requests.Count;
        File.WriteAllText(Path.Combine(home.Mount, "again"), "still here");
        Ran late = home.Run("wait", "--timeout", "6");
        Assert.NotEqual(0, late.Code);
        Assert.Equal((signIns + 1, requests), (server.SignIns, server.Requests.Count));
        home.Run("umount");
        server.Instead = static _ => Task.FromResult(false);
        home.Do("mount", "drive", home.Mount);
        home.Do("wait");
        home.Do("umount");
    }
}
