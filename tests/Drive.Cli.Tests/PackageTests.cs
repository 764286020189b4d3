namespace Drive.Cli.Tests;

/// <summary>The package, built by its one command and used from where it was unpacked.</summary>
[Collection(nameof(MountFactAttribute))]
public sealed class PackageTests
{
    private static readonly string[] Promised =
    [
        "./usr/bin/drive -> ../lib/drive/drive",
        "./usr/sbin/mount.fuse.drive -> ../lib/drive/drive",
        "./usr/lib/drive/drive",
        "./usr/lib/systemd/user/drive@.service",
        "./usr/share/bash-completion/completions/drive",
        "./usr/share/zsh/vendor-completions/_drive",
        "./usr/share/fish/vendor_completions.d/drive.fish",
        "./usr/share/man/man1/drive.1.gz",
    ];

    [PackageFact]
    public void The_package_has_what_is_promised_and_works_where_it_is_unpacked()
    {
        using DriveHome home = new();
        string built = Path.GetDirectoryName(Ran.Drive)!;
        if (built == AppContext.BaseDirectory.TrimEnd('/'))
        {
            // The program without the tests.
            built = Path.Combine(Repository.Root, "src", "Drive.Cli", "bin", Path.GetFileName(Path.GetDirectoryName(built))!, "net10.0");
        }

        string package = Shell.Do(Path.Combine(Repository.Root, "installer", "linux", "build"), "--from", built, home.Root).Output.Trim();

        string[] lines = Shell.Do("dpkg-deb", "-c", package).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(Promised, path => Assert.Contains(lines, line => line.EndsWith(' ' + path, StringComparison.Ordinal)));
        Assert.All(lines, line => Assert.Contains(" root/root ", line, StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.EndsWith(".pdb", StringComparison.Ordinal));
        Assert.All(lines.Where(line => line[0] != 'l'), line => Assert.False(line[5] == 'w' || line[8] == 'w', line));
        Assert.Contains("fuse3", Shell.Do("dpkg-deb", "-f", package, "Depends").Output, StringComparison.Ordinal);

        string tree = Path.Combine(home.Root, "tree");
        Shell.Do("dpkg-deb", "-x", package, tree);
        string drive = Path.Combine(tree, "usr", "bin", "drive");
        Dictionary<string, string> environment = new() { ["DRIVE_HOME"] = home.Home };
        Assert.Equal(Shell.Do("dpkg-deb", "-f", package, "Version").Output, Do(drive, "--version").Output);
        Do(drive, "up", home.Mount);
        File.WriteAllText(Path.Combine(home.Mount, "note"), "kept");
        Do(drive, "umount");

        // As mount(8) calls it, for somebody without an environment.
        environment.Clear();
        Ran helper = Do(Path.Combine(tree, "usr", "sbin", "mount.fuse.drive"), "drive", home.Mount, "-o", $"ro,nosuid,x-later,fsname=theirs,drive_home={home.Home}");
        Assert.Equal(("", ""), (helper.Output, helper.Error));
        Assert.Equal("kept", File.ReadAllText(Path.Combine(home.Mount, "note")));
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(home.Mount, "note"), "changed"));
        Assert.Contains($"theirs {home.Mount} fuse.drive ro,", File.ReadAllText("/proc/mounts"), StringComparison.Ordinal);
        Shell.Do("umount", home.Mount);

        Ran Do(string program, params string[] arguments)
        {
            Ran ran = Shell.Run(program, arguments, environment);
            Assert.True(ran.Code == 0, $"{program} {string.Join(' ', arguments)}: {ran}");
            return ran;
        }
    }
}

/// <summary>A test that builds the package and mounts.</summary>
public sealed class PackageFactAttribute : FactAttribute
{
    public PackageFactAttribute()
    {
        if (!DriveHome.CanMount || Shell.Find("dpkg-deb") is null)
        {
            Skip = "needs /dev/fuse, root and dpkg-deb";
        }
    }
}
