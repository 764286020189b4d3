namespace Drive.Cli.Tests;

/// <summary>Drive as somebody who is not root has it: mounted by fusermount3, and told what is in the way.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class OrdinaryUserTests : IDisposable
{
    private const string User = "65534";
    private readonly string _root = Directory.CreateTempSubdirectory("drive-user-").FullName;
    private readonly string _mount;
    private readonly string _program;
    private string _path = Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin";

    public OrdinaryUserTests()
    {
        _mount = Path.Combine(_root, "mount");
        _program = Path.Combine(_root, "program", "drive");
    }

    [OrdinaryUserFact]
    public void Somebody_who_is_not_root_mounts_uses_loses_and_finds_a_drive()
    {
        Prepare();
        Ran up = Drive("up", _mount);
        if ((File.GetUnixFileMode("/dev/fuse") & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) == 0)
        {
            Assert.Equal((int)ExitCode.NoFuse, up.Code);
            Assert.Contains("chmod 666 /dev/fuse", up.Error, StringComparison.Ordinal);
            Assert.Contains("chmod 666 /dev/fuse", Drive("doctor").Output, StringComparison.Ordinal);
            return;
        }

        Assert.True(up.Code == 0, up.ToString());
        Assert.Equal(0, Drive("doctor").Code);
        DoInShell($"echo kept > {_mount}/a && sync {_mount}/a");
        Assert.Contains("\"localOnly\"", Drive("status", "--json").Output, StringComparison.Ordinal);

        foreach (string way in new[] { $"fusermount3 -u {_mount}", $"kill -9 $({_program} status --json | grep -o '\"pid\":[0-9]*' | cut -d: -f2)" })
        {
            DoInShell(way);
            Assert.Equal(0, Drive("up").Code);
            Assert.Equal("kept\n", DoInShell($"cat {_mount}/a").Output);
        }

        Assert.Equal(0, Drive("wait", "--timeout", "80").Code);
        Assert.Equal(0, Drive("umount").Code);

        if (!File.ReadLines("/etc/fuse.conf").Contains("user_allow_other"))
        {
            Ran refused = Drive("up", "--allow-other");
            Assert.Equal((int)ExitCode.NoFuse, refused.Code);
            Assert.Contains("user_allow_other", refused.Error, StringComparison.Ordinal);
        }

        _path = _root;
        Ran missing = Drive("up");
        Assert.Equal((int)ExitCode.NoFuse, missing.Code);
        Assert.Contains("package fuse3", missing.Error, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        if (Directory.Exists(Path.GetDirectoryName(_program)))
        {
            _path = Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin";
            Drive("umount");
        }

        Directory.Delete(_root, recursive: true);
    }

    private static Ran AsUser(string path, string home, params string[] command) => Shell.Run(
        Shell.Find("setpriv")!,
        ["--reuid", User, "--regid", User, "--clear-groups", "--", .. command],
        new Dictionary<string, string> { ["HOME"] = home, ["DRIVE_HOME"] = Path.Combine(home, "home"), ["PATH"] = path });

    private Ran Drive(params string[] arguments) => AsUser(_path, _root, [_program, .. arguments]);

    private Ran DoInShell(string script)
    {
        Ran ran = AsUser(_path, _root, "/bin/sh", "-c", script);
        Assert.True(ran.Code == 0, $"{script}: {ran}");
        return ran;
    }

    // The sources may lie where nobody else may look.
    private void Prepare()
    {
        Shell.Do("cp", "-r", Path.GetDirectoryName(Ran.Drive)!, Path.GetDirectoryName(_program)!);
        Directory.CreateDirectory(_mount);
        Shell.Do("chown", "-R", $"{User}:{User}", _root);
        Shell.Do("chmod", "-R", "a+rX", _root);
    }
}

/// <summary>A test that becomes an ordinary user and mounts with fusermount3.</summary>
public sealed class OrdinaryUserFactAttribute : FactAttribute
{
    public OrdinaryUserFactAttribute()
    {
        if (!DriveHome.CanMount || Shell.Find("fusermount3") is null || Shell.Find("setpriv") is null)
        {
            Skip = "needs /dev/fuse, root, fusermount3 and setpriv";
        }
    }
}
