using System.Buffers.Binary;
using System.Net.Sockets;

namespace Drive.Stores.Http;

/// <summary>What is asked of the kernel for a connection to a store. Numbers of options as in Linux's <c>netinet/tcp.h</c>.</summary>
internal static class TcpOptions
{
    private const int Tcp = 6;
    private const int NotSentLowWater = 25;
    private const int Info = 11;

    // In struct tcp_info: milliseconds since an acknowledgement came.
    private const int LastAckOffset = 56;
    private const int InfoBytes = LastAckOffset + sizeof(int);

    /// <summary>What may lie in the kernel unsent: as little as keeps the line busy, so that what was written is on its way. Arbitrary.</summary>
    private const int UnsentBytes = 128 << 10;

    /// <summary>A connection that is used for packs as well as for questions, and whose other end is asked for when it is silent.</summary>
    public static void Prepare(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 2);
        if (OperatingSystem.IsLinux())
        {
            Span<byte> value = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(value, UnsentBytes);
            socket.SetRawSocketOption(Tcp, NotSentLowWater, value);
        }
    }

    /// <summary>How long the other machine has acknowledged nothing, not even the question whether it is there; null where the system does not tell.</summary>
    public static TimeSpan? SilenceOfPeer(Socket socket)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            Span<byte> info = stackalloc byte[InfoBytes];
            return socket.GetRawSocketOption(Tcp, Info, info) == InfoBytes ? TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32LittleEndian(info[LastAckOffset..])) : null;
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Closed at this moment.
            return null;
        }
    }
}
