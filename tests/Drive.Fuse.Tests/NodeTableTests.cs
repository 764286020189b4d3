using Drive.Core.Volumes;
using Drive.Fuse.Serving;
using Drive.Testing;

namespace Drive.Fuse.Tests;

public sealed class NodeTableTests
{
    private readonly ForgetRecorder _volume = new();

    [Fact]
    public void A_node_keeps_its_number_as_long_as_it_is_held()
    {
        NodeTable table = new(_volume);
        ulong number = table.Acquire(new(77));
        Assert.Equal(number, table.Acquire(new(77)));
        Assert.True(table.TryResolve(number, out NodeId node));
        Assert.Equal(new(77), node);
        table.Release(number, 1);
        Assert.True(table.TryResolve(number, out _));
        Assert.Empty(_volume.Forgotten);
    }

    [Fact]
    public void With_the_last_reference_the_volume_forgets_and_the_number_never_comes_again()
    {
        NodeTable table = new(_volume);
        HashSet<ulong> numbers = [];
        for (int i = 0; i < 5000; i++)
        {
            ulong number = table.Acquire(new(77));
            Assert.True(numbers.Add(number));
            table.Release(number, 1);
            Assert.False(table.TryResolve(number, out _));
        }

        Assert.Equal(5000, _volume.Forgotten.Count);
        Assert.Equal(0, table.Count);
    }

    [Fact]
    public void The_root_is_not_counted()
    {
        NodeTable table = new(_volume);
        Assert.Equal(1UL, table.Acquire(NodeId.Root));
        table.Release(1, ulong.MaxValue);
        Assert.True(table.TryResolve(1, out NodeId root));
        Assert.Equal(NodeId.Root, root);
        Assert.Empty(_volume.Forgotten);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(2UL)]
    [InlineData(ulong.MaxValue)]
    [InlineData(0xffff_ffff_0000_0010UL)]
    public void Numbers_that_were_never_given_are_nothing(ulong number)
    {
        NodeTable table = new(_volume);
        for (ulong node = 2; node < 100; node++)
        {
            table.Acquire(new(node + 1_000_000));
        }

        table.Release(number, 1);
        Assert.False(table.TryResolve(number, out _));
        Assert.Empty(_volume.Forgotten);
    }

    [Fact]
    public void More_references_than_are_held_cannot_be_taken_back()
    {
        NodeTable table = new(_volume);
        ulong number = table.Acquire(new(5));
        table.Release(number, ulong.MaxValue);
        table.Release(number, 1);
        Assert.Equal([new NodeId(5)], _volume.Forgotten);
    }

    [Fact]
    public async Task Threads_that_take_and_give_back_leave_nothing()
    {
        NodeTable table = new(_volume);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(seed => Task.Run(() =>
        {
            Random random = new(seed);
            for (int i = 0; i < 20_000; i++)
            {
                NodeId node = new((ulong)random.Next(2, 300));
                ulong number = table.Acquire(node);
                Assert.True(table.TryResolve(number, out NodeId found));
                Assert.Equal(node, found);
                table.Release(number, 1);
            }
        })));
        Assert.Equal(0, table.Count);
    }

    private sealed class ForgetRecorder() : VolumeWrapper(new ReferenceVolume(TimeProvider.System))
    {
        private readonly Lock _lock = new();

        public List<NodeId> Forgotten { get; } = [];

        public override void Forget(NodeId node)
        {
            lock (_lock)
            {
                Forgotten.Add(node);
            }
        }
    }
}
