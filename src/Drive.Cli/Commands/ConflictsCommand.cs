using System.CommandLine;
using System.Text.Json;
using Drive.Control;

namespace Drive.Cli.Commands;

/// <summary>One conflict copy, as <c>drive conflicts --json</c> prints it.</summary>
internal sealed record ListedConflict(string Path, string Original, bool OriginalExists, string Device, DateTimeOffset Time);

/// <summary><c>drive conflicts [PATH...] [--keep mine|theirs|both]</c>: works on the mounted files, so whatever it does is a change like any other.</summary>
internal static class ConflictsCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string[]> paths = new("PATH") { Description = "Conflict copies, or folders to look in; all mounted drives when left out.", Arity = ArgumentArity.ZeroOrMore };
        Option<string?> keep = new("--keep") { Description = "mine: the copy takes the file's name. theirs: the copy goes. both: the copy becomes a file like any other.", HelpName = "mine|theirs|both" };
        keep.AcceptOnlyFromAmong("mine", "theirs", "both");
        Option<bool> json = new("--json") { Description = "Print JSON." };
        ExampleCommand command = new(
            "conflicts",
            "List the files that two machines changed at the same time, and settle them.",
            "drive conflicts",
            "drive conflicts ~/Drive/texts --keep both",
            "drive conflicts '~/Drive/report (conflict, laptop, 2026-11-22 14-03).odt' --keep mine");
        command.Arguments.Add(paths);
        command.Options.Add(keep);
        command.Options.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string[] asked = parsed.GetValue(paths) ?? [];
            string? kept = parsed.GetValue(keep);
            if (kept is not null && asked.Length == 0)
            {
                throw new DriveException(DriveError.Usage, "Say which: the conflict copies to settle, or a folder with all of them, 'drive conflicts FOLDER --keep ...'.");
            }

            List<ConflictCopy> found = [];
            foreach (string place in asked.Length > 0 ? asked : await MountsAsync(cancellationToken))
            {
                found.AddRange(Directory.Exists(place) && ConflictCopy.Parse(place) is null ? ConflictCopy.Find(Path.GetFullPath(place)) : [Single(place)]);
            }

            if (kept is null)
            {
                Print(found, parsed.GetValue(json), terminal);
                return (int)ExitCode.Done;
            }

            foreach (ConflictCopy copy in found)
            {
                Settle(copy, kept, terminal);
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    private static async Task<IReadOnlyList<string>> MountsAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<ControlClient> all = await Running.AllAsync(DrivePaths.FromEnvironment(), cancellationToken);
        List<string> mounts = [.. all.Select(static client => client.Daemon.Mountpoint)];
        foreach (ControlClient client in all)
        {
            client.Dispose();
        }

        return mounts.Count > 0 ? mounts : throw new DriveException(DriveError.NotFound, "Nothing is mounted: 'drive up' or 'drive mount NAME DIR' first.");
    }

    private static ConflictCopy Single(string path) =>
        !Path.Exists(path) ? throw new DriveException(DriveError.NotFound, $"'{path}' is not there: 'drive conflicts' lists the copies.")
        : ConflictCopy.Parse(Path.GetFullPath(path)) ?? throw new DriveException(DriveError.Usage, $"'{path}' is no conflict copy: 'drive conflicts' lists them.");

    private static void Print(List<ConflictCopy> found, bool asJson, Terminal terminal)
    {
        if (asJson)
        {
            IReadOnlyList<ListedConflict> listed = [.. found.Select(static copy => new ListedConflict(copy.Path, copy.Original, copy.HasOriginal, copy.Device, copy.Time))];
            Terminal.Print(JsonSerializer.Serialize(listed, CliJson.Default.IReadOnlyListListedConflict));
            return;
        }

        foreach (ConflictCopy copy in found)
        {
            Terminal.Print($"{copy.Path}\n  of '{copy.Device}', {copy.Time:yyyy-MM-dd HH:mm} UTC; {(copy.HasOriginal ? $"the other is '{Path.GetFileName(copy.Original)}'" : "the file of the old name is gone")}");
        }

        terminal.Say(found.Count == 0 ? "No conflicts." : $"{found.Count} {(found.Count == 1 ? "conflict" : "conflicts")}. 'drive conflicts PATH --keep mine|theirs|both' settles them.");
    }

    private static void Settle(ConflictCopy copy, string kept, Terminal terminal)
    {
        bool isFolder = Directory.Exists(copy.Path);
        switch (kept)
        {
            case "theirs" when !copy.HasOriginal:
                throw new DriveException(DriveError.Failed, $"'{copy.Original}' is gone, and '{copy.Path}' is all that is left: nothing was removed. --keep mine gives it the name back.");
            case "theirs" or "mine" when isFolder || Directory.Exists(copy.Original):
                throw new DriveException(DriveError.Failed, $"'{copy.Path}' or the file of the old name is a folder: nothing was changed. Look into both, and move things by hand.");
            case "theirs":
                File.Delete(copy.Path);
                terminal.Say($"'{copy.Original}' stays; the copy of '{copy.Device}' is removed.");
                break;
            case "mine":
                File.Move(copy.Path, copy.Original, overwrite: true);
                terminal.Say($"'{copy.Original}' has the content of '{copy.Device}' now.");
                break;
            default:
                string name = copy.OrdinaryName();
                Directory.Move(copy.Path, name);
                terminal.Say($"'{copy.Original}' stays, and the copy is '{name}' now.");
                break;
        }
    }
}
