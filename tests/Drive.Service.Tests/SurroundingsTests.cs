using System.Net.Sockets;
using System.Text;
using Drive.Control;
using Drive.Core.Stores;
using Drive.Service.Linux;
using Drive.Service.Logs;
using Drive.Service.Setup;
using Drive.Stores.Memory;
using Drive.Vault;
using Microsoft.Extensions.Logging;

namespace Drive.Service.Tests;

public sealed class SurroundingsTests
{
    [Fact]
    public void The_mount_table_is_read_with_its_escapes()
    {
        MountLine line = Assert.Single(MountTable.Parse(
            [@"36 35 0:98 / /mnt/my\040drive\134x rw,noatime master:1 - fuse.drive my\040vault rw,user_id=0", "short line", ""]));
        Assert.Equal(new MountLine(@"/mnt/my drive\x", "fuse.drive", "my vault"), line);
    }

    [Fact]
    public void What_keeps_a_user_from_mounting_is_named_with_what_to_do()
    {
        using TemporaryHome home = new();
        string device = Path.Combine(home.Root, "device");
        string helper = Path.Combine(home.Root, "fusermount3");
        string configuration = Path.Combine(home.Root, "fuse.conf");
        Expect("is missing", "modprobe", allowOther: false);
        File.WriteAllText(device, "");
        Expect("fusermount3 is missing", "package fuse3", allowOther: false);
        File.WriteAllText(helper, "");
        Expect("set-user-ID", "reinstall", allowOther: false);
        File.SetUnixFileMode(helper, UnixFileMode.UserRead | UnixFileMode.SetUser);
        Assert.Null(FuseAccess.Find(isRoot: false, device, home.Root, configuration, allowOther: false));
        Expect("to others", "user_allow_other", allowOther: true);
        File.WriteAllText(configuration, "#user_allow_other\n");
        Expect("to others", "user_allow_other", allowOther: true);
        File.AppendAllText(configuration, "user_allow_other\n");
        Assert.Null(FuseAccess.Find(isRoot: false, device, home.Root, configuration, allowOther: true));

        void Expect(string finding, string advice, bool allowOther)
        {
            FuseObstacle obstacle = Assert.IsType<FuseObstacle>(FuseAccess.Find(isRoot: false, device, home.Root, configuration, allowOther));
            Assert.Contains(finding, obstacle.Finding, StringComparison.Ordinal);
            Assert.Contains(advice, obstacle.Advice, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_mount_point_that_is_taken_is_refused_with_what_is_there()
    {
        DriveException refusal = Assert.Throws<DriveException>(() => MountPoint.Check("/proc"));
        Assert.Equal(DriveError.BadMountPoint, refusal.Error);
        Assert.Contains("busy", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_service_manager_is_told_over_its_socket()
    {
        using TemporaryHome home = new();
        string path = Path.Combine(home.Root, "notify");
        using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        ServiceManager manager = new(path);
        manager.Ready("drive at /mnt");
        manager.Stopping();
        byte[] buffer = new byte[512];
        Assert.Equal($"READY=1\nSTATUS=drive at /mnt\nMAINPID={Environment.ProcessId}", Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer)));
        Assert.Equal("STOPPING=1", Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer)));
    }

    [Fact]
    public void Nobody_to_tell_is_no_error()
    {
        new ServiceManager(null).Ready("x");
        new ServiceManager("/nowhere/notify").Ready("x");
    }

    [Fact]
    public void The_log_never_takes_more_than_its_two_files()
    {
        using TemporaryHome home = new();
        string path = Path.Combine(home.Root, "logs", "drive.log");
        using (LogFile log = new(path, TimeProvider.System, alsoErrors: false))
        {
            ILogger logger = log.CreateLogger("Test");
            string text = new('x', 64 << 10);
            for (int i = 0; i < 200; i++)
            {
                logger.Log(LogLevel.Information, new EventId(7), text, null, (state, _) => state);
            }

            logger.Log(LogLevel.Warning, new EventId(8), "last\nline", new IOException("why"), (state, _) => state);
        }

        Assert.InRange(new FileInfo(path).Length + new FileInfo(path + ".1").Length, 4 << 20, 8 << 20);
        string end = File.ReadAllText(path)[^200..];
        Assert.Contains("warn  Test[8] last\n    line | System.IO.IOException: why", end, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task A_store_that_comes_late_is_used_and_watched_when_it_comes()
    {
        bool isThere = false;
        int watches = 0;
        await using LateStore late = new(
            new StoreDescription("/mnt/usb", IsLocal: true),
            () => isThere ? new MemoryStore() : throw new StoreException(StoreErrorKind.Unreachable, isTransient: true, "away"),
            _ =>
            {
                watches++;
                return null;
            });
        ObjectName name = new("vault");
        await Assert.ThrowsAsync<StoreException>(async () => await late.GetLengthAsync(name, CancellationToken.None));
        isThere = true;
        Assert.True(await late.PutIfAbsentAsync(name, new byte[] { 1 }, CancellationToken.None));
        Assert.Equal(1, await late.GetLengthAsync(name, CancellationToken.None));
        Assert.Equal(1, watches);
    }

    [Fact]
    public void Every_refusal_of_a_vault_or_store_has_a_kind_and_a_line()
    {
        foreach (VaultErrorKind kind in Enum.GetValues<VaultErrorKind>())
        {
            Assert.NotEqual(DriveError.Failed, VaultErrors.Translate(new VaultException(kind, "said"), "/s")!.Error);
        }

        foreach (StoreErrorKind kind in Enum.GetValues<StoreErrorKind>())
        {
            Assert.NotEmpty(VaultErrors.Translate(new StoreException(kind, false, "said"), "/s")!.Message);
        }

        Assert.Null(VaultErrors.Translate(new InvalidOperationException(), "/s"));
    }
}
