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
internal sealed partial class ControlServer(DriveDaemon drive, IHostApplicationLifetime lifetime, ILogger<ControlServer> logger)
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
                case ("POST", ControlRoutes.Pin or ControlRoutes.Unpin):
                    PathRequest wanted = await ReadAsync(context, ControlJson.Default.PathRequest);
                    await WriteAsync(context, drive.SetPinned(wanted.Path, context.Request.Path.Value == ControlRoutes.Pin), ControlJson.Default.PinnedContent);
                    break;
                case ("POST", ControlRoutes.Evict):
                    await WriteAsync(context, drive.Evict((await ReadAsync(context, ControlJson.Default.PathRequest)).Path), ControlJson.Default.EvictReply);
                    break;
                case ("POST", ControlRoutes.Garbage):
                    GarbageRequest garbage = await ReadAsync(context, ControlJson.Default.GarbageRequest);
                    await WriteAsync(context, await drive.CollectGarbageAsync(garbage, context.RequestAborted), ControlJson.Default.GarbageReply);
                    break;
                case ("POST", ControlRoutes.Limits):
                    await WriteAsync(context, drive.SetLimits(await ReadAsync(context, ControlJson.Default.LimitRequest)), ControlJson.Default.TransferLimits);
                    break;
                case ("POST", ControlRoutes.Wait):
                    await WaitAsync(context);
                    break;
                case ("POST", ControlRoutes.Check):
                    CheckOrder order = await ReadAsync(context, ControlJson.Default.CheckOrder);
                    await WriteAsync(context, await drive.Health.CheckAsync(order, context.RequestAborted), ControlJson.Default.CheckResult);
                    break;
                case ("POST", ControlRoutes.DiskUse):
                    PathRequest measured = await ReadAsync(context, ControlJson.Default.PathRequest);
                    await WriteAsync(context, await drive.Health.MeasureAsync(measured, context.RequestAborted), ControlJson.Default.DiskCost);
                    break;
                case ("GET", ControlRoutes.Devices):
                    await WriteAsync(context, await drive.Devices.ListDevicesAsync(context.RequestAborted), ControlJson.Default.DeviceList);
                    break;
                case ("POST", ControlRoutes.Pair):
                    await WriteAsync(context, await drive.Devices.PairAsync(context.RequestAborted), ControlJson.Default.PairingReply);
                    break;
                case ("POST", ControlRoutes.Admit):
                    PairingReply shown = await ReadAsync(context, ControlJson.Default.PairingReply);
                    await WriteAsync(context, await drive.Devices.AdmitAsync(shown, context.RequestAborted), ControlJson.Default.DeviceList);
                    break;
                case ("POST", ControlRoutes.HandOver):
                    DeviceRequest next = await ReadAsync(context, ControlJson.Default.DeviceRequest);
                    await WriteAsync(context, await drive.HandOverAsync(next, context.RequestAborted), ControlJson.Default.DeviceList);
                    break;
                case ("POST", ControlRoutes.TakeOver):
                    DeviceRequest writer = await ReadAsync(context, ControlJson.Default.DeviceRequest);
                    await WriteAsync(context, await drive.Devices.TakeOverAsync(writer, context.RequestAborted), ControlJson.Default.DeviceList);
                    break;
                case ("POST", ControlRoutes.Revoke):
                    DeviceRequest leaving = await ReadAsync(context, ControlJson.Default.DeviceRequest);
                    await WriteAsync(context, await drive.Devices.RevokeAsync(leaving, context.RequestAborted), ControlJson.Default.DeviceList);
                    break;
                case ("POST", ControlRoutes.Rename):
                    DeviceRequest named = await ReadAsync(context, ControlJson.Default.DeviceRequest);
                    await WriteAsync(context, await drive.Devices.RenameAsync(named, context.RequestAborted), ControlJson.Default.DeviceList);
                    break;
                case ("POST", ControlRoutes.Passphrase):
                    await drive.Devices.SetPassphraseAsync(await ReadAsync(context, ControlJson.Default.PassphraseRequest), context.RequestAborted);
                    await WriteAsync(context, await drive.Devices.ListDevicesAsync(context.RequestAborted), ControlJson.Default.DeviceList);
                    break;
                case ("POST", ControlRoutes.OfferRecoveryKey):
                    await WriteAsync(context, await drive.Devices.OfferRecoveryKeyAsync(context.RequestAborted), ControlJson.Default.RecoveryKeyMessage);
                    break;
                case ("POST", ControlRoutes.TakeRecoveryKey):
                    RecoveryKeyMessage written = await ReadAsync(context, ControlJson.Default.RecoveryKeyMessage);
                    await WriteAsync(context, await drive.Devices.TakeRecoveryKeyAsync(written, context.RequestAborted), ControlJson.Default.DeviceList);
                    break;
                case ("POST" or "GET", { } route) when route.StartsWith(ControlRoutes.BackupPrefix, StringComparison.Ordinal):
                    await AnswerBackupAsync(context, route);
                    break;
                case ("POST" or "GET", { } route) when route.StartsWith("/v1/history/", StringComparison.Ordinal) || route.StartsWith("/v1/snapshots", StringComparison.Ordinal) || route.StartsWith("/v1/past/", StringComparison.Ordinal):
                    await AnswerHistoryAsync(context, route);
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

    private async Task AnswerHistoryAsync(HttpContext context, string route)
    {
        CancellationToken aborted = context.RequestAborted;
        switch (context.Request.Method, route)
        {
            case ("POST", ControlRoutes.Versions):
                await WriteAsync(context, drive.History.Versions((await ReadAsync(context, ControlJson.Default.PathRequest)).Path), ControlJson.Default.PathVersions);
                break;
            case ("POST", ControlRoutes.State):
                await WriteAsync(context, drive.History.Find((await ReadAsync(context, ControlJson.Default.StateRequest)).When), ControlJson.Default.StateInfo);
                break;
            case ("POST", ControlRoutes.Restore):
                await WriteAsync(context, drive.History.Restore(await ReadAsync(context, ControlJson.Default.RestoreRequest), aborted), ControlJson.Default.RestoreReply);
                break;
            case ("POST", ControlRoutes.CopyOut):
                await WriteAsync(context, await drive.History.CopyOutAsync(await ReadAsync(context, ControlJson.Default.CopyRequest), aborted), ControlJson.Default.RestoreReply);
                break;
            case ("POST", ControlRoutes.Rewind):
                await WriteAsync(context, await drive.History.RewindAsync(await ReadAsync(context, ControlJson.Default.RestoreRequest), aborted), ControlJson.Default.RestoreReply);
                break;
            case ("POST", ControlRoutes.Compare):
                await WriteAsync(context, drive.History.Compare(await ReadAsync(context, ControlJson.Default.CompareRequest), aborted), ControlJson.Default.CompareReply);
                break;
            case ("GET", ControlRoutes.Snapshots):
                await WriteAsync(context, drive.History.List(), ControlJson.Default.SnapshotList);
                break;
            case ("POST", ControlRoutes.NameSnapshot):
                await WriteAsync(context, await drive.History.NameAsync((await ReadAsync(context, ControlJson.Default.SnapshotRequest)).Name, aborted), ControlJson.Default.SnapshotInfo);
                break;
            case ("POST", ControlRoutes.DropSnapshot):
                await WriteAsync(context, await drive.History.DropAsync((await ReadAsync(context, ControlJson.Default.SnapshotRequest)).Name ?? "", aborted), ControlJson.Default.SnapshotList);
                break;
            case ("POST", ControlRoutes.MountPast):
                await WriteAsync(context, await drive.MountPastAsync(await ReadAsync(context, ControlJson.Default.PastMountRequest), aborted), ControlJson.Default.StateInfo);
                break;
            case ("POST", ControlRoutes.UnmountPast):
                await WriteAsync(context, await drive.UnmountPastAsync((await ReadAsync(context, ControlJson.Default.PastMountRequest)).Mountpoint, aborted), ControlJson.Default.StateInfo);
                break;
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                break;
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
            await WriteLineAsync(context, line with { Done = false }, ControlJson.Default.WaitLine);
        }

        await WriteLineAsync(context, await wait, ControlJson.Default.WaitLine);
    }

    private static async Task WriteLineAsync<T>(HttpContext context, T line, JsonTypeInfo<T> type)
    {
        await context.Response.Body.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(line, type), (byte)'\n'], context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted) ?? throw new JsonException();
        }
        catch (JsonException exception)
        {
            throw new DriveException(DriveError.Usage, "The request makes no sense to this daemon: it is of another version; unmount and mount again.", exception);
        }
    }

    private static async Task WriteAsync<T>(HttpContext context, T message, JsonTypeInfo<T> type)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(message, type);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
