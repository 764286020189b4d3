using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Drive.Core.Volumes;
using Drive.Fuse.Native;
using Drive.Fuse.Protocol;
using Drive.Fuse.Transport;
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

    private readonly ReplyBufferPool _buffers;
    private readonly ILogger _logger;
    private readonly NativeBuffer _input = new(PageBytes + Terms.IoBytesMax + PageBytes);
    private NativeBuffer _output;
    private CancellationTokenSource _cancellation = new();
    private int _length;

    public Request(IChannel channel, ReplyBufferPool buffers, ILogger logger)
    {
        Channel = channel;
        _buffers = buffers;
        _logger = logger;
        _output = buffers.Rent();
    }

    /// <summary>Where the next request comes from and its reply goes.</summary>
    public IChannel Channel { get; set; }

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
    public Span<byte> Payload => _output.GetSpan()[ReplyBufferPool.PayloadStart..];

    /// <summary>Takes in what was received; false when it is no request at all, which cannot even be answered.</summary>
    public bool TryBegin(int length)
    {
        IsSettled = false;
        _length = length;
        if (!MemoryMarshal.TryRead(Input[..length], out InHeader header) || header.Length != length
            || header.ExtensionLength * 8 > length - InHeader.Size)
        {
            return false;
        }

        Header = header;
        return true;
    }

    /// <summary>A reader of what follows the header, without extensions.</summary>
    public RequestReader Body() => new(Input[InHeader.Size..(_length - (Header.ExtensionLength * 8))]);

    /// <summary>The same room as <see cref="Payload"/> for a volume that may keep it for longer than the call.</summary>
    public Memory<byte> PayloadMemory(int length) => _output.Slice(ReplyBufferPool.PayloadStart, length);

    public void SettleWithoutReply() => IsSettled = true;

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
        PendingRequest pending = new(Header.Unique, Header.Opcode, Header.NodeId, Channel, _output, _cancellation, _buffers, _logger);
        IsSettled = true;
        _output = _buffers.Rent();
        _cancellation = new();
        return pending;
    }

    public void Dispose()
    {
        _cancellation.Dispose();
        _buffers.Return(_output);
        ((IDisposable)_input).Dispose();
    }

    private bool Send(int payloadLength, int error)
    {
        IsSettled = true;
        return ReplyFormat.Send(Channel, _output, payloadLength, error, Header.Unique, Header.Opcode, _logger);
    }
}

/// <summary>Puts a header before a payload and sends both in one piece.</summary>
internal static class ReplyFormat
{
    /// <summary>False when nobody received the reply; what it gave to the kernel must then be taken back.</summary>
    public static bool Send(IChannel channel, NativeBuffer buffer, int payloadLength, int error, ulong unique, Opcode opcode, ILogger logger)
    {
        OutHeader header = new() { Length = (uint)(OutHeader.Size + payloadLength), Error = error, Unique = unique };
        Span<byte> message = buffer.GetSpan().Slice(ReplyBufferPool.PayloadStart - OutHeader.Size, (int)header.Length);
        MemoryMarshal.Write(message, in header);
        if (channel.Send(message, out int errno))
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
