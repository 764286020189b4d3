using System.Net;
using System.Net.Sockets;

namespace Drive.Cli.Tests;

/// <summary>Stands between a client and a server on this machine, and keeps every byte that goes either way.</summary>
internal sealed class RecordingProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _target;
    private readonly MemoryStream _record = new();
    private readonly Lock _lock = new();

    public RecordingProxy(int targetPort)
    {
        _target = targetPort;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>All so far, of all connections one among the other.</summary>
    public byte[] Record()
    {
        lock (_lock)
        {
            return _record.ToArray();
        }
    }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            using TcpClient server = new();
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target);
                await Task.WhenAny(CopyAsync(client.GetStream(), server.GetStream()), CopyAsync(server.GetStream(), client.GetStream()));
            }
            catch (Exception error) when (error is IOException or SocketException)
            {
                // Both ends notice.
            }
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to)
    {
        byte[] buffer = new byte[64 << 10];
        for (int read; (read = await from.ReadAsync(buffer)) > 0;)
        {
            lock (_lock)
            {
                _record.Write(buffer, 0, read);
            }

            await to.WriteAsync(buffer.AsMemory(0, read));
        }
    }
}
