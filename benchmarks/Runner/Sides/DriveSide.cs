using System.Net.Sockets;
using System.Text.Json;
using Drive.Benchmarks.Platform;

namespace Drive.Benchmarks.Sides;

/// <summary>What went to and from the store: calls, and bytes each way.</summary>
internal readonly record struct Traffic(long Requests, long Up, long Down)
{
    public Traffic And(Traffic other) => new(Requests + other.Requests, Up + other.Up, Down + other.Down);

    public Traffic Since(Traffic start) => new(Requests - start.Requests, Up - start.Up, Down - start.Down);
}

/// <summary>
/// Drive as published; everything of it under the side's own directory. Its store is a folder there, or one that is made to seem far away. A second
/// one can join the vault of a first with the recovery key, as another machine does.
/// </summary>
internal sealed class DriveSide(string home, string program, string storeQuery = "", DriveSide? first = null) : Side(DriveName, home)
{
    public const string DriveName = "drive";

    private readonly Dictionary<string, string> _environment = new() { ["DRIVE_HOME"] = Path.Combine(home, "home") };
    private HttpClient? _http;
    private Traffic _before;
    private string _recoveryKey = "";

    /// <summary>The way of requests from the kernel; null is what the machine offers.</summary>
    public string? Transport { get; init; }

    /// <summary>The block caches of this side's vault.</summary>
    public string CacheDirectory => Path.Combine(Home, "home", "cache");

    /// <summary>What all daemons of this side asked of the store so far.</summary>
    public Traffic Traffic => Pid is null ? _before : _before.And(TrafficNow());

    private string Store => first?.Store ?? (storeQuery.Length == 0 ? Path.Combine(Home, "store") : $"file://{Path.Combine(Home, "store")}?{storeQuery}");

    public override void Begin()
    {
        Enrol();
        Mount();
    }

    /// <summary>Makes the vault, or makes this machine one of its devices.</summary>
    public void Enrol()
    {
        Directory.CreateDirectory(Root);
        if (first is null)
        {
            _recoveryKey = Call("init", Store, "--name", DriveName);
        }
        else
        {
            Shell.Run(program, ["recover", Store, "--name", DriveName], _environment, first._recoveryKey);
        }
    }

    /// <summary>Waits until everything is in the store.</summary>
    public void AwaitUpload() => Call("wait");

    /// <summary>The same without a process of its own for it, which would cost more than the wait.</summary>
    public void AwaitUploadQuickly()
    {
        string socket = Path.Combine(Home, "home", "run", $"{DriveName}.sock");
        if (!File.Exists(socket))
        {
            AwaitUpload();
            return;
        }

        _http ??= new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                Socket connection = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
                return new NetworkStream(connection, ownsSocket: true);
            },
        });
        using HttpResponseMessage answer = _http.PostAsync("http://drive/v1/wait", null).Result;
        string lines = answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync().Result;
        if (!lines.Contains("\"done\":true", StringComparison.Ordinal))
        {
            throw new IOException($"the wait ended early: {lines}");
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        _http?.Dispose();
    }

    public override void Settle()
    {
        AwaitUpload();
        base.Settle();
    }

    public void Help() => Call("--help");

    /// <summary>The last commit that it has.</summary>
    public long Seq() => Status().GetProperty("seq").GetInt64();

    public double CpuSeconds() => Machine.CpuSeconds(Pid!.Value);

    public double PeakMemoryMiB() => Machine.PeakMemoryMiB(Pid!.Value);

    public double MemoryMiB() => Machine.MemoryMiB(Pid!.Value);

    /// <summary>Starts anew with nothing of the content on this machine: the block cache is gone, and the kernel has nothing.</summary>
    public void MakeCold()
    {
        Unmount();
        if (Directory.Exists(CacheDirectory))
        {
            Directory.Delete(CacheDirectory, recursive: true);
        }

        if (Machine.CanDropCaches)
        {
            Machine.DropCaches();
        }

        Mount();
    }

    protected override void MountCore() =>
        Call(["mount", DriveName, Root, .. Transport is null ? [] : new[] { "-o", $"transport={Transport}{(Transport == "uring" ? ",allow_uring" : "")}" }]);

    protected override int? FindProcess() => Status().GetProperty("pid").GetInt32();

    protected override void UnmountCore(int pid)
    {
        Call("umount", Root);
    }

    /// <summary>Takes over the counters of a daemon that is about to end.</summary>
    protected override void BeforeUnmount() => _before = _before.And(TrafficNow());

    private Traffic TrafficNow()
    {
        JsonElement traffic = Status().GetProperty("traffic");
        return new Traffic(traffic.GetProperty("requests").GetInt64(), traffic.GetProperty("up").GetInt64(), traffic.GetProperty("down").GetInt64());
    }

    private JsonElement Status() => JsonDocument.Parse(Call("status", "--json")).RootElement;

    private string Call(params string[] arguments) => Shell.Run(program, arguments, _environment);
}
