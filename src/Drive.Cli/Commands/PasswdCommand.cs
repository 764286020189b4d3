using System.CommandLine;
using Drive.Service;
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
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DriveService service = DriveService.Create();
            VaultEntry entry = service.Book.Get(UpCommand.Choose(service.Book, parsed.GetValue(name)));
            string? present = entry.Keys != KeyPlace.Passphrase ? null
                : parsed.GetValue(oldFile) is { } file ? Terminal.ReadPassphraseFile(file)
                : terminal.AskSecret($"Present passphrase of '{entry.Name}'");
            string next = parsed.GetValue(newFile) is { } fresh ? Terminal.ReadPassphraseFile(fresh) : terminal.AskNewPassphrase();
            await service.Enrolment.ChangePassphraseAsync(entry, present, next, cancellationToken);
            terminal.Say($"The passphrase of '{entry.Name}' is changed; the recovery key stays as it was.");
            return (int)ExitCode.Done;
        });
        return command;
    }
}
