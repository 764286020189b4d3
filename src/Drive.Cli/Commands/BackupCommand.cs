using System.CommandLine;
using System.Text.Json;
using Drive.Backup.Patterns;
using Drive.Control;
using Drive.Service.Hosting;

namespace Drive.Cli.Commands;

/// <summary><c>drive backup …</c>: folders of this machine that are kept in a vault. Over the daemon that has the vault mounted, else by opening it for the moment.</summary>
internal static class BackupCommand
{
    public static Command Build(Terminal terminal)
    {
        ExampleCommand command = new(
            "backup",
            "Back up folders of this machine into a vault, by themselves or when told.",
            "drive backup add docs ~/Documents ~/Projects --preset caches --schedule 'daily 02:00'",
            "drive backup run docs",
            "drive backup status",
            "drive history ~/Drive/Backups/laptop/docs",
            "drive backup verify --percent 10");
        command.Subcommands.Add(BuildAdd());
        command.Subcommands.Add(BackupRunCommand.BuildRun(terminal));
        command.Subcommands.Add(BuildList());
        command.Subcommands.Add(BuildStatus());
        command.Subcommands.Add(BuildPause(terminal));
        command.Subcommands.Add(BuildResume());
        command.Subcommands.Add(BuildRemove(terminal));
        command.Subcommands.Add(BackupRunCommand.BuildVerify(terminal));
        command.Subcommands.Add(BuildAccept(terminal));
        return command;
    }

    private static ExampleCommand BuildAdd()
    {
        Argument<string> name = new("NAME") { Description = "The set's name." };
        Argument<string[]> paths = new("PATH") { Description = "Folders or files of this machine.", Arity = ArgumentArity.OneOrMore };
        Option<string[]> exclude = new("--exclude") { Description = "Leave out what matches, as in gitignore(5). A folder's '.driveignore' says it for that folder.", HelpName = "PATTERN" };
        Option<string[]> preset = new("--preset") { Description = $"Leave out what a preset names: {Preset.Names}.", HelpName = "NAME" };
        Option<string?> schedule = new("--schedule") { Description = $"When it runs by itself: {Backup.Schedules.Schedule.Forms}. Without it: only when told.", HelpName = "WHEN" };
        Option<string?> keep = new("--keep") { Description = "What is kept of its runs at the least, as in 'drive gc --keep'. Without it: as the vault says.", HelpName = "RULE" };
        Option<bool> oneFileSystem = new("--one-file-system") { Description = "Leave out folders on other file systems." };
        Option<string?> maxSize = new("--max-size") { Description = "Leave out larger files: 500M, 2G.", HelpName = "SIZE" };
        Option<int?> stale = new("--stale-after") { Description = "So many days without a backup are an error; without it as the schedule suggests.", HelpName = "DAYS" };
        Option<string?> onFailure = new("--on-failure") { Description = "A shell command that is run when something is wrong; DRIVE_SET, DRIVE_OUTCOME and DRIVE_REASON say what.", HelpName = "COMMAND" };
        Option<string?> webhook = new("--webhook") { Description = "An address that is told then (POST, JSON).", HelpName = "URL" };
        ExampleCommand command = new(
            "add",
            "Choose folders to back up.",
            "drive backup add docs ~/Documents --schedule hourly",
            "drive backup add home ~ --preset caches --preset trash --exclude '*.iso' --max-size 4G --schedule 'daily 02:00' --one-file-system",
            "drive backup add work ~/work --schedule on-change --on-failure 'mail -s \"backup of $DRIVE_SET: $DRIVE_OUTCOME\" ana' --keep 48h,30d,52w");
        command.Arguments.Add(name);
        command.Arguments.Add(paths);
        foreach (Option option in (Option[])[exclude, preset, schedule, keep, oneFileSystem, maxSize, stale, onFailure, webhook])
        {
            command.Options.Add(option);
        }

        return WithVault(command, async (parsed, backups, cancellationToken) =>
        {
            if (parsed.GetValue(stale) is < 1)
            {
                throw new DriveException(DriveError.Usage, "--stale-after wants a number of days, 1 or more.");
            }

            BackupStandings added = await backups.AddSetAsync(
                new BackupSetInfo
                {
                    Name = parsed.GetRequiredValue(name),
                    Paths = [.. parsed.GetRequiredValue(paths).Select(Path.GetFullPath)],
                    Excludes = parsed.GetValue(exclude) ?? [],
                    Presets = parsed.GetValue(preset) ?? [],
                    Schedule = parsed.GetValue(schedule),
                    Keep = parsed.GetValue(keep),
                    OneFileSystem = parsed.GetValue(oneFileSystem),
                    MaxSize = parsed.GetValue(maxSize) is { } size ? Quantity.ParseBytes(size) ?? throw new DriveException(DriveError.Usage, $"'{size}' is no size: write 500M or 2G.") : null,
                    StaleDays = parsed.GetValue(stale),
                    OnFailure = parsed.GetValue(onFailure),
                    Webhook = parsed.GetValue(webhook),
                },
                cancellationToken);
            return Print(parsed, added, ControlJson.Default.BackupStandings, static standings => BackupText.Added(standings.Sets[0]));
        });
    }

    private static ExampleCommand BuildList()
    {
        ExampleCommand command = new("list", "List the sets and what they are.", "drive backup list", "drive backup list --json | jq -r '.sets[].name'");
        return WithVault(command, async (parsed, backups, cancellationToken) =>
            Print(parsed, await backups.ListSetsAsync(cancellationToken), ControlJson.Default.BackupSetList, static list => string.Join(Environment.NewLine, list.Sets.Select(BackupText.Describe))));
    }

    private static ExampleCommand BuildStatus()
    {
        Argument<string?> name = new("NAME") { Description = "One set; all without it.", Arity = ArgumentArity.ZeroOrOne };
        ExampleCommand command = new("status", "Say how the sets stand; exit code 1 when something is wrong.", "drive backup status", "drive backup status docs --json");
        command.Arguments.Add(name);
        return WithVault(command, async (parsed, backups, cancellationToken) =>
        {
            BackupStandings standings = await backups.StandAsync(parsed.GetValue(name), cancellationToken);
            Print(parsed, standings, ControlJson.Default.BackupStandings, static shown => string.Join(Environment.NewLine, shown.Sets.Select(static set => BackupText.Describe(set, TimeProvider.System))));
            return standings.Sets.Any(static set => set.IsError) ? ExitCode.No : ExitCode.Done;
        });
    }

    private static ExampleCommand BuildPause(Terminal terminal) => WithSet(
        new ExampleCommand("pause", "Let a set's schedule rest.", "drive backup pause docs"),
        async (parsed, name, backups, cancellationToken) =>
        {
            BackupStandings standings = await backups.SetPausedAsync(name, true, cancellationToken);
            terminal.Say($"It rests until 'drive backup resume {name}'; days without a backup are told all the same.");
            return Print(parsed, standings, ControlJson.Default.BackupStandings, BackupText.Describe);
        });

    private static ExampleCommand BuildResume() => WithSet(
        new ExampleCommand("resume", "Let a schedule go on.", "drive backup resume docs"),
        async (parsed, name, backups, cancellationToken) =>
            Print(parsed, await backups.SetPausedAsync(name, false, cancellationToken), ControlJson.Default.BackupStandings, BackupText.Describe));

    private static ExampleCommand BuildRemove(Terminal terminal) => WithSet(
        new ExampleCommand("remove", "Forget a set. What was backed up stays in the vault.", "drive backup remove docs"),
        async (parsed, name, backups, cancellationToken) =>
        {
            BackupSetList left = await backups.RemoveSetAsync(name, cancellationToken);
            terminal.Say($"'{name}' is backed up no more. What was backed up stays in the drive's folder 'Backups' until you delete it there.");
            return parsed.GetValue<bool>("--json") ? Print(parsed, left, ControlJson.Default.BackupSetList, static _ => "") : ExitCode.Done;
        });

    private static ExampleCommand BuildAccept(Terminal terminal) => WithSet(
        new ExampleCommand("accept", "Say that a suspicious run is as it should be: the vault forgets by its rule again.", "drive backup status docs", "drive backup accept docs"),
        async (parsed, name, backups, cancellationToken) =>
        {
            BackupStandings standings = await backups.AcceptSetAsync(name, cancellationToken);
            terminal.Say("What changed is accepted.");
            return Print(parsed, standings, ControlJson.Default.BackupStandings, BackupText.Describe);
        });

    /// <summary>A command about one set.</summary>
    private static ExampleCommand WithSet(ExampleCommand command, Func<ParseResult, string, IBackups, CancellationToken, Task<ExitCode>> work)
    {
        Argument<string> name = new("NAME") { Description = "The set's name." };
        command.Arguments.Add(name);
        return WithVault(command, (parsed, backups, cancellationToken) => work(parsed, parsed.GetRequiredValue(name), backups, cancellationToken));
    }

    /// <summary>A command about a vault's sets.</summary>
    internal static ExampleCommand WithVault(ExampleCommand command, Func<ParseResult, IBackups, CancellationToken, Task<ExitCode>> work)
    {
        VaultChoice choice = new(command, "--vault");
        command.Options.Add(new Option<bool>("--json") { Description = "Print JSON." });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using OpenedDevices opened = await choice.OpenAsync(parsed, new Terminal(), cancellationToken);
            return (int)await work(parsed, opened.Backups, cancellationToken);
        });
        return command;
    }

    /// <summary>Prints an answer, as JSON where that was asked for.</summary>
    internal static ExitCode Print<T>(ParseResult parsed, T answer, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, Func<T, string> describe)
    {
        if (parsed.GetValue<bool>("--json"))
        {
            Terminal.Print(JsonSerializer.Serialize(answer, type));
        }
        else if (describe(answer) is { Length: > 0 } text)
        {
            Terminal.Print(text);
        }

        return ExitCode.Done;
    }
}
