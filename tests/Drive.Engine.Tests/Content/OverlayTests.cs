using Drive.Core.Volumes;
using Drive.Engine.Content;

namespace Drive.Engine.Tests.Content;

/// <summary>
/// Random changes of an overlay against an array of cells, and against rows as a database would hold them. A cell stands for 64 KiB, so that items meet
/// the edges of 1 MiB blocks.
/// </summary>
public sealed class OverlayTests
{
    private const int CellBytes = 64 << 10;
    private const int CellsPerBlock = Overlay.BlockBytes / CellBytes;
    private const int Cells = 3 * CellsPerBlock;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void An_overlay_shows_what_was_put_last_and_its_rows_follow(int seed)
    {
        Run run = new(seed);
        for (int step = 0; step < 3000; step++)
        {
            run.Step();
            run.Check(step);
        }
    }

    [Fact]
    public void A_node_that_comes_back_to_the_database_is_saved_whole()
    {
        Overlay overlay = new();
        DirtyChunk chunk = new() { Node = new NodeId(5), Offset = 0, Length = 100 };
        overlay.Put(new OverlayItem(0, 100, chunk, default, 0));
        overlay.Cut(200, 300, asHole: true);
        List<OverlayItem> saved = [];
        overlay.TakeUnsaved(saved);
        overlay.HolesChanged = false;
        overlay.SavedHoles.Add(new ByteRange(200, 300));
        overlay.Cut(40, 60, asHole: false);
        overlay.MarkUnsaved();
        Assert.True(overlay.HolesChanged);
        Assert.Empty(overlay.SavedHoles);
        Assert.Empty(overlay.RemovedRows);
        saved.Clear();
        overlay.TakeUnsaved(saved);
        Assert.Equal([(0L, 40), (60L, 40)], saved.Select(item => (item.Offset, item.Length)).Order());
    }

    private sealed class Run(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly Overlay _overlay = new();

        // What the overlay must show: a chunk and a cell in it, a hole, or nothing.
        private readonly (DirtyChunk? Chunk, int Cell, bool IsHole)[] _cells = new (DirtyChunk?, int, bool)[Cells];
        private readonly Dictionary<long, (long Length, DirtyChunk? Chunk, int Inner)> _rows = [];
        private readonly Dictionary<DirtyChunk, long> _live = [];
        private List<OverlayItem>? _captured;

        public void Step()
        {
            int start = _random.Next(Cells);
            int length = _random.Next(1, 1 + Math.Min(12, Cells - start));
            switch (_random.Next(10))
            {
                case 0 or 1 or 2 or 3:
                    Put(start, Math.Min(length, CellsPerBlock - (start % CellsPerBlock)));
                    break;
                case 4:
                    Grow();
                    break;
                case 5 or 6:
                    Cut(start, _random.Next(6) == 0 ? Cells : start + length, asHole: true);
                    break;
                case 7:
                    Cut(start, start + length, asHole: false);
                    break;
                case 8:
                    Save();
                    _captured ??= [.. _overlay.Items];
                    break;
                default:
                    Settle();
                    break;
            }
        }

        public void Check(int step)
        {
            string at = $"seed {seed} step {step}";
            for (int cell = 0; cell < Cells; cell++)
            {
                long offset = (long)cell * CellBytes;
                OverlayItem? item = _overlay.FindAtOrAfter(offset, offset + 1);
                Assert.True(item?.Chunk == _cells[cell].Chunk, $"{at}: cell {cell} shows another chunk");
                Assert.True(item is null || (item.InnerOffset + offset - item.Offset) / CellBytes == _cells[cell].Cell, $"{at}: cell {cell} shows another place");
                bool isHole = _overlay.Holes.FindAtOrAfter(offset) is { } hole && hole.Start <= offset;
                Assert.True(isHole == _cells[cell].IsHole, $"{at}: cell {cell} hole");
            }

            // The next item from any offset is the one a walk over all of them finds.
            OverlayItem[] items = [.. _overlay.Items];
            long asked = _random.NextInt64(Cells * (long)CellBytes);
            long end = _random.NextInt64(Cells * (long)CellBytes);
            OverlayItem? expected = items.FirstOrDefault(item => item.End > asked && item.Offset < end);
            Assert.True(asked >= end || ReferenceEquals(expected, _overlay.FindAtOrAfter(asked, end)), $"{at}: from {asked} to {end}");
            Assert.True(_overlay.DataBytes == items.Sum(item => (long)item.Length), $"{at}: bytes");
            Assert.True(_overlay.IsEmpty == (items.Length == 0 && _overlay.Holes.IsEmpty), $"{at}: empty");
            foreach ((DirtyChunk chunk, long live) in _live)
            {
                Assert.True(items.Where(item => item.Chunk == chunk).Sum(item => (long)item.Length) == live, $"{at}: live bytes of a chunk");
            }
        }

        private void Put(int cell, int count)
        {
            DirtyChunk chunk = new() { Node = new NodeId(5), Offset = (long)cell * CellBytes, Length = count * CellBytes };
            _live[chunk] = chunk.Length;
            Displace(_overlay.Put(new OverlayItem(chunk.Offset, chunk.Length, chunk, default, 0)));
            for (int index = 0; index < count; index++)
            {
                _cells[cell + index] = (chunk, index, false);
            }
        }

        private void Grow()
        {
            OverlayItem[] items = [.. _overlay.Items];
            if (items.Length == 0)
            {
                return;
            }

            OverlayItem item = items[_random.Next(items.Length)];
            bool hasRoom = item.End % Overlay.BlockBytes != 0 && _overlay.FindAtOrAfter(item.End, item.End + CellBytes) is null;
            if (!hasRoom || item.IsSaved || item.InnerOffset + item.Length != item.Chunk!.Length)
            {
                return;
            }

            item.Chunk.Length += CellBytes;
            _live[item.Chunk] += CellBytes;
            _overlay.Grow(item, new OverlayItem(item.Offset, item.Length + CellBytes, item.Chunk, default, item.InnerOffset));
            _cells[item.End / CellBytes] = (item.Chunk, (item.InnerOffset + item.Length) / CellBytes, false);
        }

        private void Cut(int from, int to, bool asHole)
        {
            Displace(_overlay.Cut((long)from * CellBytes, to == Cells ? long.MaxValue : (long)to * CellBytes, asHole));
            for (int cell = from; cell < to; cell++)
            {
                _cells[cell] = (null, 0, asHole);
            }
        }

        /// <summary>As the local commit does, against rows with the database's key.</summary>
        private void Save()
        {
            List<OverlayItem> unsaved = [];
            foreach (long offset in _overlay.RemovedRows)
            {
                _rows.Remove(offset);
            }

            _overlay.RemovedRows.Clear();
            _overlay.TakeUnsaved(unsaved);
            if (_overlay.HolesChanged)
            {
                _overlay.SavedHoles.ForEach(hole => _rows.Remove(hole.Start));
                _overlay.SavedHoles.Clear();
                foreach (ByteRange hole in _overlay.Holes.Ranges)
                {
                    _overlay.SavedHoles.Add(hole);
                    _rows.Add(hole.Start, (hole.Length, null, 0));
                }

                _overlay.HolesChanged = false;
            }

            foreach (OverlayItem item in unsaved)
            {
                _rows.Add(item.Offset, (item.Length, item.Chunk, item.InnerOffset));
            }

            Assert.False(_overlay.IsChanged);
            var expected = _overlay.Items.Select(item => (item.Offset, ((long)item.Length, item.Chunk, item.InnerOffset)))
                .Concat(_overlay.Holes.Ranges.Select(hole => (hole.Start, (hole.Length, (DirtyChunk?)null, 0))))
                .OrderBy(row => row.Item1);
            Assert.Equal(expected, _rows.Select(row => (row.Key, row.Value)).OrderBy(row => row.Key));
        }

        /// <summary>As a landing does: what still shows what was captured goes, its rows first.</summary>
        private void Settle()
        {
            if (_captured is null)
            {
                return;
            }

            foreach (OverlayItem captured in _captured)
            {
                foreach (OverlayItem item in _overlay.Items.Where(item => item.IsOfSameSource(captured) && item.Offset >= captured.Offset && item.End <= captured.End).ToList())
                {
                    if (item.IsSaved)
                    {
                        Assert.True(_rows.Remove(item.Offset), "a saved item has a row");
                    }

                    for (long cell = item.Offset / CellBytes; cell < item.End / CellBytes; cell++)
                    {
                        _cells[cell] = default;
                    }

                    Displace(_overlay.Settle(item));
                }
            }

            _captured = null;
        }

        private void Displace(IReadOnlyList<OverlayItem> items)
        {
            foreach (OverlayItem item in items)
            {
                _live[item.Chunk!] -= item.Length;
            }
        }
    }
}
