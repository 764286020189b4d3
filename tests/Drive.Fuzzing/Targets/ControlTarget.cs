using System.Net.Sockets;
using System.Text;
using Drive.Control;
using Drive.Disk;
using Drive.Engine;
using Drive.Service.Hosting;
using Drive.Service.Logs;
using Drive.Service.Settings;
using Drive.Testing;

namespace Drive.Fuzzing.Targets;

/// <summary>
/// The control channel: bytes on the daemon's socket. Whatever comes, the connection ends, and the daemon answers the next one that asks for its status. A stop is a
/// stop: then the daemon is started anew.
/// </summary>
internal sealed class ControlTarget : FuzzTarget
{
    private static readonly VaultEntry Entry = new() { Name = "work", Store = "memory:", VaultId = new string('b', 64), Keys = KeyPlace.File };

    private readonly string _root = Directory.CreateTempSubdirectory("drive-fuzzing-").FullName;
    private readonly DrivePaths _paths;
    private readonly LogFile _log;
    private Task? _ended;
    private TaskCompletionSource _kernel = new();

    public ControlTarget()
    {
        _paths = DrivePaths.Resolve(name => name == "DRIVE_HOME" ? Path.Combine(_root, "home") : null, _root);
        _log = new LogFile(_paths.LogOf("work"), TimeProvider.System, alsoErrors: false);
        Start();
    }

    public override string Name => "control";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. new[]
        {
            "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", "POST /v1/wait HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", $"GET {ControlRoutes.Status} HTTP/1.1\r\nHost: drive\r\nConnection: close\r\n\r\n",
            $"POST {ControlRoutes.Wait} HTTP/1.1\r\nHost: drive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", $"POST {ControlRoutes.Stop} HTTP/1.1\r\nHost: drive\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}",
        }.Select(Encoding.ASCII.GetBytes),
    ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. new[]
        {
            "\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "Upgrade: h2c\r\n", "HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "ffffffffffffffff\r\n", ControlRoutes.Status, ControlRoutes.Stop, ControlRoutes.Wait,
            "%2e%2e/", "\0",
        }.Select(Encoding.ASCII.GetBytes),
    ];

    // Work is done on the server's threads.
    public override long AllocationMax(int inputBytes) => 16 << 20;

    public override void Run(byte[] input)
    {
        EnsureRunning();
        using (Socket socket = Connect())
        {
            socket.ReceiveTimeout = 4000;
            socket.SendTimeout = 4000;
            try
            {
                socket.Send(input);
                socket.Shutdown(SocketShutdown.Send);
                byte[] buffer = new byte[4096];
                while (socket.Receive(buffer) > 0)
                {
                }
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted)
            {
                // The server ended a connection that makes no sense.
            }
        }

        EnsureRunning();
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                CheckStatus();
                return;
            }
            catch (Exception error) when (attempt == 0 && error is not TimeoutException)
            {
                // The input may have been a stop, which takes its time: then this was the old daemon. One that goes on must answer.
                if (Task.WhenAny(_ended!, Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, CancellationToken.None)).GetAwaiter().GetResult() != _ended)
                {
                    throw;
                }

                EnsureRunning();
            }
        }
    }

    private void CheckStatus()
    {
        using ControlClient client = DaemonRecords.Find(_paths, "work") is { } record && ControlClient.TryConnectAsync(record, default).GetAwaiter().GetResult() is { } connected
            ? connected
            : throw new InvalidOperationException("the daemon does not answer any more");
        DriveStatus status = client.GetStatusAsync(default).GetAwaiter().GetResult();
        if (status.Name != "work")
        {
            throw new InvalidOperationException($"a status of '{status.Name}'");
        }
    }

    /// <summary>A daemon that was stopped takes its record away first.</summary>
    private void EnsureRunning()
    {
        if (_ended!.IsCompleted || DaemonRecords.Find(_paths, "work") is null)
        {
            _ended.GetAwaiter().GetResult();
            Start();
        }
    }

    protected override void Close()
    {
        _kernel.TrySetResult();
        _ended?.GetAwaiter().GetResult();
        _log.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private Socket Connect()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        UnixDomainSocketEndPoint place = new(ControlSocket.PathFor(_paths, "work"));
        try
        {
            socket.Connect(place);
        }
        catch (SocketException)
        {
            // A stop that came with the input before was still under way.
            _ended!.WaitAsync(TimeSpan.FromSeconds(10)).GetAwaiter().GetResult();
            EnsureRunning();
            socket.Dispose();
            socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(place);
        }

        return socket;
    }

    private void Start()
    {
        TaskCompletionSource kernel = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _kernel = kernel;
        DaemonHold hold = DaemonHold.TakeAsync(_paths, Entry, "/mnt/work", new LocalDisk(), TimeProvider.System, default).GetAwaiter().GetResult();
        _ended = DaemonHost.RunAsync(
            new MountRequest { Name = "work", Mountpoint = "/mnt/work" },
            hold,
            static (_, _) => Task.FromResult(Open()),
            (_, _, _, _) => Task.FromResult(new KernelMount(kernel.Task, _ =>
            {
                kernel.TrySetResult();
                return Task.CompletedTask;
            })),
            _ => ready.TrySetResult(),
            _log,
            notifySocket: null,
            TimeProvider.System,
            CancellationToken.None);
        Task.WhenAny(ready.Task, _ended).GetAwaiter().GetResult().GetAwaiter().GetResult();
    }

    private static OpenDrive Open() => new()
    {
        Volume = new ReferenceVolume(TimeProvider.System),
        Store = "memory:",
        GetStatus = static () => new VolumeStatus
        {
            Seq = 7,
            LocalOnly = new Amount(2, 300),
            Uploading = default,
            InCloud = default,
            CacheUsedBytes = 1,
            CacheLimitBytes = 2,
        },
        WaitUploadedAsync = static (progress, _) => Task.FromResult(new UploadProgress(true, default, null)),
        StopAsync = static _ => Task.CompletedTask,
    };
}
