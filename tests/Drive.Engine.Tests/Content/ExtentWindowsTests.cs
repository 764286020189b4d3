using Drive.Core.Rows;
using Drive.Core.Volumes;
using Drive.Engine.Content;

namespace Drive.Engine.Tests.Content;

public sealed class ExtentWindowsTests
{
    [Fact]
    public void Each_offset_finds_the_window_that_tells_of_it()
    {
        ExtentWindows windows = new();
        Assert.Null(windows.Find(0));
        ExtentWindow[] all = [.. new[] { 300, 100, 200 }.Select(static start => Window(start, 1))];
        Array.ForEach(all, windows.Add);
        foreach (ExtentWindow window in all)
        {
            Assert.Same(window, windows.Find(window.Start));
            Assert.Same(window, windows.Find(window.End - 1));
        }

        Assert.Null(windows.Find(99));
        Assert.Null(windows.Find(310));
        windows.Remove(all[1]);
        Assert.Null(windows.Find(100));
        Assert.Same(all[2], windows.Find(205));
    }

    [Fact]
    public void The_oldest_windows_of_all_files_make_room()
    {
        ExtentMemory memory = new();
        ExtentWindows first = new();
        memory.Add(first, Window(0, 10));
        ExtentWindows second = new();
        for (int window = 0; window < 10_000; window++)
        {
            memory.Add(second, Window(window * 1000, ExtentWindows.ExtentsMax));
        }

        Assert.Null(first.Find(0));
        Assert.Null(second.Find(0));
        Assert.NotNull(second.Find(9_999_000));
        Assert.InRange(Enumerable.Range(0, 10_000).Count(window => second.Find(window * 1000) is not null), 1000, 3000);
    }

    private static ExtentWindow Window(long start, int extents) =>
        new(start, start + 10, [.. Enumerable.Range(0, extents).Select(index => new ExtentRow(new NodeId(9), start + index, 1, default, 0))]);
}
