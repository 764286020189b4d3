using System.CommandLine;
using System.Text.Json;
using Drive.Control;

namespace Drive.Cli.Commands;

/// <summary><c>drive snapshot create | list | delete</c>: states with a name, which are kept until the name is taken away.</summary>
internal static class SnapshotCommand
{
    public static Command Build(Terminal terminal)
    {
        ExampleCommand command = new(
            "snapshot",
            "Name states of a drive, so that they are kept.",
            "drive snapshot create before-the-move",
            "drive snapshot list",
            "ls ~/Drive/.snapshots/before-the-move",
            "drive snapshot delete before-the-move");
        command.Subcommands.Add(BuildCreate(terminal));
        command.Subcommands.Add(BuildList());
        command.Subcommands.Add(BuildDelete(terminal));
        return command;
    }

    private static ExampleCommand BuildCreate(Terminal terminal)
    {
        Argument<string?> name = new("NAME") { Description = "Its name; one with the time when left out.", Arity = ArgumentArity.ZeroOrOne };
        ExampleCommand command = new("create", "Name the drive as it is now. Waits until all of it is in the store; refused while the store is away.", "drive snapshot create", "drive snapshot create before-the-move --drive work");
        command.Arguments.Add(name);
        Option<bool> json = new("--json") { Description = "Print JSON." };
        command.Options.Add(json);
        return WithDrive(command, async (parsed, drive, cancellationToken) =>
        {
            SnapshotInfo made = await drive.NameSnapshotAsync(new SnapshotRequest(parsed.GetValue(name)), cancellationToken);
            if (parsed.GetValue(json))
            {
                Terminal.Print(JsonSerializer.Serialize(made, ControlJson.Default.SnapshotInfo));
                return;
            }

            Terminal.Print(made.Name);
            terminal.Say($"It is commit {made.Seq}, kept until 'drive snapshot delete', and to be seen in '{Path.Combine(drive.Daemon.Mountpoint, ".snapshots", made.Name)}'.");
        });
    }

    private static ExampleCommand BuildList()
    {
        ExampleCommand command = new("list", "List the named states.", "drive snapshot list", "drive snapshot list --json | jq -r '.snapshots[].name'");
        Option<bool> json = new("--json") { Description = "Print JSON." };
        command.Options.Add(json);
        return WithDrive(command, async (parsed, drive, cancellationToken) =>
        {
            SnapshotList list = await drive.ListSnapshotsAsync(cancellationToken);
            if (parsed.GetValue(json))
            {
                Terminal.Print(JsonSerializer.Serialize(list, ControlJson.Default.SnapshotList));
                return;
            }

            foreach (SnapshotInfo snapshot in list.Snapshots)
            {
                Terminal.Print($"{HistoryCommands.Local(snapshot.Time)}  @{snapshot.Seq,-8} {snapshot.Name}");
            }
        });
    }

    private static ExampleCommand BuildDelete(Terminal terminal)
    {
        Argument<string> name = new("NAME") { Description = "Its name." };
        ExampleCommand command = new("delete", "Take a name away; the state is kept on only as long as the rule of retention keeps it.", "drive snapshot delete before-the-move");
        command.Arguments.Add(name);
        return WithDrive(command, async (parsed, drive, cancellationToken) =>
        {
            await drive.DropSnapshotAsync(new SnapshotRequest(parsed.GetRequiredValue(name)), cancellationToken);
            terminal.Say($"'{parsed.GetRequiredValue(name)}' names nothing any more.");
        });
    }

    private static ExampleCommand WithDrive(ExampleCommand command, Func<ParseResult, ControlClient, CancellationToken, Task> work)
    {
        Option<string?> name = new("--drive") { Description = "The vault's name; not needed where one is mounted.", HelpName = "N" };
        command.Options.Add(name);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DrivePaths paths = DrivePaths.FromEnvironment();
            using ControlClient drive = parsed.GetValue(name) is { } said
                ? await Running.GetAsync(paths, said, cancellationToken)
                : await Running.OnlyAsync(paths, $"snapshot {command.Name} --drive", cancellationToken);
            await work(parsed, drive, cancellationToken);
            return (int)ExitCode.Done;
        });
        return command;
    }
}
