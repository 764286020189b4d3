using Drive.Testing;
using static Drive.Testing.Errno;

namespace Drive.Mount.Tests;

/// <summary>What every call that takes a path says of bad paths.</summary>
public abstract partial class MountContract
{
    private static readonly Dictionary<string, Func<string, string, long>> Calls = new()
    {
        ["open"] = (path, _) => OpenAndClose(path, Posix.ReadOnly),
        ["create"] = (path, _) => OpenAndClose(path, Posix.Create | Posix.WriteOnly),
        ["mkdir"] = (path, _) => Posix.MakeDirectory(path),
        ["rmdir"] = (path, _) => Posix.RemoveDirectory(path),
        ["unlink"] = (path, _) => Posix.Unlink(path),
        ["symlink"] = (path, _) => Posix.SymbolicLink("target", path),
        ["link from"] = (path, other) => Posix.Link(path, other + "-new"),
        ["link to"] = (path, other) => Posix.Link(other, path),
        ["rename from"] = (path, other) => Posix.Rename(path, other),
        ["rename to"] = (path, other) => Posix.Rename(other, path),
        ["truncate"] = (path, _) => Posix.SetLength(path, 5),
        ["chmod"] = (path, _) => Posix.ChangeMode(path, 0x1A4),
        ["chown"] = (path, _) => Posix.ChangeOwner(path, 1, 1),
        ["utimens"] = (path, _) => Posix.SetTimes(path, (1, 1), (2, 2)),
        ["stat"] = (path, _) => Posix.GetStatus(path, out FileStatus _),
        ["access"] = (path, _) => Posix.Access(path, 0),
        ["readlink"] = (path, _) => Posix.ReadLink(path, new byte[10]),
        ["mkfifo"] = (path, _) => Posix.MakeNode(path, 0x1000 | 0x1A4),
        ["mknod"] = (path, _) => Posix.MakeNode(path, 0x2000 | 0x1A4, 0x103),
        ["setxattr"] = (path, _) => Posix.SetXattr(path, "user.x", [1]),
        ["getxattr"] = (path, _) => Posix.GetXattr(path, "user.x", new byte[10]),
        ["listxattr"] = (path, _) => Posix.ListXattrs(path, new byte[10]),
        ["removexattr"] = (path, _) => Posix.RemoveXattr(path, "user.x"),
    };

    public static TheoryData<string> CallNames => new(Calls.Keys);

    public static TheoryData<string> CallsOfAUser => new(Calls.Keys.Except(["access"]));

    public static TheoryData<string> CallsOnWhatExists => new(Calls.Keys.Except(["create", "mkdir", "symlink", "mkfifo", "mknod", "link to", "rename to"]));

    public static TheoryData<string> CallsOnNewNames => new("mkdir", "symlink", "mkfifo", "mknod", "link to");

    [Theory]
    [MemberData(nameof(CallNames))]
    public void A_name_of_256_bytes_is_ENAMETOOLONG(string call) => Fails(ENAMETOOLONG, Call(call, At(new string('n', 256))));

    [Theory]
    [MemberData(nameof(CallNames))]
    public void A_path_of_4096_bytes_is_ENAMETOOLONG(string call)
    {
        string path = _directory + string.Concat(Enumerable.Repeat("/.", 4096));
        Fails(ENAMETOOLONG, Call(call, path[..4096]));
    }

    [Theory]
    [MemberData(nameof(CallNames))]
    public void A_path_below_a_file_is_ENOTDIR(string call) => Fails(ENOTDIR, Call(call, MakeFile("file") + "/x"));

    [Theory]
    [MemberData(nameof(CallNames))]
    public void A_path_below_nothing_is_ENOENT(string call) => Fails(ENOENT, Call(call, At("absent/x")));

    [Theory]
    [MemberData(nameof(CallNames))]
    public void A_path_through_a_circle_of_links_is_ELOOP(string call)
    {
        Ok(Posix.SymbolicLink("two", At("one")));
        Ok(Posix.SymbolicLink("one", At("two")));
        Fails(ELOOP, Call(call, At("one/x")));
    }

    // Not access(2): it asks for the real user, who is root here.
    [Theory]
    [MemberData(nameof(CallsOfAUser))]
    public void A_path_through_a_directory_that_may_not_be_searched_is_EACCES(string call)
    {
        MakeDirectory("closed", 0x180);
        MakeFile("closed/x", mode: 0x1FF);
        Ok(Posix.ChangeOwner(At("closed/x"), User, User));
        string other = MakeOther();
        Ok(Posix.ChangeOwner(other, User, User));
        AsUser(() => Fails(EACCES, Calls[call](At("closed/x"), other), call));
    }

    [Theory]
    [MemberData(nameof(CallsOnWhatExists))]
    public void A_missing_name_is_ENOENT(string call) => Fails(ENOENT, Call(call, At("absent")));

    [Theory]
    [MemberData(nameof(CallsOnNewNames))]
    public void A_taken_name_is_EEXIST(string call)
    {
        MakeFile("file");
        MakeDirectory("directory");
        Ok(Posix.SymbolicLink("nowhere", At("link")));
        Fails(EEXIST, Call(call, At("file")));
        Fails(EEXIST, Call(call, At("directory")));
        Fails(EEXIST, Call(call, At("link")));
    }

    [Theory]
    [InlineData("create")]
    [InlineData("mkdir")]
    [InlineData("symlink")]
    [InlineData("link to")]
    [InlineData("rename to")]
    [InlineData("mkfifo")]
    public void Making_a_name_in_a_directory_that_may_not_be_written_is_EACCES(string call)
    {
        MakeDirectory("guarded", 0x1ED);
        string other = MakeOther();
        Ok(Posix.ChangeOwner(other, User, User));
        AsUser(() => Fails(EACCES, Calls[call](At("guarded/x"), other)));
    }

    [Theory]
    [InlineData("unlink")]
    [InlineData("rename from")]
    public void Taking_a_name_from_a_directory_that_may_not_be_written_is_EACCES(string call)
    {
        MakeDirectory("guarded", 0x1ED);
        MakeFile("guarded/x", mode: 0x1FF);
        AsUser(() => Fails(EACCES, Calls[call](At("guarded/x"), At("moved"))));
    }

    [Theory]
    [InlineData("chmod", EPERM)]
    [InlineData("chown", EPERM)]
    [InlineData("utimens", EPERM)]
    [InlineData("truncate", EACCES)]
    [InlineData("setxattr", EACCES)]
    [InlineData("removexattr", EACCES)]
    public void Changing_what_belongs_to_another_is_refused(string call, int errno)
    {
        MakeFile("file", mode: 0x1A4);
        AsUser(() => Fails(errno, Calls[call](At("file"), "")));
    }

    [Fact]
    public void Names_of_255_bytes_are_kept_whatever_their_script()
    {
        foreach (string name in (string[])[new('n', 255), new('é', 127), string.Concat(Enumerable.Repeat("𝄞", 63)), "a\nb\\\"'*?", " ", "con.", "~"])
        {
            MakeFile(name);
            Ok(Posix.GetStatus(At(name), out FileStatus _));
        }

        Assert.Equal(7, Directory.GetFileSystemEntries(_directory).Length);
    }

    [Fact]
    public void A_path_close_to_PATH_MAX_works()
    {
        string path = _directory;
        while (path.Length + 202 < 4095)
        {
            path += "/" + new string('d', 200);
            Ok(Posix.MakeDirectory(path));
        }

        string file = path + "/" + new string('f', 4095 - path.Length - 1);
        Assert.Equal(4095, file.Length);
        Ok(OpenAndClose(file, Posix.Create | Posix.WriteOnly));
        Ok(Posix.GetStatus(file, out FileStatus _));
    }

    [Fact]
    public void A_symbolic_link_holds_4095_bytes()
    {
        string target = new('t', 4095);
        Ok(Posix.SymbolicLink(target, At("longest")));
        byte[] buffer = new byte[5000];
        Assert.Equal(4095, Posix.ReadLink(At("longest"), buffer));
        Assert.Equal(4095, Stat(At("longest")).Size);
        Fails(ENAMETOOLONG, Posix.SymbolicLink(target + "t", At("longer")));
        Fails(ENOENT, Posix.SymbolicLink("", At("empty")));
    }

    [Fact]
    public void A_symbolic_link_is_followed_where_it_should_be()
    {
        MakeFile("target", Pattern(10));
        Ok(Posix.SymbolicLink("target", At("link")));
        Ok(Posix.GetStatus(At("link"), out FileStatus status, follow: true));
        Assert.Equal(10, status.Size);
        Assert.Equal(0xA000u, Stat(At("link")).Mode & 0xF000);
        Assert.Equal(Pattern(10), ReadAll(At("link")));
        Fails(ELOOP, Posix.Open(At("link"), Posix.ReadOnly | Posix.NoFollow));
        Ok(Posix.SymbolicLink("nowhere", At("dangling")));
        Fails(ENOENT, Posix.Open(At("dangling"), Posix.ReadOnly));
        Fails(EEXIST, Posix.Open(At("dangling"), Posix.Create | Posix.Exclusive | Posix.WriteOnly));
        Ok(OpenAndClose(At("dangling"), Posix.Create | Posix.WriteOnly));
        Ok(Posix.GetStatus(At("nowhere"), out FileStatus _));
    }

    private static long OpenAndClose(string path, int flags)
    {
        int descriptor = Posix.Open(path, flags);
        return descriptor < 0 ? descriptor : Posix.Close(descriptor);
    }

    private static void Fails(int errno, long result, string call) => Assert.True(result == -errno, $"{call}: {result} instead of {-errno}");

    private long Call(string call, string path) => Calls[call](path, MakeOther());

    private string MakeOther() => MakeFile($"other{Directory.GetFileSystemEntries(_directory).Length}");
}
