using Drive.Fuse.Mounting;

namespace Drive.Fuse.Tests;

public sealed class MountFlagsTests
{
    [Fact]
    public void Set_user_id_bits_and_devices_have_no_effect_unless_asked_for()
    {
        Assert.Equal(2u | 4u, MountFlags.From(Options()).Flags);
        Assert.Equal(0u, MountFlags.From(Options("suid,dev")).Flags);
        Assert.Equal(2u | 8u | 1024u, MountFlags.From(Options("noatime", "dev,noexec")).Flags);
    }

    [Fact]
    public void Later_options_win_and_those_for_mount_are_ignored() =>
        Assert.Equal(2u | 4u | 1u, MountFlags.From(Options("rw,_netdev,x-systemd.automount,nofail,ro")).Flags);

    [Fact]
    public void Permissions_are_always_the_kernels() =>
        Assert.Equal(
            "fd=5,rootmode=40000,user_id=1,group_id=2,default_permissions,allow_other",
            MountFlags.From(Options("allow_other")).ToKernelData(5, 1, 2));

    [Fact]
    public void Commas_in_the_source_are_escaped_for_fusermount() =>
        Assert.Equal(
            @"fsname=a\,b\\c,subtype=drive,default_permissions,noexec,ro",
            MountFlags.From(Options("noexec") with { ReadOnly = true }).ToFusermountOptions(@"a,b\c", "drive"));

    [Fact]
    public void An_unknown_option_is_named()
    {
        FuseException exception = Assert.Throws<FuseException>(() => MountFlags.From(Options("colour=red")));
        Assert.Contains("'colour=red'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_way_of_the_requests_can_be_chosen()
    {
        Assert.Equal(FuseTransport.Auto, MountFlags.From(Options()).Transport);
        Assert.Equal(FuseTransport.Uring, MountFlags.From(Options("transport=device,transport=uring")).Transport);
        Assert.False(MountFlags.From(Options()).AllowUring);
        Assert.True(MountFlags.From(Options("allow_uring")).AllowUring);
        Assert.DoesNotContain("uring", MountFlags.From(Options("allow_uring", "transport=uring")).ToFusermountOptions("a", "b"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw", "98:0", "/mnt2", "ext3")]
    [InlineData(@"41 35 0:39 / /tmp/a\040b\134c rw - fuse.drive drive rw,user_id=0", "0:39", @"/tmp/a b\c", "fuse.drive")]
    public void Lines_of_mountinfo_are_read(string line, string device, string mountPoint, string type) =>
        Assert.Equal(new Mount(device, mountPoint, type), MountTable.Parse(line));

    [Fact]
    public void A_line_of_another_shape_is_no_mount() => Assert.Null(MountTable.Parse("what - is this"));

    private static FuseMountOptions Options(params string[] options) => new() { MountPoint = "/m", Options = options };
}
