using Drive.Control;
using Drive.Core.Volumes;
using Drive.Service.Linux;
using Drive.Service.Logs;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Drive.Service.Hosting;

/// <summary>
/// The process around one drive: host, log, control socket, signals. Hosted services start in order and stop in reverse, so the drive is
/// mounted before the control server answers (its socket takes connections already).
/// </summary>
internal static class DaemonHost
{
    /// <summary>Runs until the drive is stopped, and says how that ended.</summary>
    public static async Task<StopReply> RunAsync(
        MountRequest request,
        DaemonHold hold,
        Func<ILoggerFactory, CancellationToken, Task<OpenDrive>> open,
        Func<IVolume, ILoggerFactory, CancellationToken, Task<KernelMount>> mount,
        Action<StartLine> ready,
        LogFile log,
        string? notifySocket,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "drive", ContentRootPath = "/" });
        builder.Logging.AddProvider(log).SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning);
        builder.Services.Configure<ConsoleLifetimeOptions>(console => console.SuppressStatusMessages = true);
        ControlServer.ListenOn(builder, hold.Listener);
        builder.Services.AddSingleton<ControlServer>();
        builder.Services.AddSingleton(services => new DriveDaemon(
            request,
            hold,
            cancellation => open(services.GetRequiredService<ILoggerFactory>(), cancellation),
            (volume, cancellation) => mount(volume, services.GetRequiredService<ILoggerFactory>(), cancellation),
            ready,
            new ServiceManager(notifySocket),
            services.GetRequiredService<IHostApplicationLifetime>(),
            services.GetRequiredService<ILogger<DriveDaemon>>(),
            time));
        builder.Services.AddHostedService(services => services.GetRequiredService<DriveDaemon>());
        await using WebApplication app = builder.Build();
        app.Run(app.Services.GetRequiredService<ControlServer>().AnswerAsync);

        DriveDaemon daemon = app.Services.GetRequiredService<DriveDaemon>();
        await app.StartAsync(cancellationToken);
        await app.WaitForShutdownAsync(cancellationToken);
        return await daemon.StopOnceAsync("the host ended");
    }
}
