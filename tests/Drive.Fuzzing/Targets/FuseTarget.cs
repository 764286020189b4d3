using System.Runtime.InteropServices;
using Drive.Core.Volumes;
using Drive.Fuse.Protocol;
using Drive.Fuse.Serving;
using Drive.Fuse.Transport;
using Drive.Testing;
using Microsoft.Extensions.Logging;

namespace Drive.Fuzzing.Targets;

/// <summary>
/// Requests of the kernel's protocol: a session of several, each as long as its header says (or as the input goes on). At most one well-formed answer to each, no exception,
/// nothing logged as a failure of ours.
/// </summary>
internal sealed class FuseTarget : FuzzTarget
{
    private static readonly byte[] Init = Message(Opcode.Init, 0, [.. Raw(new InitIn { Major = 7, Minor = Terms.Minor, MaxReadahead = 131072, Flags = 0x7fff_ffff }), .. new byte[48]]);

    public override string Name => "fuse";

    public override int LengthMax => 16384;

    // A volume of its own for each run, and what it holds.
    public override long AllocationMax(int inputBytes) => (4 << 20) + (4096L * inputBytes);

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        Session(
            Message(Opcode.Mknod, 1, [.. Raw(new MknodIn { Mode = 0x81a4 }), .. "file\0"u8]),
            Message(Opcode.Write, 2, [.. Raw(new WriteIn { Offset = 0, Size = 5 }), .. "hello"u8]),
            Message(Opcode.Read, 2, Raw(new ReadIn { Offset = 0, Size = 100 })),
            Message(Opcode.Tmpfile, 1, [.. Raw(new CreateIn { Flags = 2, Mode = 0x81a4 }), .. "file\0"u8]),
            Message(Opcode.Release, 2, new byte[24])),
        Session(
            Message(Opcode.Mkdir, 1, [.. Raw(new MkdirIn { Mode = 0x1ed }), .. "folder\0"u8]),
            Message(Opcode.Lookup, 1, "folder\0"u8.ToArray()),
            Message(Opcode.OpenDir, 1, new byte[8]),
            Message(Opcode.ReadDirPlus, 1, Raw(new ReadIn { Handle = 1, Offset = 0, Size = 4096 })),
            Message(Opcode.Rename2, 1, [.. new byte[16], .. "folder\0other\0"u8]),
            Message(Opcode.Rmdir, 1, "other\0"u8.ToArray())),
        Session(
            Message(Opcode.Symlink, 1, "link\0target\0"u8.ToArray()),
            Message(Opcode.ReadLink, 2, []),
            Message(Opcode.SetXattr, 2, [.. new byte[16], .. "user.x\0value"u8]),
            Message(Opcode.GetXattr, 2, [.. new byte[8], .. "user.x\0"u8]),
            Message(Opcode.ListXattr, 2, new byte[8]),
            Message(Opcode.SetAttr, 2, new byte[88]),
            Message(Opcode.GetAttr, 2, new byte[16])),
        Session(
            Message(Opcode.Mknod, 1, [.. new byte[16], .. "node\0"u8]),
            Message(Opcode.Fallocate, 2, new byte[32]),
            Message(Opcode.Lseek, 2, new byte[24]),
            Message(Opcode.CopyFileRange, 2, new byte[56]),
            Message(Opcode.Fsync, 2, new byte[16]),
            Message(Opcode.StatFs, 1, []),
            Message(Opcode.Link, 1, [.. new byte[8], .. "second\0"u8]),
            Message(Opcode.Unlink, 1, "node\0"u8.ToArray()),
            Message(Opcode.Forget, 2, new byte[8]),
            Message(Opcode.BatchForget, 0, [.. Raw(new BatchForgetIn { Count = 1 }), .. Raw(new ForgetOne { NodeId = 2, LookupCount = 1 })]),
            Message(Opcode.Interrupt, 0, new byte[8])),
    ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. Enum.GetValues<Opcode>().Select(static opcode => BitConverter.GetBytes((uint)opcode)), "file\0"u8.ToArray(), ".\0"u8.ToArray(), "..\0"u8.ToArray(), "user.x\0"u8.ToArray(), BitConverter.GetBytes(ulong.MaxValue),
        BitConverter.GetBytes(1UL), BitConverter.GetBytes(2UL),
    ];

    public override void Run(byte[] input)
    {
        using ReplyBufferPool buffers = new();
        AnswerChannel channel = new();
        ErrorLogger log = new();
        ReferenceVolume volume = new(new ManualTime(), capacityBytes: 1 << 24);
        OpenDirectories directories = new(volume);
        NodeTable nodes = new(volume);
        Dispatcher dispatcher = new(volume, nodes, directories, new PendingRequests(), new ChangeClock(), log);
        using Request request = new(channel, buffers, log);
        Feed(Init);
        for (ReadOnlySpan<byte> rest = input; !rest.IsEmpty;)
        {
            int length = rest.Length < InHeader.Size ? rest.Length : (int)Math.Clamp(MemoryMarshal.Read<InHeader>(rest).Length, InHeader.Size, (uint)rest.Length);
            Feed(rest[..length]);
            rest = rest[length..];
        }

        if (log.Errors.Count > 0)
        {
            throw new InvalidOperationException("logged: " + string.Join('\n', log.Errors));
        }

        void Feed(ReadOnlySpan<byte> message)
        {
            message.CopyTo(request.Input);
            channel.Answers = 0;
            dispatcher.Handle(request, message.Length);
            if (channel.Answers > 1)
            {
                throw new InvalidOperationException($"{channel.Answers} answers to one request");
            }
        }
    }

    private static byte[] Session(params byte[][] messages) => [.. messages.SelectMany(static message => message)];

    private static byte[] Message(Opcode opcode, ulong node, byte[] body)
    {
        InHeader header = new() { Length = (uint)(InHeader.Size + body.Length), Opcode = opcode, Unique = 2, NodeId = node, Uid = 1000, Gid = 100 };
        return [.. Raw(header), .. body];
    }

    private static byte[] Raw<T>(in T value)
        where T : unmanaged
    {
        byte[] bytes = new byte[System.Runtime.CompilerServices.Unsafe.SizeOf<T>()];
        MemoryMarshal.Write(bytes, in value);
        return bytes;
    }

    private sealed class AnswerChannel : IChannel
    {
        public int Answers { get; set; }

        public int Receive(Span<byte> buffer) => 0;

        public bool Send(ReadOnlySpan<byte> message, out int errno)
        {
            errno = 0;
            OutHeader header = MemoryMarshal.Read<OutHeader>(message);
            if (header.Length != message.Length || header.Error is > 0 or < -511 || (header.Error != 0 && message.Length != OutHeader.Size))
            {
                throw new InvalidOperationException($"an answer of {message.Length} bytes that says {header.Length}, error {header.Error}");
            }

            Answers++;
            return true;
        }
    }

    private sealed class ErrorLogger : ILogger
    {
        public List<string> Errors { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Error)
            {
                Errors.Add($"{formatter(state, exception)} {exception}");
            }
        }
    }
}
