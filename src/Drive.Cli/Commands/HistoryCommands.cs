using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Drive.Cli.Copying;
using Drive.Control;

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

    /// <summary>
    /// To a directory that is not on the drive: out of the folder that shows the past, with all that can be kept: modes, owners, times, links, extended attributes and holes.
    /// </summary>
    private static async Task<RestoreReply> CopyOutAsync(ControlClient drive, string below, string? at, string target, bool overwrite, CancellationToken cancellationToken)
    {
        StateInfo state = at is not null ? await drive.FindStateAsync(at, cancellationToken) : await FindBeforeEndAsync(drive, below, cancellationToken);
        string source = Path.Combine(drive.Daemon.Mountpoint, ".snapshots", $"@{state.Seq}", below);
        string name = below.Length > 0 ? Path.GetFileName(below) : $"{drive.Daemon.Name}@{state.Seq}";
        string copy = Path.Combine(target, name);
        if (!Path.Exists(source) && new FileInfo(source).LinkTarget is null)
        {
            throw new DriveException(
                DriveError.NotFound,
                Path.Exists(Path.Combine(drive.Daemon.Mountpoint, ".snapshots", "latest"))
                    ? $"'{below}' was not there then: 'drive history' says when it was."
                    : $"The drive has an entry '.snapshots' of its own in the way: 'drive mount {drive.Daemon.Name} DIR --at @{state.Seq}', and copy from there.");
        }

        if (!Directory.Exists(target))
        {
            throw new DriveException(DriveError.NotFound, $"'{target}' is no directory: make it first.");
        }

        if (!overwrite && (Path.Exists(copy) || new FileInfo(copy).LinkTarget is not null))
        {
            throw new DriveException(DriveError.InUse, $"'{copy}' is there already: add --overwrite to replace it, or say another --to DIR.");
        }

        if (!overwrite)
        {
            using TreeCopy tree = new(cancellationToken);
            await Task.Run(() => tree.Run(source, copy), cancellationToken);
            return tree.Errors.Count == 0
                ? new RestoreReply(state, tree.Files, tree.Folders, tree.Bytes, 0, null)
                : throw new DriveException(DriveError.LocalDisk, $"Not all could be copied: {tree.Errors.First()}{(tree.Errors.Count > 1 ? $" (and {tree.Errors.Count - 1} more)" : "")}");
        }

        // Over what is there: what replaces what, and how, people know from cp(1).
        ProcessStartInfo start = new("cp", ["-a", "-T", "--", source, copy]) { RedirectStandardError = true };
        using Process process = Process.Start(start) ?? throw new DriveException(DriveError.Failed, "cp can't be started.");
        string said = await process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new DriveException(DriveError.LocalDisk, $"Not all could be copied: {said.Split('\n')[0]}");
        }

        List<FileSystemInfo> copied = Directory.Exists(copy) ? [new DirectoryInfo(copy), .. new DirectoryInfo(copy).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)] : [new FileInfo(copy)];
        long folders = copied.LongCount(static one => one is DirectoryInfo);
        return new RestoreReply(state, copied.Count - folders, folders, copied.OfType<FileInfo>().Where(static file => file.LinkTarget is null).Sum(static file => file.Length), 0, null);
    }

    private static async Task<StateInfo> FindBeforeEndAsync(ControlClient drive, string below, CancellationToken cancellationToken)
    {
        PathVersions versions = await drive.GetVersionsAsync(below, cancellationToken);
        return versions.Versions is [.., { End: "none" }]
            ? throw new DriveException(DriveError.InUse, $"'{below}' is there: 'drive restore PATH --at TIME' brings an older version back.")
            : versions.Versions.LastOrDefault(static version => version.State is not null) is { State: { } last }
                ? await drive.FindStateAsync($"@{last}", cancellationToken)
                : throw new DriveException(DriveError.NotFound, $"No version of '{below}' is kept.");
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
