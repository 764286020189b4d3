using Drive.Core.Rows;
using Drive.Core.Volumes;

namespace Drive.Core.Tests;

public sealed class EpochsTests
{
    [Fact]
    public void Provisional_seqs_lie_above_real_ones_and_below_open()
    {
        Assert.False(Epochs.IsProvisional(1));
        Assert.False(Epochs.IsProvisional(Epochs.ProvisionalBase - 1));
        Assert.True(Epochs.IsProvisional(Epochs.Provisional(0)));
        Assert.True(Epochs.IsProvisional(Epochs.Provisional(1_000_000)));
        Assert.False(Epochs.IsProvisional(Epochs.Open));
        Assert.True(Epochs.Provisional(4) < Epochs.Provisional(5));
    }

    [Fact]
    public void Ids_compare_by_their_bytes()
    {
        byte[] bytes = [.. Enumerable.Range(0, 32).Select(static i => (byte)i)];
        Assert.Equal(new BlockId(new Bytes32(bytes)), new BlockId(new Bytes32([.. bytes])));
        Assert.Equal(Convert.ToHexStringLower(bytes), new Bytes32(bytes).ToString());
        bytes[31]++;
        Assert.NotEqual(new BlockId(default), new BlockId(new Bytes32(bytes)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Bytes32(new byte[31]));
    }

    [Fact]
    public void Nodes_of_two_devices_never_meet()
    {
        Assert.Equal((1UL << 44) | 5, NodeId.Compose(1, 5).Value);
        Assert.NotEqual(NodeId.Compose(1, 0), NodeId.Compose(0, (1UL << 44) - 1));
        Assert.True((long)NodeId.Compose((1 << 18) - 1, (1UL << 44) - 1).Value > 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => NodeId.Compose(1 << 18, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => NodeId.Compose(0, 1UL << 44));
    }
}
