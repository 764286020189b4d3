using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;
using Drive.Engine.Upload;

namespace Drive.Engine.Tests.Upload;

public sealed class ExtentMathTests
{
    private const int Room = 80;
    private static readonly NodeId Node = new(7);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Changes_over_extents_give_what_was_changed_and_keep_the_rest(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 3000; round++)
        {
            List<ExtentRow> existing = [.. Ranges(random).Select((range, index) => new ExtentRow(Node, range.Start, (int)range.Length, Block(index + 1), random.Next(100)))];
            List<ContentChange> changes = [.. Ranges(random).Select((range, index) =>
                random.Next(3) == 0 ? new ContentChange(range.Start, range.End, null, 0) : new ContentChange(range.Start, range.End, Block(100 + index), random.Next(100)))];
            (BlockId, long)?[] expected = Show(existing);
            foreach (ContentChange change in changes)
            {
                for (long at = change.Start; at < change.End; at++)
                {
                    expected[at] = change.Block is { } block ? (block, change.BlockOffset + at - change.Start) : null;
                }
            }

            List<ExtentRow> closed = [];
            List<ExtentRow> opened = [];
            ExtentMath.Apply(Node, existing, changes, closed, opened);
            Assert.All(closed, row => Assert.Contains(row, existing));
            Assert.Equal(closed.Count, closed.Distinct().Count());
            List<ExtentRow> after = [.. existing.Except(closed).Concat(opened).OrderBy(row => row.Offset)];
            Assert.True(after.Zip(after.Skip(1)).All(pair => pair.First.End <= pair.Second.Offset), $"seed {seed} round {round}: extents overlap");
            Assert.True(after.All(row => row.Length > 0));
            Assert.True(expected.AsSpan().SequenceEqual(Show(after)), $"seed {seed} round {round}");
            Assert.All(existing.Except(closed), row => Assert.DoesNotContain(changes, change => change.Start < row.End && change.End > row.Offset));
        }
    }

    [Fact]
    public void A_hole_to_the_end_of_all_files_ends_everything_behind_it()
    {
        ExtentRow[] existing = [new(Node, 0, 100, Block(1), 0), new(Node, 1L << 40, 100, Block(2), 0)];
        List<ExtentRow> closed = [];
        List<ExtentRow> opened = [];
        ExtentMath.Apply(Node, existing, [new ContentChange(50, long.MaxValue, null, 0)], closed, opened);
        Assert.Equal(existing, closed);
        Assert.Equal([new ExtentRow(Node, 0, 50, Block(1), 0)], opened);
    }

    [Fact]
    public void Runs_join_what_touches_within_a_block_and_never_join_shared_blocks()
    {
        DirtyChunk chunk = new() { Node = Node, Offset = 0, Length = 10 };
        OverlayItem[] items =
        [
            new(0, 10, chunk, default, 0),
            new(10, 10, chunk, default, 0),
            new(30, 10, chunk, default, 0),
            new(40, 10, null, Block(1), 0),
            new(50, 10, null, Block(1), 10),
            new(60, 10, chunk, default, 0),
            new(Overlay.BlockBytes - 10, 10, chunk, default, 0),
            new(Overlay.BlockBytes, 10, chunk, default, 0),
        ];
        Assert.Equal([2, 1, 1, 1, 1, 1, 1], ExtentMath.Runs(items).Select(run => run.Count));
        Assert.Equal(items, ExtentMath.Runs(items).SelectMany(run => run));
        Assert.Empty(ExtentMath.Runs([]));
    }

    [Fact]
    public void A_capture_is_read_as_it_was_written()
    {
        Capture capture = new() { Epoch = 3, Change = 4, Nodes = [], OldestChange = default };
        DirtyChunk chunk = new() { Node = Node, Offset = 4, Length = 10, Position = new Cache.Dirty.LogPosition(0x7000_0001_1234_5678, 99) };
        capture.Files.Add(new CapturedFile(Node, 100, [new OverlayItem(5, 9, chunk, default, 1), new OverlayItem(20, 30, null, Block(9), 40)], [new ByteRange(60, long.MaxValue)]));
        List<DirtyRow> rows = [.. CaptureCodec.Rows(capture)];
        Assert.Equal([DirtyKind.Data, DirtyKind.Block, DirtyKind.Hole], rows.Select(row => row.Kind));
        Assert.Equal(rows.Select(row => row with { RecordLength = 0 }), CaptureCodec.Decode(CaptureCodec.Encode(rows)));
        Assert.Empty(CaptureCodec.Decode(CaptureCodec.Encode([])));
    }

    private static (BlockId, long)?[] Show(IEnumerable<ExtentRow> extents)
    {
        (BlockId, long)?[] shown = new (BlockId, long)?[Room];
        foreach (ExtentRow extent in extents)
        {
            for (long at = extent.Offset; at < extent.End; at++)
            {
                shown[at] = (extent.Block, extent.BlockOffset + at - extent.Offset);
            }
        }

        return shown;
    }

    private static List<ByteRange> Ranges(Random random)
    {
        List<ByteRange> ranges = [];
        for (int at = random.Next(10); at < Room;)
        {
            int end = Math.Min(Room, at + random.Next(1, 15));
            ranges.Add(new ByteRange(at, end));
            at = end + (random.Next(3) == 0 ? 0 : random.Next(12));
        }

        return ranges;
    }

    private static BlockId Block(int number)
    {
        byte[] bytes = new byte[Bytes32.Size];
        bytes[0] = (byte)number;
        return new BlockId(new Bytes32(bytes));
    }
}
