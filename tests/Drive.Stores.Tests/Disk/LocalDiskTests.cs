using Drive.Core.Platform;
using Drive.Disk;

namespace Drive.Stores.Tests.Disk;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class LocalDiskTests : IDisposable
{
    private readonly LocalDisk _disk = new();
    private readonly string _root = System.IO.Directory.CreateTempSubdirectory("drive-disk-").FullName;

    public void Dispose() => System.IO.Directory.Delete(_root, recursive: true);

    [Fact]
    public void Bytes_are_written_read_cut_and_synced()
    {
        using IDiskFile file = _disk.Open(At("a"), DiskOpenMode.CreateNew)!;
        file.Write(10, [1, 2, 3]);
        file.Sync();
        Assert.Equal(13, file.Length);
        byte[] bytes = new byte[20];
        Assert.Equal(13, file.Read(0, bytes));
        Assert.Equal([0, 1, 2, 3, 0], bytes[9..14]);
        Assert.Equal(0, file.Read(13, bytes));
        file.SetLength(11);
        Assert.Equal(11, file.Length);
        file.Write(0, new byte[20_000]);
        file.PunchHole(4096, 8192);
        Assert.Equal(20_000, file.Length);
    }

    [Fact]
    public void Opening_answers_what_is_there()
    {
        Assert.Null(_disk.Open(At("a"), DiskOpenMode.Read));
        Assert.Null(_disk.Open(At("a"), DiskOpenMode.ReadWrite));
        Assert.Null(_disk.Open(At("no/such"), DiskOpenMode.Read));
        Assert.Equal(2, Assert.Throws<IOException>(() => _disk.Open(At("no/such"), DiskOpenMode.CreateNew)).HResult);
        _disk.Open(At("a"), DiskOpenMode.CreateNew)!.Dispose();
        Assert.Null(_disk.Open(At("a"), DiskOpenMode.CreateNew));
        Assert.Null(_disk.Open(At("a/b"), DiskOpenMode.Read));
        Assert.Null(_disk.Open(_root, DiskOpenMode.Read));
        using IDiskFile file = _disk.Open(At("a"), DiskOpenMode.OpenOrCreate)!;
        Assert.Equal(0, file.Length);
    }

    [Fact]
    public void Files_and_directories_are_private()
    {
        _disk.CreateDirectory(At("d/e/f"));
        _disk.CreateDirectory(At("d/e/f"));
        _disk.Open(At("d/e/f/g"), DiskOpenMode.CreateNew)!.Dispose();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("d/e/f/g")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(At("d/e")));
        Assert.True(_disk.DirectoryExists(At("d/e")));
        Assert.False(_disk.DirectoryExists(At("d/e/f/g")));
        Assert.Throws<IOException>(() => _disk.CreateDirectory(At("d/e/f/g")));
        Assert.Throws<IOException>(() => _disk.DeleteDirectory(At("d/e")));
        Assert.True(_disk.Delete(At("d/e/f/g")));
        Assert.True(_disk.DeleteDirectory(At("d/e/f")));
        Assert.False(_disk.DeleteDirectory(At("d/e/f")));
    }

    [Fact]
    public void Names_are_linked_renamed_listed_and_deleted()
    {
        _disk.Open(At("a"), DiskOpenMode.CreateNew)!.Dispose();
        _disk.Open(At("x"), DiskOpenMode.CreateNew)!.Dispose();
        Assert.True(_disk.TryLink(At("a"), At("b")));
        Assert.False(_disk.TryLink(At("a"), At("x")));
        _disk.Rename(At("x"), At("b"));
        Assert.Equal(["a", "b"], _disk.List(_root).Order());
        Assert.Empty(_disk.List(At("none")));
        Assert.True(_disk.Delete(At("a")));
        Assert.False(_disk.Delete(At("a")));
        _disk.SyncDirectory(_root);
        Assert.Throws<IOException>(() => _disk.SyncDirectory(At("none")));
    }

    [Fact]
    public void A_link_that_was_made_already_is_known_as_ours()
    {
        // What a repeated NFS request meets: the name is there, and is the same file.
        _disk.Open(At("a"), DiskOpenMode.CreateNew)!.Dispose();
        Assert.True(_disk.TryLink(At("a"), At("b")));
        Assert.True(_disk.TryLink(At("a"), At("b")));
    }

    [Fact]
    public void A_lock_has_one_holder_and_tells_who()
    {
        using (IDisposable? held = _disk.TryLock(At("lock"), "process 12", out _))
        {
            Assert.NotNull(held);
            Assert.Null(_disk.TryLock(At("lock"), "me", out string? holder));
            Assert.Equal("process 12", holder);
        }

        using IDisposable? again = _disk.TryLock(At("lock"), "me", out _);
        Assert.NotNull(again);
        _disk.Delete(At("lock"));
        using IDisposable? other = _disk.TryLock(At("lock"), "other", out _);
        Assert.NotNull(other);
    }

    [Fact]
    public void Space_is_told()
    {
        (long total, long free) = _disk.GetSpace(_root);
        Assert.InRange(free, 0, total);
        Assert.True(total > 1 << 20);
    }

    [SkippableOnDevFullFact]
    public void A_full_device_is_a_full_disk()
    {
        using IDiskFile file = _disk.Open("/dev/full", DiskOpenMode.ReadWrite)!;
        Assert.Equal(28, Assert.Throws<DiskFullException>(() => file.Write(0, new byte[10])).HResult);
    }

    private string At(string name) => Path.Combine(_root, name);

    private sealed class SkippableOnDevFullFactAttribute : FactAttribute
    {
        public SkippableOnDevFullFactAttribute()
        {
            if (!File.Exists("/dev/full"))
            {
                Skip = "There is no /dev/full here.";
            }
        }
    }
}
