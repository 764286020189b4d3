using System.CommandLine;
using Drive.Control;
using Drive.Service;
using Drive.Service.Settings;
using Drive.Service.Setup;

namespace Drive.Cli.Commands;

/// <summary><c>drive init STORE [--name N]</c>.</summary>
internal static class InitCommand
{
    public static Command Build(Terminal terminal)
    {
        Argument<string> store = new("STORE") { Description = "Where to keep the vault: a folder that is empty or does not exist, s3://bucket/prefix, davs://host/path, koofr://user@app.koofr.net/path, or drive+https://host:port/vault." };
        Option<string> name = new("--name") { Description = "Its name on this machine.", HelpName = "N", DefaultValueFactory = _ => VaultName.Default };
        Option<string?> logStore = LogStoreOption();
        Option<bool> passphrase = new("--passphrase") { Description = "Protect the keys by a passphrase, asked for twice." };
        Option<string?> passphraseFile = new("--passphrase-file") { Description = "The same, from the first line of a file.", HelpName = "FILE" };
        Option<bool> alone = new("--without-account-key") { Description = "Let the passphrase open the vault on a new machine without the account key; then it must be a strong one." };
        Option<bool> singleWriter = SingleWriterOption();
        ExampleCommand command = new(
            "init",
            "Make a new vault, and print its recovery key.",
            "drive init /mnt/nas/vault",
            "drive init /mnt/nas/work --name work --passphrase",
            "drive init s3://bucket/vault --log-store /mnt/nas/vault-log",
            "drive init s3://bucket/vault --single-writer      # one machine writes, the others read",
            "drive init ~/vault > recovery-key.txt      # standard output is the recovery key and nothing else");
        command.Arguments.Add(store);
        command.Options.Add(name);
        command.Options.Add(logStore);
        command.Options.Add(singleWriter);
        command.Options.Add(passphrase);
        command.Options.Add(passphraseFile);
        command.Options.Add(alone);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DriveService service = DriveService.Create();
            string vault = VaultName.Check(parsed.GetRequiredValue(name));
            service.Enrolment.RefuseTakenName(vault);
            string? secret = NewPassphrase(terminal, parsed.GetValue(passphrase), parsed.GetValue(passphraseFile));
            NewVault wanted = new()
            {
                Name = vault,
                Store = parsed.GetRequiredValue(store),
                LogStore = parsed.GetValue(logStore),
                Passphrase = secret,
                IsAlone = parsed.GetValue(alone),
                SingleWriter = parsed.GetValue(singleWriter),
            };
            await CreateAsync(terminal, service, wanted, cancellationToken);
            terminal.Say($"Next: 'drive mount {vault} DIR'.");
            return (int)ExitCode.Done;
        });
        return command;
    }

    internal static Option<bool> SingleWriterOption() => new("--single-writer")
    {
        Description = "Let one machine at a time write to the vault, the others read: for a store of class C (see 'drive store check').",
    };

    internal static Option<string?> LogStoreOption() => new("--log-store")
    {
        Description = "Another store for the log, which needs one of class A or B (see 'drive store check'); packs then lie alone in STORE.",
        HelpName = "URL2",
    };

    /// <summary>The passphrase for a new vault, or null when none is wanted.</summary>
    internal static string? NewPassphrase(Terminal terminal, bool isWanted, string? file) =>
        file is not null ? Terminal.ReadPassphraseFile(file) : isWanted ? terminal.AskNewPassphrase() : null;

    /// <summary>Makes a vault. The recovery key is the only thing on standard output.</summary>
    internal static async Task CreateAsync(Terminal terminal, DriveService service, NewVault wanted, CancellationToken cancellationToken)
    {
        VaultEntry entry = await service.Enrolment.CreateAsync(wanted, ShowRecoveryKey, cancellationToken);
        terminal.Say($"This machine's keys to '{wanted.Name}' are kept in {service.Keys.Describe(entry)}.");
        if (entry.Store != wanted.Store)
        {
            terminal.Say($"The vault lies in '{entry.Store}'.");
        }

        if (entry.LogStore is { } log)
        {
            terminal.Say($"Its log lies in '{log}': 'drive recover {entry.Where}' needs both.");
        }

        if (wanted.SingleWriter)
        {
            terminal.Say("Only this machine writes to it. Others join with a code from 'drive device add' here, and read; 'drive device hand-over' makes one of them the writer.");
        }

        void ShowRecoveryKey(string recoveryKey)
        {
            terminal.Say("The recovery key of this vault. Write it down and keep it away from this machine: it opens the vault when all else is lost, and it is not shown again.");
            Terminal.Print(recoveryKey);
        }
    }
}
