using System.CommandLine;
using Drive.Service;
using Drive.Service.Hosting;
using Drive.Service.Settings;

namespace Drive.Cli.Commands;

/// <summary><c>drive passwd [N]</c>.</summary>
internal static class PasswdCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string?> name = new("NAME") { Description = "The vault; not needed where there is only one.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> oldFile = new("--passphrase-file") { Description = "Read the present passphrase from a file.", HelpName = "FILE" };
        Option<string?> newFile = new("--new-passphrase-file") { Description = "Read the new passphrase from a file.", HelpName = "FILE" };
        ExampleCommand command = new(
            "passwd",
            "Set or change the passphrase of a vault.",
            "drive passwd",
            "drive passwd work --passphrase-file old.txt --new-passphrase-file new.txt");
        command.Arguments.Add(name);
        command.Options.Add(oldFile);
        command.Options.Add(newFile);
        Option<bool> alone = new("--without-account-key") { Description = "Let it open the vault on a new machine without the account key; then it must be a strong one." };
        command.Options.Add(alone);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DriveService service = DriveService.Create();
            VaultEntry entry = service.Book.Get(UpCommand.Choose(service.Book, parsed.GetValue(name)));
            string? present = entry.Keys != KeyPlace.Passphrase ? null
                : parsed.GetValue(oldFile) is { } file ? Terminal.ReadPassphraseFile(file)
                : terminal.AskSecret($"Present passphrase of '{entry.Name}'");
            string next = parsed.GetValue(newFile) is { } fresh ? Terminal.ReadPassphraseFile(fresh) : terminal.AskNewPassphrase();
            await using OpenedDevices opened = await VaultChoice.OpenAsync(service, entry, () => present, cancellationToken);
            await service.Enrolment.ChangePassphraseAsync(entry, present, next, parsed.GetValue(alone), opened.Devices, cancellationToken);
            terminal.Say($"The passphrase of '{entry.Name}' is changed; the recovery key stays as it was.");
            if (!parsed.GetValue(alone))
            {
                terminal.Say("To join from a new machine with it, the account key is needed too: 'drive device account-key' shows it.");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }
}
