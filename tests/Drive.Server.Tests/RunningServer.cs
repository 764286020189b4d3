using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Disk;
using Drive.Server.Accounts;
using Drive.Server.Hosting;
using Drive.Stores;
using Drive.Stores.Http;
using Microsoft.Extensions.Logging;

namespace Drive.Server.Tests;

/// <summary>A real server in this process, on a loopback port with TLS and its own certificate, over a temporary directory. It can be stopped and started again on its port.</summary>
public sealed class RunningServer : IAsyncLifetime, ILoggerProvider
{
    private readonly Func<ServerSettings, ServerSettings> _change;
    private ILoggerFactory? _loggers;
    private ServerHost? _host;
    private int _vaults;
    private int _port;

    public RunningServer()
        : this(static settings => settings)
    {
    }

    internal RunningServer(Func<ServerSettings, ServerSettings> change)
    {
        _change = change;
        Accounts = new AccountBook(new LocalDisk(), Root);
    }

    public static string User => "ana";

    public string Root { get; } = Directory.CreateTempSubdirectory("drive-server-").FullName;

    public AccountBook Accounts { get; }

    /// <summary>A full token of the user.</summary>
    public string Token { get; private set; } = "";

    public string Fingerprint => _host!.Fingerprint!;

    public Uri Address => _host!.Addresses[0];

    /// <summary>Lines of the access log.</summary>
    public ConcurrentQueue<string> Log { get; } = new();

    internal static async Task<RunningServer> StartAsync(Func<ServerSettings, ServerSettings>? change = null)
    {
        RunningServer server = new(change ?? (static settings => settings));
        await server.InitializeAsync();
        return server;
    }

    public async Task InitializeAsync()
    {
        Accounts.AddUser(User, 1L << 40);
        Token = NewToken(User);
        await StartAgainAsync();
    }

    public async Task StartAgainAsync()
    {
        _loggers = LoggerFactory.Create(logging => logging.AddFilter("Microsoft", LogLevel.Warning).AddProvider(this));
        ServerSettings settings = _change(new ServerSettings(Root, [ListenAddress.Parse($"https://127.0.0.1:{_port}")]));
        _host = await ServerHost.StartAsync(settings, new LocalDisk(), TimeProvider.System, SystemRandomSource.Instance, _loggers, CancellationToken.None);
        _port = _host.Addresses[0].Port;
    }

    public async Task StopAsync()
    {
        await _host!.DisposeAsync();
        _loggers!.Dispose();
    }

    public async Task DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(Root, recursive: true);
    }

    public string NewToken(string user, bool isAppendOnly = false) => Accounts.AddToken(user, "test", isAppendOnly, TimeProvider.System, SystemRandomSource.Instance);

    /// <summary>A name that no vault has yet.</summary>
    public string NewVault() => $"vault-{Interlocked.Increment(ref _vaults)}";

    public HttpPlace Place(string vault, string? pin = null) => (HttpPlace)StorePlace.Parse($"drive+https://127.0.0.1:{_port}/{vault}?pin={pin ?? Fingerprint}");

    public IObjectStore Open(string vault, string? token = null, bool create = true) => Place(vault).Open(token ?? Token, create, TimeProvider.System, SystemRandomSource.Instance);

    /// <summary>A client of HTTP alone.</summary>
    public HttpClient Http(string? token = null)
    {
        HttpClient http = new(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new() { RemoteCertificateValidationCallback = IsItsOwn },
        })
        {
            BaseAddress = Address,
        };
        http.DefaultRequestHeaders.Authorization = new("Bearer", token ?? Token);
        return http;
    }

    /// <summary>Whether a certificate is the server's.</summary>
    internal bool IsItsOwn(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        certificate!.GetCertHashString(HashAlgorithmName.SHA256).Equals(Fingerprint, StringComparison.OrdinalIgnoreCase);

    ILogger ILoggerProvider.CreateLogger(string categoryName) => new Lines(Log);

    void IDisposable.Dispose()
    {
    }

    private sealed class Lines(ConcurrentQueue<string> log) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Enqueue($"{formatter(state, exception)} {exception}");
    }
}
