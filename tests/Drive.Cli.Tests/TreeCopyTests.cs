using System.Text;
using Drive.Cli.Copying;
using Drive.Testing;

namespace Drive.Cli.Tests;

/// <summary>What comes off a drive, with cp -a as the judge.</summary>
public sealed class TreeCopyTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("drive-copy-").FullName;

    private string From => Path.Combine(_root, "from");

    private string To => Path.Combine(_root, "to");

    // Not by .NET: it does not delete names that are no text.
    public void Dispose() => Shell.Run("sh", "-c", $"chmod -R u+rwX '{_root}'; rm -rf '{_root}'");

    [Fact]
    public void A_copy_is_what_cp_makes_of_everything_that_a_folder_may_hold()
    {
        Shell.Do("sh", "-c", $"""
            mkdir -p '{From}/deep/er' '{From}/shut' && cd '{From}'
            printf one > text && chmod 4751 text && ln text deep/hard && ln -s ../nowhere deep/soft && : > empty
            truncate -s 7M holes && printf mid | dd of=holes bs=1 seek=3000000 conv=notrunc 2> /dev/null
            truncate -s 1M hollow && head -c 5000000 /dev/urandom > large && mkfifo -m 640 pipe
            printf x > "$(printf 'no\377text')" && printf s > shut/in && setfattr -n user.note -v kept text shut 2> /dev/null
            chmod 2750 deep && chmod 555 shut && ln -s gone link && ln link deep/link2
            touch -h -d '1999-12-31 23:59:59.987654321' text large deep/soft pipe shut deep/er deep .
            """);
        using TreeCopy copy = new(CancellationToken.None);
        copy.Run(From, To);
        Assert.Empty(copy.Errors);
        Shell.Do("cp", "-a", "-T", From, To + "2");
        Assert.Equal(BackupTests.Tree(To + "2"), BackupTests.Tree(To));
        Assert.Equal((4, 12), (copy.Folders, copy.Files));
        Assert.Equal(Blocks("holes", "2"), Blocks("holes", ""));
        Assert.Equal(Notes(To + "2"), Notes(To));
    }

    [Fact]
    public void Access_lists_are_those_of_the_source_and_none_comes_from_where_the_copy_lies()
    {
        // rwx for the owner and user 1000, the rest as in 0755.
        byte[] list = Convert.FromHexString("0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff");
        Shell.Do("sh", "-c", $"mkdir -p '{From}/plain/in' '{From}/own' && cd '{From}' && echo x > plain/file && echo y > listed && ln -s gone link && mkfifo pipe && chmod 640 plain/file");
        Assert.Equal(0, Posix.SetXattr(Path.Combine(From, "own"), "system.posix_acl_default", list));
        Assert.Equal(0, Posix.SetXattr(Path.Combine(From, "listed"), "system.posix_acl_access", list));
        File.WriteAllText(Path.Combine(From, "own", "heir"), "z");
        Assert.Equal(0, Posix.SetXattr(_root, "system.posix_acl_default", list));
        using TreeCopy copy = new(CancellationToken.None);
        copy.Run(From, To);
        Assert.Empty(copy.Errors);
        Shell.Do("cp", "-a", "-T", From, To + "2");
        Assert.Equal(BackupTests.Tree(To + "2"), BackupTests.Tree(To));
        Assert.Contains("posix_acl_default", Notes(To), StringComparison.Ordinal);
        Assert.Equal(Notes(From), Notes(To));
        Assert.Equal(Notes(To + "2"), Notes(To));
    }

    [Fact]
    public void One_file_or_link_is_copied_as_well()
    {
        Directory.CreateDirectory(_root);
        File.WriteAllText(From, "content");
        using TreeCopy copy = new(CancellationToken.None);
        copy.Run(From, To);
        Assert.Equal("content", File.ReadAllText(To));
        Assert.Equal((1, 0, 7), (copy.Files, copy.Folders, copy.Bytes));
    }

    [Fact]
    public void What_cannot_be_copied_is_told_and_the_rest_comes()
    {
        Directory.CreateDirectory(From);
        File.WriteAllText(Path.Combine(From, "a"), "a");
        File.WriteAllText(Path.Combine(From, "b"), "b");
        using (TreeCopy copy = new(CancellationToken.None))
        {
            copy.Run(From, Path.Combine(_root, "missing", "to"));
            Assert.Contains("No such file", Assert.Single(copy.Errors), StringComparison.Ordinal);
        }

        using TreeCopy whole = new(CancellationToken.None);
        whole.Run(From, To);
        Assert.Empty(whole.Errors);
        using TreeCopy again = new(CancellationToken.None);
        again.Run(Path.Combine(From, "a"), Path.Combine(To, "a"));
        Assert.Contains("exists", Assert.Single(again.Errors), StringComparison.Ordinal);
        Assert.Equal("a", File.ReadAllText(Path.Combine(To, "a")));
    }

    [Fact]
    public void A_copy_that_is_ended_stops()
    {
        Directory.CreateDirectory(From);
        for (int i = 0; i < 1000; i++)
        {
            File.WriteAllText(Path.Combine(From, $"{i}"), "x");
        }

        using CancellationTokenSource ending = new();
        ending.Cancel();
        using TreeCopy copy = new(ending.Token);
        Assert.Throws<OperationCanceledException>(() => copy.Run(From, To));
        Assert.False(Directory.Exists(To));
    }

    [Fact]
    public void A_copy_that_is_ended_in_the_midst_of_a_file_stops()
    {
        Directory.CreateDirectory(From);
        Shell.Do("fallocate", "-l", "1G", Path.Combine(From, "large"));
        using CancellationTokenSource ending = new();
        using TreeCopy copy = new(ending.Token);
        Task run = Task.Run(() => copy.Run(From, To));
        DriveHome.Eventually(() => new FileInfo(Path.Combine(To, "large")) is { Exists: true, Length: > 0 }, "it begins");
        ending.Cancel();
        Assert.Throws<OperationCanceledException>(() => run.GetAwaiter().GetResult());
        Assert.True(new FileInfo(Path.Combine(To, "large")).Length < 1 << 30);
    }

    private string Blocks(string name, string suffix) => Shell.Do("stat", "-c", "%b", Path.Combine(To + suffix, name)).Output;

    /// <summary>Extended attributes of all that has a name of text.</summary>
    private static string Notes(string top)
    {
        byte[] bytes = new byte[65_536];
        StringBuilder lines = new();
        foreach (string path in Directory.GetFileSystemEntries(top, "*", SearchOption.AllDirectories).Append(top).Order(StringComparer.Ordinal))
        {
            string names = Encoding.UTF8.GetString(bytes, 0, Math.Max(0, Posix.ListXattrs(path, bytes)));
            foreach (string name in names.Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal))
            {
                lines.AppendLine($"{Path.GetRelativePath(top, path)} {name}={Convert.ToHexString(bytes.AsSpan(0, Posix.GetXattr(path, name, bytes)))}");
            }
        }

        return lines.ToString();
    }
}
