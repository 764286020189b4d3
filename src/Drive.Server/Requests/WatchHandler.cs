using System.Collections.Concurrent;
using System.Text;
using Drive.Server.Accounts;
using Drive.Server.Storage;
using Drive.Stores.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Drive.Server.Requests;

/// <summary>
/// Answers that do not end (text/event-stream): a comment at once, a "changed" soon after each new object below the prefix, a comment when nothing happened for
/// a while. They end when the token does, and when the server stops.
/// </summary>
internal sealed class WatchHandler(AccountBook accounts, ServerSettings settings, IHostApplicationLifetime lifetime, TimeProvider time)
{
    // How long a revoked token may still hear that something happened.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private static readonly byte[] Here = ": here\n\n"u8.ToArray();
    private static readonly byte[] Changed = Encoding.ASCII.GetBytes(ServerWire.Changed + "\n\n");

    private readonly ConcurrentDictionary<string, int> _byToken = new();
    private int _count;

    /// <summary>How many are open.</summary>
    public int Count => Volatile.Read(ref _count);

    public async Task AnswerAsync(HttpContext context, Caller caller, StoredVault vault, string prefix)
    {
        int mine = _byToken.AddOrUpdate(caller.TokenId, 1, static (_, count) => count + 1);
        Interlocked.Increment(ref _count);
        try
        {
            if (mine > settings.WatchesMax)
            {
                Reply.RetryAfter(context, ServerWire.KeepAlive);
                await Reply.RefuseAsync(context, StatusCodes.Status429TooManyRequests, "watches", $"a token has at most {settings.WatchesMax} watches");
                return;
            }

            await FollowAsync(context, caller, vault, prefix);
        }
        finally
        {
            Interlocked.Decrement(ref _count);
            _byToken.AddOrUpdate(caller.TokenId, 0, static (_, count) => count - 1);
        }
    }

    private async Task FollowAsync(HttpContext context, Caller caller, StoredVault vault, string prefix)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        using Watcher watcher = vault.Watch(prefix);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        try
        {
            await WriteAsync(Here);
            long quiet = time.GetTimestamp();
            Task<bool> told = watcher.Told.WaitToReadAsync(stop.Token).AsTask();
            while (!stop.IsCancellationRequested && accounts.IsStill(caller))
            {
                await Task.WhenAny(told, Task.Delay(Look, time, stop.Token));
                stop.Token.ThrowIfCancellationRequested();
                if (told.IsCompleted)
                {
                    watcher.Told.TryRead(out _);
                    told = watcher.Told.WaitToReadAsync(stop.Token).AsTask();
                    await WriteAsync(Changed);
                    quiet = time.GetTimestamp();
                }
                else if (time.GetElapsedTime(quiet) >= ServerWire.KeepAlive)
                {
                    await WriteAsync(Here);
                    quiet = time.GetTimestamp();
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The client has gone, or the server goes.
        }

        async Task WriteAsync(byte[] line)
        {
            await context.Response.Body.WriteAsync(line, stop.Token);
            await context.Response.Body.FlushAsync(stop.Token);
        }
    }
}
