using System.CommandLine;
using Drive.Control;
using Drive.Service;
using Drive.Service.Settings;
using Drive.Service.Setup;
using Drive.Vault;
using Drive.Vault.Keys;

namespace Drive.Cli.Commands;

/// <summary><c>drive join STORE</c>, and <c>drive recover STORE</c>, which is the same with nothing but the recovery key.</summary>
internal static class JoinCommand
{
    public static Command Build(Terminal terminal)
    {
        ExampleCommand command = new(
            "join",
            "Make this machine a device of a vault that is there.",
            "drive join s3://bucket/vault               # asks for a pairing code, the passphrase, or the recovery key",
            "drive join /mnt/nas/work --name work --device-name laptop < pairing-code.txt",
            "drive mount work /mnt/work                 # afterwards");
        return Complete(command, terminal, "Pairing code (from 'drive device add'), passphrase, or recovery key", static typed => typed);
    }

    public static Command BuildRecover(Terminal terminal)
    {
        ExampleCommand command = new(
            "recover",
            "Open a vault on this machine with its recovery key.",
            "drive recover /mnt/nas/vault               # asks for the recovery key",
            "drive recover /mnt/nas/work --name work < recovery-key.txt",
            "drive mount work /mnt/work                 # afterwards");
        return Complete(command, terminal, "Recovery key", RequireRecoveryKey);
    }

    private static ExampleCommand Complete(ExampleCommand command, Terminal terminal, string prompt, Func<string, string> check)
    {
        Argument<string> store = new("STORE") { Description = "Where the vault is." };
        Option<string> name = new("--name") { Description = "Its name on this machine.", HelpName = "N", DefaultValueFactory = _ => VaultName.Default };
        Option<string?> logStore = InitCommand.LogStoreOption();
        Option<string?> device = new("--device-name") { Description = "This machine's name in the vault; the host name when left out.", HelpName = "NAME" };
        Option<string?> passphraseFile = new("--passphrase-file") { Description = "Seal this machine's keys by the passphrase in a file.", HelpName = "FILE" };
        command.Arguments.Add(store);
        command.Options.Add(name);
        command.Options.Add(logStore);
        command.Options.Add(device);
        command.Options.Add(passphraseFile);
        Option<bool> again = new("--again") { Description = "Although this machine knows the vault (it was revoked, say): as another device. What it has not sent is set aside." };
        command.Options.Add(again);
        Option<bool> takeOver = new("--take-over") { Description = "Where one machine alone writes and is lost: this one writes from now on. Switch the other off first; what it had not sent is not in the vault." };
        command.Options.Add(takeOver);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            DriveService service = DriveService.Create();
            string vault = VaultName.Check(parsed.GetRequiredValue(name));
            string place = parsed.GetRequiredValue(store);
            string? sealing = parsed.GetValue(passphraseFile) is { } file ? Terminal.ReadPassphraseFile(file) : null;
            await service.Enrolment.CheckVaultAsync(place, parsed.GetValue(logStore), cancellationToken);
            string typed = check(terminal.AskSecret(prompt));
            JoinSecret secret = ReadSecret(null);
            VaultEntry entry = await JoinAsync(new JoinRequest
            {
                Name = vault,
                Store = place,
                LogStore = parsed.GetValue(logStore),
                Secret = secret,
                DeviceName = parsed.GetValue(device),
                Passphrase = sealing ?? (secret is JoinSecret.Passphrase ? typed : null),
                IsAgain = parsed.GetValue(again),
            });
            terminal.Say($"This machine's keys to '{vault}' are kept in {service.Keys.Describe(entry)}. Next: 'drive mount {vault} DIR'.");
            return (int)ExitCode.Done;

            JoinSecret ReadSecret(string? accountKey) => Enrolment.ReadSecret(typed, accountKey) with { TakesOver = parsed.GetValue(takeOver) };

            async Task<VaultEntry> JoinAsync(JoinRequest request)
            {
                try
                {
                    return await service.Enrolment.JoinAsync(request, terminal.Say, cancellationToken);
                }
                catch (DriveException refusal) when (refusal.InnerException is VaultException { Kind: VaultErrorKind.NeedsAccountKey })
                {
                    string account = terminal.AskSecret("Account key (from 'drive device account-key' on another machine)");
                    return await JoinAsync(request with { Secret = ReadSecret(account) });
                }
            }
        });
        return command;
    }

    private static string RequireRecoveryKey(string typed) => SecretText.Recovery.IsWellFormed(typed)
        ? typed
        : throw new DriveException(DriveError.WrongSecret, "This is not a recovery key: a character is mistyped, missing or swapped. Compare it with what you wrote down; 'drive join' takes a passphrase or a pairing code.");
}
