using Drive.Testing;

namespace Drive.Mount.Tests;

/// <summary>Real programs at their daily work in a mounted volume. Each test works in a directory of its own.</summary>
public abstract class ProgramContract : IDisposable
{
    private static int _tests;
    private readonly string _directory;

    protected ProgramContract(MountFixture fixture)
    {
        _directory = $"{fixture.Root}/p{Interlocked.Increment(ref _tests)}";
        Directory.CreateDirectory(_directory);
    }

    public void Dispose()
    {
        Directory.Delete(_directory, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Needs("git")]
    public void Git_commits_branches_clones_by_hard_link_and_collects() => Sh("""
        export HOME="$PWD" GIT_CONFIG_NOSYSTEM=1
        git init -q -b main one && cd one
        git config user.email a@example.org && git config user.name A && git config gc.auto 0
        for i in 1 2 3 4 5 6; do mkdir -p dir$i; seq $((i*1000)) > dir$i/file; ln -s file dir$i/link; done
        chmod +x dir1/file
        git add . && git commit -qm first
        git checkout -qb side && echo side >> dir2/file && git mv dir3 moved && git commit -qam second
        git checkout -q main && git merge -q side
        cd .. && git clone -q --local one two && cd two
        test -z "$(git status --porcelain)" && test -x dir1/file && test -L dir1/link
        git -C ../one gc -q --prune=now && git -C ../one fsck --strict && git fsck --strict
        git pull -q && git log --oneline | grep -q second
        git stash list && git worktree add -q ../three HEAD~1 && test -d ../three/dir3
        """);

    [Needs("tar", "cmp", "diff")]
    public void Tar_keeps_modes_times_links_and_attributes() => Sh("""
        mkdir -p a/sub && seq 5000 > a/file && ln a/file a/hard && ln -s file a/soft && mkfifo a/pipe && chmod 4711 a/file && chmod 1777 a/sub
        chown 12:34 a/sub && touch -d '2001-02-03 04:05:06.123456789' a/file && touch -h -d '1999-01-01' a/soft
        truncate -s 10M a/sparse && echo end >> a/sparse
        tar --xattrs --sparse -cf a.tar a && mkdir b && tar --xattrs --xattrs-include='*' -xpf a.tar -C b
        list() { (cd "$1" && find . -printf '%p %y %m %U:%G %n %s %l %TY-%Tm-%Td %TT\n' | sort); }
        list a > a.list && list b/a > b.list && diff a.list b.list && diff -r --no-dereference -x pipe a b/a
        test "$(stat -c %i b/a/file)" = "$(stat -c %i b/a/hard)"
        """);

    [Needs("rsync")]
    public void Rsync_finds_nothing_to_do_after_a_copy() => Sh("""
        mkdir -p a/sub && seq 5000 > a/file && ln a/file a/hard && ln -s file a/soft && mkfifo a/pipe && chmod 2755 a/sub
        rsync -aHAX --checksum a/ b/
        test -z "$(rsync -aHAX --checksum --itemize-changes --dry-run --delete a/ b/)"
        """);

    [Needs("sqlite3")]
    public void Sqlite_with_a_rollback_journal_and_three_writers() => Sqlite("DELETE");

    [Needs("sqlite3")]
    public void Sqlite_with_a_write_ahead_log_and_three_writers() => Sqlite("WAL");

    [Fact]
    public void An_editor_saves_by_rename_and_by_backup() => Sh("""
        printf 'one\n' > doc && chmod 640 doc && ln doc other
        printf 'two\n' > .doc.swp && mv doc doc~ && cp -p doc~ doc && printf 'two\n' > doc && rm doc~ .doc.swp
        test "$(cat doc)" = two && test "$(cat other)" = one && test "$(stat -c %a doc)" = 640
        printf 'three\n' > doc.tmp && sync doc.tmp && mv doc.tmp doc && test "$(cat doc)" = three
        """);

    [Needs("vim")]
    public void Vim_saves_with_backup_and_swap_file() => Sh("""
        printf 'one\n' > doc && chmod 640 doc
        TERM=dumb vim -es -N -u NONE -i NONE -c 'set backup writebackup backupcopy=no backupskip=' -c '%s/one/two/' -c 'wq' doc < /dev/null
        test "$(cat doc)" = two && test "$(cat doc~)" = one && test "$(stat -c %a doc)" = 640
        """);

    [Needs("zip", "unzip")]
    public void Zip_round_trip() => Sh("""
        mkdir a && seq 20000 > a/text && head -c 300000 /dev/urandom > a/random
        zip -qr a.zip a && unzip -tq a.zip && unzip -q a.zip -d b && diff -r a b/a
        """);

    [Needs("7z")]
    public void SevenZip_round_trip() => Sh("""
        mkdir a && seq 20000 > a/text && head -c 300000 /dev/urandom > a/random
        7z a -bd a.7z a > /dev/null && 7z t -bd a.7z > /dev/null && 7z x -bd -ob a.7z > /dev/null && diff -r a b/a
        """);

    [Needs("dd", "cmp")]
    public void Dd_past_the_page_cache() => Sh("""
        head -c 4194304 /dev/urandom > a
        dd if=a of=b bs=64k oflag=direct conv=fsync status=none && cmp a b
        dd if=b of=c bs=4k iflag=direct status=none && cmp a c
        dd if=a of=b bs=4096 seek=7 skip=3 count=5 oflag=direct conv=notrunc status=none
        cmp -n 20480 -i 12288:28672 a b
        """);

    [Needs("find", "grep", "cp")]
    public void Find_grep_and_cp_over_a_tree() => Sh("""
        for i in $(seq 40); do mkdir -p t/$i/x; for j in 1 2 3 4 5; do echo "line $i $j needle$((i*j))" > t/$i/x/$j; done; done
        test "$(find t -type f | wc -l)" = 200 && test "$(grep -rl 'needle200$' t | wc -l)" = 1
        cp -a t u && diff -r t u && rm -rf t && test ! -e t && test "$(find u -type d | wc -l)" = 81
        """);

    [Fact]
    public void A_script_and_a_binary_run_from_the_volume() => Sh("""
        printf '#!/bin/sh\necho "$1"\n' > script && chmod +x script && test "$(./script hello)" = hello
        cp /bin/echo program && test "$(./program hello)" = hello && rm program script
        """);

    [Needs("npm", "tar")]
    public void Npm_installs_a_local_package() => Sh("""
        export HOME="$PWD/home" npm_config_cache="$PWD/cache" npm_config_update_notifier=false npm_config_audit=false npm_config_fund=false
        mkdir -p package/bin home app && echo '{"name":"tiny","version":"1.0.0","main":"index.js","bin":{"tiny":"bin/run.js"}}' > package/package.json
        echo 'module.exports = 42;' > package/index.js && printf '#!/usr/bin/env node\nconsole.log(require("..") + 1);\n' > package/bin/run.js
        tar -czf tiny.tgz package && cd app && echo '{"name":"app","version":"1.0.0"}' > package.json
        npm install --offline ../tiny.tgz > ../log 2>&1 || { cat ../log >&2; exit 1; }
        test "$(node -p 'require("tiny")')" = 42 && test "$(node_modules/.bin/tiny)" = 43
        """);

    [Needs("dotnet")]
    public void Dotnet_builds_and_runs_a_project() => Sh("""
        export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_HOME="$PWD/home"
        mkdir app && cd app
        printf '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><UseAppHost>false</UseAppHost></PropertyGroup></Project>' > app.csproj
        echo 'System.Console.WriteLine("built");' > Program.cs
        dotnet build -v q --nologo -p:UseSharedCompilation=false > ../log 2>&1 || { cat ../log >&2; exit 1; }
        test "$(dotnet bin/Debug/net10.0/app.dll)" = built
        """);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_reads_writes_maps_cuts_and_holes_agree_with_a_model(int seed) => new FileExerciser(_directory, seed).Run(steps: 800);

    private void Sqlite(string mode)
    {
        Programs.Run("sqlite3", ["db", $"pragma journal_mode={mode}; create table t(writer, number, unique(writer, number));"], _directory);
        System.Diagnostics.Process[] writers =
        [
            .. Enumerable.Range(1, 3).Select(writer => Programs.Start(
                "sqlite3",
                ["-cmd", ".timeout 60000", "db", string.Concat(Enumerable.Range(0, 40).Select(i => $"begin immediate; insert into t values({writer},{i}); commit;"))],
                _directory)),
        ];
        Assert.All(writers, writer => Programs.Finish(writer));
        Assert.Equal("120|3\nok\n", Programs.Run("sqlite3", ["db", "select count(*), count(distinct writer) from t; pragma integrity_check;"], _directory));
    }

    private void Sh(string script) => Programs.Shell(script, _directory);
}

/// <summary>Programs on the machine's own file system: shows that the scripts are right.</summary>
public sealed class NativeProgramTests(NativeDirectoryFixture fixture) : ProgramContract(fixture), IClassFixture<NativeDirectoryFixture>;

/// <summary>Programs on the drive itself.</summary>
public sealed class DriveMountProgramTests(DriveMountFixture fixture) : ProgramContract(fixture), IClassFixture<DriveMountFixture>;
