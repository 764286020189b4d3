using System.CommandLine;
using Drive.Control;
using Drive.Service;
using Drive.Service.Settings;

namespace Drive.Cli.Commands;

/// <summary><c>drive init STORE [--name N]</c>.</summary>
internal static class InitCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> store = new("STORE") { Description = "Where to keep the vault: a folder that is empty or does not exist." };
        Option<string> name = new("--name") { Description = "Its name on this machine.", HelpName = "N", DefaultValueFactory = _ => VaultName.Default };
        Option<bool> passphrase = new("--passphrase") { Description = "Protect the keys by a passphrase, asked for twice." };
        Option<string?> passphraseFile = new("--passphrase-file") { Description = "The same, from the first line of a file.", HelpName = "FILE" };
        ExampleCommand command = new(
            "init",
            "Make a new vault, and print its recovery key.",
            "drive init /mnt/nas/vault",
            "drive init /mnt/nas/work --name work --passphrase",
            "drive init ~/vault > recovery-key.txt      # standard output is the recovery key and nothing else");
        command.Arguments.Add(store);
        command.Options.Add(name);
        command.Options.Add(passphrase);
        command.Options.Add(passphraseFile);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DriveService service = DriveService.Create();
            string vault = VaultName.Check(parsed.GetRequiredValue(name));
            service.Enrolment.RefuseTakenName(vault);
            string? secret = NewPassphrase(terminal, parsed.GetValue(passphrase), parsed.GetValue(passphraseFile));
            await CreateAsync(terminal, service, vault, parsed.GetRequiredValue(store), secret, cancellationToken);
            terminal.Say($"Next: 'drive mount {vault} DIR'.");
            return (int)ExitCode.Done;
        });
        return command;
    }

    /// <summary>The passphrase for a new vault, or null when none is wanted.</summary>
    internal static string? NewPassphrase(Terminal terminal, bool isWanted, string? file) =>
        file is not null ? Terminal.ReadPassphraseFile(file) : isWanted ? terminal.AskNewPassphrase() : null;

    /// <summary>Makes a vault. The recovery key is the only thing on standard output.</summary>
    internal static async Task CreateAsync(
        Terminal terminal, DriveService service, string name, string store, string? passphrase, CancellationToken cancellationToken)
    {
        VaultEntry entry = await service.Enrolment.CreateAsync(name, store, passphrase, ShowRecoveryKey, cancellationToken);
        terminal.Say($"This machine's keys to '{name}' are kept in {service.Keys.Describe(entry)}.");

        void ShowRecoveryKey(string recoveryKey)
        {
            terminal.Say("The recovery key of this vault. Write it down and keep it away from this machine: it opens the vault when all else is lost, and it is not shown again.");
            Terminal.Print(recoveryKey);
        }
    }
}
