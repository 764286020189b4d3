using System.CommandLine;
using System.Text.Json;
using Drive.Control;
using Drive.Service;

namespace Drive.Cli.Commands;

/// <summary>How an unmount ended.</summary>
internal sealed record UmountReport(string Name, FileAmount Left, string? Problem);

/// <summary><c>drive umount DIR|N</c>: keeps everything on this machine, ends within ten seconds, and says what the store does not have yet.</summary>
internal static class UmountCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string?> target = new("TARGET") { Description = "The vault's name or its mount point; not needed where one is mounted.", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> wait = new("--wait") { Description = "First wait until everything is in the store." };
        Option<string?> timeout = new("--timeout") { Description = "With --wait: unmount anyway after 90, 90s, 5m or 2h.", HelpName = "T" };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        ExampleCommand command = new(
            "umount",
            "Unmount a drive; what is not in the store yet stays on this machine and is sent after the next mount.",
            "drive umount drive",
            "drive umount ~/Drive --wait",
            "drive umount work --wait --timeout 2m");
        command.Aliases.Add("unmount");
        command.Arguments.Add(target);
        command.Options.Add(wait);
        command.Options.Add(timeout);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            TimeSpan? limit = parsed.GetValue(timeout) is { } text
                ? Quantity.ParseTime(text) ?? throw new DriveException(DriveError.Usage, $"'{text}' is no time: write 90, 90s, 5m or 2h.")
                : null;
            if (limit is not null && !parsed.GetValue(wait))
            {
                throw new DriveException(DriveError.Usage, "--timeout is for --wait: an unmount without it ends within ten seconds anyway.");
            }

            DrivePaths paths = DrivePaths.FromEnvironment();
            using ControlClient? drive = parsed.GetValue(target) is { } asked
                ? await FindAsync(terminal, paths, asked, cancellationToken)
                : await Running.OnlyAsync(paths, "umount", cancellationToken);
            if (drive is null)
            {
                return (int)ExitCode.Done;
            }

            bool isIncomplete = parsed.GetValue(wait) && !(await WaitCommand.WaitAsync(terminal, drive, limit, cancellationToken)).Done;
            StopReply reply = await drive.StopAsync(cancellationToken);
            if (parsed.GetValue(json))
            {
                Terminal.Print(JsonSerializer.Serialize(new UmountReport(drive.Daemon.Name, reply.Left, reply.Problem), CliJson.Default.UmountReport));
            }
            else
            {
                SayLeft(terminal, drive.Daemon.Name, reply);
            }

            return (int)(reply.Problem is not null ? ExitCode.Failed : isIncomplete ? ExitCode.No : ExitCode.Done);
        });
        return command;
    }

    /// <summary>Says what the store does not have yet.</summary>
    internal static void SayLeft(Terminal terminal, string name, StopReply reply)
    {
        if (reply.Problem is not null)
        {
            terminal.Say("drive: " + reply.Problem);
        }

        terminal.Say(reply.Left.IsNone
            ? $"'{name}' is unmounted; {(reply.Problem is null ? "everything is in the store" : "nothing is only on this machine")}."
            : $"'{name}' is unmounted; not in the store yet: {Quantity.Files(reply.Left)}. They are safe on this machine and are sent after the next mount.");
    }

    private static async Task<ControlClient?> FindAsync(Terminal terminal, DrivePaths paths, string asked, CancellationToken cancellationToken)
    {
        if (Running.Record(paths, asked) is { } record)
        {
            if (await ControlClient.TryConnectAsync(record, cancellationToken) is { } client)
            {
                return client;
            }

            if (DriveService.DetachDeadMount(record.Mountpoint))
            {
                terminal.Say($"The daemon of '{record.Name}' was gone already; its mount is taken away. 'drive mount {record.Name}' continues from what it had kept.");
                return null;
            }
        }
        else if (await EndPastAsync(paths, Path.TrimEndingDirectorySeparator(Path.GetFullPath(asked)), cancellationToken) is { } past)
        {
            terminal.Say($"What was shown at '{asked}', {HistoryCommands.Show(past)}, is unmounted; the drive goes on.");
            return null;
        }
        else if (DriveService.DetachDeadMount(asked))
        {
            terminal.Say($"The daemon behind '{asked}' was gone already; its mount is taken away.");
            return null;
        }

        throw new DriveException(DriveError.NotFound, $"'{asked}' is not mounted: 'drive list' shows what is.");
    }

    /// <summary>Ends what a daemon shows of the past in a directory; null when none does.</summary>
    private static async Task<StateInfo?> EndPastAsync(DrivePaths paths, string directory, CancellationToken cancellationToken)
    {
        foreach (ControlClient client in await Running.AllAsync(paths, cancellationToken))
        {
            using (client)
            {
                try
                {
                    return await client.UnmountPastAsync(new PastMountRequest(null, directory, AllowOther: false), cancellationToken);
                }
                catch (DriveException refusal) when (refusal.Error == DriveError.NotFound)
                {
                    // Another's, or nobody's.
                }
            }
        }

        return null;
    }
}
