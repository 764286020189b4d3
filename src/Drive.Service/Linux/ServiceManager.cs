using System.Net.Sockets;
using System.Text;

namespace Drive.Service.Linux;

/// <summary>Tells systemd how the daemon stands (sd_notify(3)): one datagram to the socket that it named. Nothing where there is none.</summary>
internal sealed class ServiceManager(string? notifySocket)
{
    /// <summary>The drive is mounted.</summary>
    public void Ready(string status) => Send($"READY=1\nSTATUS={status}\nMAINPID={Environment.ProcessId}");

    /// <summary>The stop has begun.</summary>
    public void Stopping() => Send("STOPPING=1");

    private void Send(string message)
    {
        if (string.IsNullOrEmpty(notifySocket))
        {
            return;
        }

        // A leading '@' stands for the NUL of an abstract socket.
        string path = notifySocket[0] == '@' ? "\0" + notifySocket[1..] : notifySocket;
        using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            socket.SendTo(Encoding.UTF8.GetBytes(message), new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            // Whoever asked to be told is gone; the drive does not depend on it.
        }
    }
}
