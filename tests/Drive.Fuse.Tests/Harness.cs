using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Drive.Core.Volumes;
using Drive.Fuse.Protocol;
using Drive.Fuse.Serving;
using Drive.Fuse.Transport;

namespace Drive.Fuse.Tests;

/// <summary>Feeds bytes to a dispatcher as a kernel would, without one, and keeps what it answers.</summary>
internal sealed class Harness : IDisposable
{
    private readonly ReplyBufferPool _buffers = new();
    private ulong _unique;

    public Harness(IVolume volume, bool initialize = true)
    {
        Changes = new();
        Nodes = new(volume);
        Directories = new(volume);
        Dispatcher = new(volume, Nodes, Directories, Pending, Changes, Log);
        Request = new(Channel, _buffers, Log);
        if (initialize)
        {
            Reply reply = Send(Opcode.Init, 0, Bytes(InitOf(Terms.Minor)), new byte[48]);
            Assert.Equal(0, reply.Error);
        }
    }

    public RecordingLogger Log { get; } = new();

    public RecordingChannel Channel { get; } = new();

    public ChangeClock Changes { get; }

    public NodeTable Nodes { get; }

    public OpenDirectories Directories { get; }

    public PendingRequests Pending { get; } = new();

    public Dispatcher Dispatcher { get; }

    public Request Request { get; }

    public ulong LastUnique => _unique;

    public static InitIn InitOf(uint minor) => new() { Major = 7, Minor = minor, MaxReadahead = 131072, Flags = 0x7fff_ffff };

    public static byte[] Bytes<T>(in T value)
        where T : unmanaged
    {
        byte[] bytes = new byte[Unsafe.SizeOf<T>()];
        MemoryMarshal.Write(bytes, in value);
        return bytes;
    }

    public static byte[] Name(string name) => [.. Encoding.UTF8.GetBytes(name), 0];

    /// <summary>Sends a request and gives its one answer; null when none came.</summary>
    public Reply? TrySend(Opcode opcode, ulong nodeId, params byte[][] parts)
    {
        byte[] body = [.. parts.SelectMany(static part => part)];
        InHeader header = new()
        {
            Length = (uint)(InHeader.Size + body.Length),
            Opcode = opcode,
            Unique = _unique += 2,
            NodeId = nodeId,
            Uid = 1000,
            Gid = 100,
        };
        return Feed([.. Bytes(header), .. body]);
    }

    public Reply Send(Opcode opcode, ulong nodeId, params byte[][] parts)
    {
        Reply? reply = TrySend(opcode, nodeId, parts);
        Assert.NotNull(reply);
        Assert.Equal(_unique, reply.Unique);
        return reply;
    }

    public Reply? Feed(byte[] request)
    {
        Channel.Take();
        request.CopyTo(Request.Input);
        Dispatcher.Handle(Request, request.Length);
        IReadOnlyList<byte[]> replies = Channel.Take();
        Assert.True(replies.Count <= 1, "more than one reply");
        return replies.Count == 1 ? Reply.Parse(replies[0]) : null;
    }

    public EntryOut Lookup(ulong parent, string name)
    {
        Reply reply = Send(Opcode.Lookup, parent, Name(name));
        Assert.Equal(0, reply.Error);
        return reply.As<EntryOut>();
    }

    public EntryOut Create(ulong parent, string name)
    {
        Reply reply = Send(Opcode.Mknod, parent, Bytes(new MknodIn { Mode = 0x81a4 }), Name(name));
        Assert.Equal(0, reply.Error);
        return reply.As<EntryOut>();
    }

    public ulong MakeDirectory(ulong parent, string name)
    {
        Reply reply = Send(Opcode.Mkdir, parent, Bytes(new MkdirIn { Mode = 0x1ed }), Name(name));
        Assert.Equal(0, reply.Error);
        return reply.As<EntryOut>().NodeId;
    }

    public void Dispose()
    {
        Request.Dispose();
        _buffers.Dispose();
    }
}

/// <summary>One answer, checked for its shape.</summary>
internal sealed record Reply(int Error, ulong Unique, byte[] Body)
{
    public static Reply Parse(byte[] message)
    {
        OutHeader header = MemoryMarshal.Read<OutHeader>(message);
        Assert.Equal((uint)message.Length, header.Length);
        Assert.InRange(header.Error, -511, 0);
        Assert.True(header.Error == 0 || message.Length == OutHeader.Size, "an error carries no body");
        return new(-header.Error, header.Unique, message[OutHeader.Size..]);
    }

    public T As<T>()
        where T : unmanaged
    {
        Assert.Equal(Unsafe.SizeOf<T>(), Body.Length);
        return MemoryMarshal.Read<T>(Body);
    }
}

/// <summary>Keeps what is sent; may refuse it as a kernel does whose caller was killed.</summary>
internal sealed class RecordingChannel : IChannel
{
    private readonly Lock _lock = new();
    private readonly Queue<byte[]> _sent = new();
    private readonly SemaphoreSlim _arrived = new(0);

    public int RefuseWith { get; set; }

    /// <summary>Counts only, so that measuring allocations does not measure this.</summary>
    public bool Discard { get; set; }

    public int Receive(Span<byte> buffer) => 0;

    public bool Send(ReadOnlySpan<byte> message, out int errno)
    {
        errno = RefuseWith;
        if (RefuseWith == 0 && !Discard)
        {
            lock (_lock)
            {
                _sent.Enqueue(message.ToArray());
            }

            _arrived.Release();
        }

        return RefuseWith == 0;
    }

    /// <summary>All that was sent since.</summary>
    public IReadOnlyList<byte[]> Take()
    {
        lock (_lock)
        {
            byte[][] messages = [.. _sent];
            _sent.Clear();
            return messages;
        }
    }

    /// <summary>Waits for the next message that is sent from another thread.</summary>
    public async Task<Reply> NextAsync()
    {
        while (true)
        {
            lock (_lock)
            {
                if (_sent.TryDequeue(out byte[]? message))
                {
                    return Reply.Parse(message);
                }
            }

            await _arrived.WaitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        }
    }
}
