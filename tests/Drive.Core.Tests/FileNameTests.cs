using System.Text;

using Drive.Core.Volumes;

namespace Drive.Core.Tests;

public sealed class FileNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("...")]
    [InlineData(".hidden")]
    [InlineData(" ")]
    [InlineData("line\nbreak")]
    [InlineData("c:\\windows")]
    [InlineData("äöü 漢字")]
    public void Ordinary_names_are_allowed(string name) => Assert.Equal(FsStatus.Ok, FileName.Validate(Encoding.UTF8.GetBytes(name)));

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("/")]
    [InlineData("a\0")]
    public void Names_that_mean_something_else_are_refused(string name) => Assert.Equal(FsStatus.Invalid, FileName.Validate(Encoding.UTF8.GetBytes(name)));

    [Fact]
    public void A_name_need_not_be_utf8() => Assert.Equal(FsStatus.Ok, FileName.Validate([0xFF, 0xC0, 0x80]));

    [Fact]
    public void Length_counts_in_bytes_and_comes_first()
    {
        Assert.Equal(FsStatus.Ok, FileName.Validate(new byte[255].Select(_ => (byte)'x').ToArray()));
        Assert.Equal(FsStatus.NameTooLong, FileName.Validate(new byte[256].Select(_ => (byte)'x').ToArray()));
        Assert.Equal(FsStatus.NameTooLong, FileName.Validate(Encoding.UTF8.GetBytes(new string('ä', 128))));
        Assert.Equal(FsStatus.NameTooLong, FileName.Validate(new byte[256]));
    }
}
