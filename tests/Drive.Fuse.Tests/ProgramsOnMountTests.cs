using System.Globalization;

namespace Drive.Fuse.Tests;

/// <summary>Programs as people use them, on a real mount.</summary>
public abstract class ProgramsOnMountTests(FuseTransport transport) : MountTests(transport)
{
    [MountFact]
    public async Task A_file_is_written_read_and_shown()
    {
        await using MountFixture mount = await MountFixture.MountAsync();
        string output = await mount.RunAsync("echo hello > a; cat a; mkdir d; ln -s ../a d/l; cat d/l; ln a b; stat -c '%h %s %F' a; mount | grep drive-test");
        Assert.StartsWith("hello\nhello\n2 6 regular file\ndrive-test on ", output, StringComparison.Ordinal);
        Assert.Contains("type fuse.drive (rw,nosuid,nodev,", output, StringComparison.Ordinal);
        Assert.Contains("default_permissions", output, StringComparison.Ordinal);
    }

    [MountFact]
    public async Task Trees_survive_cp_and_tar()
    {
        await using MountFixture mount = await MountFixture.MountAsync();
        await mount.RunAsync("""
            mkdir -p src/a/b; for i in $(seq 200); do head -c $((i * 37)) /dev/urandom > src/a/f$i; done
            ln -s f1 src/a/link; mkfifo src/a/b/pipe; chmod 750 src/a/b; touch -d @1234567890.5 src/a/f7
            cp -a src copy; diff -r --no-dereference src/a copy/a 2>&1 | grep -v 'is a fifo' || true
            tar cf t.tar src; mkdir x; tar xf t.tar -C x; rm x/src/a/b/pipe src/a/b/pipe; diff -r --no-dereference src x/src
            test "$(stat -c %.1Y copy/a/f7)" = 1234567890.5; test "$(stat -c %a copy/a/b)" = 750; rm -rf src copy x; test "$(ls)" = t.tar
            """);
    }

    [MountFact]
    public async Task A_git_repository_lives_here()
    {
        await using MountFixture mount = await MountFixture.MountAsync();
        await mount.RunAsync("""
            export HOME=$PWD GIT_CONFIG_NOSYSTEM=1; git init -q r; cd r; git config user.email a@b; git config user.name a
            for i in $(seq 50); do echo $i > f$i; done; git add .; git commit -qm one; git mv f1 g1; echo more >> f2; git commit -qam two
            git gc -q; git fsck --strict; test "$(git status --porcelain)" = ""; git checkout -q HEAD~1; test -f f1; test ! -f g1
            """);
    }

    [MountFact]
    public async Task Large_files_come_back_whole_buffered_and_direct()
    {
        await using MountFixture mount = await MountFixture.MountAsync();
        await mount.RunAsync("""
            head -c 20000000 /dev/urandom > /tmp/drive-fuse-random.$$; cp /tmp/drive-fuse-random.$$ a; cmp /tmp/drive-fuse-random.$$ a
            dd if=a of=b bs=1M oflag=direct conv=fsync status=none iflag=fullblock 2>/dev/null || dd if=a of=b bs=1M conv=fsync status=none
            dd if=a of=c bs=4096 count=1000 oflag=direct status=none; dd if=c of=/tmp/drive-fuse-c.$$ bs=64k iflag=direct status=none
            cmp -n 4096000 a /tmp/drive-fuse-c.$$; cmp a b; rm /tmp/drive-fuse-random.$$ /tmp/drive-fuse-c.$$
            truncate -s 5 a; test "$(wc -c < a)" = 5; echo x >> a; test "$(wc -c < a)" = 7
            """);
    }

    [MountFact]
    public async Task Sixteen_programs_work_side_by_side()
    {
        await using MountFixture mount = await MountFixture.MountAsync();
        string output = await mount.RunAsync("""
            for p in $(seq 16); do ( mkdir p$p; for i in $(seq 40); do echo $p-$i > p$p/f$i; mv p$p/f$i p$p/g$i; cat p$p/g$i; echo $p >> log; done > out$p ) & done; wait
            cat out* | sort -u | wc -l; wc -l < log
            """);
        Assert.Equal("640\n640\n", output);
    }

    [MountFact]
    public async Task Set_user_id_and_devices_work_only_when_asked_for()
    {
        await using (MountFixture mount = await MountFixture.MountAsync("suid,dev"))
        {
            await mount.RunAsync("mknod null c 1 3; echo x > null; test ! -s null; test \"$(stat -c %t:%T null)\" = 1:3; touch s; chmod 4755 s; test \"$(stat -c %a s)\" = 4755; chown 1:1 s; test \"$(stat -c %a s)\" = 755");
        }

        await using MountFixture safe = await MountFixture.MountAsync();
        (int code, _) = await safe.TryRunAsync("mknod null c 1 3; echo x > null");
        Assert.NotEqual(0, code);
    }

    [MountFact]
    public async Task The_mode_is_seen_without_its_privileges_as_soon_as_somebody_else_changed_the_content()
    {
        await using MountFixture mount = await MountFixture.MountAsync("suid,allow_other");
        string output = await mount.RunAsync("""
            chmod 755 ..; as() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
            try() { echo content > f; chmod 6777 f; stat -c %a f; as sh -c "$1"; stat -c %a f; rm f; }
            try 'echo more >> f'; try ': > f'; try 'dd if=/dev/zero of=f bs=4096 count=1 oflag=direct conv=notrunc status=none'
            try 'fallocate -l 9999 f'; try 'fallocate -p -l 4 f'
            """);
        Assert.Equal(string.Concat(Enumerable.Repeat("6777\n777\n", 5)), output);
    }

    [MountFact]
    public async Task Other_options_reach_the_kernel()
    {
        await using MountFixture mount = await MountFixture.MountAsync("noatime,noexec", "ro");
        (int code, string output) = await mount.TryRunAsync("mount | grep drive-test; touch a");
        Assert.NotEqual(0, code);
        Assert.Contains("(ro,nosuid,nodev,noexec,noatime,", output, StringComparison.Ordinal);
        Assert.Contains("Read-only file system", output, StringComparison.Ordinal);
    }

    [MountFact]
    public async Task Listings_of_large_directories_are_whole_and_names_can_be_long()
    {
        await using MountFixture mount = await MountFixture.MountAsync();
        string output = await mount.RunAsync("""
            seq 3000 | sed 's/^/file-with-a-name-/' | xargs touch; ls | wc -l; ls -l | wc -l; ls -U | sort -u | wc -l
            n=$(printf 'x%.0s' $(seq 255)); touch $n; test -f $n; ! touch ${n}y 2>/dev/null; ls | wc -l
            """);
        Assert.Equal("3000\n3001\n3000\n3001\n", output);
    }

    [MountFact]
    public async Task Forgets_by_the_thousand_empty_the_table()
    {
        const int Files = 5000;
        await using MountFixture mount = await MountFixture.MountAsync();
        await mount.RunAsync(string.Create(CultureInfo.InvariantCulture, $"for d in 1 2 3 4 5; do mkdir d$d; (cd d$d; seq {Files / 5} | xargs touch); done; ls -lR > /dev/null"));
        Assert.True(mount.Session.Connection.Nodes.Count > Files);
        await mount.RunAsync("cd /; sync -f .; echo 2 > /proc/sys/vm/drop_caches");
        await Eventually.TrueAsync(() => mount.Session.Connection.Nodes.Count < Files / 10);
        await mount.RunAsync("ls -lR | grep -c root");
    }
}
