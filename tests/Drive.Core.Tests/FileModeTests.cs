using System.Globalization;

using FileMode = Drive.Core.Volumes.FileMode;

namespace Drive.Core.Tests;

public sealed class FileModeTests
{
    [Fact]
    public void Types_are_told_apart_by_the_whole_field()
    {
        uint[] types = [FileMode.Socket, FileMode.SymbolicLink, FileMode.Regular, FileMode.BlockDevice, FileMode.Directory, FileMode.CharacterDevice, FileMode.Fifo];
        Assert.Equal(types.Length, types.Distinct().Count());
        Assert.All(types, static type =>
        {
            Assert.Equal(type, type & FileMode.TypeMask);
            Assert.Equal(type == FileMode.Directory, FileMode.IsDirectory(type | 0xFFF));
            Assert.Equal(type == FileMode.Regular, FileMode.IsRegular(type | 0xFFF));
            Assert.Equal(type == FileMode.SymbolicLink, FileMode.IsSymbolicLink(type | 0xFFF));
        });
    }

    [Theory]
    [InlineData("4755", "755")]
    [InlineData("2755", "755")]
    [InlineData("6777", "777")]
    [InlineData("2745", "2745")]
    [InlineData("6645", "2645")]
    [InlineData("1777", "1777")]
    [InlineData("644", "644")]
    public void Privileges_go_except_set_group_id_without_group_execute(string before, string after) =>
        Assert.Equal(FileMode.Regular | Octal(after), FileMode.WithoutPrivileges(FileMode.Regular | Octal(before)));

    private static uint Octal(string digits) => digits.Aggregate(0u, static (sum, digit) => (sum * 8) + uint.Parse([digit], CultureInfo.InvariantCulture));
}
