using System.Text;

namespace Drive.Fuse.Tests;

/// <summary>System calls that programs rarely make but some depend on, on a real mount.</summary>
public abstract unsafe class CallsOnMountTests(FuseTransport transport) : MountTests(transport)
{
    private const int Here = -100; // AT_FDCWD

    [MountFact]
    public Task A_file_without_a_name_gets_one() => MountFixture.UseAsync(mount =>
    {
        int descriptor = Sys.Check(Sys.Open(mount.Root, Sys.Tmpfile | Sys.ReadWrite));
        Assert.Empty(Directory.EnumerateFileSystemEntries(mount.Root));
        byte data = 65;
        Sys.Check(Sys.Pwrite(descriptor, &data, 1, 0));
        const int FollowLink = 0x400;
        Sys.Check(Sys.Link(Here, $"/proc/self/fd/{descriptor}", Here, mount.At("a"), FollowLink));
        Sys.Check(Sys.Close(descriptor));
        Assert.Equal("A", File.ReadAllText(mount.At("a")));
    });

    [MountFact]
    public Task An_unlinked_file_stays_usable_until_it_is_closed() => MountFixture.UseAsync(mount =>
    {
        int descriptor = Sys.Check(Sys.Open(mount.At("a"), Sys.ReadWrite | Sys.Create));
        File.Delete(mount.At("a"));
        byte data = 66;
        Sys.Check(Sys.Pwrite(descriptor, &data, 1, 0));
        data = 0;
        Assert.Equal(1, (int)Sys.Pread(descriptor, &data, 1, 0));
        Assert.Equal(66, data);
        Sys.Check(Sys.Close(descriptor));
    });

    [MountFact]
    public Task Renames_exchange_and_do_not_replace() => MountFixture.UseAsync(mount =>
    {
        File.WriteAllText(mount.At("a"), "1");
        File.WriteAllText(mount.At("b"), "2");
        Assert.Equal(-1, Sys.Rename(Here, mount.At("a"), Here, mount.At("b"), 1));
        Assert.Equal(Errno.EEXIST, Sys.Errno);
        Sys.Check(Sys.Rename(Here, mount.At("a"), Here, mount.At("b"), 2));
        Assert.Equal("2", File.ReadAllText(mount.At("a")));
        Assert.Equal(-1, Sys.Rename(Here, mount.At("a"), Here, mount.At("b"), 4));
        Assert.Equal(Errno.EINVAL, Sys.Errno);
        Sys.Check(Sys.Rename(Here, mount.At("a"), Here, mount.At("b"), 0));
        Assert.Equal("2", File.ReadAllText(mount.At("b")));
    });

    [MountFact]
    public Task Ranges_are_copied_punched_and_sought() => MountFixture.UseAsync(mount =>
    {
        byte[] data = new byte[300_000];
        new Random(7).NextBytes(data);
        File.WriteAllBytes(mount.At("a"), data);
        int source = Sys.Check(Sys.Open(mount.At("a"), Sys.ReadWrite));
        int target = Sys.Check(Sys.Open(mount.At("b"), Sys.ReadWrite | Sys.Create));
        long from = 1000;
        long to = 5;
        Assert.Equal(250_000, (int)Sys.CopyRange(source, &from, target, &to, 250_000, 0));
        Assert.Equal(data[1000..251_000], File.ReadAllBytes(mount.At("b"))[5..]);

        Sys.Check(Sys.Allocate(source, 3, 65536, 65536), "punch");
        Assert.All(File.ReadAllBytes(mount.At("a"))[65536..131072], static value => Assert.Equal(0, value));
        Assert.InRange(Sys.Seek(source, 65536, 3), 131072, 131072);
        Assert.InRange(Sys.Seek(source, 0, 4), 65536, 65536);
        Sys.Check(Sys.Allocate(source, 0, 0, 400_000), "grow");
        Assert.Equal(400_000, new FileInfo(mount.At("a")).Length);
        Assert.Equal(-1, Sys.Allocate(source, 8, 0, 4096));
        Assert.Equal(Errno.EOPNOTSUPP, Sys.Errno);
        Sys.Check(Sys.Fsync(source));
        Sys.Check(Sys.Close(source));
        Sys.Check(Sys.Close(target));
    });

    [MountFact]
    public Task Locks_exclude_each_other() => MountFixture.UseAsync(mount =>
    {
        int one = Sys.Check(Sys.Open(mount.At("a"), Sys.ReadWrite | Sys.Create));
        int two = Sys.Check(Sys.Open(mount.At("a"), Sys.ReadWrite));
        Sys.Check(Sys.Flock(one, 2));
        Assert.Equal(-1, Sys.Flock(two, 2 | 4));
        Assert.Equal(Errno.EAGAIN, Sys.Errno);
        Sys.Check(Sys.Close(one));
        Sys.Check(Sys.Flock(two, 2 | 4));
        Sys.Check(Sys.Close(two));
    });

    [MountFact]
    public Task Extended_attributes_are_kept() => MountFixture.UseAsync(mount =>
    {
        File.WriteAllText(mount.At("a"), string.Empty);
        byte* value = stackalloc byte[5] { 1, 0, 3, 0, 5 };
        byte* back = stackalloc byte[5];
        Sys.Check(Sys.SetXattr(mount.At("a"), "user.test", value, 5, 0));
        Assert.Equal(5, (int)Sys.GetXattr(mount.At("a"), "user.test", null, 0));
        Assert.Equal(5, (int)Sys.GetXattr(mount.At("a"), "user.test", back, 5));
        Assert.Equal(new ReadOnlySpan<byte>(value, 5), new ReadOnlySpan<byte>(back, 5));
        Assert.Equal(-1, Sys.GetXattr(mount.At("a"), "user.none", null, 0));
        Assert.Equal(Errno.ENODATA, Sys.Errno);
    });

    [MountFact]
    public Task Appends_of_two_handles_do_not_overwrite() => MountFixture.UseAsync(mount =>
    {
        int one = Sys.Check(Sys.Open(mount.At("a"), Sys.ReadWrite | Sys.Create | Sys.Append));
        int two = Sys.Check(Sys.Open(mount.At("a"), Sys.ReadWrite | Sys.Append));
        byte data = 67;
        for (int i = 0; i < 50; i++)
        {
            Sys.Check(Sys.Pwrite(one, &data, 1, 0));
            Sys.Check(Sys.Pwrite(two, &data, 1, 0));
        }

        Sys.Check(Sys.Close(one));
        Sys.Check(Sys.Close(two));
        Assert.Equal(100, File.ReadAllText(mount.At("a")).Length);
    });
}
