using System.Runtime.InteropServices;
using Drive.Fuse.Native;
using Drive.Fuse.Protocol;
using Drive.Fuse.Serving;
using Drive.Fuse.Transport;
using Drive.Fuse.Transport.Uring;
using Drive.Testing;

namespace Drive.Fuse.Tests;

/// <summary>The rings without a kernel's FUSE behind them.</summary>
public sealed class RingUnitTests
{
    [Theory]
    [InlineData(0u, 0u, 0u)]
    [InlineData(3u, 7u, 4u)]
    [InlineData(uint.MaxValue - 1, 2u, 4u)]
    [InlineData(uint.MaxValue, uint.MaxValue, 0u)]
    public void Counters_that_wrapped_around_still_count(uint head, uint tail, uint count)
    {
        Assert.Equal(count, RingArithmetic.Count(head, tail));
        Assert.Equal(count < 4, RingArithmetic.HasRoom(head, tail, 4));
    }

    [Fact]
    public void Slots_follow_each_other_over_the_wrap()
    {
        uint counter = uint.MaxValue - 1;
        uint[] slots = [.. Enumerable.Range(0, 5).Select(_ => RingArithmetic.Slot(counter++, 7))];
        Assert.Equal([6u, 7u, 0u, 1u, 2u], slots);
    }

    [Theory]
    [InlineData(40u, 0u, 0)]
    [InlineData(56u, 0u, 16)]
    [InlineData(80u + 4096u, 4096u, 40)]
    [InlineData(40u + 128u, 0u, 128)]
    [InlineData(40u + 129u, 0u, -1)]
    [InlineData(39u, 0u, -1)]
    [InlineData(50u, 11u, -1)]
    [InlineData(0u, uint.MaxValue, -1)]
    public void The_fixed_part_is_what_the_lengths_leave(uint message, uint payload, int bytes) =>
        Assert.Equal(bytes, RingArithmetic.FixedPartBytes(message, InHeader.Size, payload, RingHeader.FixedPartMax));

    [Theory]
    [InlineData("0", new[] { 0 })]
    [InlineData("0-3\n", new[] { 0, 1, 2, 3 })]
    [InlineData("0,2-3,9", new[] { 0, 2, 3, 9 })]
    [InlineData("", new int[0])]
    public void Lists_of_processors_are_read(string text, int[] processors) => Assert.Equal(processors, Processors.Parse(text));

    [Fact]
    public void Each_possible_processor_has_entries_in_one_queue()
    {
        Assert.Equal([[(0, 8), (2, 1)], [(1, 8), (3, 1)]], Shares([0, 1], 4, 64));
        Assert.Equal([[(0, 8), (2, 8)], [(1, 8), (3, 8)]], Shares([0, 1, 2, 3], 4, 2));
        Assert.Equal([[(2, 8), (0, 1), (1, 1)]], Shares([2, 3], 3, 64));

        static (int, int)[][] Shares(int[] online, int possible, int queues) =>
            [.. Processors.Share(online, possible, queues, 8).Select(static share => share.Select(static lane => ((int)lane.Processor, lane.Depth)).ToArray())];
    }

    [Fact]
    public void Layouts_are_those_of_the_kernel()
    {
        Assert.Equal(288, Marshal.SizeOf<RingHeader>());
        Assert.Equal(32, Marshal.SizeOf<RetrieveOut>());
        Assert.Equal(120, Marshal.SizeOf<IoUring.Parameters>());
        Assert.Equal(128, Marshal.SizeOf<IoUring.Submission>());
        Assert.Equal(16, Marshal.SizeOf<IoUring.Completion>());
        Assert.Equal(24, Marshal.SizeOf<IoUring.WaitArgument>());
        Assert.Equal(40, (int)Marshal.OffsetOf<IoUring.Parameters>(nameof(IoUring.Parameters.Submissions)));
        Assert.Equal(80, (int)Marshal.OffsetOf<IoUring.Parameters>(nameof(IoUring.Parameters.Completions)));
    }

    [Fact]
    public void A_write_stays_where_the_kernel_put_it_and_all_else_is_copied()
    {
        using RingEntry entry = new(null!, 0, 0);
        byte[] copy = new byte[8192];
        Fill(entry, Opcode.Write, fixedPart: [.. Enumerable.Repeat((byte)7, 40)], payload: [1, 2, 3]);
        int length = entry.Assemble(copy, out bool isInPlace);
        Assert.True(isInPlace);
        Assert.Equal([.. Enumerable.Repeat((byte)7, 40), 1, 2, 3], entry.Message(length)[InHeader.Size..].ToArray());
        Assert.All(copy, static value => Assert.Equal(0, value));

        Fill(entry, Opcode.Lookup, fixedPart: [], payload: "name\0"u8.ToArray());
        length = entry.Assemble(copy, out isInPlace);
        Assert.False(isInPlace);
        Assert.Equal("name\0"u8.ToArray(), copy[InHeader.Size..length]);
        entry.Payload.Clear();
        Assert.Equal("name\0"u8.ToArray(), copy[InHeader.Size..length]);
        Assert.Equal(Opcode.Lookup, MemoryMarshal.Read<InHeader>(copy).Opcode);
    }

    [Theory]
    [InlineData(0u, 0u)]
    [InlineData(39u, 0u)]
    [InlineData(100u, 61u)]
    [InlineData(400u, 3u)]
    [InlineData(uint.MaxValue, uint.MaxValue)]
    [InlineData(40u, (1u << 20) + 1)]
    public void Lengths_that_contradict_each_other_make_a_request_that_is_refused(uint message, uint payload)
    {
        using RingEntry entry = new(null!, 0, 0);
        byte[] copy = new byte[64];
        foreach (Opcode opcode in (Opcode[])[Opcode.Write, Opcode.Lookup])
        {
            entry.Header.In = new() { Length = message, Opcode = opcode, Unique = 8 };
            entry.Header.PayloadBytes = payload;
            Assert.Equal(InHeader.Size, entry.Assemble(copy, out bool isInPlace));
            Assert.False(isInPlace);
        }
    }

    [Fact]
    public void Completions_come_back_and_a_bell_rings_from_any_thread()
    {
        using IoRing? ring = TryMakeRing();
        if (ring is null)
        {
            return; // No io_uring on this machine: then nothing here is ever used.
        }

        for (uint i = 0; i < 1000; i++)
        {
            Assert.True(ring.TrySubmit(new() { Operation = IoUring.OperationNothing, UserData = i }));
            Assert.Equal(0, ring.Enter(ring.Unsubmitted, 1));
            Assert.True(ring.TryTake(out IoUring.Completion completion));
            Assert.Equal((i, 0), ((uint)completion.UserData, completion.Result));
            Assert.False(ring.TryTake(out _));
        }

        while (ring.TrySubmit(new() { Operation = IoUring.OperationNothing }))
        {
        }

        Assert.Equal(4u, ring.Unsubmitted);
        Assert.Equal(0, ring.Enter(ring.Unsubmitted, 4));
        Assert.Equal(0u, ring.Unsubmitted);
        using RingBell bell = new();
        Thread thread = new(() => bell.TryRing(ring.Descriptor));
        thread.Start();
        for (int i = 0; i < 4; i++)
        {
            Assert.True(ring.TryTake(out _));
        }

        Assert.Equal(0, ring.Enter(0, 1));
        Assert.True(ring.TryTake(out IoUring.Completion rung));
        Assert.Equal(RingBell.Number, rung.UserData);
        thread.Join();
        Assert.Equal(0, ring.Enter(0, 1, TimeSpan.FromMilliseconds(1)));
    }

    [Fact]
    public async Task A_device_that_takes_no_entries_is_served_without()
    {
        RecordingLogger log = new();
        ReferenceVolume volume = new(TimeProvider.System);
        Dispatcher dispatcher = new(volume, new(volume), new(volume), new(), new(), log);
        string path = Path.GetTempFileName();
        int descriptor = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCloseOnExec, 0);
        using DescriptorTransport transport = new(descriptor, isDevice: true);
        using RingServers rings = new(transport, dispatcher, TimeProvider.System, log, () => Assert.Fail("no failure"));
        if (rings.TryPrepare(out _))
        {
            Assert.False(rings.TryStart());
            Assert.Contains("refused", log.ToString(), StringComparison.Ordinal);
            await rings.Ended.WaitAsync(TimeSpan.FromSeconds(20));
        }

        Assert.False(rings.IsRunning);
        Assert.Empty(log.Errors);
        File.Delete(path);
    }

    private static IoRing? TryMakeRing()
    {
        try
        {
            return new(4, 8);
        }
        catch (FuseException)
        {
            return null;
        }
    }

    private static void Fill(RingEntry entry, Opcode opcode, byte[] fixedPart, byte[] payload)
    {
        ref RingHeader header = ref entry.Header;
        header.In = new() { Length = (uint)(InHeader.Size + fixedPart.Length + payload.Length), Opcode = opcode, Unique = 8 };
        fixedPart.CopyTo(MemoryMarshal.CreateSpan(ref header.FixedPart, RingHeader.FixedPartMax));
        header.PayloadBytes = (uint)payload.Length;
        payload.CopyTo(entry.Payload);
    }
}
