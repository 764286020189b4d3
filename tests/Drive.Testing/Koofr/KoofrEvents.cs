using System.Net.WebSockets;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Drive.Testing.Koofr;

/// <summary>The fake server's events: each connection must say who it is and which folder it wants, and hears of it from then on.</summary>
public sealed class KoofrEvents(Func<string, bool> mayEnter, string mountId)
{
    // Enough for a test: more would mean that nobody reads.
    private const int WaitingMax = 10_000;

    private readonly Lock _gate = new();

    // Guarded by _gate.
    private readonly List<Listener> _listeners = [];

    /// <summary>Connections that wait for events.</summary>
    public int Listening
    {
        get
        {
            lock (_gate)
            {
                return _listeners.Count;
            }
        }
    }

    /// <summary>Tells all who listen to a folder above the path.</summary>
    public void Tell(string type, string path, KoofrNode node, string userAgent)
    {
        lock (_gate)
        {
            foreach (Listener listener in _listeners.Where(listener => path.StartsWith(listener.Path + "/", StringComparison.OrdinalIgnoreCase)))
            {
                listener.Messages.Writer.TryWrite(new JsonObject
                {
                    ["action"] = "event",
                    ["listenerId"] = 1,
                    ["event"] = new JsonObject { ["type"] = type, ["mountId"] = mountId, ["path"] = path[listener.Path.Length..], ["file"] = node.ToJson(), ["userAgent"] = userAgent },
                });
            }
        }
    }

    /// <summary>Ends all connections.</summary>
    public void Drop()
    {
        lock (_gate)
        {
            _listeners.ForEach(static listener => listener.Messages.Writer.TryComplete());
            _listeners.Clear();
        }
    }

    public async Task ServeAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        Channel<JsonObject> messages = Channel.CreateBounded<JsonObject>(WaitingMax);
        Task reading = ReadAsync(socket, messages, cancellationToken);
        try
        {
            await foreach (JsonObject message in messages.Reader.ReadAllAsync(cancellationToken))
            {
                await socket.SendAsync(System.Text.Encoding.UTF8.GetBytes(message.ToJsonString()), WebSocketMessageType.Text, true, cancellationToken);
            }
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException)
        {
            // Gone.
        }

        socket.Abort();
        await reading;
    }

    private async Task ReadAsync(WebSocket socket, Channel<JsonObject> messages, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[64 << 10];
        Listener? listener = null;
        bool isIn = false;
        try
        {
            while (await socket.ReceiveAsync(buffer, cancellationToken) is { MessageType: WebSocketMessageType.Text } received)
            {
                JsonNode said = JsonNode.Parse(buffer.AsSpan(0, received.Count))!;
                switch (said["action"]!.GetValue<string>())
                {
                    case "auth" when mayEnter(said["authorization"]!.GetValue<string>()):
                        isIn = true;
                        messages.Writer.TryWrite(new JsonObject { ["action"] = "authenticated" });
                        break;
                    case "register" when isIn && said["mountId"]!.GetValue<string>() == mountId:
                        listener = new Listener(said["path"]!.GetValue<string>(), messages);
                        lock (_gate)
                        {
                            _listeners.Add(listener);
                        }

                        messages.Writer.TryWrite(new JsonObject { ["action"] = "registered", ["requestId"] = said["requestId"]!.GetValue<int>(), ["listenerId"] = 1 });
                        break;
                    case "ping":
                        break;
                    default:
                        return;
                }
            }
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException)
        {
            // Gone.
        }
        finally
        {
            messages.Writer.TryComplete();
            lock (_gate)
            {
                _ = listener is not null && _listeners.Remove(listener);
            }
        }
    }

    private sealed record Listener(string Path, Channel<JsonObject> Messages);
}
