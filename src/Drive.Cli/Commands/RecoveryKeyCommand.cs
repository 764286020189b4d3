using System.CommandLine;
using Drive.Control;
using Drive.Service.Hosting;

namespace Drive.Cli.Commands;

/// <summary><c>drive recovery-key renew</c>: another recovery key in place of the one that was written down.</summary>
internal static class RecoveryKeyCommand
{
    public static Command Build(Terminal terminal)
    {
        ExampleCommand command = new("recovery-key", "Replace the recovery key of a vault.", "drive recovery-key renew");
        command.Subcommands.Add(BuildRenew(terminal));
        return command;
    }

    private static ExampleCommand BuildRenew(Terminal terminal)
    {
        ExampleCommand command = new(
            "renew",
            "Show a new recovery key, ask for it once, and end the old one.",
            "drive recovery-key renew                   # when the old one was lost, or somebody saw it",
            "drive recovery-key renew --unasked > recovery-key.txt");
        VaultChoice choice = new(command);
        Option<bool> unasked = new("--unasked") { Description = "Do not ask for the new key before the old one ends: for scripts that keep what is printed." };
        command.Options.Add(unasked);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using OpenedDevices opened = await choice.OpenAsync(parsed, terminal, cancellationToken);
            RecoveryKeyMessage offered = await opened.Devices.OfferRecoveryKeyAsync(cancellationToken);
            terminal.Say("The new recovery key. Write it down and keep it away from this machine: it is not shown again. The old one is in force until you have typed this one.");
            Terminal.Print(offered.Key);
            Console.Out.Flush();
            RecoveryKeyMessage written = parsed.GetValue(unasked) ? offered : new RecoveryKeyMessage(terminal.AskSecret("The new recovery key, as you wrote it down"));
            DeviceList after = await opened.Devices.TakeRecoveryKeyAsync(written, cancellationToken);
            terminal.Say($"The old recovery key lets nobody in from commit {after.Seq} on, and the vault has a new key that it does not open.\n"
                + "What was stored before stays as it is: whoever has the old key, and the store as it was, opens that. So if somebody has both, treat what is in the vault now as known to them.");
            return (int)ExitCode.Done;
        });
        return command;
    }
}
