using System.CommandLine;
using System.Text.Json;
using Drive.Control;
using Drive.Disk.Trees;

namespace Drive.Cli.Commands;

/// <summary><c>drive history</c>, <c>drive restore</c> and <c>drive undelete</c>: old versions of files and folders of a mounted drive.</summary>
internal static class HistoryCommands
{
    /// <summary>How a state of the past is named.</summary>
    public const string WhenHelp = "A time such as 2026-11-20, 2026-11-20T14:00 or 2h (ago), a snapshot's name, or @ and the number of a commit.";

    public static Command BuildHistory()
    {
        Argument<string> path = new("PATH") { Description = "A file or folder of a mounted drive; it need not be there any more." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        ExampleCommand command = new(
            "history",
            "List the versions of a file or folder: when, how large, by which machine, and who deleted it.",
            "drive history ~/Drive/report.odt",
            "drive history ~/Drive/gone.txt --json");
        command.Arguments.Add(path);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            (ControlClient drive, string below) = await Running.AtPathAsync(DrivePaths.FromEnvironment(), parsed.GetRequiredValue(path), cancellationToken);
            using (drive)
            {
                PathVersions versions = await drive.GetVersionsAsync(below, cancellationToken);
                if (parsed.GetValue(json))
                {
                    Terminal.Print(JsonSerializer.Serialize(versions, ControlJson.Default.PathVersions));
                }
                else
                {
                    Print(versions);
                }
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    public static Command BuildRestore(Terminal terminal)
    {
        Argument<string> path = new("PATH") { Description = "A file or folder of a mounted drive; it need not be there any more." };
        Option<string> at = new("--at") { Description = WhenHelp, HelpName = "TIME", Required = true };
        ExampleCommand command = new(
            "restore",
            "Bring a file or folder back as it was. On the drive nothing is fetched or copied.",
            "drive restore ~/Drive/report.odt --at 2026-11-20T14:00 --to ~/Drive/old",
            "drive restore ~/Drive/photos --at 3d --overwrite",
            "drive restore ~/Drive/photos --at @1234 --to /tmp");
        command.Arguments.Add(path);
        command.Options.Add(at);
        return WithTarget(terminal, command, path, parsed => parsed.GetRequiredValue(at));
    }

    public static Command BuildUndelete(Terminal terminal)
    {
        Argument<string> path = new("PATH") { Description = "A file or folder that was on a mounted drive." };
        ExampleCommand command = new(
            "undelete",
            "Bring a deleted file or folder back as it was last.",
            "drive undelete ~/Drive/gone.txt",
            "drive undelete ~/Drive/photos --to ~/Drive/found");
        command.Arguments.Add(path);
        return WithTarget(terminal, command, path, static _ => null);
    }

    /// <summary>One line for a state.</summary>
    public static string Show(StateInfo state) => $"@{state.Seq}{(state.Time is { } time ? $", {Local(time)}" : "")}{(state.Device is { } device ? $", by '{device}'" : "")}";

    /// <summary>A time as people of this machine read it.</summary>
    public static string Local(DateTimeOffset time) => time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture);

    private static ExampleCommand WithTarget(Terminal terminal, ExampleCommand command, Argument<string> path, Func<ParseResult, string?> at)
    {
        Option<string?> to = new("--to") { Description = "A directory to bring it to, on the drive or elsewhere, instead of where it was.", HelpName = "DIR" };
        Option<bool> overwrite = new("--overwrite") { Description = "Replace what is there. Nothing is taken away: what came since stays." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        command.Options.Add(to);
        command.Options.Add(overwrite);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DrivePaths paths = DrivePaths.FromEnvironment();
            (ControlClient drive, string below) = await Running.AtPathAsync(paths, parsed.GetRequiredValue(path), cancellationToken);
            using (drive)
            {
                string? target = parsed.GetValue(to) is { } said ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(said)) : null;
                string mountpoint = drive.Daemon.Mountpoint;
                bool isInside = target is null || target == mountpoint || target.StartsWith(mountpoint + '/', StringComparison.Ordinal);
                RestoreReply reply = isInside
                    ? await drive.RestoreAsync(new RestoreRequest(below, at(parsed), target?[mountpoint.Length..].Trim('/'), parsed.GetValue(overwrite)), cancellationToken)
                    : await CopyOutAsync(drive, below, at(parsed), target!, parsed.GetValue(overwrite), cancellationToken);
                Tell(terminal, reply, parsed.GetValue(json), isInside ? "restored" : "copied");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Tell(Terminal terminal, RestoreReply reply, bool json, string word)
    {
        if (json)
        {
            Terminal.Print(JsonSerializer.Serialize(reply, ControlJson.Default.RestoreReply));
            return;
        }

        Terminal.Print($"{word} {Quantity.Files(new FileAmount(reply.Files, reply.Bytes))}{(reply.Folders > 0 ? $", {reply.Folders} {(reply.Folders == 1 ? "folder" : "folders")}" : "")}");
        terminal.Say($"As of {Show(reply.From)}.");
    }

    /// <summary>To a directory that is not on the drive: the daemon writes it.</summary>
    private static async Task<RestoreReply> CopyOutAsync(ControlClient drive, string below, string? at, string target, bool overwrite, CancellationToken cancellationToken)
    {
        SourceNode folder = FindFolder(target);
        return folder.Device != FindFolder(drive.Daemon.Mountpoint).Device
            ? await drive.CopyOutAsync(new CopyRequest(below, at, target, folder.Device, folder.Inode, overwrite), cancellationToken)
            : throw new DriveException(DriveError.Usage, $"'{target}' is on the drive itself, by another way: say it as a path below '{drive.Daemon.Mountpoint}'.");
    }

    private static SourceNode FindFolder(string path)
    {
        try
        {
            return SourceTree.Look(SourcePath.Of(path), follows: true) is { IsDirectory: true } folder
                ? folder
                : throw new DriveException(DriveError.NotFound, $"'{path}' is no directory: make it first.");
        }
        catch (TreeException error)
        {
            throw error.IsGone
                ? new DriveException(DriveError.NotFound, $"'{path}' is no directory: make it first.", error)
                : new DriveException(DriveError.LocalDisk, $"'{path}': {error.Message}", error);
        }
    }

    private static void Print(PathVersions versions)
    {
        int width = versions.Versions.Max(static version => Size(version).Length);
        foreach (VersionInfo version in versions.Versions)
        {
            string since = version.Since is { } state ? $"{(version.State is { } kept ? $"@{kept}" : "-"),-8} {(state.Time is { } time ? Local(time) : "a time not known"),-19}" : $"{"-",-8} {"not in the store yet",-19}";
            string by = version.Since?.Device is { } device ? $"  {device}" : "";
            string end = version.End is "deleted" or "moved" or "replaced"
                ? $"  {version.End}{(version.Ended is { } ended ? $" {(ended.Time is { } then ? Local(then) : $"by @{ended.Seq}")}{(ended.Device is { } who ? $" by {who}" : "")}" : " here, not in the store yet")}"
                : version.End == "none" ? "  now" : "";
            Terminal.Print($"{since}  {Size(version).PadLeft(width)}{by}{end}");
        }
    }

    private static string Size(VersionInfo version) => version.Kind == "file" ? Quantity.Bytes(version.Size) : version.Kind;
}
