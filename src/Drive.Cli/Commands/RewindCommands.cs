using System.CommandLine;
using System.Text.Json;
using Drive.Control;

namespace Drive.Cli.Commands;

/// <summary><c>drive diff TIME1 [TIME2] [PATH]</c> and <c>drive rewind --to TIME [PATH]</c>: what changed, and undoing it.</summary>
internal static class RewindCommands
{
    public static Command BuildDiff()
    {
        Argument<string> from = new("TIME1") { Description = HistoryCommands.WhenHelp };
        Argument<string> to = new("TIME2") { Description = "The same, or 'now' for what is there, sent or not." };
        Argument<string?> path = new("PATH") { Description = "A file or folder of a mounted drive; the whole drive when left out.", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        ExampleCommand command = new(
            "diff",
            "List what is different between two times: + came, - went, * changed, m only mode, owner or the like, > moved.",
            "drive diff 2026-11-20 now",
            "drive diff 2h now ~/Drive/photos",
            "drive diff @1200 before-the-move --json");
        command.Arguments.Add(from);
        command.Arguments.Add(to);
        command.Arguments.Add(path);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            (ControlClient drive, string below) = await FindAsync(parsed.GetValue(path), "diff TIME1 TIME2 PATH", cancellationToken);
            using (drive)
            {
                string end = parsed.GetRequiredValue(to);
                CompareReply reply = await drive.CompareAsync(new CompareRequest(parsed.GetRequiredValue(from), end == "now" ? null : end, below), cancellationToken);
                if (parsed.GetValue(json))
                {
                    Terminal.Print(JsonSerializer.Serialize(reply, ControlJson.Default.CompareReply));
                }
                else
                {
                    Print(reply, below, isUndoing: false);
                }
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    public static Command BuildRewind(Terminal terminal)
    {
        Argument<string?> path = new("PATH") { Description = "A file or folder of a mounted drive; the whole drive when left out.", Arity = ArgumentArity.ZeroOrOne };
        Option<string> to = new("--to") { Description = HistoryCommands.WhenHelp, HelpName = "TIME", Required = true };
        Option<bool> dryRun = new("--dry-run") { Description = "Only say what would be done." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        ExampleCommand command = new(
            "rewind",
            "Set a drive, folder or file back to what it was, as a change like any other: it can be undone the same way.",
            "drive rewind --to 2h --dry-run",
            "drive rewind --to 2026-11-20T13:59 ~/Drive/projects");
        command.Arguments.Add(path);
        command.Options.Add(to);
        command.Options.Add(dryRun);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string when = parsed.GetRequiredValue(to);
            (ControlClient drive, string below) = await FindAsync(parsed.GetValue(path), "rewind --to TIME PATH", cancellationToken);
            using (drive)
            {
                if (parsed.GetValue(dryRun))
                {
                    CompareReply planned = await drive.CompareAsync(new CompareRequest(when, null, below), cancellationToken);
                    if (parsed.GetValue(json))
                    {
                        Terminal.Print(JsonSerializer.Serialize(planned, ControlJson.Default.CompareReply));
                        return (int)ExitCode.Done;
                    }

                    Print(planned, below, isUndoing: true);
                    terminal.Say($"Nothing was done. To do it, back to {HistoryCommands.Show(planned.From)}: the same without --dry-run.");
                    return (int)ExitCode.Done;
                }

                RestoreReply reply = await drive.RewindAsync(new RestoreRequest(below, when, null, Overwrite: true), cancellationToken);
                if (parsed.GetValue(json))
                {
                    Terminal.Print(JsonSerializer.Serialize(reply, ControlJson.Default.RestoreReply));
                }
                else
                {
                    Terminal.Print($"set back {Quantity.Files(new FileAmount(reply.Files, reply.Bytes))}; {reply.Removed} {(reply.Removed == 1 ? "name" : "names")} taken away");
                    terminal.Say($"It is as of {HistoryCommands.Show(reply.From)}. To undo: 'drive rewind --to @{reply.Before?.Seq}{(parsed.GetValue(path) is { } said ? $" {said}" : "")}'.");
                }
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    private static async Task<(ControlClient Drive, string Below)> FindAsync(string? path, string usage, CancellationToken cancellationToken)
    {
        DrivePaths paths = DrivePaths.FromEnvironment();
        if (path is not null)
        {
            return await Running.AtPathAsync(paths, path, cancellationToken);
        }

        IReadOnlyList<ControlClient> all = await Running.AllAsync(paths, cancellationToken);
        if (all.Count == 1)
        {
            return (all[0], "");
        }

        foreach (ControlClient client in all)
        {
            client.Dispose();
        }

        throw all.Count == 0
            ? new DriveException(DriveError.NotFound, "Nothing is mounted: 'drive up' or 'drive mount NAME DIR' first; 'drive list' shows the vaults.")
            : new DriveException(DriveError.Usage, $"Which drive? Say its mount point or a path on it: 'drive {usage}'.");
    }

    private static void Print(CompareReply reply, string below, bool isUndoing)
    {
        foreach (ChangeInfo change in reply.Changes)
        {
            string path = Join(below, change.Path) + (change.Folder ? "/" : "");
            string sizes = change.Kind == "changed" && !change.Folder ? $"  {Quantity.Bytes(isUndoing ? change.After : change.Before)} -> {Quantity.Bytes(isUndoing ? change.Before : change.After)}" : "";
            Terminal.Print((change.Kind, isUndoing) switch
            {
                ("added", false) or ("removed", true) => $"+ {path}",
                ("added", true) or ("removed", false) => $"- {path}",
                ("changed", _) => $"* {path}{sizes}",
                ("moved", false) => $"> {Join(below, change.From!)} -> {path}",
                ("moved", true) => $"> {path} -> {Join(below, change.From!)}",
                _ => $"m {path}",
            });
        }
    }

    private static string Join(string top, string path) => top.Length == 0 ? path : path.Length == 0 ? top : $"{top}/{path}";
}
