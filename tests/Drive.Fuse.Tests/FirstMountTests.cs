namespace Drive.Fuse.Tests;

public sealed class FirstMountTests
{
    [Fact]
    public async Task A_file_is_written_and_read()
    {
        await using MountFixture mount = await MountFixture.MountAsync();
        string output = await mount.RunAsync("echo hello > a; cat a; mkdir d; ln -s ../a d/l; cat d/l; ls -la . d; stat a; df .; mount | grep drive-test");
        Console.WriteLine(output);
        Assert.StartsWith("hello\nhello\n", output, StringComparison.Ordinal);
    }
}
