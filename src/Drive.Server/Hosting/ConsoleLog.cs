using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Drive.Server.Hosting;

/// <summary>The server's log on standard error: a line an event, with the time in UTC.</summary>
public static class ConsoleLog
{
    /// <summary>The loggers; dispose them after the server.</summary>
    public static ServiceProvider Open() => new ServiceCollection().AddLogging(static logging =>
    {
        logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning);
        logging.AddSimpleConsole(static form =>
        {
            form.SingleLine = true;
            form.UseUtcTimestamp = true;
            form.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            form.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
        });
        logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }).BuildServiceProvider();
}
