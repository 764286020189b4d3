namespace Drive.Fuse.Transport;

/// <summary>
/// Where requests come from and replies go: /dev/fuse, or a socket pair in tests. Dispatching knows nothing of the device.
/// Owned by a <c>Connection</c>; disposed after the last reader and the last pending request have ended.
/// </summary>
internal interface ITransport : IDisposable
{
    /// <summary>For INIT and for notifications; always there.</summary>
    IChannel Main { get; }

    /// <summary>The device's descriptor, to which rings can be tied; null where there is none.</summary>
    int? Device { get; }

    /// <summary>A further channel for one reader; where the device gives none, the main one. Only after INIT.</summary>
    IChannel OpenChannel();

    /// <summary>Makes readers see the end where the other side would not; on a device nothing: there the kernel ends it.</summary>
    void Shutdown();
}

/// <summary>
/// One queue of requests. A reply must go to the channel that its request came from: the kernel keeps what is
/// under way apart for each.
/// </summary>
internal interface IChannel
{
    /// <summary>Waits for one whole request and returns its length; 0 when the connection has ended.</summary>
    int Receive(Span<byte> buffer);

    /// <summary>Sends one whole message. False: nobody took it (interrupted request, unknown node, ended connection); <paramref name="errno"/> says which.</summary>
    bool Send(ReadOnlySpan<byte> message, out int errno);
}
