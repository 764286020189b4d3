using Drive.Core.Volumes;

namespace Drive.Fuse.Tests;

public sealed class ErrnoTests
{
    [Fact]
    public void Every_status_has_a_number_of_its_own()
    {
        Dictionary<int, FsStatus> seen = [];
        foreach (FsStatus status in Enum.GetValues<FsStatus>())
        {
            int errno = Errno.From(status);
            Assert.InRange(errno, 0, 133);
            Assert.True(seen.TryAdd(errno, status), $"{status} and {seen.GetValueOrDefault(errno)} are both {errno}");
        }
    }

    [Theory]
    [InlineData(FsStatus.Ok, 0)]
    [InlineData(FsStatus.NotFound, 2)]
    [InlineData(FsStatus.Corrupt, 117)]
    [InlineData(FsStatus.NotSupported, 95)]
    [InlineData(FsStatus.Unreachable, 110)]
    [InlineData(FsStatus.Stale, 116)]
    [InlineData(FsStatus.NoAttribute, 61)]
    [InlineData(FsStatus.QuotaExceeded, 122)]
    [InlineData(FsStatus.NotEmpty, 39)]
    [InlineData(FsStatus.Loop, 40)]
    public void Numbers_are_those_of_Linux(FsStatus status, int errno) => Assert.Equal(errno, Errno.From(status));
}
