namespace Drive.Cli.Tests;

public sealed class RefusalTests
{
    [Theory]
    [InlineData(2, "bogus")]
    [InlineData(2, "mount")]
    [InlineData(2, "mount", "nope", "/nowhere", "-o", "frobnicate")]
    [InlineData(2, "init", "s3://bucket/x")]
    [InlineData(2, "init", "/tmp/x", "--name", "no/slash")]
    [InlineData(2, "wait", "--timeout", "soon")]
    [InlineData(4, "mount", "nope", "/nowhere")]
    [InlineData(4, "status")]
    [InlineData(4, "status", "nope")]
    [InlineData(4, "status", "/etc/passwd")]
    [InlineData(4, "wait")]
    [InlineData(4, "umount", "/usr")]
    [InlineData(32, "mount.fuse.drive", "nope", "/nowhere")]
    public void Nonsense_gets_its_exit_code_and_one_line(int code, params string[] arguments)
    {
        using DriveHome home = new();
        Ran ran = home.Run(arguments);
        Assert.Equal(code, ran.Code);
        Assert.Equal("", ran.Output);
        Assert.Single(ran.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("drive: ", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_no_vault_is_refused_before_anybody_types_a_key()
    {
        using DriveHome home = new();
        Ran ran = home.Run("recover", home.Mount);
        Assert.Equal((int)ExitCode.BadVault, ran.Code);
        Assert.Contains("holds no vault", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_with_other_things_in_it_gets_no_vault()
    {
        using DriveHome home = new();
        File.WriteAllText(Path.Combine(home.Mount, "thesis.txt"), "years of work");
        Ran ran = home.Run("init", home.Mount);
        Assert.Equal((int)ExitCode.BadVault, ran.Code);
        Assert.Equal(["thesis.txt"], Directory.EnumerateFileSystemEntries(home.Mount).Select(Path.GetFileName));
    }

    [Fact]
    public void Init_prints_the_recovery_key_alone_and_keeps_the_keys_to_their_owner()
    {
        using DriveHome home = new();
        Ran ran = home.Do("init", Path.Combine(home.Root, "store"));
        Assert.Matches("^[0-9A-Z]{5}(-[0-9A-Z]{5}){10}\n$", ran.Output);
        string key = Path.Combine(home.Home, "config", "keys", "drive.key");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(key)!));
        Assert.Contains(key, ran.Error, StringComparison.Ordinal);
        Assert.Equal((int)ExitCode.InUse, home.Run("init", Path.Combine(home.Root, "other")).Code);
        Assert.Equal((int)ExitCode.InUse, home.Run("init", Path.Combine(home.Root, "store"), "--name", "second").Code);
    }

    [Fact]
    public void A_mount_point_that_is_missing_full_or_a_file_is_refused()
    {
        using DriveHome home = new();
        home.Do("init", Path.Combine(home.Root, "store"));
        string full = Directory.CreateDirectory(Path.Combine(home.Root, "full")).FullName;
        string file = Path.Combine(full, "file");
        File.WriteAllText(file, "");
        foreach ((string path, string word) in new[] { (Path.Combine(home.Root, "missing"), "does not exist"), (full, "not empty"), (file, "is a file") })
        {
            Ran ran = home.Run("mount", "drive", path);
            Assert.Equal((int)ExitCode.BadMountPoint, ran.Code);
            Assert.Contains(word, ran.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_doctor_works_on_a_machine_that_has_nothing()
    {
        using DriveHome home = new();
        Ran ran = home.Run("doctor", "--json");
        Assert.Contains("\"subject\":\"sqlite\"", ran.Output, StringComparison.Ordinal);
        Assert.Contains("\"subject\":\"fuse\"", ran.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.Exists(home.Home) ? Directory.EnumerateFileSystemEntries(home.Home) : []);
    }
}
