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
        // Opening the volume takes about as long as putting the host together, and neither needs the other: both at once.
        using LoggerFactory loggers = new([log], Levels());
        using CancellationTokenSource opening = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<OpenDrive> opened = Task.Run(() => open(loggers, opening.Token), cancellationToken);
        bool isTaken = false;
        try
        {
            await using WebApplication app = Build(hold, loggers, services => new DriveDaemon(
                request,
                hold,
                async cancellation =>
                {
                    isTaken = true;
                    await using CancellationTokenRegistration stop = cancellation.Register(opening.Cancel);
                    return await opened;
                },
                (volume, cancellation) => mount(volume, loggers, cancellation),
                ready,
                new ServiceManager(notifySocket),
                services.GetRequiredService<IHostApplicationLifetime>(),
                services.GetRequiredService<ILogger<DriveDaemon>>(),
                time));
            DriveDaemon daemon = app.Services.GetRequiredService<DriveDaemon>();
            await app.StartAsync(cancellationToken);
            await app.WaitForShutdownAsync(cancellationToken);
            return await daemon.StopOnceAsync("the host ended");
        }
        catch when (!isTaken)
        {
            // The host failed before the daemon asked for its volume: nobody else will close it.
            await opening.CancelAsync();
            await opened.ContinueWith(
                static opened => opened.IsCompletedSuccessfully ? opened.Result.Volume.DisposeAsync().AsTask() : Task.CompletedTask,
                CancellationToken.None,
                TaskContinuationOptions.None,
                TaskScheduler.Default).Unwrap();
            throw;
        }
    }

    private static WebApplication Build(DaemonHold hold, ILoggerFactory loggers, Func<IServiceProvider, DriveDaemon> daemon)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "drive", ContentRootPath = "/" });
        builder.Services.AddSingleton(loggers);
        builder.Services.Configure<ConsoleLifetimeOptions>(console => console.SuppressStatusMessages = true);
        ControlServer.ListenOn(builder, hold.Listener);
        builder.Services.AddSingleton<ControlServer>();
        builder.Services.AddSingleton(daemon);
        builder.Services.AddHostedService(services => services.GetRequiredService<DriveDaemon>());
        WebApplication app = builder.Build();
        app.Run(app.Services.GetRequiredService<ControlServer>().AnswerAsync);
        return app;
    }

    private static LoggerFilterOptions Levels()
    {
        LoggerFilterOptions levels = new() { MinLevel = LogLevel.Information };
        levels.Rules.Add(new LoggerFilterRule(providerName: null, "Microsoft", LogLevel.Warning, filter: null));
        return levels;
    }
}
