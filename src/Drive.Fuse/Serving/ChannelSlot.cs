using System.Runtime.InteropServices;
using Drive.Fuse.Native;
using Drive.Fuse.Protocol;
using Drive.Fuse.Transport;

namespace Drive.Fuse.Serving;

/// <summary>Header and payload lie in one pooled buffer and go out in one piece over the channel that the request came from.</summary>
internal sealed class ChannelSlot(IChannel channel, ReplyBufferPool buffers) : ReplySlot
{
    private readonly NativeBuffer _buffer = buffers.Rent();

    public override Span<byte> Payload => _buffer.GetSpan()[ReplyBufferPool.PayloadStart..];

    public override Memory<byte> PayloadMemory(int length) => _buffer.Slice(ReplyBufferPool.PayloadStart, length);

    public override bool Send(in OutHeader header, out int errno)
    {
        Span<byte> message = _buffer.GetSpan().Slice(ReplyBufferPool.PayloadStart - OutHeader.Size, (int)header.Length);
        MemoryMarshal.Write(message, in header);
        return channel.Send(message, out errno);
    }

    public override void Skip(ulong unique)
    {
    }

    public override void Detach()
    {
    }

    public override void Release() => buffers.Return(_buffer);
}
