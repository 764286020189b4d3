using System.Runtime.InteropServices;
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
/// The process around one drive: log, signals, and the host with the control server. The drive comes first and the host when it is mounted:
/// people wait for the one, and a command that is too early for the other waits at the control socket, which takes connections already.
/// </summary>
internal static class DaemonHost
{
    /// <summary>Runs until the drive is stopped, and says how that ended.</summary>
    public static async Task<StopReply> RunAsync(
        MountRequest request,
        DaemonHold hold,
        Func<ILoggerFactory, CancellationToken, Task<OpenDrive>> open,
        Func<MountRequest, IVolume, ILoggerFactory, CancellationToken, Task<KernelMount>> mount,
        Action<StartLine> ready,
        LogFile log,
        string? notifySocket,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        using LoggerFactory loggers = new([log], Levels());
        using CancellationTokenSource stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using PosixSignalRegistration terminate = StopOn(PosixSignal.SIGTERM, stopping);
        using PosixSignalRegistration interrupt = StopOn(PosixSignal.SIGINT, stopping);
        DriveDaemon daemon = new(
            request,
            hold,
            cancellation => open(loggers, cancellation),
            (shown, volume, cancellation) => mount(shown, volume, loggers, cancellation),
            ready,
            new ServiceManager(notifySocket),
            loggers.CreateLogger<DriveDaemon>(),
            time);
        await daemon.StartAsync(stopping.Token);
        try
        {
            await using WebApplication app = Build(hold, loggers, daemon);
            await app.StartAsync(CancellationToken.None);
            using IdleHeap heap = new(time);
            heap.Start();
            await using CancellationTokenRegistration stop = stopping.Token.Register(app.Lifetime.StopApplication);
            _ = daemon.Ended.ContinueWith(_ => app.Lifetime.StopApplication(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            await app.WaitForShutdownAsync(CancellationToken.None);
        }
        catch
        {
            await daemon.StopOnceAsync("the control server failed");
            throw;
        }

        return await daemon.StopOnceAsync("the host ended");
    }

    private static PosixSignalRegistration StopOn(PosixSignal signal, CancellationTokenSource stopping) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            stopping.Cancel();
        });

    private static WebApplication Build(DaemonHold hold, ILoggerFactory loggers, DriveDaemon daemon)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "drive", ContentRootPath = "/" });
        builder.Services.AddSingleton(loggers);
        builder.Services.Configure<ConsoleLifetimeOptions>(console => console.SuppressStatusMessages = true);
        ControlServer.ListenOn(builder, hold.Listener);
        builder.Services.AddSingleton<ControlServer>();
        builder.Services.AddSingleton(daemon);
        builder.Services.AddHostedService(_ => daemon);
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
