namespace Drive.Control;

/// <summary>
/// What a daemon answers, over HTTP/1.1 on its Unix socket. Only the owner can connect: the socket has mode 0600 in a directory of mode 0700.
/// </summary>
public static class ControlRoutes
{
    /// <summary>GET: <see cref="DriveStatus"/>.</summary>
    public const string Status = "/v1/status";

    /// <summary>POST: lines of <see cref="WaitLine"/>, the last with Done; hang up to give up waiting.</summary>
    public const string Wait = "/v1/wait";

    /// <summary>POST: unmounts, keeps everything on this machine, answers with <see cref="StopReply"/>, then the daemon ends.</summary>
    public const string Stop = "/v1/stop";
}
