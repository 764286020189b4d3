using System.CommandLine;
using Drive.Control;
using Drive.Service;
using Drive.Service.Hosting;

namespace Drive.Cli.Commands;

/// <summary><c>drive mount N [DIR]</c>.</summary>
internal static class MountCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> name = new("NAME") { Description = "The vault's name on this machine." };
        Argument<string?> directory = new("DIR") { Description = "An empty directory; the last one is remembered.", Arity = ArgumentArity.ZeroOrOne };
        MountArguments mounting = new();
        ExampleCommand command = new(
            "mount",
            "Mount a vault that this machine knows.",
            "drive mount drive ~/Drive",
            "drive mount work /mnt/work --read-only",
            "drive mount work /mnt/then --at 2026-11-20T14:00      # as it was, read-only, beside the drive or without it",
            "drive mount work /mnt/work -f -o fsname=work,allow_other",
            "drive mount work --limit-up 08:00-18:00=1M,4M --limit-down off --poll 30s",
            "drive mount work /mnt/work --cache-size 50G --passphrase-file ~/.work-passphrase");
        command.Arguments.Add(name);
        command.Arguments.Add(directory);
        Option<string?> at = new("--at") { Description = "Show the drive as it was, read-only. " + HistoryCommands.WhenHelp, HelpName = "TIME" };
        command.Options.Add(at);
        mounting.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string vault = parsed.GetRequiredValue(name);
            if (parsed.GetValue(at) is { } when)
            {
                string place = parsed.GetValue(directory) ?? throw new DriveException(DriveError.Usage, $"Say where to show it: 'drive mount {vault} DIR --at {when}'.");
                if (await Running.FindAsync(DrivePaths.FromEnvironment(), vault, cancellationToken) is { } running)
                {
                    using (running)
                    {
                        MountRequest asked = mounting.Request(parsed, vault, place);
                        StateInfo state = await running.MountPastAsync(new PastMountRequest(when, asked.Mountpoint, asked.AllowOther), cancellationToken);
                        terminal.Say($"'{vault}' as of {HistoryCommands.Show(state)} is shown at {asked.Mountpoint}, read-only, until 'drive umount {asked.Mountpoint}' or the drive is unmounted.");
                        return (int)ExitCode.Done;
                    }
                }
            }

            using Background? daemon = mounting.StartDaemon(parsed, vault);
            DriveService service = DriveService.Create();
            string? mountpoint = parsed.GetValue(directory) ?? service.Book.Get(vault).Mountpoint;
            if (mountpoint is null)
            {
                throw new DriveException(DriveError.Usage, $"'{vault}' was never mounted: say where, 'drive mount {vault} DIR'.");
            }

            return await MountArguments.MountAsync(
                terminal, service, mounting.Request(parsed, vault, mountpoint) is var request && parsed.GetValue(at) is { } then ? request with { At = then } : request, daemon, mounting.PassphraseFile(parsed), cancellationToken);
        });
        return command;
    }
}
