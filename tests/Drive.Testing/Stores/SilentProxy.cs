using System.Net;
using System.Net.Sockets;

namespace Drive.Testing.Stores;

/// <summary>
/// A TCP proxy on loopback that can fall silent as a network does after sleep or a change: from then on what arrives on connections that are open is swallowed, both ways and
/// without a word, while new ones work.
/// </summary>
public sealed class SilentProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Uri _server;
    private readonly Lock _gate = new();
    private readonly Task _accepting;

    // All guarded by _gate.
    private readonly List<Task> _relays = [];
    private readonly List<Silence> _silences = [];
    private readonly List<(Func<bool> IsTrue, TaskCompletionSource Done)> _awaited = [];
    private int _generation;
    private int _connections;
    private long _swallowed;
    private long _up;
    private long _down;

    /// <summary>A proxy to a server, which listens when this returns.</summary>
    public SilentProxy(Uri server)
    {
        _server = server;
        _listener.Start();
        Address = new UriBuilder(server) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri;
        _accepting = AcceptAsync();
    }

    /// <summary>The server's address by way of the proxy.</summary>
    public Uri Address { get; }

    /// <summary>Connections that were ever made.</summary>
    public int Connections => Locked(() => _connections);

    /// <summary>Swallows from now on what comes on the connections that are open.</summary>
    public void FallSilent() => FallSilentAfter(0, 0);

    /// <summary>As soon as that many more bytes went up, and came down, in all, everything on the connections that are open then is swallowed.</summary>
    public void FallSilentAfter(long upBytes, long downBytes)
    {
        lock (_gate)
        {
            _silences.Add(new Silence(_up + upBytes, _down + downBytes));
            Look();
        }
    }

    /// <summary>Completes when so many bytes were swallowed.</summary>
    public Task SwallowedAsync(long bytes = 1) => WhenAsync(() => _swallowed >= bytes);

    /// <summary>Completes when so many bytes went up.</summary>
    public Task WentUpAsync(long bytes) => WhenAsync(() => _up >= bytes);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        Task[] relays = Locked(() => _relays.ToArray());
        await Task.WhenAll(relays);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptSocketAsync(_stop.Token);
                lock (_gate)
                {
                    _connections++;
                    _relays.Add(RelayAsync(client, _generation));
                }
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task RelayAsync(Socket client, int generation)
    {
        await Task.Yield();
        using (client)
        using (Socket server = new(SocketType.Stream, ProtocolType.Tcp))
        {
            try
            {
                await server.ConnectAsync(_server.Host, _server.Port, _stop.Token);
                client.NoDelay = server.NoDelay = true;
                using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                Task up = CopyAsync(client, server, generation, isUp: true, end);
                Task down = CopyAsync(server, client, generation, isUp: false, end);
                await Task.WhenAll(up, down);
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // One side is gone.
            }
        }
    }

    private async Task CopyAsync(Socket from, Socket to, int generation, bool isUp, CancellationTokenSource end)
    {
        byte[] buffer = new byte[32 << 10];
        try
        {
            while (await from.ReceiveAsync(buffer, SocketFlags.None, end.Token) is var bytes && bytes > 0)
            {
                if (Pass(generation, isUp, bytes))
                {
                    await to.SendAsync(buffer.AsMemory(0, bytes), SocketFlags.None, end.Token);
                }
            }
        }
        catch (SocketException)
        {
            // Told to the other side below, unless there is silence.
        }
        finally
        {
            // Of a connection that is silent neither side hears, not even its end.
            if (isUp || !Locked(() => generation < _generation))
            {
                await end.CancelAsync();
            }
        }
    }

    private bool Pass(int generation, bool isUp, int bytes)
    {
        lock (_gate)
        {
            bool passes = generation >= _generation;
            if (!passes)
            {
                _swallowed += bytes;
            }
            else if (isUp)
            {
                _up += bytes;
            }
            else
            {
                _down += bytes;
            }

            // What reaches the limit still passes.
            Look();
            return passes;
        }
    }

    // Under _gate.
    private void Look()
    {
        if (_silences.RemoveAll(silence => _up >= silence.Up && _down >= silence.Down) > 0)
        {
            _generation++;
        }

        foreach ((Func<bool> _, TaskCompletionSource done) in _awaited.Where(static one => one.IsTrue()))
        {
            done.TrySetResult();
        }
    }

    private Task WhenAsync(Func<bool> isTrue)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _awaited.Add((isTrue, done));
            Look();
        }

        return done.Task;
    }

    private T Locked<T>(Func<T> read)
    {
        lock (_gate)
        {
            return read();
        }
    }

    private sealed record Silence(long Up, long Down);
}
