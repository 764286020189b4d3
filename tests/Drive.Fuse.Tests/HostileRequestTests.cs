using Drive.Core.Volumes;
using Drive.Fuse.Protocol;
using Drive.Testing;

namespace Drive.Fuse.Tests;

/// <summary>Whatever bytes come in: at most one well-formed answer, no exception, nothing logged as our failure.</summary>
public sealed class HostileRequestTests
{
    private const ulong Root = 1;

    public static TheoryData<uint> Opcodes => [.. Enumerable.Range(0, 60).Select(static code => (uint)code), 4096, uint.MaxValue];

    [Theory]
    [MemberData(nameof(Opcodes))]
    public void Every_request_may_be_cut_short_anywhere(uint code)
    {
        using Harness harness = new(new ReferenceVolume(TimeProvider.System));
        for (int length = 0; length <= 100; length++)
        {
            harness.TrySend((Opcode)code, Root, new byte[length]);
        }

        Assert.Empty(harness.Log.Errors);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_requests_get_at_most_one_answer(int seed)
    {
        Random random = new(seed);
        using Harness harness = new(new ReferenceVolume(TimeProvider.System, capacityBytes: 1 << 24));
        ulong file = harness.Create(Root, "a").NodeId;
        ulong directory = harness.MakeDirectory(Root, "d");
        for (int i = 0; i < 20_000; i++)
        {
            byte[] body = new byte[random.Next(0, 160)];
            random.NextBytes(body);
            for (int j = 0; j < body.Length; j++)
            {
                // Small numbers meet handles, lengths and flags that exist.
                body[j] = random.Next(3) == 0 ? body[j] : (byte)(random.Next(8) == 0 ? random.Next(4) : 0);
            }

            ulong node = random.Next(4) switch { 0 => Root, 1 => file, 2 => directory, _ => (ulong)random.NextInt64() };
            harness.TrySend((Opcode)random.Next(0, 60), node, body);
        }

        Assert.True(harness.Log.Errors.Count == 0, $"seed {seed}: {harness.Log}");
    }

    [Fact]
    public void Lengths_that_lie_are_refused()
    {
        using Harness harness = new(new ReferenceVolume(TimeProvider.System));
        InHeader header = new() { Length = 4000, Opcode = Opcode.GetAttr, Unique = 900, NodeId = Root };
        Assert.Equal(Errno.EINVAL, harness.Feed([.. Harness.Bytes(header), .. new byte[16]])!.Error);
        header.Length = 56;
        header.ExtensionLength = 3;
        Assert.Equal(Errno.EINVAL, harness.Feed([.. Harness.Bytes(header), .. new byte[16]])!.Error);
        Assert.Null(harness.Feed(new byte[39]));
        Assert.Null(harness.Feed([]));
    }

    [Fact]
    public void Extensions_at_the_end_are_no_part_of_the_name()
    {
        using Harness harness = new(new ReferenceVolume(TimeProvider.System));
        byte[] body = [.. Harness.Bytes(new MkdirIn { Mode = 0x1ff }), .. Harness.Name("abcdefg"), .. new byte[16]];
        InHeader header = new()
        {
            Length = (uint)(InHeader.Size + body.Length),
            Opcode = Opcode.Mkdir,
            Unique = 900,
            NodeId = Root,
            ExtensionLength = 2,
        };
        Assert.Equal(0, harness.Feed([.. Harness.Bytes(header), .. body])!.Error);
        Assert.NotEqual(0UL, harness.Lookup(Root, "abcdefg").NodeId);
    }

    [Fact]
    public void A_batch_that_counts_more_than_it_holds_is_taken_as_far_as_it_goes()
    {
        using Harness harness = new(new ReferenceVolume(TimeProvider.System));
        ulong node = harness.MakeDirectory(Root, "d");
        byte[] one = Harness.Bytes(new ForgetOne { NodeId = node, LookupCount = ulong.MaxValue });
        Assert.Null(harness.TrySend(Opcode.BatchForget, 0, Harness.Bytes(new BatchForgetIn { Count = uint.MaxValue }), one, new byte[7]));
        Assert.Equal(0, harness.Nodes.Count);
    }
}
