using System.CommandLine;
using System.CommandLine.Help;
using Drive.Cli.Commands;
using Drive.Control;
using Drive.Core.Stores;
using Drive.Core.Volumes;

namespace Drive.Cli;

/// <summary>The <c>drive</c> command: its grammar, and the one place where errors become a line and an exit code.</summary>
internal static class CommandLine
{
    /// <summary>Shown by <c>drive --help</c>.</summary>
    public static IReadOnlyList<string> RootExamples { get; } =
    [
        "drive up                            # first run: makes a vault, prints the recovery key, mounts at ~/Drive",
        "drive status                        # what is only on this machine, what is in the cloud",
        "drive wait && sudo poweroff         # leave when everything is in the store",
        "drive umount drive",
    ];

    /// <summary>The whole grammar.</summary>
    public static RootCommand Build(Terminal terminal)
    {
        RootCommand root = new("Drive: an end-to-end encrypted drive over storage that you already have.");
        root.Subcommands.Add(UpCommand.Build(terminal));
        root.Subcommands.Add(InitCommand.Build(terminal));
        root.Subcommands.Add(MountCommand.Build(terminal));
        root.Subcommands.Add(UmountCommand.Build(terminal));
        root.Subcommands.Add(ListCommand.Build());
        root.Subcommands.Add(StatusCommand.Build());
        root.Subcommands.Add(WaitCommand.Build(terminal));
        root.Subcommands.Add(ConflictsCommand.Build(terminal));
        root.Subcommands.Add(HistoryCommands.BuildHistory());
        root.Subcommands.Add(HistoryCommands.BuildRestore(terminal));
        root.Subcommands.Add(HistoryCommands.BuildUndelete(terminal));
        root.Subcommands.Add(RewindCommands.BuildDiff());
        root.Subcommands.Add(RewindCommands.BuildRewind(terminal));
        root.Subcommands.Add(SnapshotCommand.Build(terminal));
        root.Subcommands.Add(BackupCommand.Build(terminal));
        root.Subcommands.Add(PinCommands.BuildPin(terminal));
        root.Subcommands.Add(PinCommands.BuildUnpin(terminal));
        root.Subcommands.Add(PinCommands.BuildEvict(terminal));
        root.Subcommands.Add(LimitCommand.Build());
        root.Subcommands.Add(GarbageCommand.Build(terminal));
        root.Subcommands.Add(PasswdCommand.Build(terminal));
        root.Subcommands.Add(RecoveryKeyCommand.Build(terminal));
        root.Subcommands.Add(JoinCommand.Build(terminal));
        root.Subcommands.Add(JoinCommand.BuildRecover(terminal));
        root.Subcommands.Add(DeviceCommand.Build(terminal));
        root.Subcommands.Add(RepairCommand.Build(terminal));
        root.Subcommands.Add(CheckCommand.Build(terminal));
        root.Subcommands.Add(DuCommand.Build());
        root.Subcommands.Add(StoreCommand.Build(terminal));
        root.Subcommands.Add(DoctorCommand.Build());
        root.Subcommands.Add(ServeCommand.Build(terminal));
        root.Subcommands.Add(MountHelperCommand.Build(terminal));
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new ExampleHelp((HelpAction)help.Action!);
        return root;
    }

    /// <summary>Runs a command line. Nothing gets out of here but an exit code.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        Terminal terminal = new();
        ParseResult parsed = Parse(Build(terminal), arguments);
        if (parsed.Errors.Count > 0)
        {
            string said = parsed.UnmatchedTokens.Count > 0 ? $"'{parsed.UnmatchedTokens[0]}' makes no sense here" : parsed.Errors[0].Message.TrimEnd('.');
            return Fail(terminal, ExitCode.Usage, $"{said}: see '{Called(parsed.CommandResult.Command)} --help'.");
        }

        int code = await InvokeAsync(parsed, terminal);
        return parsed.CommandResult.Command.Name == MountHelperCommand.Name ? MountHelperCommand.Translate(code) : code;
    }

    /// <summary>Reads a command line. A word that begins with @ is no file of further words: it names a commit.</summary>
    public static ParseResult Parse(RootCommand root, IReadOnlyList<string> arguments) => root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });

    private static async Task<int> InvokeAsync(ParseResult parsed, Terminal terminal)
    {
        try
        {
            // Signals keep their usual meaning: the daemon's host handles them itself, other commands just end.
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (DriveException exception)
        {
            return Fail(terminal, ExitCodes.For(exception.Error), exception.Message);
        }
        catch (StoreException exception)
        {
            return Fail(terminal, ExitCode.StoreUnreachable, exception.Message);
        }
        catch (FsException exception)
        {
            return Fail(terminal, ExitCode.Failed, exception.Message);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Fail(terminal, ExitCode.LocalDisk, exception.Message);
        }
        catch (Exception exception)
        {
            return Fail(terminal, ExitCode.Failed, $"{exception.GetType().Name}: {exception.Message} This is a fault of Drive: please report it.");
        }
    }

    private static int Fail(Terminal terminal, ExitCode code, string message)
    {
        terminal.Say("drive: " + message.ReplaceLineEndings(" "));
        return (int)code;
    }

    private static string Called(Command command) => command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{Called(parent)} {command.Name}" : "drive";
}
