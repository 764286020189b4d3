using System.CommandLine;
using System.CommandLine.Parsing;
using Drive.Control;

namespace Drive.Cli.Tests;

public sealed class GrammarTests
{
    private static readonly RootCommand Root = CommandLine.Build(new Terminal());

    public static TheoryData<string> Examples()
    {
        HashSet<string> lines = [];
        foreach (string line in Root.Subcommands.Concat(Root.Subcommands.SelectMany(static command => command.Subcommands)).OfType<ExampleCommand>().SelectMany(command => command.Examples).Concat(CommandLine.RootExamples))
        {
            string command = line.Split('#')[0].Split("&&")[0].Split("||")[0].Split('|')[0].Split('<')[0].Split('>')[0].Trim();
            if (command.StartsWith("drive ", StringComparison.Ordinal))
            {
                lines.Add(command["drive ".Length..]);
            }
        }

        return [.. lines];
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Every_example_of_the_help_is_a_line_that_the_grammar_takes(string line) => Assert.Empty(CommandLine.Parse(Root, [.. CommandLineParser.SplitCommandLine(line)]).Errors);

    [Fact]
    public void Every_command_has_a_description_and_all_that_people_see_have_examples()
    {
        Assert.All(Root.Subcommands, command => Assert.False(string.IsNullOrEmpty(command.Description)));
        Assert.All(Root.Subcommands.Where(command => !command.Hidden), command => Assert.NotEmpty(Assert.IsType<ExampleCommand>(command).Examples));
    }

    [Fact]
    public void The_commands_are_those_that_are_promised() => Assert.Equal(
        ["up", "init", "mount", "umount", "list", "status", "wait", "conflicts", "history", "restore", "undelete", "diff", "rewind", "snapshot", "backup", "pin", "unpin", "evict", "limit", "gc", "passwd", "recovery-key", "join", "recover", "device", "repair", "check", "du", "store", "doctor", "serve"],
        Root.Subcommands.Where(command => !command.Hidden).Select(command => command.Name));

    [Fact]
    public void Every_error_has_an_exit_code_of_its_own_that_the_help_explains()
    {
        ExitCode[] codes = [.. Enum.GetValues<DriveError>().Select(ExitCodes.For)];
        Assert.Equal(codes.Length, codes.Distinct().Count());
        Assert.DoesNotContain(ExitCode.Done, codes);
        Assert.Equal(Enum.GetValues<ExitCode>(), ExitCodes.All.Select(row => row.Code));
    }

    [Fact]
    public void The_exit_codes_in_the_manual_are_the_programs()
    {
        string manual = File.ReadAllText(Path.Combine(Repository.Root, "docs", "operating.md"));
        Assert.All(ExitCodes.All, row => Assert.Contains($"| {(int)row.Code} | {row.Meaning} |", manual, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("20G", 20L << 30)]
    [InlineData("500M", 500L << 20)]
    [InlineData("1.5GiB", 3L << 29)]
    [InlineData("64kb", 64L << 10)]
    [InlineData("123", 123L)]
    public void Sizes_are_read_as_people_write_them(string text, long bytes) => Assert.Equal(bytes, Quantity.ParseBytes(text));

    [Theory]
    [InlineData("")]
    [InlineData("G")]
    [InlineData("-1")]
    [InlineData("0")]
    [InlineData("12X")]
    [InlineData("9999999999P")]
    public void What_is_no_size_is_none(string text) => Assert.Null(Quantity.ParseBytes(text));

    [Theory]
    [InlineData("90", 90)]
    [InlineData("90s", 90)]
    [InlineData("5m", 300)]
    [InlineData("2h", 7200)]
    public void Times_are_read_as_people_write_them(string text, int seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), Quantity.ParseTime(text));

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("3x")]
    [InlineData("-5")]
    [InlineData("99999h")]
    public void What_is_no_time_is_none(string text) => Assert.Null(Quantity.ParseTime(text));

    [Fact]
    public void Options_of_fstab_are_taken_apart()
    {
        MountOptions options = MountOptions.Parse(["rw,noauto,user,_netdev,x-systemd.automount,allow_other", "fsname=work,nodev,ro,cache_size=2G"]);
        Assert.True(options.ReadOnly);
        Assert.True(options.AllowOther);
        Assert.Equal("work", options.FsName);
        Assert.Equal(2L << 30, options.CacheLimitBytes);
        Assert.Equal(["nodev"], options.Kernel);
    }

    [Fact]
    public void The_way_of_the_requests_is_an_option_like_those_of_the_kernel()
    {
        Assert.Equal(["transport=uring", "allow_uring"], MountOptions.Parse(["transport=uring,allow_uring"]).Kernel);
        Assert.Throws<DriveException>(() => MountOptions.Parse(["transport=pigeon"]));
    }

    [Fact]
    public void An_option_that_nobody_knows_is_refused()
    {
        DriveException refusal = Assert.Throws<DriveException>(() => MountOptions.Parse(["allow_othr"]));
        Assert.Equal(DriveError.Usage, refusal.Error);
        Assert.Contains("allow_othr", refusal.Message, StringComparison.Ordinal);
    }
}
