using Drive.Core.Platform;
using Drive.Server.Accounts;
using Drive.Server.Requests;
using Drive.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Drive.Server.Hosting;

/// <summary>
/// A running server: the only one on its directory, until disposed. Who stops it waits for the requests under way, ten seconds at most.
/// </summary>
public sealed class ServerHost : IAsyncDisposable
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(10);

    private readonly WebApplication _app;
    private readonly Stack<IAsyncDisposable> _owned;

    private ServerHost(WebApplication app, Stack<IAsyncDisposable> owned, string? fingerprint)
    {
        _app = app;
        _owned = owned;
        Fingerprint = fingerprint;
        Addresses = [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(static address => new Uri(address))];
    }

    /// <summary>Where it listens, with the ports that it got.</summary>
    public IReadOnlyList<Uri> Addresses { get; }

    /// <summary>The SHA-256 of its certificate; null without TLS.</summary>
    public string? Fingerprint { get; }

    /// <summary>Counts what is there, and starts to listen. <see cref="ServerException"/> when the directory is no server's or has one already.</summary>
    public static async Task<ServerHost> StartAsync(
        ServerSettings settings, IDisk disk, TimeProvider time, IRandomSource random, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(disk);
        ILogger logger = loggers.CreateLogger("drive");
        AccountBook accounts = new(disk, settings.Directory);
        if (!accounts.IsThere())
        {
            throw new ServerException(ServerError.NotFound, $"'{settings.Directory}' has no users: 'drive serve user add NAME --data DIR' makes one. Is its disk mounted?");
        }

        Stack<IAsyncDisposable> owned = new();
        try
        {
            owned.Push(new Owned(disk.TryLock(Path.Combine(settings.Directory, "server.lock"), $"process {Environment.ProcessId}", out string? holder)
                ?? throw new ServerException(ServerError.InUse, $"Another server is at work in '{settings.Directory}' ({holder}).")));
            VaultCollection vaults = await VaultCollection.OpenAsync(disk, settings.Directory, random, logger, cancellationToken);
            owned.Push(vaults);
            ServerCertificate? certificate = settings.Listen.Any(static address => address.IsTls)
                ? settings.Tls is { } files ? ServerCertificate.Load(files.Certificate, files.Key) : ServerCertificate.OfItsOwn(disk, settings.Directory, time)
                : null;
            owned.Push(new Owned(certificate));
            BodyRoom room = new(settings.ObjectBytesMax);
            owned.Push(new Owned(room));

            WebApplication app = Build(settings, certificate, loggers);
            owned.Push(app);
            WatchHandler watches = new(accounts, settings, app.Lifetime, time);
            ServerMetrics metrics = new(vaults, watches);
            StoreHandler store = new(vaults, accounts, settings, watches, room);
            new RequestPipeline(store, accounts, metrics, settings, disk, time, loggers.CreateLogger("access")).Build(app);
            await app.StartAsync(cancellationToken);
            ServerHost host = new(app, owned, certificate?.Fingerprint);
            app.Lifetime.ApplicationStopping.Register(logger.Stopping);
            logger.Serving(string.Join(' ', host.Addresses), vaults.Count, vaults.UsedBytes);
            return host;
        }
        catch
        {
            await CloseAsync(owned);
            throw;
        }
    }

    /// <summary>Returns when it was told to stop, by a signal or <paramref name="cancellationToken"/>, and has.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using CancellationTokenRegistration stop = cancellationToken.Register(_app.Lifetime.StopApplication);
        await _app.WaitForShutdownAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await CloseAsync(_owned);
    }

    private static async Task CloseAsync(Stack<IAsyncDisposable> owned)
    {
        while (owned.TryPop(out IAsyncDisposable? next))
        {
            await next.DisposeAsync();
        }
    }

    private static WebApplication Build(ServerSettings settings, ServerCertificate? certificate, ILoggerFactory loggers)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "drive", ContentRootPath = "/" });
        builder.Services.AddSingleton(loggers);
        builder.Services.Configure<ConsoleLifetimeOptions>(static console => console.SuppressStatusMessages = true);
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = StopTime);
        builder.Services.AddRateLimiter(static _ => { });
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = settings.ObjectBytesMax;
            foreach (ListenAddress address in settings.Listen)
            {
                kestrel.Listen(address.EndPoint, listener =>
                {
                    // One request after another on a connection is all that the client asks for.
                    listener.Protocols = HttpProtocols.Http1;
                    if (address.IsTls)
                    {
                        listener.UseHttps(https =>
                        {
                            https.ServerCertificate = certificate!.Certificate;
                            https.ServerCertificateChain = certificate.Chain;
                        });
                    }
                });
            }
        });
        return builder.Build();
    }

    private sealed class Owned(IDisposable? inner) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            inner?.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
