using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Drive.Core.Volumes;
using Drive.Fuse.Protocol;
using Drive.Fuse.Serving;
using Drive.Fuse.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drive.Micro;

/// <summary>Hands bytes to a dispatcher as the kernel's would come, and keeps the last answer.</summary>
internal sealed class PretendKernel : IDisposable
{
    private readonly ReplyBufferPool _buffers = new();
    private readonly LastAnswer _channel = new();
    private readonly Dispatcher _dispatcher;
    private readonly Request _request;

    public PretendKernel(IVolume volume)
    {
        _dispatcher = new Dispatcher(volume, new NodeTable(volume), new OpenDirectories(volume), new PendingRequests(), new ChangeClock(), NullLogger.Instance);
        _request = new Request(_channel, _buffers, NullLogger.Instance);
        Serve(Request(Opcode.Init, 0, new InitIn { Major = 7, Minor = Terms.Minor, MaxReadahead = 128 << 10, Flags = 0x7fff_ffff }, new byte[48]));
    }

    /// <summary>Serves a request; returns the length of what was answered.</summary>
    public int Serve(byte[] request)
    {
        request.CopyTo(_request.Input);
        _dispatcher.Handle(_request, request.Length);
        return _channel.Length;
    }

    public ulong Create(ulong parent, string name)
    {
        _channel.Keeps = true;
        Serve(Request(Opcode.Mknod, parent, new MknodIn { Mode = 0x81a4 }, [.. Encoding.UTF8.GetBytes(name), 0]));
        _channel.Keeps = false;
        return MemoryMarshal.Read<EntryOut>(_channel.Message.AsSpan(OutHeader.Size)).NodeId;
    }

    public byte[] Request<T>(Opcode opcode, ulong node, T fixedPart, ReadOnlySpan<byte> rest = default)
        where T : unmanaged =>
        Request(opcode, node, [.. MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in fixedPart)), .. rest]);

    public byte[] Request(Opcode opcode, ulong node, ReadOnlySpan<byte> body)
    {
        InHeader header = new() { Length = (uint)(InHeader.Size + body.Length), Opcode = opcode, Unique = 2, NodeId = node, Uid = 1000, Gid = 100 };
        return [.. MemoryMarshal.AsBytes(new ReadOnlySpan<InHeader>(in header)), .. body];
    }

    public void Dispose()
    {
        _request.Dispose();
        _buffers.Dispose();
    }

    private sealed class LastAnswer : IChannel
    {
        public bool Keeps { get; set; }

        public int Length { get; private set; }

        public byte[] Message { get; private set; } = [];

        public int Receive(Span<byte> buffer) => 0;

        public bool Send(ReadOnlySpan<byte> message, out int errno)
        {
            errno = 0;
            Length = message.Length;
            Message = Keeps ? message.ToArray() : Message;
            return true;
        }
    }
}
