namespace Drive.Cli.Tests;

public sealed class RefusalTests
{
    // In the vault's header, behind the eight bytes that say what it is: see docs/format.md.
    private const int VersionOffset = 9;

    [Theory]
    [InlineData(2, "bogus")]
    [InlineData(2, "mount")]
    [InlineData(2, "mount", "nope", "/nowhere", "-o", "frobnicate")]
    [InlineData(2, "init", "ftp://host/x")]
    [InlineData(2, "init", "s3://Bucket/x")]
    [InlineData(2, "init", "file:///tmp/x?latency=soon")]
    [InlineData(2, "init", "/tmp/x", "--name", "no/slash")]
    [InlineData(2, "wait", "--timeout", "soon")]
    [InlineData(2)]
    [InlineData(2, "mount", "nope", "/nowhere", "extra")]
    [InlineData(2, "mount", "nope", "/nowhere", "--cache-size", "huge")]
    [InlineData(2, "umount", "--timeout", "5")]
    [InlineData(2, "up", "--name", "a b/c")]
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

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"version\":1}")]
    [InlineData("{\"version\":1,\"vaults\":[null]}")]
    [InlineData("{\"version\":1,\"vaults\":[{}]}")]
    [InlineData("{\"version\":1,\"vaults\":[{\"name\":\"drive\",\"store\":\"/x\",\"vaultId\":\"../../etc\",\"keys\":\"File\"}]}")]
    [InlineData("{\"version\":99,\"vaults\":[]}")]
    public void Settings_that_make_no_sense_are_named_and_left_alone(string content)
    {
        using DriveHome home = new();
        string file = Path.Combine(home.Home, "config", "vaults.json");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
        AssertRefused(home.Run("mount", "drive", home.Mount), ExitCode.Failed, file);
        Assert.Contains(file, home.Run("doctor").Output, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(file));
    }

    [Fact]
    public void A_vault_that_is_newer_damaged_or_gone_is_refused_and_the_doctor_says_so()
    {
        using DriveHome home = new();
        string store = Path.Combine(home.Root, "store");
        string recoveryKey = home.Do("init", store).Output;
        string vault = Path.Combine(store, "vault");
        byte[] good = File.ReadAllBytes(vault);
        File.SetUnixFileMode(vault, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        byte[] newer = [.. good];
        newer[VersionOffset]++;
        foreach ((byte[] content, string word) in new[] { (newer, "newer"), ((byte[])[.. "junk"u8], "not a vault"), ([], "not a vault") })
        {
            File.WriteAllBytes(vault, content);
            AssertRefused(home.Run("mount", "drive", home.Mount), ExitCode.BadVault, word);
            using DriveHome other = new();
            AssertRefused(other.RunWith(recoveryKey, "recover", store), ExitCode.BadVault, word);
            Ran doctor = home.Run("doctor");
            Assert.Equal((int)ExitCode.No, doctor.Code);
            Assert.Contains(word, doctor.Output, StringComparison.Ordinal);
        }

        File.Delete(vault);
        AssertRefused(home.Run("mount", "drive", home.Mount), ExitCode.BadVault, "does not hold the vault");
    }

    [Fact]
    public void A_key_that_is_wrong_is_refused_with_what_to_do()
    {
        using DriveHome home = new();
        string store = Path.Combine(home.Root, "store");
        string recoveryKey = home.Do("init", store).Output.Trim();
        using (DriveHome other = new())
        {
            string slip = (recoveryKey[0] == '7' ? '8' : '7') + recoveryKey[1..];
            AssertRefused(other.RunWith(slip, "recover", store), ExitCode.WrongSecret, "Compare it with what you wrote down");
            AssertRefused(other.RunWith("", "recover", store), ExitCode.WrongSecret, "nothing came from standard input");
            AssertRefused(other.Run("recover", Path.Combine(home.Root, "nowhere")), ExitCode.StoreUnreachable, "nowhere");
            Ran typed = other.RunWith(recoveryKey.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal), "recover", store);
            Assert.True(typed.Code == 0, typed.ToString());
        }

        string file = Path.Combine(home.Home, "config", "keys", "drive.key");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        AssertRefused(home.Run("mount", "drive", home.Mount), ExitCode.WrongSecret, "chmod 600");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(file, "junk");
        AssertRefused(home.Run("mount", "drive", home.Mount), ExitCode.WrongSecret, "Recover the vault");
        File.Delete(file);
        AssertRefused(home.Run("mount", "drive", home.Mount), ExitCode.WrongSecret, "drive recover");
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

    private static void AssertRefused(Ran ran, ExitCode code, string word)
    {
        Assert.True(ran.Code == (int)code, ran.ToString());
        Assert.Equal("", ran.Output);
        Assert.Single(ran.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(word, ran.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("fault of Drive", ran.Error, StringComparison.Ordinal);
    }
}
