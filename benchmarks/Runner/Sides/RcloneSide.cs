using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Drive.Benchmarks.Platform;

namespace Drive.Benchmarks.Sides;

/// <summary>A mount of rclone's encrypting remote, over a local folder or whatever else is named, with its full cache.</summary>
internal sealed class RcloneSide(string home, string? remote = null, IReadOnlyDictionary<string, string>? remoteVariables = null) : PeerSide(Program, home)
{
    public const string Program = "rclone";

    private readonly int _port = FreePort();
    private readonly HttpClient _http = new();
    private string _password = "";

    protected override string[] Arguments =>
    [
        "mount", "bench:", Root, "--vfs-cache-mode", "full", "--cache-dir", Path.Combine(Home, "cache"),
        "--rc", "--rc-no-auth", "--rc-addr", $"127.0.0.1:{_port}",
    ];

    protected override IReadOnlyDictionary<string, string> Variables => new Dictionary<string, string>(remoteVariables ?? new Dictionary<string, string>())
    {
        ["RCLONE_CONFIG"] = "/dev/null",
        ["RCLONE_CONFIG_BENCH_TYPE"] = "crypt",
        ["RCLONE_CONFIG_BENCH_REMOTE"] = remote ?? Path.Combine(Home, "store"),
        ["RCLONE_CONFIG_BENCH_PASSWORD"] = _password,
    };

    public override void Begin()
    {
        Directory.CreateDirectory(Path.Combine(Home, "store"));
        Directory.CreateDirectory(Root);
        _password = Shell.Run(Program, ["obscure", "benchmark"]).Trim();
        Mount();
    }

    /// <summary>Returns when nothing waits for its upload any more: five seconds after the last close, by default.</summary>
    public override void Settle()
    {
        Machine.Await(() => Queued() == 0, TimeSpan.FromMinutes(30), "rclone uploads");
        base.Settle();
    }

    /// <summary>Forgets what it has read, as on another machine. Call it while nothing is mounted.</summary>
    public void ForgetCache() => Directory.Delete(Path.Combine(Home, "cache"), recursive: true);

    public override void Dispose()
    {
        base.Dispose();
        _http.Dispose();
    }

    private long Queued()
    {
        using StringContent nothing = new("");
        using HttpResponseMessage answer = _http.PostAsync($"http://127.0.0.1:{_port}/vfs/stats", nothing).Result;
        using JsonDocument stats = JsonDocument.Parse(answer.Content.ReadAsStringAsync().Result);
        JsonElement cache = stats.RootElement.GetProperty("diskCache");
        return cache.GetProperty("uploadsInProgress").GetInt64() + cache.GetProperty("uploadsQueued").GetInt64();
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
