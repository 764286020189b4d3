using System.Text.Json;
using Drive.Testing.Stores;

namespace Drive.Cli.Tests;

/// <summary>The command on a WebDAV folder of a real server, over TLS and signed in by Digest.</summary>
public sealed class DavTests(DavServers servers) : IClassFixture<DavServers>
{
    [DavFact(DavKind.Apache)]
    public async Task A_drive_on_a_web_server_is_filled_sent_and_recovered_on_another_machine()
    {
        DavServer server = await servers.GetAsync(DavKind.Apache);
        string url = server.NewFolder("digest/", isSecure: true).Replace("://", $"://{DavServer.User}@", StringComparison.Ordinal);
        using DriveHome home = new();

        // No password; a certificate that nobody trusts yet.
        Environment.SetEnvironmentVariable("DRIVE_DAV_PASSWORD", null);
        Refuse("DRIVE_DAV_PASSWORD");
        Environment.SetEnvironmentVariable("DRIVE_DAV_PASSWORD", DavServer.Password);
        Refuse("certificate");
        Environment.SetEnvironmentVariable("SSL_CERT_FILE", server.CertificateFile);

        Ran made = home.Do("init", url);
        Assert.Contains($"{url}?slot=folder", made.Error, StringComparison.Ordinal);
        Assert.All(Directory.EnumerateFiles(home.Home, "*", SearchOption.AllDirectories), file => Assert.DoesNotContain(DavServer.Password, File.ReadAllText(file), StringComparison.Ordinal));
        home.Do("mount", "drive", home.Mount);
        FarFiles files = new(300);
        files.Write(home.Mount);
        home.Do("wait");
        JsonElement status = home.Status();
        Assert.Equal("reachable", status.GetProperty("storeState").GetString());
        home.Do("umount");

        // The same vault, though its step is not written; and a folder that holds none.
        home.Do("up", home.Mount, "--store", url);
        home.Do("umount");
        Assert.Equal((int)ExitCode.StoreUnreachable, home.Run("recover", url + "-not").Code);

        using DriveHome other = new(home.Root);
        files.FindOn(other, made.Output, url);
        File.Delete(Path.Combine(other.Mount, "film"));
        other.Do("umount", "--wait");

        void Refuse(string why)
        {
            Ran refused = home.Run("init", url);
            Assert.True(refused.Code == (int)ExitCode.StoreUnreachable && refused.Error.Contains(why, StringComparison.Ordinal), refused.ToString());
        }
    }

    [DavFact(DavKind.Nginx)]
    public async Task A_store_that_lost_its_safety_is_sent_nothing_more_and_the_mount_says_why()
    {
        DavServer server = await servers.GetAsync(DavKind.Nginx);
        string url = server.NewFolder();
        using DriveHome home = new();
        home.Do("init", url);

        // As if the server that kept the step had been exchanged for one that does not: nginx knows no conditional PUT.
        string marker = Path.Combine(server.Shown, url[(url.LastIndexOf('/') + 1)..], "_store", "_object");
        foreach (string file in Directory.EnumerateFiles(home.Home, "*", SearchOption.AllDirectories).Where(file => File.ReadAllText(file).Contains("slot=folder", StringComparison.Ordinal)))
        {
            File.WriteAllText(file, File.ReadAllText(file).Replace("slot=folder", "slot=put", StringComparison.Ordinal));
        }

        File.WriteAllText(marker, File.ReadAllText(marker).Replace("folder", "put", StringComparison.Ordinal));
        home.Do("mount", "drive", home.Mount);
        Assert.True(SpinWait.SpinUntil(() => home.Status().GetProperty("storeState").GetString() == "stopped", TimeSpan.FromSeconds(60)), home.Status().ToString());
        Assert.Contains("no safe place", home.Status().GetProperty("lastError").GetString(), StringComparison.Ordinal);

        // Work goes on here.
        File.WriteAllText(Path.Combine(home.Mount, "letter"), "dear Ann");
        Assert.NotEqual(0, home.Status().GetProperty("localOnly").GetProperty("files").GetInt32());
        Ran ended = home.Run("umount");
        Assert.True(ended.Code == (int)ExitCode.Failed && ended.Error.Contains("safe on this machine", StringComparison.Ordinal), ended.ToString());
    }

    [DavFact(DavKind.Nginx)]
    public async Task A_check_of_a_store_says_its_class_and_its_exit_code_does()
    {
        DavServer server = await servers.GetAsync(DavKind.Nginx);
        using DriveHome home = new();
        Ran safe = home.Run("store", "check", server.NewFolder(), "--quick");
        Assert.True(safe.Code == (int)ExitCode.ClassB && safe.Output.Contains("?slot=folder: class B", StringComparison.Ordinal), safe.ToString());
        string url = server.NewFolder() + "?slot=put";
        Ran careless = home.Run("store", "check", url, "--quick", "--json");
        Assert.Equal((int)ExitCode.ClassC, careless.Code);
        JsonElement report = JsonDocument.Parse(careless.Output).RootElement;
        Assert.Equal("C", report.GetProperty("class").GetString());
        Assert.StartsWith("IgnoresTheCondition: ", report.GetProperty("findings")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal((int)ExitCode.BadVault, home.Run("init", url).Code);
        string folder = Path.Combine(home.Root, "folder");
        Ran local = home.Run("store", "check", folder, "--quick");
        Assert.True(local.Code == 0 && local.Output.Contains("class A", StringComparison.Ordinal), local.ToString());
        File.WriteAllText(Path.Combine(home.Root, "letter"), "");
        Assert.Equal((int)ExitCode.BadVault, home.Run("store", "check", home.Root, "--quick").Code);
        Assert.Equal((int)ExitCode.StoreUnreachable, home.Run("store", "check", "dav://127.0.0.1:1/x", "--quick").Code);
    }
}
