using System.Text.Json;
using Drive.Testing.Koofr;

namespace Drive.Cli.Tests;

/// <summary>A vault whose packs lie in a store that does not keep names that are taken, and its log in another.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class SplitTests
{
    [MountFact]
    public async Task A_careless_store_holds_the_packs_of_a_drive_whose_log_is_in_a_folder()
    {
        await using KoofrServer server = await KoofrServer.StartAsync();
        server.Tree.IgnoresConditions = true;
        Environment.SetEnvironmentVariable("DRIVE_KOOFR_PASSWORD", KoofrServer.Password);
        using DriveHome home = new();
        string packs = server.NewFolder();
        string log = Path.Combine(home.Root, "log");

        // By itself it is refused, with what to do; a look says that it may hold the rest.
        Refuse(ExitCode.BadVault, "--log-store", "init", packs);
        Ran check = home.Run("store", "check", server.NewFolder(), "--quick");
        Assert.True(check.Code == (int)ExitCode.ClassC && check.Output.Contains("--log-store URL2", StringComparison.Ordinal), check.ToString());
        Refuse(ExitCode.BadVault, "log's store: ", "init", log, "--log-store", server.NewFolder());
        Refuse(ExitCode.Usage, "another place", "init", packs, "--log-store", packs + "/");

        packs = server.NewFolder();
        string other = Path.Combine(home.Root, "log2");
        Ran made = home.Do("init", packs, "--log-store", other);
        Assert.Contains("needs both", made.Error, StringComparison.Ordinal);
        home.Do("mount", "drive", home.Mount);
        FarFiles files = new(200);
        files.Write(home.Mount);
        home.Do("wait");
        JsonElement status = home.Status();
        Assert.Equal("reachable", status.GetProperty("storeState").GetString());
        Assert.Contains($"{packs} --log-store {other}", home.Do("list").Output, StringComparison.Ordinal);
        Assert.Equal(other, JsonDocument.Parse(home.Do("list", "--json").Output).RootElement[0].GetProperty("logStore").GetString());
        Assert.Contains($"{packs} (log: {other})", status.GetProperty("store").GetString(), StringComparison.Ordinal);
        home.Do("umount");

        // Each kind where it belongs.
        Assert.True(Directory.EnumerateFiles(Path.Combine(other, "log"), "*", SearchOption.AllDirectories).Any() && File.Exists(Path.Combine(other, "vault")));
        Assert.False(Directory.Exists(Path.Combine(other, "packs")));
        string folder = "/" + string.Join('/', packs.Split('/')[3..]);
        string[] there = [.. server.Tree.Children(folder).Select(static node => node.Name).Order(StringComparer.Ordinal)];
        Assert.Contains("packs", there);
        Assert.DoesNotContain("log", there);
        Assert.DoesNotContain("vault", there);

        // One part is not the whole, and two parts of different vaults are none.
        using DriveHome second = new(home.Root);
        Refuse(ExitCode.BadVault, "only the log", "recover", other);
        Refuse(ExitCode.BadVault, "only the packs", "recover", packs);
        string strange = server.NewFolder();
        home.Do("init", strange, "--log-store", Path.Combine(home.Root, "log3"), "--name", "third");
        Refuse(ExitCode.BadVault, "does not hold the packs", "recover", strange, "--log-store", other);
        Refuse(ExitCode.InUse, "another vault", "init", packs, "--log-store", Path.Combine(home.Root, "log4"), "--name", "fourth");

        Ran recovered = second.RunWith(made.Output, "recover", packs, "--log-store", other);
        Assert.True(recovered.Code == 0, recovered.ToString());
        second.Do("mount", "drive", second.Mount);
        files.FindOn(second.Mount);
        File.WriteAllText(Path.Combine(second.Mount, "answer"), "dear Bob");
        second.Do("umount", "--wait");
        home.Do("mount", "drive", home.Mount);
        DriveHome.Eventually(() => File.ReadAllText(Path.Combine(home.Mount, "answer")) == "dear Bob", "the other machine's file");

        // The packs' store goes away: its failure is named, and work goes on here.
        server.Instead = static context =>
        {
            context.Abort();
            return Task.FromResult(true);
        };
        File.WriteAllText(Path.Combine(home.Mount, "more"), new string('x', 100_000));
        DriveHome.Eventually(
            () => home.Status().GetProperty("lastError").GetString()?.StartsWith("The store of the packs: ", StringComparison.Ordinal) == true, "the status names the store");
        server.Instead = static _ => Task.FromResult(false);
        home.Do("umount", "--wait");

        void Refuse(ExitCode code, string why, params string[] arguments)
        {
            Ran refused = home.Run(arguments);
            Assert.True(refused.Code == (int)code && refused.Error.Contains(why, StringComparison.Ordinal), refused.ToString());
        }
    }
}
