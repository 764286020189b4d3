using System.CommandLine;
using Drive.Control;
using Drive.Service;
using Drive.Service.Settings;

namespace Drive.Cli.Commands;

/// <summary><c>drive recover STORE [--name N]</c>: makes this machine know a vault from nothing but its recovery key.</summary>
internal static class RecoverCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> store = new("STORE") { Description = "Where the vault is." };
        Option<string> name = new("--name") { Description = "Its name on this machine.", HelpName = "N", DefaultValueFactory = _ => VaultName.Default };
        Option<string?> passphraseFile = new("--passphrase-file") { Description = "Seal this machine's keys by the passphrase in a file.", HelpName = "FILE" };
        ExampleCommand command = new(
            "recover",
            "Open a vault on this machine with its recovery key.",
            "drive recover /mnt/nas/vault               # asks for the recovery key",
            "drive recover /mnt/nas/work --name work < recovery-key.txt",
            "drive mount work /mnt/work                 # afterwards");
        command.Arguments.Add(store);
        command.Options.Add(name);
        command.Options.Add(passphraseFile);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DriveService service = DriveService.Create();
            string vault = VaultName.Check(parsed.GetRequiredValue(name));
            string? passphrase = parsed.GetValue(passphraseFile) is { } file ? Terminal.ReadPassphraseFile(file) : null;
            await service.Enrolment.CheckVaultAsync(parsed.GetRequiredValue(store), cancellationToken);
            string recoveryKey = terminal.AskSecret("Recovery key");
            VaultEntry entry = await service.Enrolment.RecoverAsync(vault, parsed.GetRequiredValue(store), recoveryKey, passphrase, terminal.Say, cancellationToken);
            terminal.Say($"This machine's keys to '{vault}' are kept in {service.Keys.Describe(entry)}. Next: 'drive mount {vault} DIR'.");
            return (int)ExitCode.Done;
        });
        return command;
    }
}
