using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Drive.Core.Platform;
using Drive.Stores.Http;

namespace Drive.Stores.Koofr;

/// <summary>
/// A watch by Koofr's events: a WebSocket that is let in by the same token as requests, and then told which folder is wanted. It keeps no events for those who were
/// away, so each new connection counts as something new. It never signs in: it waits until a request has.
/// </summary>
internal sealed class KoofrWatch(KoofrClient client, KoofrFolder folder, string prefix, Action changed, TimeProvider time, IRandomSource random)
    : StoreWatch(changed, time, random)
{
    // As Koofr's own web client does.
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan StandTime = TimeSpan.FromSeconds(15);

    // An event tells of one file, whose name has a few hundred bytes.
    private const int MessageBytesMax = 64 << 10;

    private readonly TimeProvider _time = time;

    /// <summary>A folder in which nothing happens has no messages. That the connection is alive is seen by its own pings; now and then it is made anew all the same.</summary>
    protected override TimeSpan SilenceMax { get; } = TimeSpan.FromMinutes(10);

    protected override bool IsAway(Exception error) => error is WebSocketException or HttpRequestException or IOException or JsonException or Core.Stores.StoreException;

    protected override async Task FollowAsync(Action alive, Action tell, CancellationToken cancellationToken)
    {
        if (await client.ConnectAsync(cancellationToken) is not { } connected)
        {
            return;
        }

        using WebSocket socket = connected.Socket;
        string mount = (await client.WithinAsync(token => folder.MountAsync(token).AsTask(), cancellationToken)).Id;
        await SendAsync(socket, new() { ["action"] = "auth", ["authorization"] = connected.Authorization }, cancellationToken);
        using CancellationTokenSource standing = new(StandTime, _time);
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, standing.Token);
        Task pinging = Task.CompletedTask;
        try
        {
            byte[] message = new byte[MessageBytesMax];
            while (await ReceiveAsync(socket, message, ended.Token) is { } length)
            {
                alive();
                using JsonDocument said = JsonDocument.Parse(message.AsMemory(0, length));
                switch (KoofrAnswers.Text(said.RootElement, "action"))
                {
                    case "authenticated":
                        // Nothing else is sent before this, and pings only after it: one writer at a time.
                        await SendAsync(socket, new() { ["action"] = "register", ["requestId"] = 1, ["mountId"] = mount, ["path"] = folder.PathOf("") }, cancellationToken);
                        break;
                    case "registered":
                        standing.CancelAfter(Timeout.InfiniteTimeSpan);
                        pinging = PingAsync(socket, ended.Token);
                        tell();
                        break;
                    case "event" when said.RootElement.TryGetProperty("event", out JsonElement what) && IsNew(what):
                        tell();
                        break;
                    default:
                        break;
                }
            }
        }
        finally
        {
            await ended.CancelAsync();
            await pinging;
        }
    }

    /// <summary>Whether an event is of another client, and of a file below the prefix, or of more than it says.</summary>
    private bool IsNew(JsonElement what)
    {
        if (KoofrAnswers.Text(what, "userAgent") == client.UserAgent)
        {
            return false;
        }

        string path = (KoofrAnswers.Text(what, "newPath") ?? KoofrAnswers.Text(what, "path") ?? "").TrimStart('/');
        return KoofrAnswers.Text(what, "type") switch
        {
            "fileCreated" or "fileCopied" or "fileMoved" => path.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) || prefix.StartsWith(path + "/", StringComparison.OrdinalIgnoreCase),
            "fileRefreshed" or "fileSyncDone" => true,
            _ => false,
        };
    }

    private async Task PingAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(PingInterval, _time, cancellationToken);
                await SendAsync(socket, new() { ["action"] = "ping" }, cancellationToken);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or WebSocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection has ended, which whoever reads from it sees too.
        }
    }

    private static Task SendAsync(WebSocket socket, JsonObject message, CancellationToken cancellationToken) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(message.ToJsonString()), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);

    /// <summary>A message's length; null at the connection's end, and for what is too long for an event.</summary>
    private static async Task<int?> ReceiveAsync(WebSocket socket, Memory<byte> message, CancellationToken cancellationToken)
    {
        for (int length = 0; length < message.Length;)
        {
            ValueWebSocketReceiveResult part = await socket.ReceiveAsync(message[length..], cancellationToken);
            length += part.Count;
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            if (part.EndOfMessage)
            {
                return length;
            }
        }

        return null;
    }
}
