using System.Runtime.InteropServices;
using Drive.Fuse.Native;
using Drive.Fuse.Protocol;
using Drive.Fuse.Serving;
using Drive.Fuse.Transport;
using Drive.Testing;

namespace Drive.Fuse.Tests;

/// <summary>A whole connection over a socket pair that stands in for the device.</summary>
public sealed class ConnectionTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly ReferenceVolume _volume = new(TimeProvider.System);
    private readonly RecordingLogger _log = new();
    private readonly DescriptorTransport _kernel;
    private readonly Connection _connection;
    private int _failures;

    public ConnectionTests()
    {
        (int kernels, int ours) = Pair();
        _kernel = new(kernels, isDevice: false);
        _connection = new(_volume, new DescriptorTransport(ours, isDevice: false), TimeProvider.System, _log, "test", FuseTransport.Auto, () => _failures++);
    }

    public void Dispose()
    {
        _kernel.Dispose();
        Assert.Empty(_log.Errors);
    }

    [Fact]
    public async Task It_agrees_serves_and_gives_all_back_at_the_end()
    {
        Task begun = _connection.StartAsync();
        Send(Opcode.Init, 0, [.. Harness.Bytes(Harness.InitOf(45)), .. new byte[48]]);
        Assert.Equal(0, Receive().Error);
        await begun.WaitAsync(Limit);
        Assert.NotNull(_volume.Observer);
        Send(Opcode.Mknod, 1, [.. Harness.Bytes(new MknodIn { Mode = 0x81ff }), .. Harness.Name("a")]);
        Assert.Equal(128, Receive().Body.Length);
        Send(Opcode.OpenDir, 1, new byte[8]);
        Assert.Equal(16, Receive().Body.Length);
        Assert.Equal((1, 1), (_connection.Nodes.Count, _connection.Directories.Count));
        _kernel.Shutdown();
        await _connection.Completion.WaitAsync(Limit);
        Assert.Equal((0, 0), (_connection.Nodes.Count, _connection.Directories.Count));
        Assert.Null(_volume.Observer);
        Assert.Equal(0, _failures);
    }

    [Fact]
    public async Task Rings_that_cannot_be_made_are_not_agreed_on()
    {
        Task begun = _connection.StartAsync();
        byte[] upper = new byte[48];
        upper[1] = 1 << 1; // Bit 41 of the flags.
        Send(Opcode.Init, 0, [.. Harness.Bytes(Harness.InitOf(45)), .. upper]);
        Assert.Equal(0u, MemoryMarshal.Read<uint>(Receive().Body.AsSpan(32)) & (1u << 9));
        await begun.WaitAsync(Limit);
        Assert.Contains("there is no device", _log.ToString(), StringComparison.Ordinal);
        _kernel.Shutdown();
        await _connection.Completion.WaitAsync(Limit);
    }

    [Fact]
    public async Task A_connection_that_ends_before_it_began_says_so()
    {
        Task begun = _connection.StartAsync();
        _kernel.Shutdown();
        await Assert.ThrowsAsync<FuseException>(() => begun.WaitAsync(Limit));
        await _connection.Completion.WaitAsync(Limit);
    }

    [Fact]
    public async Task Changes_from_elsewhere_become_notifications()
    {
        Task begun = _connection.StartAsync();
        Send(Opcode.Init, 0, [.. Harness.Bytes(Harness.InitOf(45)), .. new byte[48]]);
        Receive();
        await begun.WaitAsync(Limit);
        _volume.Observer!.EntryChanged(Drive.Core.Volumes.NodeId.Root, "name"u8);
        byte[] message = ReceiveMessage();
        Assert.Equal([.. Harness.Bytes(new OutHeader { Length = 37, Error = 3 }), .. Harness.Bytes(new InvalidateEntryOut { Parent = 1, NameLength = 4 }), .. "name\0"u8], message);
        _volume.Observer.NodeChanged(Drive.Core.Volumes.NodeId.Root, contentChanged: false);
        message = ReceiveMessage();
        Assert.Equal([.. Harness.Bytes(new OutHeader { Length = 40, Error = 2 }), .. Harness.Bytes(new InvalidateInodeOut { NodeId = 1, Offset = -1 })], message);
        _kernel.Shutdown();
        await _connection.Completion.WaitAsync(Limit);
    }

    private static unsafe (int One, int Other) Pair()
    {
        int* pair = stackalloc int[2];
        Sys.Check(Libc.SocketPair(Libc.SocketUnix, Libc.SocketSequentialPackets | Libc.SocketCloseOnExec, 0, pair));
        return (pair[0], pair[1]);
    }

    private void Send(Opcode opcode, ulong node, byte[] body)
    {
        InHeader header = new() { Length = (uint)(InHeader.Size + body.Length), Opcode = opcode, Unique = 2, NodeId = node };
        Assert.True(_kernel.Main.Send([.. Harness.Bytes(header), .. body], out _));
    }

    private Reply Receive() => Reply.Parse(ReceiveMessage());

    private byte[] ReceiveMessage()
    {
        byte[] buffer = new byte[8192];
        int length = _kernel.Main.Receive(buffer);
        return buffer[..length];
    }
}
