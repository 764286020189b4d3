using Drive.Fuse.Protocol;
using Drive.Testing;

namespace Drive.Fuse.Tests;

/// <summary>Requests that wait for something slow leave their reader free, and can be interrupted.</summary>
public sealed class SlowRequestTests : IDisposable
{
    private const ulong Root = 1;

    private readonly GatedVolume _volume = new(new ReferenceVolume(TimeProvider.System)) { GateReads = true, GateSyncs = true };
    private readonly Harness _harness;
    private readonly EntryOut _file;

    public SlowRequestTests()
    {
        _harness = new(_volume);
        _file = _harness.Create(Root, "a");
        WriteIn write = new() { Size = 5 };
        Assert.Equal(0, _harness.Send(Opcode.Write, _file.NodeId, Harness.Bytes(write), "hello"u8.ToArray()).Error);
    }

    public void Dispose()
    {
        _harness.Dispose();
        Assert.Empty(_harness.Log.Errors);
    }

    [Fact]
    public async Task A_read_that_waits_is_answered_later_and_others_are_not_held_up()
    {
        Assert.Null(StartRead());
        ulong first = _harness.LastUnique;
        Assert.Null(StartRead());
        Assert.Equal(0, _harness.Send(Opcode.GetAttr, Root, new byte[16]).Error);
        Assert.Equal(2, _harness.Pending.Count);
        _volume.Open();
        Reply one = await _harness.Channel.NextAsync();
        Reply two = await _harness.Channel.NextAsync();
        Assert.Equal("hello"u8.ToArray(), one.Body);
        Assert.Equal("hello"u8.ToArray(), two.Body);
        Assert.Equal(first + first + 2, one.Unique + two.Unique);
        await _harness.Pending.StopAsync();
        Assert.Equal(0, _harness.Pending.Count);
    }

    [Fact]
    public async Task An_interrupt_ends_the_wait_with_EINTR()
    {
        Assert.Null(StartRead());
        ulong unique = _harness.LastUnique;
        Assert.Null(_harness.TrySend(Opcode.Interrupt, 0, Harness.Bytes(unique)));
        Reply reply = await _harness.Channel.NextAsync();
        Assert.Equal((unique, Errno.EINTR), (reply.Unique, reply.Error));
    }

    [Fact]
    public async Task An_interrupt_that_comes_before_its_request_counts_too()
    {
        Assert.Null(_harness.TrySend(Opcode.Interrupt, 0, Harness.Bytes(_harness.LastUnique + 4)));
        Reply? reply = _harness.TrySend(Opcode.Fsync, _file.NodeId, Harness.Bytes(default(FsyncIn)));
        reply ??= await _harness.Channel.NextAsync();
        Assert.Equal(Errno.EINTR, reply.Error);
    }

    [Fact]
    public async Task When_the_connection_ends_all_that_wait_are_ended()
    {
        Assert.Null(StartRead());
        Assert.Null(_harness.TrySend(Opcode.Fsync, _file.NodeId, Harness.Bytes(default(FsyncIn))));
        await _harness.Pending.StopAsync().WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(0, _harness.Pending.Count);
    }

    private Reply? StartRead() =>
        _harness.TrySend(Opcode.Read, _file.NodeId, Harness.Bytes(new ReadIn { Size = 100 }));
}
