using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using Drive.Control;
using Drive.Service.Logs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Drive.Service.Hosting;

/// <summary>Answers <see cref="ControlRoutes"/>. Every failure becomes an <see cref="ErrorReply"/> here and nowhere else.</summary>
internal sealed class ControlServer(DriveDaemon drive, IHostApplicationLifetime lifetime, ILogger<ControlServer> logger)
{
    /// <summary>Makes Kestrel listen on the socket that is bound already, and on nothing else.</summary>
    public static void ListenOn(WebApplicationBuilder builder, Socket listener)
    {
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseSockets(transport => transport.CreateBoundListenSocket = _ => listener);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenUnixSocket(((UnixDomainSocketEndPoint)listener.LocalEndPoint!).ToString());
        });
    }

    /// <summary>Answers one request.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        try
        {
            switch (context.Request.Method, context.Request.Path.Value)
            {
                case ("GET", ControlRoutes.Status):
                    await WriteAsync(context, drive.GetStatus(), ControlJson.Default.DriveStatus);
                    break;
                case ("POST", ControlRoutes.Wait):
                    await WaitAsync(context);
                    break;
                case ("POST", ControlRoutes.Stop):
                    context.Response.OnCompleted(() =>
                    {
                        lifetime.StopApplication();
                        return Task.CompletedTask;
                    });
                    await WriteAsync(context, await drive.StopOnceAsync("drive umount"), ControlJson.Default.StopReply);
                    break;
                default:
                    context.Response.StatusCode = StatusCodes.Status404NotFound;
                    break;
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested || lifetime.ApplicationStopping.IsCancellationRequested)
        {
            context.Abort();
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            DriveError error = (exception as DriveException)?.Error ?? DriveError.Failed;
            logger.ControlFailed(exception.Message, exception);
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            await WriteAsync(context, new ErrorReply(error, exception.Message), ControlJson.Default.ErrorReply);
        }
    }

    private async Task WaitAsync(HttpContext context)
    {
        using CancellationTokenSource stopping = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);

        // One line is enough to hold: only the newest is worth showing.
        Channel<WaitLine> lines = Channel.CreateBounded<WaitLine>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        Task<WaitLine> wait = drive.WaitAsync(line => lines.Writer.TryWrite(line), stopping.Token);
        _ = wait.ContinueWith(_ => lines.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await foreach (WaitLine line in lines.Reader.ReadAllAsync(stopping.Token))
        {
            await WriteLineAsync(context, line with { Done = false });
        }

        await WriteLineAsync(context, await wait);
    }

    private static async Task WriteLineAsync(HttpContext context, WaitLine line)
    {
        await context.Response.Body.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(line, ControlJson.Default.WaitLine), (byte)'\n'], context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private static async Task WriteAsync<T>(HttpContext context, T message, JsonTypeInfo<T> type)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(message, type);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
