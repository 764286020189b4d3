using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Drive.Core.Volumes;
using Drive.Fuse.Native;
using Drive.Fuse.Protocol;
using Drive.Fuse.Transport;
using Drive.Fuse.Transport.Uring;
using Microsoft.Extensions.Logging;

namespace Drive.Fuse.Serving;

/// <summary>
/// The request that a reader is at work on, and the means to answer it: one object per reader, used again and again, so that serving
/// allocates nothing. Touched by its reader only.
/// </summary>
internal sealed class Request : IDisposable
{
    private const int PageBytes = 4096;

    /// <summary>Header and fixed part of a WRITE: what precedes its data.</summary>
    private const int WritePrefix = InHeader.Size + 40;

    // The data of a WRITE begins on a page, and there is room for more than the largest one.
    private const int InputStart = PageBytes - WritePrefix;

    private readonly ReplyBufferPool? _buffers;
    private readonly ILogger _logger;
    private readonly NativeBuffer _input = new(PageBytes + Terms.IoBytesMax + PageBytes);
    private ReplySlot? _reply;
    private RingEntry? _entry;
    private CancellationTokenSource _cancellation = new();
    private int _length;

    /// <summary>For requests that are read from a channel; replies go back there.</summary>
    public Request(IChannel channel, ReplyBufferPool buffers, ILogger logger)
    {
        Channel = channel;
        _buffers = buffers;
        _logger = logger;
        _reply = new ChannelSlot(channel, buffers);
    }

    /// <summary>For requests that come in the entries of a ring, and are answered there.</summary>
    /// <param name="notifications">The channel for what the kernel is told besides.</param>
    public Request(IChannel notifications, ILogger logger)
    {
        Channel = notifications;
        _logger = logger;
    }

    /// <summary>Where the next request comes from, if it is read from one, and where notifications go.</summary>
    public IChannel Channel { get; }

    public DirectoryBuffer Directory { get; } = new();

    public InHeader Header { get; private set; }

    /// <summary>Whether the request was answered, handed on, or needs no answer.</summary>
    public bool IsSettled { get; private set; }

    /// <summary>Cancelled when the kernel interrupts this request after it was handed on.</summary>
    public CancellationToken Cancellation => _cancellation.Token;

    public Caller Caller => new(Header.Uid, Header.Gid, (int)Header.ProcessId);

    /// <summary>Room for a request; the largest WRITE fits.</summary>
    public Span<byte> Input => _input.GetSpan()[InputStart..];

    /// <summary>Room for the reply's payload.</summary>
    public Span<byte> Payload => _reply!.Payload;

    /// <summary>Makes the request in a ring's entry the next one, and the entry the place of its reply. Returns the request's length.</summary>
    public int Load(RingEntry entry)
    {
        _reply = entry;
        int length = entry.Assemble(_input.GetSpan()[InputStart..], out bool isInPlace);
        _entry = isInPlace ? entry : null;
        return length;
    }

    /// <summary>Takes in a header and the bytes that came with it; false when they are no whole request, which can only be refused.</summary>
    public bool TryBegin(int length)
    {
        IsSettled = false;
        _length = length;
        Header = MemoryMarshal.Read<InHeader>(Message);
        return Header.Length == length && Header.ExtensionLength * 8 <= length - InHeader.Size;
    }

    /// <summary>A reader of what follows the header, without extensions.</summary>
    public RequestReader Body() => new(Message[InHeader.Size..(_length - (Header.ExtensionLength * 8))]);

    /// <summary>The same room as <see cref="Payload"/> for a volume that may keep it for longer than the call.</summary>
    public Memory<byte> PayloadMemory(int length) => _reply!.PayloadMemory(length);

    public void SettleWithoutReply()
    {
        IsSettled = true;
        _reply!.Skip(Header.Unique);
    }

    public bool Reply(FsStatus status) => ReplyErrno(Errno.From(status));

    public bool ReplyErrno(int errno) => Send(0, -errno);

    public bool Reply<T>(in T body)
        where T : unmanaged
    {
        MemoryMarshal.Write(Payload, in body);
        return Send(Unsafe.SizeOf<T>(), 0);
    }

    /// <summary>Answers with the first bytes of <see cref="Payload"/>.</summary>
    public bool ReplyPayload(int length) => Send(length, 0);

    /// <summary>Hands the request on to be answered later: it takes the reply's buffer and the token along.</summary>
    public PendingRequest Detach()
    {
        _reply!.Detach();
        PendingRequest pending = new(Header.Unique, Header.Opcode, Header.NodeId, _reply, _cancellation, _logger);
        IsSettled = true;
        _reply = _buffers is null ? null : new ChannelSlot(Channel, _buffers);
        _cancellation = new();
        return pending;
    }

    public void Dispose()
    {
        _cancellation.Dispose();
        if (_buffers is not null)
        {
            _reply!.Release();
        }

        ((IDisposable)_input).Dispose();
    }

    /// <summary>What came, in one piece.</summary>
    private Span<byte> Message => _entry is null ? Input[.._length] : _entry.Message(_length);

    private bool Send(int payloadLength, int error)
    {
        IsSettled = true;
        return ReplyFormat.Send(_reply!, payloadLength, error, Header.Unique, Header.Opcode, _logger);
    }
}

/// <summary>Sends replies and says what became of them.</summary>
internal static class ReplyFormat
{
    /// <summary>False when nobody received the reply; what it gave to the kernel must then be taken back.</summary>
    public static bool Send(ReplySlot slot, int payloadLength, int error, ulong unique, Opcode opcode, ILogger logger)
    {
        OutHeader header = new() { Length = (uint)(OutHeader.Size + payloadLength), Error = error, Unique = unique };
        if (slot.Send(header, out int errno))
        {
            return true;
        }

        // ENOENT: the request was taken back. ENODEV and its like: the connection is gone. All else is a mistake of ours.
        if (errno is not (Errno.ENOENT or Errno.ENODEV or Errno.ECONNABORTED or Errno.ENOTCONN or Errno.EBADF or Errno.EPIPE))
        {
            FuseLog.ReplyRefused(logger, opcode, errno);
        }

        return false;
    }
}
