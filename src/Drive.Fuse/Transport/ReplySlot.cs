using Drive.Fuse.Protocol;

namespace Drive.Fuse.Transport;

/// <summary>
/// Where the reply to one request is put together, and the way it takes: the seam between the two transports. One request at a time has it. It is
/// answered at most once, by any thread; what the payload holds is the volume's to fill until then.
/// </summary>
internal abstract class ReplySlot
{
    /// <summary>Room for the reply's payload.</summary>
    public abstract Span<byte> Payload { get; }

    /// <summary>The same room for a volume that may keep it for longer than the call.</summary>
    public abstract Memory<byte> PayloadMemory(int length);

    /// <summary>
    /// Sends the header and the first bytes of the payload. False: nobody took it (interrupted request, ended connection);
    /// <paramref name="errno"/> says which. Afterwards neither belongs to the request any more.
    /// </summary>
    public abstract bool Send(in OutHeader header, out int errno);

    /// <summary>No reply is due to this request.</summary>
    public abstract void Skip(ulong unique);

    /// <summary>The request waits for something slow: from now on the reply comes from elsewhere, later.</summary>
    public abstract void Detach();

    /// <summary>Only for a slot that was detached, after its answer: nobody touches the payload any more.</summary>
    public abstract void Release();
}
