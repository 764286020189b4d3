using Drive.Testing;
using static Drive.Testing.Errno;

namespace Drive.Mount.Tests;

/// <summary>
/// What programs may expect of a mounted volume, asked of the real kernel by system calls: errors, permissions of other users, links, times,
/// holes, mappings, locks. Works in a directory of its own for each test. Needs root, since it turns into other users. Split by aspect
/// into the files of <c>Contract/</c>.
/// </summary>
public abstract partial class MountContract : IDisposable
{
    private const uint User = 65534;
    private const uint OtherUser = 65533;
    private static int _tests;
    private readonly string _directory;

    protected MountContract(MountFixture fixture)
    {
        _directory = $"{fixture.Root}/t{Interlocked.Increment(ref _tests)}";
        Ok(Posix.MakeDirectory(_directory));
        Ok(Posix.ChangeMode(_directory, 0x1FF));
    }

    public void Dispose()
    {
        Directory.Delete(_directory, recursive: true);
        GC.SuppressFinalize(this);
    }

    private static void Ok(long result) => Assert.True(result >= 0, $"errno {-result}");

    private static void Fails(int errno, long result) => Assert.Equal(-errno, result);

    private static byte[] Pattern(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static FileStatus Stat(string path)
    {
        Ok(Posix.GetStatus(path, out FileStatus status));
        return status;
    }

    private static FileStatus Stat(int descriptor)
    {
        Ok(Posix.GetStatus(descriptor, out FileStatus status));
        return status;
    }

    private static uint Permissions(string path) => Stat(path).Mode & 0xFFF;

    private static void Use(int descriptor, Action<int> use)
    {
        Ok(descriptor);
        try
        {
            use(descriptor);
        }
        finally
        {
            Posix.Close(descriptor);
        }
    }

    private static byte[] ReadAll(string path) => File.ReadAllBytes(path);

    private string At(string name) => $"{_directory}/{name}";

    private string MakeFile(string name, byte[]? content = null, uint mode = 0x1A4)
    {
        Use(Posix.Open(At(name), Posix.Create | Posix.Exclusive | Posix.WriteOnly), descriptor =>
        {
            if (content is not null)
            {
                Assert.Equal(content.Length, Posix.WriteAt(descriptor, content, 0));
            }
        });
        Ok(Posix.ChangeMode(At(name), mode));
        return At(name);
    }

    private string MakeDirectory(string name, uint mode = 0x1ED, uint owner = 0)
    {
        Ok(Posix.MakeDirectory(At(name)));
        Ok(Posix.ChangeOwner(At(name), owner, owner));
        Ok(Posix.ChangeMode(At(name), mode));
        return At(name);
    }

    private static void AsUser(Action action) => Posix.AsUser(User, User, action);

    /// <summary>
    /// Runs a call when the kernel's clock of file times has passed those of the node, and holds which times the call marked.
    /// </summary>
    private static void AssertMarks(string path, bool modify, bool change, Action call)
    {
        FileStatus before = Stat(path);
        WaitUntilAfter(Math.Max(before.ModifyTime, before.ChangeTime));
        call();
        FileStatus after = Stat(path);
        Assert.True(modify ? after.ModifyTime > before.ModifyTime : after.ModifyTime == before.ModifyTime, $"mtime {before} {after}");
        Assert.True(change ? after.ChangeTime > before.ChangeTime : after.ChangeTime == before.ChangeTime, $"ctime {before} {after}");
    }

    private static void WaitUntilAfter(long time)
    {
        while (Posix.CoarseClock() <= time)
        {
            Thread.Yield();
        }
    }
}
