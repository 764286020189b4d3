using System.CommandLine;
using Drive.Control;
using Drive.Service;

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
            "drive mount work /mnt/work -f -o fsname=work,allow_other",
            "drive mount work /mnt/work --cache-size 50G --passphrase-file ~/.work-passphrase");
        command.Arguments.Add(name);
        command.Arguments.Add(directory);
        mounting.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string vault = parsed.GetRequiredValue(name);
            using Background? daemon = mounting.StartDaemon(parsed, vault);
            DriveService service = DriveService.Create();
            string? mountpoint = parsed.GetValue(directory) ?? service.Book.Get(vault).Mountpoint;
            if (mountpoint is null)
            {
                throw new DriveException(DriveError.Usage, $"'{vault}' was never mounted: say where, 'drive mount {vault} DIR'.");
            }

            return await MountArguments.MountAsync(
                terminal, service, mounting.Request(parsed, vault, mountpoint), daemon, mounting.PassphraseFile(parsed), cancellationToken);
        });
        return command;
    }
}
