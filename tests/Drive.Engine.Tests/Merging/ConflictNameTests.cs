using System.Text;
using Drive.Engine.Merging;

namespace Drive.Engine.Tests.Merging;

public sealed class ConflictNameTests
{
    private static readonly DateTimeOffset Time = new(2026, 11, 22, 16, 3, 59, TimeSpan.FromHours(2));

    [Theory]
    [InlineData("report.txt", 1, "report (conflict, laptop, 2026-11-22 14-03).txt")]
    [InlineData("report.txt", 3, "report (conflict, laptop, 2026-11-22 14-03, 3).txt")]
    [InlineData("archive.tar.gz", 1, "archive.tar (conflict, laptop, 2026-11-22 14-03).gz")]
    [InlineData(".profile", 1, ".profile (conflict, laptop, 2026-11-22 14-03)")]
    [InlineData("no ending", 1, "no ending (conflict, laptop, 2026-11-22 14-03)")]
    [InlineData("a.what comes here is no ending", 1, "a.what comes here is no ending (conflict, laptop, 2026-11-22 14-03)")]
    public void The_mark_stands_before_the_ending(string name, int tries, string expected) => Assert.Equal(expected, Of("laptop", name, tries));

    [Theory]
    [InlineData("")]
    [InlineData(".txt")]
    public void A_name_as_long_as_may_be_is_cut_between_characters(string ending)
    {
        for (int extra = 0; extra < 4; extra++)
        {
            string name = new string('x', extra) + string.Concat(Enumerable.Repeat("\u20ac", (255 - extra - ending.Length) / 3)) + ending;
            byte[] made = new ConflictName("laptop", Time).Of(Encoding.UTF8.GetBytes(name), 12);
            Assert.InRange(made.Length, 250, 255);
            string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(made);
            Assert.EndsWith($"\u20ac (conflict, laptop, 2026-11-22 14-03, 12){ending}", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("", "device")]
    [InlineData("a/b\nc", "abc")]
    [InlineData("0123456789012345678901234567890123456789 and more", "0123456789012345678901234567890123456789")]
    public void Whatever_a_device_is_called_the_name_can_be_given(string device, string shown) => Assert.Equal($"f (conflict, {shown}, 2026-11-22 14-03)", Of(device, "f", 1));

    private static string Of(string device, string name, int tries) => Encoding.UTF8.GetString(new ConflictName(device, Time).Of(Encoding.UTF8.GetBytes(name), tries));
}
