using System.Text;
using System.Text.RegularExpressions;
using Drive.Testing.Koofr;
using Drive.Testing.Stores;

namespace Drive.Cli.Tests;

/// <summary>
/// Two machines with one vault mounted, over each kind of store that is not a folder (<see cref="TwoMountTests"/> has that): what one does the other shows, and what both change both keep. What
/// goes over the wire is recorded where it is not TLS, and holds no name, content or key.
/// </summary>
[Collection(nameof(MountFactAttribute))]
public sealed partial class FarMountTests(DavServers servers, CephGateway gateway) : IClassFixture<DavServers>, IClassFixture<CephGateway>
{
    private const string Canary = "kanarienvogel";

    [DavFact(DavKind.Lighttpd)]
    public async Task Over_WebDAV()
    {
        DavServer server = await servers.GetAsync(DavKind.Lighttpd);
        MeetRecorded(server.NewFolder());
    }

    [CephFact]
    public async Task Over_S3() => MeetRecorded((await gateway.NewBucketAsync()).Replace("?", "/vault?", StringComparison.Ordinal), gateway.Endpoint.Port);

    [MountFact]
    public async Task Over_Koofr()
    {
        await using KoofrServer server = await KoofrServer.StartAsync();
        Environment.SetEnvironmentVariable("DRIVE_KOOFR_PASSWORD", KoofrServer.Password);
        using DriveHome home = new();
        (string key, byte[] master) = Meet(home, server.NewFolder());
        AssertSilent(server.Heard.SelectMany(static heard => heard).ToArray(), key, master, 10_000);
    }

    [MountFact]
    public void Over_a_server_of_our_own()
    {
        using DriveHome home = new();
        using ServerProcess server = new(Path.Combine(home.Root, "server"));
        Environment.SetEnvironmentVariable("DRIVE_SERVER_TOKEN", server.Token);
        Meet(home, server.Url("vault"));
    }

    private static void MeetRecorded(string url, int? port = null)
    {
        int target = port ?? new Uri(url).Port;
        using RecordingProxy proxy = new(target);
        using DriveHome home = new();
        (string key, byte[] master) = Meet(home, url.Replace($":{target}", $":{proxy.Port}", StringComparison.Ordinal));
        AssertSilent(proxy.Record(), key, master, 100_000);
    }

    /// <summary>Returns the recovery key and the master key.</summary>
    private static (string RecoveryKey, byte[] MasterKey) Meet(DriveHome home, string url)
    {
        string key = home.Do("init", url).Output.Trim();
        home.Do("mount", "drive", home.Mount);
        using DriveHome other = new(home.Root);
        Ran joined = other.RunWith(home.Do("device", "add", "--no-wait").Output, "join", url, "--device-name", "laptop");
        Assert.True(joined.Code == 0, joined.ToString());
        other.Do("mount", "drive", other.Mount);
        string here = Directory.CreateDirectory(Path.Combine(home.Mount, $"{Canary}-folder")).FullName;
        string there = Path.Combine(other.Mount, $"{Canary}-folder");
        for (int file = 0; file < 20; file++)
        {
            File.WriteAllText(Path.Combine(here, $"{file}"), $"{Canary} {file}");
        }

        File.WriteAllText(Path.Combine(here, "both.txt"), $"{Canary} old");
        DriveHome.Eventually(() => Directory.GetFiles(there).Length == 21, "all files show", seconds: 60);
        Assert.All(Enumerable.Range(0, 20), file => Assert.Equal($"{Canary} {file}", File.ReadAllText(Path.Combine(there, $"{file}"))));
        File.Move(Path.Combine(there, "7"), Path.Combine(other.Mount, "moved"));
        DriveHome.Eventually(() => File.Exists(Path.Combine(home.Mount, "moved")) && !File.Exists(Path.Combine(here, "7")), "the move shows", seconds: 60);

        File.WriteAllText(Path.Combine(here, "both.txt"), $"{Canary} from here");
        File.WriteAllText(Path.Combine(there, "both.txt"), $"{Canary} from there");
        Task<Ran> sending = Task.Run(() => home.Do("wait", "--timeout", "80"));
        other.Do("wait", "--timeout", "80");
        sending.Wait();
        DriveHome.Eventually(() => Names(here).Length == 21 && Names(here).SequenceEqual(Names(there)), "both show both", seconds: 60);
        string copy = Assert.Single(Names(here), static name => Copy().IsMatch(name));
        foreach (string folder in new[] { here, there })
        {
            Assert.Equal([$"{Canary} from here", $"{Canary} from there"], new[] { "both.txt", copy }.Select(name => File.ReadAllText(Path.Combine(folder, name))).Order());
        }

        // The master key of the first epoch: behind the magic, the vault's id, the first commit's hash, and two numbers (docs/vault-format.md, Keys).
        byte[] exported = File.ReadAllBytes(Directory.EnumerateFiles(home.Home, "drive.key", SearchOption.AllDirectories).Single());
        return (key, exported[(8 + 32 + 32 + 2)..(8 + 32 + 32 + 2 + 32)]);
    }

    private static void AssertSilent(byte[] heard, string recoveryKey, byte[] masterKey, int bytesMin)
    {
        Assert.True(heard.Length > bytesMin, $"only {heard.Length} bytes were recorded");
        byte[][] secrets =
        [
            .. new[] { Canary, recoveryKey, recoveryKey.Replace("-", "", StringComparison.Ordinal), Convert.ToHexString(masterKey), Convert.ToHexStringLower(masterKey), Convert.ToBase64String(masterKey).TrimEnd('=') }.Select(Encoding.UTF8.GetBytes),
            Encoding.Unicode.GetBytes(Canary),
            masterKey,
        ];
        Assert.All(secrets, secret => Assert.True(heard.AsSpan().IndexOf(secret) < 0, "a secret went over the wire"));
    }

    private static string[] Names(string folder) => [.. Directory.GetFiles(folder).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    [GeneratedRegex(@"^both \(conflict, [^)]+, \d{4}-\d\d-\d\d \d\d-\d\d\)\.txt$")]
    private static partial Regex Copy();
}
